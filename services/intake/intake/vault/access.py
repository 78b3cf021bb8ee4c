"""Who may read which personal data of a case, for which purpose, and on which basis. Pure; what is not here is refused.

Three questions, and each must be answered: may this kind of agency have this purpose at all, does the purpose need this
class of data, and what entitles this agency in this case: being the survivor's advocate, her consent, a legal basis, or
broken glass. The tables at the foot are the whole of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from intake.vault.classes import (
    CALLER,
    CHILDREN,
    CLASSES,
    CONTACT,
    IDENTITY,
    NARRATIVE,
    OFFENDER,
    RISK_ANSWERS,
    SAFE_CONTACT,
)
from qorgau.front.posted import is_agency
from qorgau.identity.sender import PII_READ

# A shift. Whoever needs it longer has had the time to ask for consent or a legal basis.
LONGEST_BREAK = timedelta(hours=12)
USUAL_BREAK = timedelta(hours=4)
BREAK_REASONS = frozenset({"immediate_danger", "child_in_danger", "medical_emergency", "missing_person"})
VERDICTS = frozenset({"justified", "not_justified"})

ADVOCATE, CONSENT, LEGAL_BASIS, BREAK_GLASS = "advocate", "consent", "legal_basis", "break_glass"
GIVEN, REFUSED, WITHDRAWN = "given", "refused", "withdrawn"
_COORDINATOR = "coordinator"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: the agency and subject of the token, and its scopes."""

    agency: str
    subject: str
    scopes: frozenset[str]

    @property
    def kind(self) -> str:
        return self.agency.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Consent:
    """What the survivor said about sharing with an agency, when, and which agency noted it."""

    state: str
    at: int
    by: str


@dataclass(frozen=True, slots=True)
class Basis:
    """Which law lets an agency read without consent, since when, and which agency noted it."""

    code: str
    at: int
    by: str


@dataclass(frozen=True, slots=True)
class Review:
    """What the coordinator found about a break-glass, afterwards."""

    verdict: str
    at: int
    agency: str
    subject: str


@dataclass(frozen=True, slots=True)
class Grant:
    """Glass broken by one person of one agency, for a reason and until an instant; reviewed later."""

    id: str
    agency: str
    subject: str
    reason: str
    at: int
    until: int
    review: Review | None = None

    def opens(self, reader: Reader, now: int) -> bool:
        """Whether it entitles this reader now; a review that finds it unjustified ends it at once."""
        ended = self.review is not None and self.review.verdict != "justified"
        same = (self.agency, self.subject) == (reader.agency, reader.subject)
        return same and self.at <= now < self.until and not ended


@dataclass(frozen=True, slots=True)
class Sharing:
    """What entitles agencies in one case."""

    advocate: str | None = None
    consents: Mapping[str, Consent] = field(default_factory=dict)
    bases: Mapping[str, Basis] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Purpose:
    """A reason to read: which kinds of agency can have it, and which classes of data it needs."""

    kinds: frozenset[str]
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Access:
    """Granted: these classes, on this basis; `grant` names the broken glass."""

    classes: frozenset[str]
    basis: str
    grant: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Refused: a code for the audit, and what the reader can do about it."""

    code: str

    @property
    def advice(self) -> str:
        return REFUSALS[self.code]


def decide(reader: Reader, purpose: str, wanted: Iterable[str] | None, sharing: Sharing, now: int) -> Access | Refusal:
    """Whether the reader may have the wanted classes (None: all that purpose and basis allow) for this purpose."""
    refusal = _cannot_have(reader, purpose)
    if refusal is not None:
        return refusal
    asked = None if wanted is None else frozenset(wanted)
    if asked is not None and (not asked or not asked <= PURPOSES[purpose].classes):
        return Refusal("class_not_for_purpose")
    refused = Refusal("no_basis")
    for basis, grant in _entitlements(reader, sharing, now):
        allowed = PURPOSES[purpose].classes & _OPENED_BY[basis]
        if asked is None and allowed:
            return Access(allowed, _named(basis, reader, sharing), grant)
        if asked is not None and asked <= allowed:
            return Access(asked, _named(basis, reader, sharing), grant)
        refused = Refusal("class_not_for_basis")
    return refused


def may_break_glass(reader: Reader, reason: str, length: timedelta) -> Refusal | None:
    """Whether this reader can break the glass for this reason and so long; None: yes."""
    if PII_READ not in reader.scopes:
        return Refusal("no_scope")
    if not is_agency(reader.agency) or reader.kind not in _EMERGENCY_KINDS:
        return Refusal("no_emergency_kind")
    if reason not in BREAK_REASONS:
        return Refusal("unknown_reason")
    return None if timedelta() < length <= LONGEST_BREAK else Refusal("too_long")


def may_review(reader: Reader, grant: Grant) -> Refusal | None:
    """Whether this reader can review it: a coordinator, and nobody what they did themselves."""
    if not is_agency(reader.agency) or reader.kind != _COORDINATOR:
        return Refusal("no_coordinator")
    return Refusal("own_grant") if reader.subject == grant.subject else None


def may_erase(reader: Reader, sharing: Sharing) -> Refusal | None:
    """Whether this reader can have the case's key destroyed: the advocate, whom the survivor asks, or a coordinator."""
    return None if is_advocate(reader, sharing) or reader.kind == _COORDINATOR else Refusal("no_advocate")


def may_list_reads(reader: Reader, sharing: Sharing) -> Refusal | None:
    """Whether this reader can see who read what, and when."""
    return may_erase(reader, sharing)


def may_note_consent(reader: Reader) -> Refusal | None:
    """Whether this reader can note what the survivor said about sharing, or a legal basis."""
    return None if reader.kind in ADVOCATES else Refusal("no_advocate")


def is_advocate(reader: Reader, sharing: Sharing) -> bool:
    """Whether this reader's agency is the survivor's advocate in the case."""
    return sharing.advocate == reader.agency and reader.kind in ADVOCATES


def _cannot_have(reader: Reader, purpose: str) -> Refusal | None:
    if PII_READ not in reader.scopes:
        return Refusal("no_scope")
    if not is_agency(reader.agency) or reader.kind not in _READING_KINDS:
        return Refusal("kind_never_reads")
    if purpose not in PURPOSES:
        return Refusal("unknown_purpose")
    return None if reader.kind in PURPOSES[purpose].kinds else Refusal("purpose_not_of_kind")


def _entitlements(reader: Reader, sharing: Sharing, now: int) -> Iterable[tuple[str, str | None]]:
    """What entitles the reader, the mildest first: glass counts as broken only where nothing else opens."""
    if is_advocate(reader, sharing):
        yield ADVOCATE, None
    consent = sharing.consents.get(reader.agency)
    if consent is not None and consent.state == GIVEN:
        yield CONSENT, None
    if reader.agency in sharing.bases:
        yield LEGAL_BASIS, None
    yield from ((BREAK_GLASS, grant.id) for grant in sharing.grants if grant.opens(reader, now))


def _named(basis: str, reader: Reader, sharing: Sharing) -> str:
    return f"{basis}:{sharing.bases[reader.agency].code}" if basis == LEGAL_BASIS else basis


def _of(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Crisis centres and helplines stand at the survivor's side; the one that opened the case is its advocate.
ADVOCATES = _of("crisis-centre helpline-150 helpline-111")
_EMERGENCY_KINDS = ADVOCATES | _of("102 police-unit clinic shelter coordinator")

PURPOSES: Mapping[str, Purpose] = MappingProxyType(
    {
        "emergency_response": Purpose(_of("102 police-unit"), frozenset({IDENTITY, CONTACT, OFFENDER, NARRATIVE})),
        "call_back": Purpose(ADVOCATES | _of("102"), frozenset({CALLER, NARRATIVE})),
        "risk_assessment": Purpose(
            ADVOCATES | _of("police-unit coordinator"),
            frozenset({IDENTITY, OFFENDER, CHILDREN, NARRATIVE, RISK_ANSWERS}),
        ),
        "protective_order": Purpose(
            _of("police-unit prosecutor court"), frozenset({IDENTITY, CONTACT, OFFENDER, CHILDREN, NARRATIVE})
        ),
        "proceedings": Purpose(_of("police-unit prosecutor court"), frozenset({IDENTITY, OFFENDER, NARRATIVE})),
        "medical_care": Purpose(_of("clinic forensic"), frozenset({IDENTITY, CONTACT})),
        "shelter": Purpose(_of("shelter crisis-centre"), frozenset({IDENTITY, SAFE_CONTACT, CHILDREN})),
        "support": Purpose(
            ADVOCATES, frozenset({IDENTITY, CONTACT, SAFE_CONTACT, CHILDREN, OFFENDER, NARRATIVE, RISK_ANSWERS})
        ),
        "case_coordination": Purpose(_of("coordinator"), frozenset({IDENTITY, CHILDREN, RISK_ANSWERS})),
        # The survivor's own right to know and correct what is kept; she has no account, her advocate asks for her.
        "survivor_request": Purpose(ADVOCATES, CLASSES - {CALLER}),
    }
)
_READING_KINDS = frozenset().union(*(purpose.kinds for purpose in PURPOSES.values()))

# A safe contact is how she asked to be reached, by those she chose: no law and no emergency hands it on, there is the
# ordinary contact for that. Who called is not the survivor's to give away, and no emergency of hers needs it.
_OPENED_BY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        ADVOCATE: CLASSES,
        CONSENT: CLASSES - {CALLER},
        LEGAL_BASIS: CLASSES - {SAFE_CONTACT},
        BREAK_GLASS: CLASSES - {SAFE_CONTACT, CALLER},
    }
)

REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "no_scope": f"Use a token with the scope {PII_READ}.",
        "kind_never_reads": "This kind of agency never reads personal data.",
        "unknown_purpose": f"State a purpose: {', '.join(PURPOSES)}.",
        "purpose_not_of_kind": "This kind of agency does not have this purpose; state another.",
        "class_not_for_purpose": "The purpose does not need all of these classes; ask for fewer.",
        "class_not_for_basis": "What entitles the agency does not open these classes; ask for others.",
        "no_basis": "Neither consent nor a legal basis is noted for the agency; ask for one, or break the glass.",
        "no_emergency_kind": "This kind of agency does not break the glass.",
        "unknown_reason": f"State a reason: {', '.join(sorted(BREAK_REASONS))}.",
        "unknown_erase_reason": "State a reason: survivor_request, court_order or entered_in_error.",
        "too_long": f"Break the glass for at most {LONGEST_BREAK // timedelta(hours=1)} hours.",
        "no_coordinator": "A coordinator reviews it.",
        "own_grant": "Somebody else reviews it.",
        "no_advocate": "The advocate of the case does this.",
        "no_such_grant": "The case has no such break-glass.",
        "reviewed_before": "It has been reviewed.",
        "unknown_verdict": f"Say {' or '.join(sorted(VERDICTS))}.",
        "erased": "The personal data of this case were destroyed.",
        "nothing_kept": "Nothing of this is kept for the case.",
        "busy": "Too much of this case still has to be written to the audit chain; try again in a moment.",
    }
)
