"""`PUT /v1/references/{system}/{number}`: an official number gets its case, and every service learns of it.

The number goes no further than this request: what is kept and sent on is a keyed digest.
"""

from collections.abc import Awaitable, Callable, Container, Sequence
from typing import Annotated, Protocol

import orjson
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from qorgau.errors import Conflict, Invalid, Malformed, NotFound
from qorgau.front import references
from qorgau.front.answers import TEXT, answer, problems, structure
from qorgau.front.bodies import REFUSALS, read_json_body
from qorgau.front.describe import json_content
from qorgau.front.door import EVERY, Sender
from qorgau.front.envelope import read_json
from qorgau.front.posted import AgencyCode, Reference
from qorgau.front.reading import FactsOfCase
from qorgau.front.waiting import WaitingRoom
from qorgau.identity.access import Access
from qorgau.identity.membership import may_register
from qorgau.service import v1
from qorgau.shell.follower import LogRecord


class Registration(BaseModel):
    """The case an official number belongs to."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    case: Reference


class Announced(BaseModel):
    """A record of the topic; who registered it is not in old ones, nor where a development token did. What a newer
    program adds is left alone."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    case: Reference
    agency: AgencyCode | None = None


class ReferenceLog(Protocol):
    """The topic from which every service learns references."""

    async def announce(self, digest: str, value: bytes) -> int:
        """Write a record with the digest as its key; return its offset when it is safe. Raises Unavailable."""


Note = Callable[[str, str, Sender], Awaitable[None]]
"""Writes down for good that a sender is giving a case the reference with this digest; it may be told again."""


class Registry:
    """Registers references, from requests and from the topic. `kinds`: those of agency that act in cases here; `note`:
    where it is written down who does, before it is done."""

    def __init__(
        self,
        room: WaitingRoom,
        log: ReferenceLog,
        facts_of: FactsOfCase,
        secret: str,
        kinds: Container[str],
        note: Note | None = None,
    ) -> None:
        self._room = room
        self._log = log
        self._facts_of = facts_of
        self._secret = secret
        self._kinds = kinds
        self._note = note

    async def register(self, system: str, number: str, case: str, sender: Sender) -> bool:
        """Give a reference its case; whether that was new. Raises Conflict where it has another one, NotFound for a
        case of others and for one that is not known here (yet)."""
        if references.reference(f"{system}/{number}") is None:
            raise Invalid("A reference is <system>/<number>, without spaces.")
        if not may_register(sender, self._kinds, await self._facts_of(case)):
            raise NotFound
        digest = references.digest(self._secret, system, number)
        known = (await self._room.cases_of({digest})).get(digest)
        if known is None:
            if self._note is not None:
                await self._note(digest, case, sender)
            # Who registers a reference is part of the case, and every service must know.
            agency = {} if sender.agency == EVERY else {"agency": sender.agency}
            offset = await self._log.announce(digest, orjson.dumps({"case": case, **agency}))
            counts = await self._room.register(digest, case, offset, agency.get("agency"))
        else:
            counts = known
        if counts != case:
            raise Conflict("This reference belongs to another case.")
        return known is None

    async def learn(self, records: Sequence[LogRecord]) -> None:
        """What a follower of the topic does with a batch; a record that is no registration changes nothing."""
        for record in records:
            try:
                told = Announced.model_validate(read_json(record.value or b""))
            except (ValidationError, Malformed):
                continue
            if record.key is not None:
                digest = record.key.decode("ascii", "replace")
                await self._room.register(digest, told.case, record.offset, told.agency)


_ANSWER = structure(case=TEXT)


def references_router(registry: Registry, access: Access) -> APIRouter:
    """The route by which references are registered."""
    router = v1()

    @router.put(
        "/references/{system}/{number}",
        tags=["facts"],
        summary="Say which case an official number belongs to",
        description="Facts that waited for it are joined, and the agency is part of the case. The number itself is not "
        "kept and not sent on. A case that this service does not know yet is answered 404: send it again in a moment.",
        responses={
            200: answer("It was registered so before", _ANSWER),
            201: answer("Registered", _ANSWER),
            **problems(*REFUSALS, Conflict),
        },
        openapi_extra={
            "requestBody": {"required": True, "content": json_content(Registration.model_json_schema())},
        },
    )
    async def put_reference(
        system: Annotated[str, Path(pattern=f"^{references.SYSTEM}$")],
        number: Annotated[str, Path(pattern=f"^{references.NUMBER}$")],
        request: Request,
        sender: Annotated[Sender, Depends(access)],
    ) -> JSONResponse:
        try:
            _, told = await read_json_body(request)
            registration = Registration.model_validate(told)
        except ValidationError:
            raise Invalid("Send an object with the case and nothing else.", field="case") from None
        new = await registry.register(system, number, registration.case, sender)
        return JSONResponse({"case": registration.case}, 201 if new else 200)

    return router
