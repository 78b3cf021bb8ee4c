"""The routes to the persons of a case. Who asks states a purpose; answers are never kept by anybody on their way."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from intake.domain import ConsentChanged
from intake.vault.access import LONGEST_BREAK, PURPOSES, USUAL_BREAK
from intake.vault.classes import CLASSES
from intake.vault.form import LegalBasis
from intake.vault.serving import Persons
from qorgau.errors import Invalid
from qorgau.facts import event_type
from qorgau.front.describe import json_content, without_null
from qorgau.front.door import Door
from qorgau.front.envelope import read_json
from qorgau.front.idempotency import Answer, Idempotency, KeyHeader, check_key
from qorgau.front.limits import read_body
from qorgau.front.posted import AgencyCode, Region
from qorgau.front.reading import CaseId
from qorgau.identity.access import Access
from qorgau.identity.sender import EVERY, WRITE, Sender
from qorgau.instants import format_instant
from qorgau.service import v1

Route = TypeVar("Route", bound=Callable[..., Any])
_NO_STORE = {"Cache-Control": "no-store"}
_TAG = "persons"


class Command(BaseModel):
    """The body of a command: these fields and nothing else, nothing of it in an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class NoteConsent(Command):
    """What the survivor said about sharing with an agency."""

    region: Region
    agency: AgencyCode
    consent: Literal["given", "withdrawn"]


class NoteBasis(Command):
    """The law by which an agency may read without consent; without it, that there is none any more."""

    agency: AgencyCode
    legal_basis: LegalBasis | None = None


class BreakGlass(Command):
    """Why somebody has to read now, and for how long."""

    reason: Literal["immediate_danger", "child_in_danger", "medical_emergency", "missing_person"]
    hours: Annotated[int, Field(ge=1, le=LONGEST_BREAK // timedelta(hours=1))] = USUAL_BREAK // timedelta(hours=1)


class Review(Command):
    """What a coordinator found about a break-glass."""

    verdict: Literal["justified", "not_justified"]


class Erase(Command):
    """Why the personal data of a case are destroyed."""

    reason: Literal["survivor_request", "court_order", "entered_in_error"]


GrantId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def persons_router(persons: Persons, commands: Idempotency, door: Door, access: Access) -> APIRouter:
    """Read, consent, legal basis, break-glass and its review, erase, and who did any of it."""
    router = v1()
    By = Annotated[Sender, Depends(access)]

    @router.get("/cases/{case}/person", tags=[_TAG], summary="Who the case is about, for a stated purpose")
    async def get_person(
        case: CaseId,
        sender: By,
        purpose: Annotated[str, Query(description=f"One of {', '.join(PURPOSES)}")],
        classes: Annotated[str | None, Query(description=f"Some of {', '.join(sorted(CLASSES))}; by commas")] = None,
    ) -> JSONResponse:
        wanted = None if classes is None else classes.split(",")
        return JSONResponse(await persons.read(case, sender, purpose, wanted), headers=_NO_STORE)

    @router.get("/cases/{case}/accesses", tags=[_TAG], summary="Who read what, when, and on which basis")
    async def get_accesses(case: CaseId, sender: By) -> JSONResponse:
        return JSONResponse({"items": await persons.accesses(case, sender), "next": None}, headers=_NO_STORE)

    def command(path: str, model: type[Command], summary: str, status: int = 200) -> Callable[[Route], Route]:
        schema = without_null(model.model_json_schema())
        body = {"requestBody": {"required": True, "content": json_content(schema)}}
        return router.post(path, tags=[_TAG], summary=summary, status_code=status, openapi_extra=body)

    @command("/cases/{case}/consents", NoteConsent, "Note what the survivor said about sharing with an agency")
    async def post_consent(case: CaseId, request: Request, sender: By, key: KeyHeader = None) -> JSONResponse:
        async def act(told: NoteConsent, name: str) -> Answer:
            source = sender.agency if sender.agency != EVERY else f"crisis-centre/{told.region}"
            event = {
                "specversion": "1.0",
                "id": name,
                "source": source,
                "type": event_type(ConsentChanged.type),
                "subject": case,
                "time": format_instant(door.now()),
                "data": told.model_dump(),
            }
            writer = Sender(source, frozenset({WRITE}), sender.regions, subject=sender.subject)
            await persons.note_consent(case, sender, told.agency, told.consent, door.admit(event, writer).fact)
            return Answer(200, {"case": case, "agency": told.agency, "consent": told.consent}, {})

        return await _once(commands, request, sender, key, NoteConsent, act)

    @command("/cases/{case}/legal-bases", NoteBasis, "Note the legal basis on which an agency may read")
    async def post_basis(case: CaseId, request: Request, sender: By, key: KeyHeader = None) -> JSONResponse:
        async def act(told: NoteBasis, name: str) -> Answer:
            await persons.note_basis(case, sender, told.agency, told.legal_basis)
            return Answer(200, {"case": case, "agency": told.agency, "legal_basis": told.legal_basis}, {})

        return await _once(commands, request, sender, key, NoteBasis, act)

    @command("/cases/{case}/break-glass", BreakGlass, "Read now what is not shared with you; reviewed later", 201)
    async def post_break_glass(case: CaseId, request: Request, sender: By, key: KeyHeader = None) -> JSONResponse:
        async def act(told: BreakGlass, name: str) -> Answer:
            length = timedelta(hours=told.hours)
            grant = await persons.break_glass(case, sender, told.reason, length, name)
            return Answer(201, grant, {"Location": f"/v1/cases/{case}/break-glass/{name}"})

        return await _once(commands, request, sender, key, BreakGlass, act)

    @command("/cases/{case}/break-glass/{grant}/review", Review, "Say whether a break-glass was justified")
    async def post_review(
        case: CaseId, grant: GrantId, request: Request, sender: By, key: KeyHeader = None
    ) -> JSONResponse:
        async def act(told: Review, name: str) -> Answer:
            return Answer(200, await persons.review(case, sender, grant, told.verdict), {})

        return await _once(commands, request, sender, key, Review, act)

    @command("/cases/{case}/erase", Erase, "Destroy the key of a case, and with it everything personal in it")
    async def post_erase(case: CaseId, request: Request, sender: By, key: KeyHeader = None) -> JSONResponse:
        async def act(told: Erase, name: str) -> Answer:
            return Answer(200, await persons.erase(case, sender, told.reason), {})

        return await _once(commands, request, sender, key, Erase, act)

    return router


async def _once(
    commands: Idempotency, request: Request, sender: Sender, key: str | None, model: type[Command], act: Any
) -> JSONResponse:
    """Do a command once under its key; `act` is given what was told, and a name made of the key."""
    known = check_key(key)
    body = await read_body(request)
    try:
        told = model.model_validate(read_json(body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"] if step in model.model_fields)
        raise Invalid("Send the documented fields and no others.", field=place or None) from None
    path = request.url.path
    name = commands.name(sender.agency, path, known)
    answer = await commands.once(sender.agency, path, known, body, lambda: act(told, name))
    return JSONResponse(answer.body, answer.status, answer.headers | _NO_STORE)
