"""The shell around the pure heart: rounds that read the log, file its facts, step what is due, save, publish, commit.

Nothing runs ahead of the log: a round reads the clock, then looks up where the partitions end, and judges only when all
facts up to there are filed (design.md 4.1). What a round does to one case is `corridor.py`'s.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from opentelemetry.trace import SpanKind

from qorgau import telemetry
from qorgau.bus import Ends, GroupReader, Place, traceparents
from qorgau.clock import Clock
from qorgau.errors import QorgauError, Unavailable
from qorgau.pausing import pause
from qorgau.shell.context import ContextBook
from qorgau.shell.crash import crash_point
from qorgau.shell.edition import MadeAgain
from qorgau.shell.filing import Filing, Work
from qorgau.shell.following_up import FollowUp
from qorgau.shell.horizon import Horizon
from qorgau.shell.inflow import Inflow, by_case_of
from qorgau.shell.policies import PolicyWatch
from qorgau.shell.progress import Progress
from qorgau.shell.relay import Relay
from qorgau.shell.reported import Reported
from qorgau.shell.takeover import CHECK_EVERY, Superseded, TakeOver
from qorgau.store import Store
from qorgau.telemetry import Metrics
from qorgau.vocabulary import FLAGS_TOPIC

# Nothing is due and nothing comes: how often a round says all the same that it judges.
IDLE = timedelta(seconds=1)
# After a failure; long enough for a broker to come back a little, short enough that nobody notices when it is back.
PAUSE = timedelta(milliseconds=500)
# From the beginning of one round to that of the next: what comes meanwhile shares its commands, and no wait is busy.
BREATH = timedelta(milliseconds=25)
# Of a storm of due cases one round takes so many: what comes meanwhile has its turn between two rounds.
MOST_DUE = 500
RELAY_EVERY = 1.0
# A batch may come from a thousand traces; a span with so many links still shows where it came from.
LINKS = 32
_log = logging.getLogger("qorgau.tracker")


@dataclass(slots=True)
class Health:
    """How the tracker of a replica does, for readiness and metrics; `trouble` is empty while all is well."""

    trouble: str = "it has not begun"
    last_round: float = 0.0


@dataclass(slots=True)
class Tracker:
    """The tracker of one replica; `reported`: what its service has made safe before it is in the log."""

    service: str
    reader: GroupReader
    inflow: Inflow
    ends: Ends
    store: Store
    progress: Progress
    relay: Relay
    context: ContextBook
    follow_ups: Sequence[FollowUp]
    takeover: TakeOver
    horizon: Horizon
    clock: Clock
    filing: Filing
    metrics: Metrics
    reported: Reported | None = None
    policies: PolicyWatch | None = None
    health: Health = field(default_factory=Health)
    _numbers: frozenset[int] = frozenset()
    _filing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _followed: bool = False
    _relayed: float = 0.0
    _marked: float = 0.0
    _told: dict[Place, int] = field(default_factory=dict)

    async def run(self, stopping: asyncio.Event) -> None:
        """Rounds until it is time to stop; what fails is tried again after a pause, from what is saved."""
        while not stopping.is_set():
            try:
                await self.takeover.check_policy()
                await self._gather(stopping)
                if not stopping.is_set():
                    begun = time.monotonic()
                    await self._round(stopping)
                    await pause(stopping, max(BREATH - timedelta(seconds=time.monotonic() - begun), timedelta()))
            except MadeAgain as error:
                self._failed(error)
                await self._start_over()
            except Superseded as error:
                self._failed(error)
                # Those who judge by the newer policy shall have the partitions.
                self.inflow.close()
                await self.reader.stop()
                await pause(stopping, CHECK_EVERY)
            except QorgauError as error:
                self._failed(error)
                await pause(stopping, PAUSE)
        self.inflow.close()

    async def _start_over(self) -> None:
        """What is known of the log and of the cases belongs to an edition that is over."""
        self.inflow.close()
        await self.reader.stop()
        self.inflow.empty()
        self._numbers, self._told = frozenset(), {}
        self.takeover.move()

    def _failed(self, error: QorgauError) -> None:
        if self.health.trouble != error.title:
            _log.warning("a round could not be finished: %s; trying again", error.title)
        self.health.trouble = error.title
        self.metrics.rounds.labels("failed").inc()
        self.metrics.unjudged.set(max(1, len(self._numbers)))
        # What was taken from it may have been done or not; the database knows.
        self.horizon.forget()
        self.store.recent.forget()

    def numbers(self) -> frozenset[int]:
        """The partitions this replica judges."""
        return self._numbers

    async def moved(self, places: Collection[Place]) -> None:
        """Partitions were taken from us or given to us: what is being filed is finished, what was only read dropped."""
        async with self._filing:
            self.inflow.forget(places)
            self.store.recent.forget()
            self._numbers = frozenset()

    async def _gather(self, stopping: asyncio.Event) -> None:
        """Return when there is something to do, or the batch is full, or after a second."""
        loop = asyncio.get_running_loop()
        until = loop.time() + IDLE.total_seconds()
        changed = self.clock.changed()
        while not (stopping.is_set() or changed.is_set() or self.inflow.full):
            patience = min(until - loop.time(), self.inflow.patience(), self._until_due())
            if patience <= 0:
                return
            await self.inflow.fetch(patience, stopping, changed)

    def _until_due(self) -> float:
        head = self.horizon.head()
        return IDLE.total_seconds() if head is None else self.clock.wait_for(head)

    async def _round(self, stopping: asyncio.Event) -> None:
        """One round. It ends early when it is time to stop or partitions are moved."""
        begun = time.perf_counter()
        numbers = await self._ours()
        await self._relay(numbers)
        until = self._until()
        reporting = await self.reported.reporting(numbers) if self.reported else ()
        ends = await self._read_up(numbers, stopping)
        if ends is None:
            return
        # What is no longer ours was not read to its end.
        read = ends.keys() & self.reader.owned()
        judged = frozenset(number for number in numbers if all((topic, number) in read for topic in self.reader.topics))
        self.metrics.unjudged.set(len(numbers - judged))
        if until is not None and judged:
            await self._judge(judged, until, reporting)
        self.health.last_round = time.monotonic()
        self.health.trouble = "" if judged == numbers else "a part of the log cannot be read"
        self.metrics.rounds.labels("done").inc()
        self.metrics.round_seconds.observe(time.perf_counter() - begun)
        if judged != numbers:
            raise Unavailable("a part of the log cannot be read")

    def _until(self) -> int | None:
        """Up to when this policy judges what the clock lets it."""
        until = self.clock.read().until
        return until if until is None or self.policies is None else self.policies.judged_until(until)

    async def _read_up(self, numbers: frozenset[int], stopping: asyncio.Event) -> Mapping[Place, int] | None:
        """Read what is in the log now; where it ended, or None where the round is over.

        What something follows from is filed first, and what followed is read, so that nothing is judged without it.
        Nothing follows from that in turn: once more is enough.
        """
        self._followed = False
        ends = await self._read_to_the_end(numbers, stopping)
        if ends is not None and self.inflow.holds(lambda fact: any(one.concerns(fact) for one in self.follow_ups)):
            await self._file(numbers, until=None)
        return await self._read_to_the_end(numbers, stopping) if ends is not None and self._followed else ends

    async def _read_to_the_end(self, numbers: frozenset[int], stopping: asyncio.Event) -> Mapping[Place, int] | None:
        ends = await self.ends.of(self.reader.owned())
        while await self.inflow.behind(ends, stopping):
            # More than a batch: filed as it comes, judged when all of it is there.
            if stopping.is_set() or not await self._file(numbers, until=None):
                return None
        return ends

    async def _ours(self) -> frozenset[int]:
        """The partitions of this replica, taken over if they are new."""
        numbers = self.reader.numbers()
        if not numbers:
            raise Unavailable("no partition is ours, or not the same on every topic")
        if numbers != self._numbers:
            async with self._filing:
                self.horizon.forget()
                await self.takeover.begin(numbers)
                self._numbers = numbers
        return numbers

    async def _relay(self, numbers: Collection[int]) -> None:
        if time.monotonic() - self._relayed >= RELAY_EVERY:
            if self.reported:
                await self.reported.tell(numbers)
            self._note_told(await self.relay.sweep(numbers))
            self._relayed = time.monotonic()

    async def _judge(self, judged: frozenset[int], until: int, reporting: Collection[str]) -> None:
        await self.horizon.fill(until)
        due = self.horizon.take(until, MOST_DUE)
        due += await self.takeover.to_rejudge(MOST_DUE - len(due))
        await self._file(judged, until, due, reporting)

    async def _file(
        self, judged: Collection[int], until: int | None, due: Sequence[str] = (), reporting: Collection[str] = ()
    ) -> bool:
        """File what was read; step its cases and those that are due up to `until`, save, publish, commit. Whether there
        was anything to file."""
        async with self._filing:
            if not self._numbers:
                # Moved since the round began: what it had read was dropped, so it knows less than it looked up.
                return False
            reads, letters = self.inflow.ready(until), self.inflow.letters()
            by_case, context = by_case_of(reads)
            attributes: dict[str, str | int] = {
                "qorgau.service": self.service,
                "messaging.batch.message_count": len(reads),
            }
            with telemetry.span("process", attributes, kind=SpanKind.CONSUMER, linked=traceparents(reads)[:LINKS]):
                await self.relay.producer.publish(letters)
                await self.context.keep(context)
                held_back = {case for case in (*by_case, *due) if self._waits(case, judged, reporting)}
                outcome = await self.filing.do(Work(by_case, due, until, held_back))
                for one in self.follow_ups:
                    self._followed |= await one.follow_up(by_case, context)
            self._note_told(outcome.told)
            self.metrics.facts_applied.inc(sum(map(len, by_case.values())))
            positions = self.inflow.filed(reads, len(letters))
            await self._commit(positions, judged if until is not None else ())
        if outcome.failure is not None:
            raise outcome.failure
        return bool(reads or due)

    def _waits(self, case: str, judged: Collection[int], reporting: Collection[str]) -> bool:
        return case in reporting or self.store.partition(case) not in judged

    def _note_told(self, told: Mapping[int, int]) -> None:
        for number, offset in told.items():
            self._told[FLAGS_TOPIC, number] = offset

    async def _commit(self, positions: Mapping[Place, int], judged: Collection[int]) -> None:
        told, self._told = self._told, {}
        marks = judged if time.monotonic() - self._marked >= IDLE.total_seconds() else ()
        await self.progress.save({**positions, **told}, marks)
        self._marked = time.monotonic() if marks else self._marked
        crash_point("before-commit")
        if positions:
            await self.reader.commit(positions)
