"""`GET /v1/cases/{case}/export`: a case for another system, a line a thing: codes, and the person only where the reader
may have her."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Response

from intake.commands import NO_STORE
from intake.persons import Classes
from intake.vault.access import PURPOSES
from intake.vault.records import Erased
from intake.vault.serving import Persons
from qorgau.errors import NotFound
from qorgau.facts import fact_to_json
from qorgau.front.answers import NDJSON, TEXT, Responses, answer, problems
from qorgau.front.flagbook import FlagEntry
from qorgau.front.reading import CaseId, Reading, Shown, flag_item
from qorgau.identity.access import Access
from qorgau.identity.membership import shown_to
from qorgau.identity.sender import Sender
from qorgau.identity.table import TABLE
from qorgau.service import v1

FlagsOf = Callable[[str], Awaitable[Sequence[FlagEntry]]]
_WORDS = (
    "One object a line, told apart by `kind`: the `case`, each `fact` in the order it was learned, each `flag` of "
    "every service in the order it was raised, and, with `purpose`, a `person` line a report: what `GET "
    "/v1/cases/{case}/person` would show this token for that purpose, on the same basis, with the same line of audit."
)
_PURPOSE = f"One of {', '.join(PURPOSES)}; without it no person is in the file"
_PERSON = TABLE["GET", "/v1/cases/{case}/person"]
_ANSWERS: Responses = {200: answer("An object a line", TEXT, NDJSON), **problems(NotFound, Erased)}


def export_router(reading: Reading, flags_of: FlagsOf, persons: Persons, access: Access) -> APIRouter:
    """The route by which a case is handed to another system. `flags_of`: the flags of all other services in a case."""
    router = v1()

    @router.get(
        "/cases/{case}/export",
        tags=["cases"],
        summary="A case as a file for another system (NDJSON of codes)",
        description=_WORDS,
        responses=_ANSWERS,
        response_class=Response,
    )
    async def get_export(
        case: CaseId,
        sender: Annotated[Sender, Depends(access)],
        purpose: Annotated[str | None, Query(description=_PURPOSE)] = None,
        classes: Classes = None,
    ) -> Response:
        shown = await reading.shown(case, sender)
        lines = [*_codes(shown, await reading.state(shown)), *_flags(shown, await flags_of(case))]
        if purpose is not None:
            # Who may use that route, and how far, is decided there.
            reader = replace(sender, reach=_PERSON.admit(sender))
            lines += await _persons(persons, case, reader, purpose, classes)
        file = b"".join(orjson.dumps(shown_to(sender, line)) + b"\n" for line in lines)
        return Response(file, media_type=NDJSON, headers=NO_STORE)

    return router


def _codes(shown: Shown, state: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    yield {"kind": "case", **{name: state[name] for name in ("case", "status", "as_of", "agencies", "regions")}}
    for fact in sorted(shown.record.facts, key=lambda fact: (fact.recorded, fact.order)):
        yield {"kind": "fact", **fact_to_json(fact)}


def _flags(shown: Shown, others: Iterable[FlagEntry]) -> Iterable[dict[str, Any]]:
    found = {row.id: (row.raised_at, flag_item(row)) for row in shown.record.flags}
    found |= {entry.id: (entry.raised_at, dict(entry.item)) for entry in others if entry.id not in found}
    for name in sorted(found, key=lambda name: (found[name][0], name)):
        yield {"kind": "flag", **found[name][1]}


async def _persons(
    persons: Persons, case: str, reader: Sender, purpose: str, classes: str | None
) -> list[dict[str, Any]]:
    read = (await persons.read(case, reader, purpose, None if classes is None else classes.split(","))).body
    return [{"kind": "person", "case": case, "basis": read["basis"], **report} for report in read["reports"]]
