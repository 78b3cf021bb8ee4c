"""`GET /v1/feeds`: each feed as far as the sender may see it, when it was heard, and whether it is silent."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from qorgau.errors import Unavailable
from qorgau.feeds.following import Feeds
from qorgau.feeds.silence import Feed
from qorgau.front.answers import INSTANT, TEXT, Responses, answer, page_of, problems, ref, structure
from qorgau.front.paging import LIMIT, key_of, page
from qorgau.front.reading import Cursor, Limit
from qorgau.identity.access import Access
from qorgau.identity.sender import Sender
from qorgau.instants import format_duration, format_instant
from qorgau.service import v1

_MAYBE_INSTANT = {"type": ["string", "null"], "format": "date-time"}
_FEED = structure(
    agency=TEXT,
    region=TEXT,
    heard_at=INSTANT | {"description": "When the log heard it last"},
    expected_within={
        "type": ["string", "null"],
        "format": "duration",
        "description": "How long it is silent at most; null: nothing is expected of it",
    },
    basis={"enum": ["set", "learned", None]},
    state={
        "enum": ["speaks", "silent", "gone", "unexpected"],
        "description": "gone: silent for so long that it is no feed any more; unexpected: nothing is expected of it",
    },
    silent_since=_MAYBE_INSTANT | {"description": "When its silence became too long"},
)
FEED_SCHEMAS: Mapping[str, Any] = MappingProxyType({"Feed": _FEED})
_LIST: Responses = {200: answer("By region and agency", page_of(ref("Feed"))), **problems(Unavailable)}


def feed_item(feed: Feed, at: int) -> dict[str, Any]:
    """A feed as it is at an instant."""
    since = feed.silent_since(at)
    gone = feed.gone_at <= at
    state = "gone" if gone else "unexpected" if feed.within is None else "speaks" if since is None else "silent"
    return {
        "agency": feed.agency,
        "region": feed.region,
        "heard_at": format_instant(feed.heard),
        "expected_within": None if feed.within is None else format_duration(feed.within),
        "basis": feed.basis,
        "state": state,
        "silent_since": None if since is None else format_instant(since),
    }


def visible(feed: Feed, sender: Sender) -> bool:
    """To the agency itself, and to who supervises its region."""
    return sender.supervises(feed.region) or feed.agency == sender.agency


def feeds_router(feeds: Feeds, access: Access) -> APIRouter:
    """The route by which feeds are read."""
    router = v1()

    @router.get("/feeds", tags=["feeds"], summary="Which agencies are heard, and which are silent", responses=_LIST)
    async def get_feeds(
        sender: Annotated[Sender, Depends(access)], limit: Limit = LIMIT, cursor: Cursor = None
    ) -> JSONResponse:
        known, at, after = await feeds.all(), feeds.now(), key_of(cursor)
        if known is None:
            raise Unavailable("Not all facts have been read yet; ask again in a moment.")
        keyed = sorted((_key(feed), feed_item(feed, at)) for feed in known if visible(feed, sender))
        return JSONResponse(page([row for row in keyed if row[0] > after][: limit + 1], limit))

    return router


def _key(feed: Feed) -> str:
    # No cursor has a `/`, and no code of an agency a `:`.
    return f"{feed.region}|{feed.agency.replace('/', ':')}"
