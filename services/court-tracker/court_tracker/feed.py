"""`GET /v1/hearings/events`: each change of a hearing once, as it is found, to whom the list of hearings shows it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from court_tracker.state.changing import WITHDRAWN
from qorgau.errors import Gone, Invalid, Unavailable
from qorgau.front.answers import INSTANT, TEXT, Responses, answer, problems, structure
from qorgau.front.posted import REFERENCE
from qorgau.front.streams import MEDIA, LastId, Source, Streams, event
from qorgau.hearings.listing import STATES
from qorgau.identity.access import Access, Lasting
from qorgau.identity.membership import shown_to
from qorgau.identity.sender import Sender
from qorgau.instants import format_instant
from qorgau.service import v1
from qorgau.shell.lookout import Lookout, changed_or_quiet
from qorgau.state.book import is_shown
from qorgau.state.changelog import ChangeLog, Entry, Leaf
from qorgau.state.items import MAYBE_INSTANT, MAYBE_REFERENCE, MAYBE_TEXT
from qorgau.state.routes import CODE, WORD

KIND = "qorgau.hearing.changed.v1"
# So many leaves at once: what a slow reader makes wait is no more.
AT_ONCE = 5
_ID = re.compile(r"([1-9][0-9]{0,11})\.([0-9]{1,3})-([0-9a-f]{12})")
_STATE = {"enum": sorted({*STATES.values(), "relisted", "postponed", "decided", WITHDRAWN})}
HEARING_SCHEMAS: Mapping[str, Any] = MappingProxyType(
    {
        "HearingChange": structure(
            case=TEXT,
            key=TEXT,
            number={"type": "integer", "minimum": 1, "description": "Of the changes of this hearing"},
            at=INSTANT | {"description": "Since when it counts"},
            state=_STATE,
            was={"enum": [*_STATE["enum"], None], "description": "null: the hearing is new"},
            region=MAYBE_TEXT,
            court=MAYBE_TEXT,
            protocol_id=MAYBE_REFERENCE,
            hearing_id=MAYBE_REFERENCE,
            scheduled_for=MAYBE_INSTANT,
        )
    }
)
_GET_EVENTS: Responses = {200: answer("Events, each with an id to go on after", TEXT, MEDIA), **problems(Gone)}
_DESCRIPTION = (
    f"An event `{KIND}` with a `HearingChange` as data for each hearing that stands otherwise or has another date, to "
    "whom the list of hearings showed it when it changed. The ids are the same at every replica; `0` begins with all "
    "that is kept. An id from before the database was made again is answered with 410: begin again with `0`, and "
    "ignore of a hearing what has a `number` that you had. The stream ends as that of a case does."
)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a reader is: how many entries of which leaf of the log they have had; 0 and 0: nothing."""

    leaf: int
    entries: int
    mark: str

    @property
    def id(self) -> str:
        """As the id of an event."""
        return f"{self.leaf}.{self.entries}-{self.mark}" if self.leaf else "0"


BEGIN = Place(0, 0, "")


@dataclass(frozen=True, slots=True)
class HearingFeed:
    """The feeds of hearings of one process; `lookout` notices when the log of changes has grown."""

    log: ChangeLog
    lookout: Lookout
    streams: Streams

    async def start(self, last: str | None) -> Place:
        """Where a reader goes on. Raises Invalid, Gone, Unavailable."""
        if last == BEGIN.id:
            return BEGIN
        if last is None:
            leaves = await self.log.leaves(await self.log.newest(), 1)
            return _end_of(leaves[0]) if leaves else BEGIN
        named = _ID.fullmatch(last)
        if named is None:
            raise Invalid("It is no id of an event of this feed; leave it out to begin now.", field="Last-Event-ID")
        place = Place(int(named[1]), int(named[2]), named[3])
        _check(place, await self.log.leaves(place.leaf, 1))
        return place

    async def batches(self, wanted: Mapping[str, str], sender: Sender, had: Place) -> Source:
        """What a stream tells a reader who is so far. Raises Gone where the log is made again meanwhile."""
        yield [event("", had.id)]
        with self.lookout.watching("") as changed:
            while True:
                more = False
                try:
                    leaves = await self.log.leaves(had.leaf, AT_ONCE)
                except Unavailable:
                    yield [event("", had.id)]
                else:
                    _check(had, leaves)
                    told, more = list(_told(leaves, had, wanted, sender)), len(leaves) == AT_ONCE
                    had = _end_of(leaves[-1]) if leaves else had
                    yield [*told, event("", had.id)]
                if not more:
                    await changed_or_quiet(changed)


def _check(place: Place, leaves: Sequence[Leaf]) -> None:
    """Raises Gone where the first leaf is not the one of this place."""
    there = leaves[0] if leaves else None
    if place != BEGIN and not (
        there and (there.number, there.mark) == (place.leaf, place.mark) and place.entries <= len(there.entries)
    ):
        raise Gone("This feed has no such place (any more); begin again with 0.", field="Last-Event-ID")


def _end_of(leaf: Leaf) -> Place:
    return Place(leaf.number, len(leaf.entries), leaf.mark)


def _told(leaves: Sequence[Leaf], had: Place, wanted: Mapping[str, str], sender: Sender) -> Iterator[bytes]:
    for leaf in leaves:
        first = had.entries if leaf.number == had.leaf else 0
        for count, entry in enumerate(leaf.entries[first:], start=first + 1):
            change = entry.change
            named = {"case": entry.case, "region": change.region, "court": change.court, "state": change.state}
            if wanted.items() <= named.items() and is_shown(sender, change.region, entry.parts):
                place = Place(leaf.number, count, leaf.mark)
                yield event(KIND, place.id, shown_to(sender, _shown(entry)))


def _shown(entry: Entry) -> dict[str, Any]:
    change = entry.change
    return {
        "case": entry.case,
        **{name: getattr(change, name) for name in ("key", "number", "state", "was", "region", "court")},
        "at": format_instant(change.at),
        **change.item,
    }


def lookout_of(log: ChangeLog) -> Lookout:
    """What notices that a log has grown."""

    async def newest(_: Any) -> Mapping[str, str]:
        return {"": str(await log.newest())}

    return Lookout(newest)


def hearing_feed_router(feed: HearingFeed, access: Access) -> APIRouter:
    """The route of the feed."""
    router = v1()

    @router.get(
        "/hearings/events",
        tags=["courts"],
        summary="Changes of hearings as they are found (server-sent)",
        description=_DESCRIPTION,
        responses=_GET_EVENTS,
        response_class=StreamingResponse,
    )
    async def get_hearing_events(
        reader: Annotated[Lasting, Depends(access.lasting)],
        last: LastId,
        case: Annotated[str | None, Query(pattern=REFERENCE)] = None,
        region: Annotated[str | None, Query(pattern=CODE)] = None,
        court: Annotated[str | None, Query(pattern=CODE)] = None,
        state: Annotated[str | None, Query(pattern=WORD)] = None,
    ) -> StreamingResponse:
        feed.streams.check_room(reader.sender)
        named = {"case": case, "region": region, "court": court, "state": state}
        wanted = {name: value for name, value in named.items() if value is not None}
        had = await feed.start(last)
        return feed.streams.answer(reader, feed.batches(wanted, reader.sender, had))

    return router
