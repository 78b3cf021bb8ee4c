"""What a tracker has read of the log and not yet filed: fetched records as facts, and how far each partition is filed.

A record leaves only when it is filed. What is too young to be judged is held back a moment, so that a case is loaded
and saved once for it and not twice.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from qorgau.bus import GroupReader, Incoming, Outgoing, Place, dead_letter
from qorgau.clock import Clock
from qorgau.errors import DeadLettered, Unavailable
from qorgau.facts import Fact
from qorgau.shell.logged import read_logged, receiver
from qorgau.telemetry import Metrics

# Longer than the guard, shorter than anybody notices; what lies further ahead of the clock is filed at once.
HELD_FOR = timedelta(milliseconds=250)
# A broker that is there gives the next records at once; a reader that gets none for so long is replaced.
STUCK_AFTER = timedelta(seconds=15)
_FETCH = timedelta(seconds=1)
# Taken out of the reader at once: to read so many is a slice of work after which the loop turns.
AT_ONCE = 500


class Read(NamedTuple):
    """One record that was fetched: its fact, or None where it became a dead letter. `case` is the one that files it:
    its own, another one where it is a copy, None where it is about no case."""

    place: Place
    offset: int
    fact: Fact | None
    case: str | None
    size: int
    trace: str | None


class Inflow:
    """The records of the partitions that are ours. `number_of`: the partition of a case; `copies`: the topic of copies,
    whose keys say who files them."""

    def __init__(
        self,
        reader: GroupReader,
        clock: Clock,
        metrics: Metrics,
        number_of: Callable[[str], int],
        copies: str,
        most: int,
        size: int,
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._metrics = metrics
        self._number_of = number_of
        self._copies = copies
        self._most, self._size = most, size
        self._buffer: list[Read] = []
        self._bytes = 0
        self._letters: list[Outgoing] = []
        self._next: dict[Place, int] = {}
        self._fetching: asyncio.Task[list[Incoming]] | None = None

    def forget(self, places: Collection[Place]) -> None:
        """Drop what was read of partitions that were given or taken; it is read again by whoever has them."""
        gone = set(places)
        if self._fetching is not None and self._fetching.done():
            # Fetched before, so behind where the reader begins now: taken later, it would hide what lies between.
            self._fetching = None
        self._keep([read for read in self._buffer if read.place not in gone])
        self._next = {place: offset for place, offset in self._next.items() if place not in gone}

    def empty(self) -> None:
        """Drop everything: all of it is read again."""
        self._keep([])
        self._letters, self._next = [], {}

    def close(self) -> None:
        """End the fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching = None

    @property
    def full(self) -> bool:
        """Whether a batch is together."""
        return len(self._buffer) >= self._most or self._bytes >= self._size

    def patience(self) -> float:
        """Wall seconds until something of it can be filed; infinite where there is nothing."""
        waits = [0.0 if read.fact is None else self._clock.wait_for(read.fact.known_at) for read in self._buffer]
        return min((0.0 if wait > HELD_FOR.total_seconds() else wait for wait in waits), default=float("inf"))

    async def fetch(self, patience: float, *events: asyncio.Event) -> bool:
        """Wait for records or one of the events, at most so long; whether records came.

        A fetch that is under way is never thrown away: its records would be lost to this process.
        """
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._reader.fetch(_FETCH, min(AT_ONCE, self._most)))
        waiting = [asyncio.create_task(event.wait()) for event in events]
        try:
            await asyncio.wait({self._fetching, *waiting}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if not self._fetching.done():
            return False
        fetched, self._fetching = self._fetching, None
        return self._take(fetched.result())

    async def behind(self, ends: Mapping[Place, int], stopping: asyncio.Event) -> bool:
        """Fetch until a batch is together or all is read up to these ends; whether something is left to be fetched.

        Ends early when it is time to stop. Raises Unavailable where nothing comes although there is more, after the
        reader was replaced.
        """
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while not (self.full or stopping.is_set()) and self._lacking(ends):
            if await self.fetch(_FETCH.total_seconds(), stopping):
                heard = loop.time()
            elif loop.time() - heard > STUCK_AFTER.total_seconds():
                self.close()
                await self._reader.rebuild()
                raise Unavailable("the log gives nothing although there is more")
        return self._lacking(ends)

    def _lacking(self, ends: Mapping[Place, int]) -> bool:
        owned = self._reader.owned()
        behind = {place: end - self._position(place) for place, end in ends.items() if place in owned}
        for topic in {topic for topic, _ in behind}:
            lag = sum(max(0, left) for (name, _), left in behind.items() if name == topic)
            self._metrics.consumer_lag.labels(topic).set(lag)
        return any(left > 0 for left in behind.values())

    def _position(self, place: Place) -> int:
        """The next offset of which we have not had the record. The reader's own is ahead while a fetch is done."""
        if self._fetching is not None and self._fetching.done():
            return self._next.get(place, 0)
        return max(self._next.get(place, 0), self._reader.position(place) or 0)

    def _take(self, records: Sequence[Incoming]) -> bool:
        owned = self._reader.owned()
        for record in records:
            place = record.place
            # Of a partition that was taken from us meanwhile nothing is ours to file, and nothing is filed twice.
            if place in owned and record.offset >= self._next.get(place, 0):
                self._next[place] = record.offset + 1
                self._buffer.append(self._read(record))
                self._bytes += record.size
        return bool(records)

    def _read(self, record: Incoming) -> Read:
        fact = case = None
        try:
            if record.trouble:
                raise DeadLettered(record.trouble)
            fact = read_logged(record.headers, record.value)
            case = fact.case if record.topic != self._copies else receiver(record.key)
            if case is not None and self._number_of(case) != record.partition:
                raise DeadLettered("it is not on the partition of its case")
        except DeadLettered as error:
            self._letters.append(dead_letter(record, error.detail))
            self._metrics.dead_letters.labels(record.topic, error.detail).inc()
            fact = case = None
        return Read(record.place, record.offset, fact, case, record.size, record.trace)

    def ready(self, until: int | None) -> list[Read]:
        """What can be filed now: all of it where nothing is judged, else all but what can be judged in a moment."""
        if until is None:
            return list(self._buffer)
        return [read for read in self._buffer if read.fact is None or not self._held(read.fact, until)]

    def _held(self, fact: Fact, until: int) -> bool:
        return fact.known_at > until and self._clock.wait_for(fact.known_at) <= HELD_FOR.total_seconds()

    def holds(self, what: Callable[[Fact], bool]) -> bool:
        """Whether there is such a fact among what is not filed."""
        return any(read.fact is not None and read.fact.case == read.case and what(read.fact) for read in self._buffer)

    def _keep(self, reads: list[Read]) -> None:
        self._buffer = reads
        self._bytes = sum(read.size for read in reads)

    def letters(self) -> list[Outgoing]:
        """Dead letters that must be in the log before the positions behind them are saved."""
        return list(self._letters)

    def filed(self, reads: Sequence[Read], letters: int) -> dict[Place, int]:
        """These are filed, and so many dead letters are sent: how far each partition is filed now."""
        done = {(read.place, read.offset) for read in reads}
        touched = {place for place, _ in done}
        self._keep([read for read in self._buffer if (read.place, read.offset) not in done])
        del self._letters[:letters]
        positions = {place: self._next[place] for place in touched if place in self._next}
        for read in reversed(self._buffer):
            if read.place in positions:
                positions[read.place] = read.offset
        return positions


def by_case_of(reads: Iterable[Read]) -> tuple[dict[str, list[Fact]], list[Fact]]:
    """The facts that each case files, and those about no case."""
    by_case: dict[str, list[Fact]] = defaultdict(list)
    context: list[Fact] = []
    for read in reads:
        if read.fact is not None:
            (context if read.case is None else by_case[read.case]).append(read.fact)
    return by_case, context
