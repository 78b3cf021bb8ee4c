"""The rule flags that look at one case: instant, count, condition and stale (deadlines.md, section 8); pure.

Each is filled with the facts it reacts to, says which keys a change touched, and answers for one key at one instant.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from qorgau.facts import Fact
from qorgau.heart.circumstances import Closings, Risk, first_since, put, take
from qorgau.heart.orders import Orders
from qorgau.heart.reactions import FlagPlan, FlagRole
from qorgau.heart.tolls import LONG_AGO
from qorgau.plan import Plan


class Answer(NamedTuple):
    """Whether a flag is up, the fact that raises it, and when that may change by itself."""

    up: bool
    by: Fact | None = None
    wake: int | None = None


class Setting(Protocol):
    """What a rule flag looks at beyond its own facts."""

    plan: Plan
    closings: Closings
    risk: Risk
    orders: Orders | None

    def open_keys(self, flag: str) -> Iterable[str]:
        """The keys with which a rule flag is up."""


class RuleFlag(Protocol):
    """One rule flag of one case; `touched` are the keys to ask about."""

    plan: FlagPlan
    touched: set[str]

    def apply(self, fact: Fact, adding: bool) -> None:
        """File a fact that became known, or take out one that no longer counts."""

    def closings_changed(self, only_added: bool) -> None:
        """Other closings count than before."""

    def touch_everything(self) -> None:
        """Touch every key that may be up."""

    def answer(self, key: str, at: int) -> Answer:
        """How it is with a key at an instant."""


class Occurrences:
    """Facts that begin something and facts that end it, by key; closings of the case end it too."""

    def __init__(self, plan: FlagPlan, setting: Setting, known: Iterable[Fact]) -> None:
        self.plan, self._setting = plan, setting
        self.touched: set[str] = set()
        self._begun: dict[str, list[Fact]] = {}
        self._ends: dict[str, list[int]] = {}
        self._ends_anywhere: list[int] = []
        self._unended: set[str] = set()
        for fact in known:
            self.apply(fact, True)
        # Nothing is known of their answers yet.
        self._unended |= self._begun.keys()
        self.touched.clear()

    def apply(self, fact: Fact, adding: bool) -> None:
        """File a fact or take it out."""
        for role in self.plan.roles.get(fact.type, ()):
            if role.matches(fact.data):
                self._file(role, fact, adding)

    def _file(self, role: FlagRole, fact: Fact, adding: bool) -> None:
        key = self.plan.key(fact.data)
        if role.name == "begin":
            (put if adding else take)(self._begun.setdefault(key, []), fact)
            self._touch([key])
            return
        ends = self._ends_anywhere if role.anywhere else self._ends.setdefault(key, [])
        if adding:
            insort(ends, fact.time)
        else:
            del ends[bisect_left(ends, fact.time)]
        self._touch([key] if not role.anywhere else self._unended if adding else self._begun)

    def _touch(self, keys: Iterable[str]) -> None:
        self.touched.update(keys)
        self._unended.update(keys)

    def closings_changed(self, only_added: bool) -> None:
        """Another closing can only end what has not ended; otherwise anything may have changed."""
        self._touch(list(self._unended if only_added else self._begun))

    def touch_everything(self) -> None:
        """Touch every key that may be up, also one that nothing begins any more."""
        self._touch([*self._begun, *self._setting.open_keys(self.plan.id)])

    def since_end(self, key: str) -> tuple[list[Fact], int]:
        """The facts that begin it, and the place of the first that nothing has ended."""
        begun = self._begun.get(key, [])
        ends = self._ends.get(key)
        last = max(
            ends[-1] if ends else LONG_AGO,
            self._ends_anywhere[-1] if self._ends_anywhere else LONG_AGO,
            closing if (closing := self._setting.closings.last(self.plan.continues)) is not None else LONG_AGO,
        )
        place = bisect_right(begun, last, key=lambda fact: fact.time)
        if place == len(begun):
            self._unended.discard(key)
        return begun, place


class InstantFlag(Occurrences):
    """F1, F2: up while one raising fact has not been ended and no longer waits for the rest of its batch."""

    def answer(self, key: str, at: int) -> Answer:
        """How it is with a key at an instant."""
        begun, first = self.since_end(key)
        waits: int | None = None
        for place in range(len(begun) - 1, first - 1, -1):
            hold = self._setting.plan.hold(begun[place])
            if hold <= at:
                return Answer(True, begun[place])
            waits = hold if waits is None else min(waits, hold)
        return Answer(False, None, waits)


class CountFlag(Occurrences):
    """F4: up while enough were counted since the last reset."""

    def answer(self, key: str, at: int) -> Answer:
        """How it is with a key at an instant."""
        counted, first = self.since_end(key)
        decisive = first + self.plan.amount - 1
        if decisive >= len(counted):
            return Answer(False)
        hold = self._setting.plan.hold(counted[decisive])
        return Answer(True, counted[decisive]) if hold <= at else Answer(False, None, hold)


class OrderGapFlag:
    """F6: up while all orders have ended, the last by itself, the risk is high and nothing followed."""

    def __init__(self, plan: FlagPlan, setting: Setting, known: Iterable[Fact]) -> None:
        self.plan, self._setting = plan, setting
        assert plan.gap is not None
        self._gap = plan.gap
        self._services: dict[str, list[Fact]] = {}
        self._order_ends: dict[str, list[Fact]] = {}
        self._followed: list[int] = []
        self._end_of: dict[str, Fact | None] = {}
        self._ended: list[tuple[int, str]] = []
        self._in_force: set[str] = set()
        self._looked_at = True
        for fact in known:
            self.apply(fact, True)
        self._looked_at = True

    @property
    def touched(self) -> set[str]:
        """The key with which it is up and the one with which it may be."""
        if self._looked_at:
            return set()
        return {*self._setting.open_keys(self.plan.id), *[key for _, key in self._ended[-1:]]}

    @touched.setter
    def touched(self, keys: set[str]) -> None:
        self._looked_at = not keys

    def apply(self, fact: Fact, adding: bool) -> None:
        """File a fact or take it out."""
        act = put if adding else take
        self._looked_at = False
        for role in self.plan.roles.get(fact.type, ()):
            if role.name == "service":
                key = self._gap.order_key(fact.data)
                act(self._services.setdefault(key, []), fact)
                self._end(key)
            elif role.name == "order_end":
                key = self.plan.key(fact.data)
                act(self._order_ends.setdefault(key, []), fact)
                self._end(key)
            elif role.name == "follow":
                if adding:
                    insort(self._followed, fact.time)
                else:
                    self._followed.remove(fact.time)

    def closings_changed(self, only_added: bool) -> None:
        """It looks at whether the case is closed."""
        self._looked_at = False

    def touch_everything(self) -> None:
        """Look again."""
        self._looked_at = False

    def _end(self, key: str) -> None:
        """The first end of an order at or after its first service."""
        before = self._end_of.pop(key, None)
        if before is not None:
            del self._ended[bisect_left(self._ended, (before.time, key))]
        self._in_force.discard(key)
        services = self._services.get(key)
        if not services:
            return
        end = self._end_of[key] = first_since(self._order_ends.get(key, []), services[0].time)
        if end is None:
            self._in_force.add(key)
        else:
            insort(self._ended, (end.time, key))

    def answer(self, key: str, at: int) -> Answer:
        """How it is with a key; time alone changes nothing."""
        if self._in_force or not self._ended or self._ended[-1][1] != key:
            return Answer(False)
        end, setting, gap = self._end_of[key], self._setting, self._gap
        if end is None or end.type != gap.when.order_ended_by or setting.closings.case_is_closed:
            return Answer(False)
        if self._followed and self._followed[-1] >= self._services[key][0].time:
            return Answer(False)
        if gap.risk is not None and not gap.risk(setting.risk.last(None)):
            return Answer(False)
        return Answer(True, end)


class StaleFlag:
    """F7: up while the case is open and nothing was recorded for too long. It is told of every posted fact."""

    def __init__(self, plan: FlagPlan, setting: Setting, known: Iterable[Fact]) -> None:
        self.plan, self._setting = plan, setting
        self.touched: set[str] = set()
        self._last = max(known, key=lambda fact: (fact.known_at, fact.order), default=None)
        self._up = "" in setting.open_keys(plan.id)

    def posted(self, fact: Fact) -> None:
        """A posted fact became known. While the flag is down, its next alarm may come too early, but never too late."""
        last = self._last
        if last is None or (fact.known_at, fact.order) > (last.known_at, last.order):
            if self._up or last is None:
                self.touched.add("")
            self._last = fact

    def apply(self, fact: Fact, adding: bool) -> None:
        """It reacts to no type of fact by itself."""

    def closings_changed(self, only_added: bool) -> None:
        """It looks at whether the case is closed."""
        self.touched.add("")

    def touch_everything(self) -> None:
        """Touch its only key."""
        self.touched.add("")

    def answer(self, key: str, at: int) -> Answer:
        """How it is at an instant."""
        if self._last is None or self._setting.closings.case_is_closed:
            self._up = False
            return Answer(False)
        silent = self._last.known_at + self.plan.amount
        self._up = at >= silent
        return Answer(self._up, self._last, None if self._up else silent)
