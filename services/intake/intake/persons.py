"""The routes to the persons of a case. Who asks states a purpose; answers are never kept by anybody on their way."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from intake.answers import ACCESSES, BASIS, BROKEN, CONSENT, ERASED, PERSON, REVIEWED, TO_REVIEW
from intake.commands import NO_STORE, Command, Route, command, once
from intake.domain import ConsentChanged
from intake.speaking import posted, speaker
from intake.vault.access import LONGEST_BREAK, PURPOSES, USUAL_BREAK
from intake.vault.classes import CLASSES
from intake.vault.form import LegalBasis
from intake.vault.serving import Persons, Versioned
from qorgau.front.door import Door
from qorgau.front.idempotency import Answer, Idempotency, KeyHeader
from qorgau.front.paging import LIMIT, etag, key_of, page
from qorgau.front.posted import AgencyCode, Region
from qorgau.front.reading import CaseId, Cursor, Limit
from qorgau.identity.access import Access
from qorgau.identity.sender import Sender
from qorgau.instants import format_instant
from qorgau.service import v1

_TAG = "persons"


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


Classes = Annotated[str | None, Query(description=f"Some of {', '.join(sorted(CLASSES))}; by commas")]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The ETag it was decided by; 412 where somebody decided since")
]
GrantId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


def persons_router(persons: Persons, commands: Idempotency, door: Door, access: Access) -> APIRouter:
    """Read, consent, legal basis, break-glass, what of it to review, erase, and who did any of it."""
    router = v1()
    By = Annotated[Sender, Depends(access)]

    def post(path: str, model: type[Command], summary: str, done: Any, status: int = 200) -> Callable[[Route], Route]:
        return command(router, path, model, summary, done, tag=_TAG, status=status, versioned=True)

    @router.get(
        "/cases/{case}/person", tags=[_TAG], summary="Who the case is about, for a stated purpose", responses=PERSON
    )
    async def get_person(
        case: CaseId,
        sender: By,
        purpose: Annotated[str, Query(description=f"One of {', '.join(PURPOSES)}")],
        classes: Classes = None,
    ) -> JSONResponse:
        wanted = None if classes is None else classes.split(",")
        return _versioned(await persons.read(case, sender, purpose, wanted))

    @router.get(
        "/cases/{case}/accesses", tags=[_TAG], summary="Who read what, when, and on which basis", responses=ACCESSES
    )
    async def get_accesses(case: CaseId, sender: By) -> JSONResponse:
        return _versioned(await persons.accesses(case, sender))

    @command(
        router,
        "/cases/{case}/consents",
        NoteConsent,
        "Note what the survivor said about sharing with an agency",
        CONSENT,
        tag=_TAG,
        versioned=True,
    )
    async def post_consent(
        case: CaseId, request: Request, sender: By, key: KeyHeader, if_match: IfMatch = None
    ) -> JSONResponse:
        async def act(told: NoteConsent, name: str) -> Answer:
            by, now = speaker(sender, f"crisis-centre/{told.region}"), format_instant(door.now())
            fact = posted(door, by, case, ConsentChanged.type, name, now, told.model_dump())
            await persons.note_consent(case, sender, told.agency, told.consent, fact, if_match)
            return Answer(200, {"case": case, "agency": told.agency, "consent": told.consent}, {})

        return await once(commands, request, sender, key, NoteConsent, act)

    @post("/cases/{case}/legal-bases", NoteBasis, "Note the legal basis on which an agency may read", BASIS)
    async def post_basis(
        case: CaseId, request: Request, sender: By, key: KeyHeader, if_match: IfMatch = None
    ) -> JSONResponse:
        async def act(told: NoteBasis, name: str) -> Answer:
            await persons.note_basis(case, sender, told.agency, told.legal_basis, if_match)
            return Answer(200, {"case": case, "agency": told.agency, "legal_basis": told.legal_basis}, {})

        return await once(commands, request, sender, key, NoteBasis, act)

    @command(
        router,
        "/cases/{case}/break-glass",
        BreakGlass,
        "Read now what is not shared with you; reviewed later",
        BROKEN,
        tag=_TAG,
        status=201,
    )
    async def post_break_glass(case: CaseId, request: Request, sender: By, key: KeyHeader) -> JSONResponse:
        async def act(told: BreakGlass, name: str) -> Answer:
            length = timedelta(hours=told.hours)
            grant = await persons.break_glass(case, sender, told.reason, length, name)
            return Answer(201, grant, {"Location": f"/v1/cases/{case}/break-glass/{name}"})

        return await once(commands, request, sender, key, BreakGlass, act)

    @router.get("/break-glass", tags=[_TAG], summary="Broken glass that nobody has looked at yet", responses=TO_REVIEW)
    async def get_to_review(sender: By, limit: Limit = LIMIT, cursor: Cursor = None) -> JSONResponse:
        rows = await persons.to_review(sender, key_of(cursor), limit + 1)
        return JSONResponse(page(rows, limit), headers=NO_STORE)

    @post("/cases/{case}/break-glass/{grant}/review", Review, "Say whether a break-glass was justified", REVIEWED)
    async def post_review(
        case: CaseId, grant: GrantId, request: Request, sender: By, key: KeyHeader, if_match: IfMatch = None
    ) -> JSONResponse:
        async def act(told: Review, name: str) -> Answer:
            return Answer(200, await persons.review(case, sender, grant, told.verdict, if_match), {})

        return await once(commands, request, sender, key, Review, act)

    @command(
        router,
        "/cases/{case}/erase",
        Erase,
        "Destroy the key of a case, and with it everything personal in it",
        ERASED,
        tag=_TAG,
        versioned=True,
    )
    async def post_erase(
        case: CaseId, request: Request, sender: By, key: KeyHeader, if_match: IfMatch = None
    ) -> JSONResponse:
        async def act(told: Erase, name: str) -> Answer:
            return Answer(200, await persons.erase(case, sender, told.reason, if_match), {})

        return await once(commands, request, sender, key, Erase, act)

    return router


def _versioned(told: Versioned) -> JSONResponse:
    return JSONResponse(told.body, headers={**NO_STORE, "ETag": etag(told.version)})
