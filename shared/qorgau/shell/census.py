"""What a service's database holds, counted anew now and then for the metrics; nothing is counted up and down."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from qorgau.errors import QorgauError
from qorgau.feeds.certainty import Doubts
from qorgau.feeds.marking import Doubting
from qorgau.front.waiting import WaitingRoom
from qorgau.pausing import pause
from qorgau.shell.documents import check_schema
from qorgau.store import Store
from qorgau.telemetry import Metrics, Stored

EVERY = timedelta(seconds=5)
# What is read at once is followed by a pause so many times as long: counting never takes more than a twentieth of the
# database's time, and keeps no deadline waiting for longer than one partition takes.
SHARE = 20
_log = logging.getLogger("qorgau")


async def census(
    store: Store,
    room: WaitingRoom,
    numbers: Callable[[], Collection[int]],
    metrics: Metrics,
    stopping: asyncio.Event,
    doubting: Doubting | None = None,
) -> None:
    """Count until it is time to stop; `numbers`: the partitions this replica answers for."""
    while not stopping.is_set():
        try:
            doubts = None if doubting is None else await doubting()
            counted = await _counted(store, room, sorted(numbers()), stopping, doubts)
            if not stopping.is_set():
                metrics.show_stored(counted)
        except QorgauError as error:
            _log.debug("not counted: %s", error.title)
        await pause(stopping, EVERY)


async def _counted(
    store: Store, room: WaitingRoom, numbers: Collection[int], stopping: asyncio.Event, doubts: Doubts | None
) -> list[Stored]:
    found: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for number in numbers:
        if stopping.is_set():
            break
        begun = time.monotonic()
        found.update(tally(await store.countable(number), doubts))
        await pause(stopping, SHARE * timedelta(seconds=time.monotonic() - begun))
    return [
        *(Stored(name, labels, count) for (name, labels), count in found.items()),
        *await room.waiting(),
        Stored("qorgau_parked", ("full",), await store.count_parked()),
    ]


def tally(documents: Iterable[Mapping[str, Any]], doubts: Doubts | None = None) -> Counter[tuple[str, tuple[str, ...]]]:
    """How many cases, open flags and deadlines these documents of cases show, by metric and labels; breaches by whether
    they are certain, where that is known.

    A deadline that is breached has its flag; one that is running has an instant at which it must be looked at again, as
    has a breached one whose ladder goes on. One whose clock stands still has neither and is not counted. Raises
    NewerDocument.
    """
    found: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for document in documents:
        check_schema(document)
        state = "unknown" if document["full"] else "closed" if document["closed"] else "open"
        found["qorgau_cases", (state,)] += 1
        for row in document["open"]:
            found["qorgau_flags_open", tuple(row.split("|"))] += 1
        up = [flag for flag in document["flags"] if flag["level"] == "breach" and flag["cleared"] is None]
        if doubts is not None and doubts.feeds is not None:
            found.update(_by_certainty(up, doubts))
        breached = {(flag["rule"], flag["key"], flag["start"]) for flag in up}
        # A timer without a start is that of a rule flag.
        timed = {(rule, key, start) for _, rule, key, start in document["timers"] if start is not None}
        for rule, _, _ in breached:
            found["qorgau_deadlines", (rule, "breached")] += 1
        for rule, _, _ in timed - breached:
            found["qorgau_deadlines", (rule, "running")] += 1
    return found


def _by_certainty(breaches: Iterable[Mapping[str, Any]], doubts: Doubts) -> Iterable[tuple[str, tuple[str, ...]]]:
    for flag in breaches:
        certainty, _ = doubts.mark(flag["rule"], flag["region"], flag["agency"], flag["due"])
        yield "qorgau_breaches", (flag["rule"], flag["region"] or "", certainty)
