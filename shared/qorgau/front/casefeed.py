"""`GET /v1/cases/{case}/events`: what becomes known of a case, as it does, in every service that keeps cases.

The id of an event follows from the stored case alone, so whoever comes back with it, to any replica, gets exactly what
they have not had.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from qorgau.errors import Gone, NotFound, Unavailable
from qorgau.front.answers import INSTANT, TEXT, Responses, answer, problems, structure
from qorgau.front.caseevents import CaseEvent, Places, case_events
from qorgau.front.reading import CaseId, Reading
from qorgau.front.streams import MEDIA, LastId, Source, Streams, event
from qorgau.identity.access import Access, Lasting
from qorgau.identity.membership import shown_to
from qorgau.identity.sender import Sender
from qorgau.service import v1
from qorgau.shell.lookout import Lookout, changed_or_quiet

_FACT = structure(
    "case",
    **dict.fromkeys(("id", "source", "type", "case"), TEXT),
    time=INSTANT,
    recorded=INSTANT,
    data={"type": "object"},
)
EVENT_SCHEMAS: Mapping[str, Any] = MappingProxyType({"KnownFact": _FACT})
_GET_EVENTS: Responses = {
    200: answer("Events, each with an id to go on after", TEXT, MEDIA),
    **problems(NotFound, Gone),
}
_DESCRIPTION = (
    "A fact is an event of its own type with a `KnownFact` as data, once it is known and judged; a flag of this "
    "service is one when it is raised, escalated or cleared, with a `Flag` as it was then and the instant `at`. Order "
    "and ids are the same at every replica. An id that this case does not have, or no longer has because it was made "
    "again, is answered with 410: begin again with `0`, and go by source and id of a fact. The stream ends after an "
    "hour, when the token expires, and when the process stops: come back with the last id."
)


@dataclass(frozen=True, slots=True)
class CaseFeed:
    """The feeds of one service; `lookout` notices when a case was saved."""

    reading: Reading
    lookout: Lookout
    streams: Streams

    async def start(self, case: str, sender: Sender, last: str | None) -> str:
        """The id after which a reader goes on. Raises NotFound as every read of a case does, Invalid, Gone, and
        Unavailable where it cannot be known now."""
        _, places, count = await self._read(case, sender, last)
        return places.id(count)

    async def batches(self, case: str, sender: Sender, had: str) -> Source:
        """What a stream tells a reader who has had what comes up to this id."""
        # At once, so that a reader knows its position before anything happens.
        yield [event("", had)]
        with self.lookout.watching(case) as changed:
            while True:
                try:
                    events, places, count = await self._read(case, sender, had)
                except Unavailable:
                    # It is made again, or the database is away for a moment: what is lost is time.
                    yield [event("", had)]
                else:
                    had = places.id(places.end)
                    new = enumerate(events[count:], start=count + 1)
                    told = [event(one.kind, places.id(n), shown_to(sender, one.data)) for n, one in new]
                    yield told or [event("", had)]
                await changed_or_quiet(changed)

    async def _read(self, case: str, sender: Sender, last: str | None) -> tuple[list[CaseEvent], Places, int]:
        shown = await self.reading.shown(case, sender)
        events = case_events(shown.record)
        places = Places(events)
        try:
            return events, places, places.after(last)
        except Gone:
            if shown.unknown:
                # What is missing may be told again in a moment.
                raise Unavailable("The case cannot be judged now; come back later.") from None
            raise


def case_feed_router(feed: CaseFeed, access: Access) -> APIRouter:
    """The route of the feed."""
    router = v1()

    @router.get(
        "/cases/{case}/events",
        tags=["cases"],
        summary="What becomes known of a case, as it does (server-sent)",
        description=_DESCRIPTION,
        responses=_GET_EVENTS,
        response_class=StreamingResponse,
    )
    async def get_case_events(
        case: CaseId, reader: Annotated[Lasting, Depends(access.lasting)], last: LastId
    ) -> StreamingResponse:
        feed.streams.check_room(reader.sender)
        had = await feed.start(case, reader.sender, last)
        return feed.streams.answer(reader, feed.batches(case, reader.sender, had))

    return router
