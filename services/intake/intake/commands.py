"""Commands to the vault over HTTP: a strict body, an Idempotency-Key, one effect and one answer that nobody stores."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from qorgau.errors import Conflict, Invalid, StaleVersion
from qorgau.front.answers import problems
from qorgau.front.bodies import REFUSALS, read_json_body
from qorgau.front.describe import json_content, without_null
from qorgau.front.idempotency import Answer, Idempotency, check_key
from qorgau.identity.sender import Sender

NO_STORE = {"Cache-Control": "no-store"}
Route = TypeVar("Route", bound=Callable[..., Any])


class Command(BaseModel):
    """The body of a command: these fields and nothing else, nothing of it in an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


Told = TypeVar("Told", bound=Command)


def command(
    router: APIRouter,
    path: str,
    model: type[Command],
    summary: str,
    done: dict[str, Any],
    *,
    tag: str,
    status: int = 200,
    versioned: bool = False,
) -> Callable[[Route], Route]:
    """The decorator of a route that takes a command; `done` describes its answer, and `versioned` says that it may come
    with If-Match."""
    schema = without_null(model.model_json_schema())
    body = {"requestBody": {"required": True, "content": json_content(schema)}}
    answers = {status: done, **problems(*REFUSALS, Conflict, *([StaleVersion] if versioned else []))}
    return router.post(path, tags=[tag], summary=summary, status_code=status, responses=answers, openapi_extra=body)


async def once(
    commands: Idempotency,
    request: Request,
    sender: Sender,
    key: str,
    model: type[Told],
    act: Callable[[Told, str], Awaitable[Answer]],
) -> JSONResponse:
    """Do a command once under its key. `act` is given what was told, and a name made of the key for what it makes."""
    known = check_key(key)
    body, said = await read_json_body(request)
    try:
        told = model.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"] if step in model.model_fields)
        raise Invalid("Send the documented fields and no others.", field=place or None) from None
    path = request.url.path
    name = commands.name(sender.agency, path, known)
    answer = await commands.once(sender.agency, path, known, body, lambda: act(told, name))
    return JSONResponse(answer.body, answer.status, answer.headers | NO_STORE)
