"""Which surges are up in a region at which instants: a function of its reports, of nothing else. Pure.

The newest day that is ready, and the days just before it that were alarms as well, are up together: a surge is over
with the first day, or week, that is none. So what is imported of past years raises nothing of now.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from intake.statistics.counting import Ledger
from intake.statistics.methods import Evidence, Method, SurgeRule
from intake.statistics.periods import LENGTHS, ONE_DAY, Days, Period, monday

# What goes on for longer has become usual, whatever the counts say.
LONGEST: Mapping[Period, int] = {"day": 28, "week": 8}


class Name(NamedTuple):
    """What can be up: a period, by its first day, of a channel."""

    period: Period
    channel: str
    first: date

    @property
    def key(self) -> str:
        """The key of its flag within the case of its region and day."""
        return self.channel if self.period == "day" else f"{self.channel}/{self.period}"


Up = Mapping[Name, Evidence]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is up from an instant on."""

    at: int
    up: Up


@dataclass(slots=True)
class Region:
    """The surges of one region; `ledger` moves on with the instants that are asked for."""

    rule: SurgeRule
    days: Days
    ledger: Ledger

    def moments(self, instants: list[int]) -> Iterator[Moment]:
        """How it is at these instants, which ascend."""
        for at in instants:
            yield Moment(at, self.up(at))

    def instants(self, after: int, until: int) -> list[int]:
        """When anything may change in (after, until]: a day with a report, or the one after it, is ready; or a report
        of a day that was judged already comes or goes. Also right after `after`, for what came too late for it."""
        found = {after + 1} if after < until else set()
        for period in self.rule.methods:
            firsts = {_first(day, period) for day in self.ledger.days}
            following = {first + LENGTHS[period] for first in firsts}
            found |= {self.days.ready(first, period) for first in firsts | following}
        found |= self._afterwards()
        return sorted(at for at in found if after < at <= until)

    def next(self, after: int) -> int:
        """The next instant, after one that was judged, at which anything may change by itself: the next day is ready,
        or what is known of a day that was judged changes."""
        ready = self.days.ready(self.days.newest(after) + ONE_DAY)
        return min([at for at in self._afterwards() if at > after] + [ready])

    def up(self, at: int) -> dict[Name, Evidence]:
        """Every alarm of the surges that go on at an instant."""
        self.ledger.go_to(at)
        found: dict[Name, Evidence] = {}
        for period, method in self.rule.methods.items():
            newest = self.days.newest(at, period)
            for channel in sorted(self.ledger.counts):
                for evidence in self._alarms(channel, newest, method):
                    found[Name(period, channel, evidence.first)] = evidence
        return found

    def newest(self, at: int) -> Iterator[tuple[Period, Evidence]]:
        """What the methods say of the newest day and week of each channel, alarm or not."""
        self.ledger.go_to(at)
        for period, method in self.rule.methods.items():
            for channel in sorted(self.ledger.counts):
                evidence = self.evidence(channel, self.days.newest(at, period), method)
                if evidence is not None:
                    yield period, evidence

    def evidence(self, channel: str, first: date, method: Method) -> Evidence | None:
        """What a method says of a period, None where it has no baseline yet."""
        series = self.series(channel, first, method.period, method.back)
        reading = method.read([count for _, count in series]) if series else None
        if reading is None:
            return None
        end = len(series) - 1 - method.lag
        usual = tuple(series[end - method.baseline : end]) if method.baseline else ()
        return Evidence(channel, first, series[-1][1], method, reading, usual)

    def series(self, channel: str, last: date, period: Period, back: int) -> list[tuple[date, int]]:
        """The counts of a period and of so many before it, as far back as the region was counted."""
        begin = self.ledger.begin()
        if begin is None:
            return []
        counts, length = self.ledger.counts.get(channel, Counter[date]()), LENGTHS[period]
        firsts = [last - number * length for number in range(back, -1, -1)]
        return [
            (first, sum(counts.get(first + timedelta(days=day), 0) for day in range(length.days)))
            for first in firsts
            if first >= begin
        ]

    def _afterwards(self) -> set[int]:
        """When what is known of a day changes that was ready before."""
        ready = {day: self.days.ready(day) for day in self.ledger.days}
        return {at for at, _, day, _ in self.ledger.steps if at > ready[day]}

    def _alarms(self, channel: str, newest: date, method: Method) -> Iterator[Evidence]:
        for number in range(LONGEST[method.period]):
            first = newest - number * LENGTHS[method.period]
            if not self._any(channel, first, method.period):
                return
            evidence = self.evidence(channel, first, method)
            if evidence is None or not evidence.reading.alarm:
                return
            yield evidence

    def _any(self, channel: str, first: date, period: Period) -> bool:
        """Whether the period has a report: one without is no surge, which most are without."""
        counts = self.ledger.counts[channel]
        return any(counts.get(first + timedelta(days=day), 0) for day in range(LENGTHS[period].days))


def _first(day: date, period: Period) -> date:
    return day if period == "day" else monday(day)


def window(rule: SurgeRule) -> timedelta:
    """How far before an instant the reports reach that decide what is up at it."""
    reach = [(LONGEST[method.period] + method.back + 1) * LENGTHS[method.period] for method in rule.methods.values()]
    return max(reach, default=timedelta()) + timedelta(days=2)
