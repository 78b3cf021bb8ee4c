"""What a service's database holds, counted anew now and then for the metrics; nothing is counted up and down."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from datetime import timedelta

from qorgau.errors import QorgauError
from qorgau.front.waiting import WaitingRoom
from qorgau.pausing import pause
from qorgau.store import Store
from qorgau.telemetry import Metrics, Stored

EVERY = timedelta(seconds=5)
# A count that takes long is made so seldom that it never takes more than a twentieth of the database's time.
SHARE = 20
_log = logging.getLogger("qorgau")


async def census(
    store: Store, room: WaitingRoom, numbers: Callable[[], Collection[int]], metrics: Metrics, stopping: asyncio.Event
) -> None:
    """Count until it is time to stop; `numbers`: the partitions this replica answers for."""
    while not stopping.is_set():
        begun = time.monotonic()
        try:
            metrics.show_stored(await _counted(store, room, numbers()))
        except QorgauError as error:
            _log.debug("not counted: %s", error.title)
        await pause(stopping, max(EVERY, SHARE * timedelta(seconds=time.monotonic() - begun)))


async def _counted(store: Store, room: WaitingRoom, numbers: Collection[int]) -> list[Stored]:
    flags = await store.count_open(numbers)
    cases = await store.count_cases(numbers)
    waiting, held = await room.count()
    return [
        *(Stored("qorgau_flags_open", labels, count) for labels, count in flags.items()),
        *(Stored("qorgau_cases", (state,), count) for state, count in cases.items()),
        Stored("qorgau_parked", ("reference",), waiting),
        Stored("qorgau_parked", ("held",), held),
        Stored("qorgau_parked", ("full",), await store.count_parked()),
    ]
