"""`GET /v1/hearings/events`: each change of a hearing once, as it is found, to whom the list of hearings shows it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from court_tracker.state.changing import WITHDRAWN
from court_tracker.state.hearings import STATES
from qorgau.errors import Gone, Invalid, Unavailable
from qorgau.front.answers import INSTANT, TEXT, Responses, answer, problems, structure
from qorgau.front.posted import REFERENCE
from qorgau.front.streams import MEDIA, LastId, Source, Streams, event
from qorgau.identity.access import Access, Lasting
from qorgau.identity.membership import shown_to
from qorgau.identity.sender import Sender
from qorgau.instants import format_instant
from qorgau.service import v1
from qorgau.shell.lookout import Lookout, changed_or_quiet
from qorgau.state.changelog import ChangeLog
from qorgau.state.items import MAYBE_INSTANT, MAYBE_REFERENCE, MAYBE_TEXT

KIND = "qorgau.hearing.changed.v1"
# So many at once: what a slow reader makes wait is no more.
AT_ONCE = 200
_ID = re.compile(r"([0-9]{1,6})-([0-9]{1,15})")
_WORD, _CODE = r"^[a-z0-9_-]{1,40}$", r"^[A-Za-z0-9/_.-]{1,80}$"
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
class HearingFeed:
    """The feeds of hearings of one process; `lookout` notices when the log of changes has grown."""

    log: ChangeLog
    lookout: Lookout
    streams: Streams

    async def start(self, last: str | None) -> tuple[int, int]:
        """The edition and the number after which a reader goes on. Raises Invalid, Gone, Unavailable."""
        edition, newest = self.log.edition.number, await self.log.newest()
        if last is None:
            return edition, newest
        if last == "0":
            return edition, 0
        named = _ID.fullmatch(last)
        if named is None:
            raise Invalid("It is no id of an event of this feed; leave it out to begin now.", field="Last-Event-ID")
        if int(named[1]) != edition or int(named[2]) > newest:
            raise Gone("This feed has no such place (any more); begin again with 0.", field="Last-Event-ID")
        return edition, int(named[2])

    async def batches(self, wanted: Mapping[str, str], sender: Sender, edition: int, had: int) -> Source:
        """What a stream tells a reader who has had what comes up to this number. Raises Gone where the log is made
        again meanwhile."""
        yield [event("", f"{edition}-{had}")]
        with self.lookout.watching("") as changed:
            while True:
                try:
                    told, had, more = await self._next(wanted, sender, edition, had)
                except Unavailable:
                    told, more = [], False
                yield [*told, event("", f"{edition}-{had}")]
                if not more:
                    await changed_or_quiet(changed)

    async def _next(
        self, wanted: Mapping[str, str], sender: Sender, edition: int, had: int
    ) -> tuple[list[bytes], int, bool]:
        """The next events, the number after them, and whether there are more."""
        end = await self.log.newest()
        found = await self.log.page(wanted, sender, had, end, AT_ONCE) if end > had else []
        if self.log.edition.number != edition:
            raise Gone
        told = [event(KIND, f"{edition}-{number}", shown_to(sender, _shown(one))) for number, one in found]
        more = len(found) == AT_ONCE
        return told, found[-1][0] if more else max(had, end), more


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    names = ("case", "key", "number", "state", "was", "region", "court")
    return {name: one[name] for name in names} | {"at": format_instant(one["at"]), **one["item"]}


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
        region: Annotated[str | None, Query(pattern=_CODE)] = None,
        court: Annotated[str | None, Query(pattern=_CODE)] = None,
        state: Annotated[str | None, Query(pattern=_WORD)] = None,
    ) -> StreamingResponse:
        feed.streams.check_room(reader.sender)
        named = {"case": case, "region": region, "court": court, "state": state}
        wanted = {name: value for name, value in named.items() if value is not None}
        edition, had = await feed.start(last)
        return feed.streams.answer(reader, feed.batches(wanted, reader.sender, edition, had))

    return router
