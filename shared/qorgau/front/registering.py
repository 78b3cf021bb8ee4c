"""`PUT /v1/references/{system}/{number}`: an official number gets its case, and every service learns of it.

The number goes no further than this request: what is kept and sent on is a keyed digest.
"""

from collections.abc import Sequence
from typing import Annotated, Protocol

import orjson
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from qorgau.auth import check_may_read, require
from qorgau.errors import Conflict, Invalid, Malformed
from qorgau.front import references
from qorgau.front.describe import json_content
from qorgau.front.door import WRITE, Sender
from qorgau.front.envelope import read_json
from qorgau.front.limits import Limiter, read_body
from qorgau.front.posted import Reference
from qorgau.front.reading import Cases
from qorgau.front.waiting import WaitingRoom
from qorgau.service import v1
from qorgau.shell.follower import LogRecord


class Registration(BaseModel):
    """The case an official number belongs to."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    case: Reference


class ReferenceLog(Protocol):
    """The topic from which every service learns references."""

    async def announce(self, digest: str, value: bytes) -> int:
        """Write a record with the digest as its key; return its offset when it is safe. Raises Unavailable."""


class Registry:
    """Registers references, from requests and from the topic."""

    def __init__(self, room: WaitingRoom, log: ReferenceLog, cases: Cases, secret: str) -> None:
        self._room = room
        self._log = log
        self._cases = cases
        self._secret = secret

    async def register(self, system: str, number: str, case: str, sender: Sender) -> bool:
        """Give a reference its case; whether that was new. Raises Conflict where it has another one."""
        if references.reference(f"{system}/{number}") is None:
            raise Invalid("A reference is <system>/<number>, without spaces.")
        shown = await self._cases.case(case)
        if shown is not None:
            check_may_read(sender, shown.record.facts)
        digest = references.digest(self._secret, system, number)
        known = (await self._room.cases_of({digest})).get(digest)
        if known is None:
            offset = await self._log.announce(digest, orjson.dumps({"case": case}))
            counts = await self._room.register(digest, case, offset)
        else:
            counts = known
        if counts != case:
            raise Conflict("This reference belongs to another case.")
        return known is None

    async def learn(self, records: Sequence[LogRecord]) -> None:
        """What a follower of the topic does with a batch; a record that is no registration changes nothing."""
        for record in records:
            try:
                registration = Registration.model_validate(read_json(record.value or b""))
            except (ValidationError, Malformed):
                continue
            if record.key is not None:
                await self._room.register(record.key.decode("ascii", "replace"), registration.case, record.offset)


_ANSWER = {"type": "object", "properties": {"case": {"type": "string"}}}


def references_router(registry: Registry, token_key: str, limiter: Limiter) -> APIRouter:
    """The route by which references are registered."""
    router = v1()
    writer = require(token_key, WRITE)

    @router.put(
        "/references/{system}/{number}",
        tags=["facts"],
        summary="Say which case an official number belongs to",
        description="Facts that waited for it are joined. The number itself is not kept and not sent on.",
        responses={
            200: {"description": "It was registered so before", "content": json_content(_ANSWER)},
            201: {"description": "Registered", "content": json_content(_ANSWER)},
            409: {"description": "It belongs to another case"},
        },
        openapi_extra={
            "requestBody": {"required": True, "content": json_content(Registration.model_json_schema())},
        },
    )
    async def put_reference(
        system: Annotated[str, Path(max_length=32)],
        number: Annotated[str, Path(max_length=64)],
        request: Request,
        sender: Annotated[Sender, Depends(writer)],
    ) -> JSONResponse:
        request.state.headers = limiter.take(sender.agency)
        try:
            registration = Registration.model_validate(read_json(await read_body(request)))
        except ValidationError:
            raise Invalid("Send an object with the case and nothing else.", field="case") from None
        new = await registry.register(system, number, registration.case, sender)
        return JSONResponse({"case": registration.case}, 201 if new else 200)

    return router
