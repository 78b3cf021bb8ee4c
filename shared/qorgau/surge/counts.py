"""Counts of days or weeks one after the other, in which a period that nobody counted is not a zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

DAY, WEEK = 1, 7
# A baseline of seven may lack two, one of eight two, one of 28 eight: fewer say too little of what is usual.
_ENOUGH = 0.7


@dataclass(frozen=True, slots=True)
class Series:
    """`counts[i]` is the count of the period of `days` days that begins `i * days` days after `start`.

    None is a period that nobody counted, a gap.
    """

    start: date
    days: int
    counts: tuple[int | None, ...]

    def first_day(self, index: int) -> date:
        """The first day of a period."""
        return self.start + timedelta(days=index * self.days)

    def gaps(self) -> tuple[date, ...]:
        """The first days of the periods that nobody counted."""
        return tuple(self.first_day(index) for index, count in enumerate(self.counts) if count is None)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a method says of one period, judged by what came before it.

    `expected` and `bound` are counts: the usual one, and the largest that is no alarm. `statistic` is the method's
    own. `p` is the chance of a statistic at least as large where nothing has changed.
    """

    expected: float
    bound: float
    statistic: float
    p: float
    alarm: bool


def series(counted: Sequence[tuple[date, int | None]]) -> Series:
    """The series of counts in ascending order of date: of weeks if all dates lie whole weeks apart, else of days.

    Days or weeks between them that are not given are gaps. Raises ValueError if there is no count, or if a date
    does not come after the one before it.
    """
    if not counted:
        raise ValueError("a series needs a count")
    steps = [(after - before).days for (before, _), (after, _) in pairwise(counted)]
    if any(step <= 0 for step in steps):
        raise ValueError("each date of a series comes after the one before it")
    days = WEEK if steps and all(step % WEEK == 0 for step in steps) else DAY
    start = counted[0][0]
    known = {(day - start).days // days: count for day, count in counted}
    return Series(start, days, tuple(known.get(index) for index in range(max(known) + 1)))


def weeks(daily: Series) -> Series | None:
    """Days summed to weeks from Monday to Sunday (ISO 8601); a series of weeks as it is.

    A week in which a day is missing is a gap; a week cut off by the beginning or the end is left out. None if no
    whole week is left.
    """
    if daily.days == WEEK:
        return daily
    first = -daily.start.weekday() % WEEK
    blocks = [daily.counts[at : at + WEEK] for at in range(first, len(daily.counts) - WEEK + 1, WEEK)]
    return Series(daily.first_day(first), WEEK, tuple(map(_sum, blocks))) if blocks else None


def baseline(counts: Sequence[int | None], end: int, length: int) -> list[int] | None:
    """The counts of the `length` periods before index `end`, gaps left out.

    None where the series does not reach that far back, or seven tenths of the periods were not counted.
    """
    if end < length:
        return None
    known = [count for count in counts[end - length : end] if count is not None]
    return known if len(known) >= _ENOUGH * length else None


def judged(counts: Sequence[int | None], last: int | None) -> range:
    """The indexes of the last so many periods; without a number those of all."""
    return range(0 if last is None else max(0, len(counts) - last), len(counts))


def _sum(block: Sequence[int | None]) -> int | None:
    known = [count for count in block if count is not None]
    return sum(known) if len(known) == len(block) else None
