"""The surge watch of one replica: it judges the regions whose days are ready, writes down what is up, and tells it.

What was told is no projection: it stays when the counts are made again, so nothing is told twice. Each region and day
is one document, written by compare-and-swap by the replica whose partition its case is on; that a second one does the
same at the same time changes nothing, because both make the same of the same log.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from intake.statistics.book import CountBook
from intake.statistics.counting import Kept, Ledger, Withdrawn
from intake.statistics.current import Current
from intake.statistics.methods import SurgeRule
from intake.statistics.periods import Days
from intake.statistics.surges import Region, window
from intake.statistics.telling import Place, first_of, told
from intake.statistics.told import SurgeBook
from intake.watching import Looking, save_and_tell
from qorgau.clock import Clock
from qorgau.errors import QorgauError
from qorgau.instants import DAY
from qorgau.shell.documents import Stored
from qorgau.shell.relay import Relay
from qorgau.surge.case import surge_case
from qorgau.telemetry import Metrics
from qorgau.telemetry import Stored as Shown

# A day is ready hours after its end; looking whether one is costs a comparison.
LOOK_EVERY = timedelta(milliseconds=250)
PAUSE = timedelta(seconds=1)
# After an import or a long stop, years are judged in pieces; the loop turns in between.
AT_ONCE = 400 * DAY
TURN_EVERY = 50
LONG_AGO, NEVER = -(1 << 62), 1 << 62
_log = logging.getLogger("qorgau.statistics")


@dataclass(slots=True)
class SurgeWatch:
    """Judges by `rule`. `days`: those of each region; `numbers`: the partitions this replica judges, none while it must
    not."""

    rule: SurgeRule
    days: Mapping[str, Days]
    counted: CountBook
    current: Current
    book: SurgeBook
    relay: Relay
    clock: Clock
    metrics: Metrics
    numbers: Callable[[], frozenset[int]]
    _looking: Looking = field(default_factory=lambda: Looking("surges", _log, LOOK_EVERY, PAUSE))
    _numbers: frozenset[int] = frozenset()
    _next: dict[str, int] = field(default_factory=dict)
    _usual: dict[str, list[Shown]] = field(default_factory=dict)

    async def run(self, stopping: asyncio.Event) -> None:
        """Judge until it is time to stop; what fails is tried again after a pause, from what is written."""
        await self._looking.run(self.look, stopping)

    def heard(self, region: str, kept: Kept | Withdrawn) -> None:
        """Something came, and is counted already: when its region must be looked at, at the latest."""
        days = self.days.get(region)
        if days is not None:
            judged = days.ready(days.of(kept.time)) if isinstance(kept, Kept) and kept.kind == "report" else kept.known
            self._next[region] = min(self._next.get(region, NEVER), max(judged, kept.known))

    async def look(self) -> None:
        """Judge what is due, if anything is and it may be judged. Raises Unavailable where it could not be finished."""
        numbers = self.numbers()
        if numbers != self._numbers or self._looking.trouble:
            # What was written and not told: by who had them before, or by us when something failed.
            await self.relay.publish(await self.book.untold(numbers))
        if numbers != self._numbers:
            self._take_over(numbers)
        until = self.clock.read().until
        while until is not None and numbers and self.current.follower.caught_up:
            due = sorted(region for region in self.days if self._next.get(region, NEVER) <= until)
            if not due or await self._judge(due, until) == until:
                return

    def _take_over(self, numbers: frozenset[int]) -> None:
        """Look at every region once, of these partitions."""
        self._next = dict.fromkeys(self.days, LONG_AGO)
        self._usual.clear()
        self.metrics.show_stored([], "surges")
        self._numbers = numbers

    async def _judge(self, due: Sequence[str], until: int) -> int:
        """Judge these regions; up to which instant, which is earlier where there is too much for once."""
        judged = await self.book.judged(self._numbers)
        # What comes from now on is noted beside what is being judged.
        self._next = {region: at for region, at in self._next.items() if region not in due}
        try:
            async with self.current.reading() as check:
                heard = await self.counted.since(self.days)
                begin = min(heard.values(), default=until) - 1
                after = {number: judged.get(number, begin) for number in self._numbers}
                earliest = min(*after.values(), until)
                until = min(until, earliest + AT_ONCE)
                up = await self.book.up()
                for region in due:
                    open_days = [stored for stored in up if stored.extra["region"] == region]
                    older = heard.get(region, NEVER) < earliest - self._window
                    await self._judge_region(region, older, after, until, open_days, check)
        except QorgauError:
            self._next |= dict.fromkeys(due, LONG_AGO)
            raise
        await self.book.keep_judged(dict.fromkeys(self._numbers, until))
        await self._show()
        return until

    async def _judge_region(
        self,
        region: str,
        older: bool,
        after: Mapping[int, int],
        until: int,
        up: Sequence[Stored],
        check: Callable[[], None],
    ) -> None:
        days = self.days[region]
        reports = await self.counted.of_region(region, min(*after.values(), until) - self._window, until + 1)
        place = Place(region, Region(self.rule, days, Ledger(reports, days.of, older)))
        changed = await self._changed(place, after, until, up)
        check()
        await save_and_tell(changed, self.book, self.relay, self.metrics, self.rule.row.id)
        self._next[region] = min(self._next.get(region, NEVER), place.region.next(until))
        self._usual[region] = list(_usual(place, until, self._owned))

    async def _changed(self, place: Place, after: Mapping[int, int], until: int, up: Sequence[Stored]) -> list[Stored]:
        """The days of which something is to be told, as they are after every moment up to an instant."""
        emitted_at, region = self.clock.now(), place.region
        days = {stored.record.case: stored for stored in up if self._owned(stored.record.case)}
        before = dict(days)
        instants = sorted({at for since in set(after.values()) for at in region.instants(since, until)})
        for number, moment in enumerate(region.moments(instants)):
            raised = {case: name.first for name in moment.up if self._owned(case := place.case(name))}
            missing = raised.keys() - days.keys()
            for case, stored in (await self.book.load(missing)).items() if missing else ():
                days[case] = before[case] = stored if stored.version else first_of(case, place.code, raised[case])
            for case, stored in days.items():
                days[case] = told(stored, place, moment, after[self.book.partition(case)], emitted_at)
            if number % TURN_EVERY == 0:
                await asyncio.sleep(0)
        return [stored for case, stored in days.items() if stored is not before[case]]

    @property
    def _window(self) -> int:
        return window(self.rule) // timedelta(microseconds=1)

    def _owned(self, case: str) -> bool:
        return self.book.partition(case) in self._numbers

    async def _show(self) -> None:
        """What is stored, for the metrics."""
        rows = [row for rows in self._usual.values() for row in rows]
        self.metrics.show_stored([*rows, *await self.book.shown(self._numbers)], "surges")


def _usual(place: Place, at: int, owned: Callable[[str], bool]) -> Iterable[Shown]:
    """How the newest day and week of each channel compare with what is usual; never the one without the other, and
    nothing of counts that are not published."""
    for period, evidence in place.region.newest(at):
        compared = evidence.comparison
        if evidence.count < place.rule.row.suppress_below or not compared.usual:
            continue
        if owned(surge_case(place.code, evidence.first)):
            labels = place.code, evidence.channel, period
            yield Shown("qorgau_reports_to_usual_ratio", labels, compared.observed / compared.usual)
            yield Shown("qorgau_reports_to_usual_p", labels, compared.p)
