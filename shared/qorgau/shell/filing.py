"""What a round does with its cases: load, step, save, publish, portion by portion: while the database and Kafka work at
one portion, the next is loaded and stepped. What is read, and when it may be judged, is `tracker.py`'s."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from qorgau.assess import judged
from qorgau.clock import Clock
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.plan import Plan
from qorgau.shell.corridor import CaseLimits, Step, step
from qorgau.shell.crash import crash_point
from qorgau.shell.documents import Stored
from qorgau.shell.horizon import Horizon
from qorgau.shell.relay import Relay
from qorgau.shell.takeover import TakeOver
from qorgau.state.rows import Seen
from qorgau.store import Store
from qorgau.telemetry import Metrics

# So many cases are loaded, and written, with one command; two portions are in memory, and not a whole batch.
PORTION = 250
# Between two slices of pure work the loop turns: heartbeats and requests go on, and so does the portion before.
SLICE = 0.002


class View(Protocol):
    """What is made of the cases of a service for those who read lists and sums."""

    async def show(self, seen: Sequence[Seen]) -> None:
        """Write what these cases make; raises Unavailable, and repeating it is safe."""


@dataclass(frozen=True, slots=True)
class Work:
    """The facts of each case, the cases that are due, and the instant up to which all of them are judged (None: none
    is) but those that are `held_back`."""

    by_case: Mapping[str, Sequence[Fact]]
    due: Sequence[str]
    until: int | None
    held_back: Collection[str]

    def cases(self) -> list[str]:
        """Each case once."""
        return list(dict.fromkeys([*self.by_case, *self.due]))


@dataclass(slots=True)
class Outcome:
    """How far everything of ours is told, in each partition of the flags topic. `failure`: why some of it is not; it is
    saved, and the relay finds it."""

    told: dict[int, int] = field(default_factory=dict)
    failure: Unavailable | None = None


@dataclass(frozen=True, slots=True)
class Filing:
    """The way of cases through a round of one tracker."""

    store: Store
    relay: Relay
    takeover: TakeOver
    horizon: Horizon
    clock: Clock
    plan: Plan
    limits: CaseLimits
    metrics: Metrics
    views: Sequence[View] = ()

    async def do(self, work: Work) -> Outcome:
        """Return when all of it is saved. Raises Unavailable where that is unknown; repeating it is safe."""
        outcome = Outcome()
        left = work.cases()
        ending: asyncio.Task[set[str]] | None = None
        try:
            while left or ending is not None:
                portion, left = left[:PORTION], left[PORTION:]
                steps = await self._stepped(portion, work) if portion else []
                # Before they are saved: a case that is safe would not be read again for its rows after a crash.
                await self._show(steps)
                if ending is not None:
                    # Those that somebody else had changed are loaded and stepped once more.
                    left += await ending
                ending = asyncio.create_task(self._end(steps, outcome)) if steps else None
        finally:
            if ending is not None:
                ending.cancel()
                await asyncio.gather(ending, return_exceptions=True)
        return outcome

    async def _stepped(self, cases: Collection[str], work: Work) -> list[Step]:
        loaded = await self.store.load(cases)
        crash_point("after-load")
        await self.takeover.check_policy()
        self.takeover.check_judges(stored.record for stored in loaded.values())
        steps = []
        turned = time.monotonic()
        for case, stored in loaded.items():
            until = None if case in work.held_back else work.until
            steps.append(step(stored, work.by_case.get(case, ()), until, self.clock.now(), self.plan, self.limits))
            if time.monotonic() - turned > SLICE:
                await asyncio.sleep(0)
                turned = time.monotonic()
        return steps

    async def _show(self, steps: Sequence[Step]) -> None:
        if not self.views:
            return
        seen = []
        turned = time.monotonic()
        for one in steps:
            if one.judged:
                record = one.after.record
                seen.append(Seen(record, judged(record, self.plan), one.before.count + 1))
            if time.monotonic() - turned > SLICE:
                await asyncio.sleep(0)
                turned = time.monotonic()
        if seen:
            for view in self.views:
                await view.show(seen)

    async def _end(self, steps: Sequence[Step], outcome: Outcome) -> set[str]:
        """Save and tell; which cases somebody else had changed."""
        await self.store.park([fact for one in steps for fact in one.parked])
        kept, lost = await self.store.save([one.after for one in steps if one.changed])
        crash_point("after-save")
        for one in steps:
            if one.after.record.case not in lost:
                self._count(one)
                self.horizon.arm(one.after.record.case, one.after.next_due)
        if outcome.failure is None:
            await self._tell(list(kept.values()), outcome)
        return lost

    async def _tell(self, saved: Sequence[Stored], outcome: Outcome) -> None:
        try:
            # Later portions are told after this one, and so further on in each partition.
            outcome.told |= await self.relay.publish(saved)
        except Unavailable as error:
            outcome.failure = error

    def _count(self, one: Step) -> None:
        for change in one.changes:
            self.metrics.flag_events.labels(change.change, change.flag.rule).inc()
            self.metrics.timer_lag.observe(self.clock.since(change.at))
