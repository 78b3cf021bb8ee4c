"""The composition root of court-tracker: the only place that reads its settings and has its clients built."""

import asyncio
import sys

from court_tracker.api import build_api
from court_tracker.domain import FACTS
from court_tracker.settings import Settings
from qorgau.shell.composition import parts_of
from qorgau.shell.running import main


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """The service from its start until it is time to stop."""
    async with parts_of(settings, FACTS) as parts:
        await parts.host.run(build_api(parts.keeper()), stopping)


if __name__ == "__main__":
    sys.exit(main(Settings, run))
