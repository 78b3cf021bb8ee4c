"""The composition root of police-dispatch: the only place that reads its settings and has its clients built."""

import asyncio
import sys

from police_dispatch.api import LISTS, build_api
from police_dispatch.domain import FACTS
from police_dispatch.regraded import measured_of
from police_dispatch.regrading_routes import regrading_router
from police_dispatch.settings import Settings
from police_dispatch.state import projection
from qorgau.front.capacity import capacity_router
from qorgau.front.kpis import kpis_router
from qorgau.front.monthly import Months
from qorgau.measures.capacity import EXAMS
from qorgau.parity.wiring import parity_of
from qorgau.shell.composition import parts_of
from qorgau.shell.running import main
from qorgau.state.made import Made
from qorgau.state.routes import lists_router


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """The service from its start until it is time to stop."""
    async with parts_of(settings, FACTS, Made(listing=projection, measuring=measured_of)) as parts:
        now, access, keeper = parts.host.clock.now, parts.host.access, parts.keeper()
        months, rows = Months(parts.plan, now), parts.books.measured.rows
        own = (
            parity_of(parts),
            lists_router(LISTS, parts.books.lists, now, parts.feeds.doubts, access),
            kpis_router(rows, months, access),
            regrading_router(keeper.reading, rows, months, access),
            capacity_router(EXAMS, rows, parts.context.dated, months, access),
        )
        await parts.host.run(build_api(keeper, *own), stopping)


if __name__ == "__main__":
    sys.exit(main(Settings, run))
