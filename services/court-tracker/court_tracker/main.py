"""The composition root of court-tracker: the only place that reads its settings and has its clients built."""

import asyncio
import sys

from court_tracker.api import LISTS, build_api
from court_tracker.courts import courts_router
from court_tracker.domain import FACTS
from court_tracker.feed import HearingFeed, hearing_feed_router, lookout_of
from court_tracker.measured import measured_of
from court_tracker.settings import Settings
from court_tracker.state import projection
from court_tracker.state.changing import CONCERNED, changing
from court_tracker.stops.following import Stops
from qorgau.bus import FactsLog
from qorgau.front.kpis import kpis_router
from qorgau.front.monthly import Months
from qorgau.parity.wiring import parity_of
from qorgau.shell.composition import parts_of
from qorgau.shell.running import main
from qorgau.shell.tracking import Deriving
from qorgau.state.made import Made
from qorgau.state.routes import lists_router

MADE = Made(listing=projection, measuring=measured_of, changing=changing, concerned=CONCERNED)


def stops_of(parts: Deriving) -> Stops:
    """What a court that stops means for the hearings listed there, said by this service."""
    return Stops(parts, FactsLog(parts.host.producer, parts.host.settings.service))


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """The service from its start until it is time to stop."""
    async with parts_of(settings, FACTS, MADE, derive=stops_of) as parts:
        host = parts.host
        lists = lists_router(LISTS, parts.books.lists, host.clock.now, parts.feeds.doubts, host.access)
        courts = courts_router(parts.books.lists, parts.context, host.clock.now, host.access)
        kpis = kpis_router(parts.books.measured.rows, Months(parts.plan, host.clock.now), host.access)
        lookout = lookout_of(parts.books.changes)
        host.work.append(lookout.run)
        feed = hearing_feed_router(HearingFeed(parts.books.changes, lookout, host.streams), host.access)
        await host.run(build_api(parts.keeper(), parity_of(parts), feed, lists, courts, kpis), stopping)


if __name__ == "__main__":
    sys.exit(main(Settings, run))
