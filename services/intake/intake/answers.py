"""How the answers of the routes that only intake has are described in OpenAPI."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from intake.vault.access import BREAK_REASONS, PURPOSES, VERDICTS
from intake.vault.classes import CLASSES
from intake.vault.incidents import STATES
from intake.vault.records import Erased
from qorgau.errors import NotFound
from qorgau.front.answers import INSTANT, LOCATION, TEXT, Responses, answer, array, page_of, problems, ref, structure

_MAYBE_TEXT = {"type": ["string", "null"]}
_REVIEW = structure(verdict={"enum": sorted(VERDICTS)}, at=INSTANT, agency=TEXT)
_GRANT = structure(
    id=TEXT,
    case=TEXT,
    agency=TEXT,
    reason={"enum": sorted(BREAK_REASONS)},
    **dict.fromkeys(("from", "until"), INSTANT),
    review={"oneOf": [{"type": "null"}, _REVIEW]},
)
_PERSONAL = {name: {"type": "object"} for name in ("survivor", "alleged_offender", "caller", "risk")}
_PERSON = structure(
    case=TEXT,
    basis=TEXT | {"description": "What entitles the agency: advocate, consent, legal_basis:CODE or break_glass"},
    reports=array(structure(*_PERSONAL, "narrative", report_id=TEXT, narrative=TEXT, **_PERSONAL)),
)
_LINE = structure(
    at=INSTANT,
    **dict.fromkeys(("action", "agency", "subject"), TEXT),
    purpose={"enum": [*PURPOSES, None]},
    basis=_MAYBE_TEXT,
    classes=array({"enum": sorted(CLASSES)}),
    detail=_MAYBE_TEXT,
)
_SIDE = structure(case=TEXT, report_id=TEXT, at=INSTANT, channel=TEXT)
_PROPOSAL = structure(
    id=TEXT,
    state={"enum": list(STATES)},
    region=TEXT,
    first=_SIDE,
    second=_SIDE,
    score={"type": "number"},
    reasons=array(structure(reason=TEXT, bits={"type": "number"})),
    proposed_at=INSTANT,
)
INTAKE_SCHEMAS: Mapping[str, Any] = MappingProxyType(
    {"AccessLine": _LINE, "Grant": _GRANT, "PersonRead": _PERSON, "Proposal": _PROPOSAL}
)
# It changes with what is decided, not with who reads.
_DECIDED = {"ETag": {"schema": TEXT, "required": True, "description": "Of what was decided so far; for If-Match"}}

PERSON: Responses = {
    200: answer("What the purpose and the basis open", ref("PersonRead"), headers=_DECIDED),
    **problems(NotFound, Erased),
}
ACCESSES: Responses = {
    200: answer("The oldest first", page_of(ref("AccessLine")), headers=_DECIDED),
    **problems(NotFound),
}
CONSENT = answer("Noted", structure(case=TEXT, agency=TEXT, consent={"enum": ["given", "withdrawn"]}))
BASIS = answer("Noted", structure(case=TEXT, agency=TEXT, legal_basis=_MAYBE_TEXT))
BROKEN = answer("Read now; it is written down and will be reviewed", ref("Grant"), headers=LOCATION)
TO_REVIEW: Responses = {
    200: answer("Case by case", page_of(structure(case=TEXT, grants=array(ref("Grant"))))),
}
REVIEWED = answer("The break-glass with its review", ref("Grant"))
ERASED = answer("They are destroyed", structure(case=TEXT, erased_at=INSTANT))
REFERRED = answer(
    "Written down; the agency is part of the case",
    structure(
        **dict.fromkeys(("case", "referral_id", "region", "agency"), TEXT),
        purpose={"enum": [*PURPOSES, None]},
        classes=array({"enum": sorted(CLASSES)}),
        basis=_MAYBE_TEXT | {"description": "What entitles the agency to what it is told"},
    ),
)
PROPOSALS: Responses = {200: answer("The oldest first", page_of(ref("Proposal")))}
PROPOSAL = answer("The proposal as it is now", ref("Proposal"))
