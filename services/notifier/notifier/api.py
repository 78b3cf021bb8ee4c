"""The routes of the notifier: flags as a list and as a stream, and the way to the explanation of one."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from notifier.listing import Asked, listed
from notifier.stream import FlagStream
from qorgau.errors import Invalid, NotFound
from qorgau.feeds.certainty import Certainty
from qorgau.feeds.marking import Doubting
from qorgau.front.answers import (
    INSTANT,
    LOCATION,
    TEXT,
    Responses,
    answer,
    flag_schema,
    page_of,
    problems,
    ref,
    with_certainty,
)
from qorgau.front.door import Sender
from qorgau.front.flagbook import FlagBook
from qorgau.front.paging import LIMIT, key_of, page
from qorgau.front.posted import REFERENCE
from qorgau.front.reading import Cursor, Limit
from qorgau.front.streams import MEDIA, LastId
from qorgau.identity.access import Access, Lasting
from qorgau.identity.membership import shown_to
from qorgau.instants import parse_instant
from qorgau.service import Ready, build_app, v1
from qorgau.telemetry import Metrics
from qorgau.vocabulary import NOTIFIER

_LIST: Responses = {200: answer("In the order they were raised", page_of(ref("Flag")))}
_STREAM: Responses = {200: answer("Events, each with an id to go on after", TEXT, MEDIA)}
_ELSEWHERE: Responses = {
    307: {"description": "Ask there, with the same token", "headers": LOCATION},
    **problems(NotFound),
}
Word = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


def filters(
    case: Annotated[str | None, Query(pattern=REFERENCE)] = None,
    rule: Word = None,
    level: Literal["warn", "breach", "info", "flag"] | None = None,
    severity: Literal["critical", "high", "medium"] | None = None,
    region: Word = None,
    agency: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_/-]{1,64}$")] = None,
    outcome: Word = None,
) -> Mapping[str, str]:
    """The filters that compare one field of the flag."""
    given = {
        "case": case,
        "rule": rule,
        "level": level,
        "severity": severity,
        "region": region,
        "agency": agency,
        "outcome": outcome,
    }
    return {name: value for name, value in given.items() if value is not None}


def flags_router(
    book: FlagBook, stream: FlagStream, owners: Mapping[str, str], doubting: Doubting, access: Access
) -> APIRouter:
    """The routes; `owners` are the addresses of the services that judge, by name; `doubting`: what is uncertain now."""
    router = v1()
    Reader = Annotated[Sender, Depends(access)]

    @router.get(
        "/flags", tags=["flags"], summary="Flags in the order they were raised, as they are now", responses=_LIST
    )
    async def get_flags(
        sender: Reader,
        wanted: Annotated[Mapping[str, str], Depends(filters)],
        since: Annotated[str | None, Query(description="Raised at or after; ISO 8601 with an offset")] = None,
        certainty: Annotated[Certainty | None, Query(description="As it is now; what is cleared is certain")] = None,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
    ) -> JSONResponse:
        asked = Asked(wanted, _instant(since), sender, certainty)
        rows = await listed(book, asked, await doubting(), key_of(cursor), limit + 1)
        return JSONResponse(shown_to(sender, page(rows, limit)))

    @router.get(
        "/flags/stream",
        tags=["flags"],
        summary="Flag events as they come (server-sent)",
        responses=_STREAM,
        response_class=StreamingResponse,
    )
    async def get_stream(reader: Annotated[Lasting, Depends(access.lasting)], last: LastId) -> StreamingResponse:
        stream.streams.check_room(reader.sender)
        offsets = await stream.start(last)
        return stream.streams.answer(reader, stream.batches(offsets, reader.sender))

    @router.get(
        "/flags/{flag}/explanation",
        tags=["flags"],
        summary="Where a flag is explained: the service whose rule it is",
        description="Many clients send no token on to another origin by themselves: send it again there.",
        status_code=307,
        responses=_ELSEWHERE,
        response_class=Response,
    )
    async def get_explanation(flag: Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")], sender: Reader) -> Response:
        entry = await book.find(flag)
        if entry is None or not entry.visible_to(sender) or entry.service not in owners:
            raise NotFound
        location = f"{owners[entry.service].rstrip('/')}/v1/flags/{flag}/explanation"
        return Response(status_code=307, headers={"Location": location})

    return router


def build_api(router: APIRouter, ready: Ready, metrics: Metrics, *, api: bool = True) -> FastAPI:
    """The application of the notifier; without `api` it answers only how it does."""
    schemas = {"Flag": with_certainty(event_schema())}
    return build_app(NOTIFIER, [router], ready=ready, metrics=metrics, schemas=schemas, api=api)


def _instant(since: str | None) -> int | None:
    try:
        return None if since is None else parse_instant(since)
    except ValueError as error:
        raise Invalid(f"It is {error}.", field="since") from None


def event_schema() -> dict[str, Any]:
    """The data of a flag event, which an item of the list has too."""
    number = {"type": "integer", "description": "Strictly increasing for each service and case"}
    return flag_schema(seq=number, emitted_at=INSTANT)
