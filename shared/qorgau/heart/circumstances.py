"""What concerns every deadline of a case alike: its closings and reopenings, and its risk (deadlines.md 3.3, 4.2)."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from qorgau.facts import Fact

ORDER = attrgetter("order")
NO_DATA: Mapping[str, Any] = {}


def put(facts: list[Fact], fact: Fact) -> None:
    """File a fact in a list kept in fact order."""
    if not facts or facts[-1].order <= fact.order:
        facts.append(fact)
    else:
        insort(facts, fact, key=ORDER)


def take(facts: list[Fact], fact: Fact) -> None:
    """Take a fact out of a list kept in fact order."""
    place = bisect_left(facts, fact.order, key=ORDER)
    while facts[place] is not fact:
        place += 1
    del facts[place]


def first_since(facts: list[Fact], since: int) -> Fact | None:
    """The first fact in fact order dated at or after an instant."""
    if not facts or facts[-1].time < since:
        return None
    return facts[bisect_left(facts, (since,), key=ORDER)]


class Closings:
    """The closings and reopenings of a case that are known."""

    __slots__ = ("closed", "reopened")

    def __init__(self) -> None:
        self.closed: list[int] = []
        self.reopened: list[int] = []

    def change(self, times: list[int], at: int, adding: bool) -> list[tuple[int, int, bool]]:
        """Put a time into `closed` or `reopened` or take it out. Returns the stretches of time in which other closings
        count than before: from, to, and whether only for what goes on when the case is reopened."""
        before = self._last_reopened
        if adding:
            insort(times, at)
        else:
            del times[bisect_left(times, at)]
        if times is self.closed:
            return [(at, at, False)]
        low, high = sorted((before, self._last_reopened))
        first, last = bisect_right(self.closed, low), bisect_right(self.closed, high)
        return [(self.closed[first], self.closed[last - 1], True)] if first < last else []

    @property
    def _last_reopened(self) -> int:
        return self.reopened[-1] if self.reopened else -(1 << 62)

    def first(self, since: int, continues: bool) -> int | None:
        """The first closing at or after an instant; with `continues` one that no reopening followed."""
        closed = self.closed
        if not closed:
            return None
        if continues and self.reopened:
            since = max(since, self.reopened[-1] + 1)
        return closed[bisect_left(closed, since)] if closed[-1] >= since else None

    def last(self, continues: bool) -> int | None:
        """The last closing that counts."""
        if not self.closed or (continues and self.reopened and self.reopened[-1] >= self.closed[-1]):
            return None
        return self.closed[-1]

    @property
    def case_is_closed(self) -> bool:
        """Some closing has no reopening at or after it."""
        return self.last(continues=True) is not None


class Risk:
    """The known assessments of risk, in fact order."""

    __slots__ = ("assessed",)

    def __init__(self) -> None:
        self.assessed: list[Fact] = []

    def change(self, fact: Fact, adding: bool) -> tuple[Fact | None, int | None]:
        """File an assessment or take it out; returns the one before it and the time of the one after it."""
        if adding:
            put(self.assessed, fact)
        place = bisect_left(self.assessed, fact.order, key=ORDER)
        before = self.assessed[place - 1] if place else None
        after = self.assessed[place + 1].time if place + 1 < len(self.assessed) else None
        if not adding:
            take(self.assessed, fact)
        return before, after

    def last(self, until: int | None) -> Mapping[str, Any]:
        """The data of the last assessment, dated at or before an instant if one is given; empty if there is none."""
        assessed = self.assessed
        if until is None or not assessed or assessed[-1].time <= until:
            return assessed[-1].data if assessed else NO_DATA
        place = bisect_right(assessed, until, key=attrgetter("time"))
        return assessed[place - 1].data if place else NO_DATA
