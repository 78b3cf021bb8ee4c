"""The composition root of police-dispatch: the only place that reads its settings and has its clients built."""

import asyncio
import sys

from police_dispatch.api import LISTS, build_api
from police_dispatch.domain import FACTS
from police_dispatch.settings import Settings
from police_dispatch.state import projection
from qorgau.parity.wiring import parity_of
from qorgau.shell.composition import parts_of
from qorgau.shell.running import main
from qorgau.state.routes import lists_router


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """The service from its start until it is time to stop."""
    async with parts_of(settings, FACTS, listing=projection) as parts:
        lists = lists_router(LISTS, parts.lists, parts.host.clock.now, parts.host.access)
        await parts.host.run(build_api(parts.keeper(), parity_of(parts), lists), stopping)


if __name__ == "__main__":
    sys.exit(main(Settings, run))
