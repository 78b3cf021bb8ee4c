"""The protection gap (F9): a suspended hearing that takes place after the last order has ended (section 8); pure."""

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import NamedTuple

from qorgau.facts import Fact
from qorgau.heart.circumstances import put, take
from qorgau.heart.matching import key_part
from qorgau.heart.orders import Protection
from qorgau.heart.reactions import FlagPlan, FlagRole
from qorgau.heart.ruleflags import Answer, Occurrences, Setting
from qorgau.instants import parse_instant


class Standing(NamedTuple):
    """A hearing that stands since it was suspended last, the fact that gave it a new date, and the protection."""

    key: str
    suspended: Fact
    dated: Fact | None
    hearing_at: int | None
    protection: Protection | None
    followed: bool
    hold: int

    @property
    def opens(self) -> int | None:
        """From when on there is a gap: from `hold` on if the new date shows it, otherwise from the end of the order on;
        None without an order, or if something followed it."""
        if self.protection is None or self.followed:
            return None
        end = self.protection.end
        foreseen = self.hearing_at is not None and end < self.hearing_at
        return self.hold if foreseen else max(self.hold, end)

    @property
    def length(self) -> int | None:
        """From the end of the order to the new date in microseconds, 0 if the order lasts until then; None while there
        is no new date, no order, or something followed the order."""
        if self.protection is None or self.followed or self.hearing_at is None:
            return None
        return max(0, self.hearing_at - self.protection.end)


class ProtectionGapFlag(Occurrences):
    """F9: up while a hearing stands and the last order has ended, or will have before the new date."""

    def __init__(self, plan: FlagPlan, setting: Setting, known: Iterable[Fact]) -> None:
        assert plan.protection is not None
        self._row = plan.protection
        self._dates: dict[str, list[Fact]] = {}
        self._undated: dict[str, list[Fact]] = {}
        self._followed: list[int] = []
        self._protection: Protection | None = None
        self._protection_known = False
        super().__init__(plan, setting, known)

    def _file(self, role: FlagRole, fact: Fact, adding: bool) -> None:
        key = self.plan.key(fact.data)
        match role.name:
            case "date" | "undate":
                facts = self._dates if role.name == "date" else self._undated
                (put if adding else take)(facts.setdefault(key, []), fact)
                self._touch([key])
            case "follow":
                if adding:
                    insort(self._followed, fact.time)
                else:
                    del self._followed[bisect_left(self._followed, fact.time)]
                self._touch(self._unended)
            case "look":
                self._protection_known = False
                self._touch(self._unended)
            case _:
                super()._file(role, fact, adding)

    def raised_keys(self) -> list[str]:
        """The keys of everything that was ever suspended."""
        return sorted(self._begun)

    def standing(self, key: str, at: int) -> Standing | None:
        """What stands under a key at an instant, None if nothing does."""
        begun, first = self.since_end(key)
        if first == len(begun):
            return None
        suspended, protection = begun[-1], self._last_protection()
        dated = self._new_date(key, suspended)
        return Standing(
            key,
            suspended,
            dated,
            None if dated is None else _instant(dated, self._row.dated_by.field),
            protection,
            protection is not None and bool(self._followed) and self._followed[-1] >= protection.served,
            self._hold(begun, first, at),
        )

    def answer(self, key: str, at: int) -> Answer:
        """How it is with a key at an instant."""
        standing = self.standing(key, at)
        opens = None if standing is None else standing.opens
        if standing is None or opens is None:
            return Answer(False)
        return Answer(True, standing.suspended) if at >= opens else Answer(False, None, opens)

    def _last_protection(self) -> Protection | None:
        if not self._protection_known:
            orders = self._setting.orders
            self._protection = None if orders is None else orders.last_protection(self._row.order_ended_by)
            self._protection_known = True
        return self._protection

    def _new_date(self, key: str, suspended: Fact) -> Fact | None:
        """The last fact that gives it a date since it was suspended, unless that date was taken back."""
        dates = self._dates.get(key)
        if not dates or dates[-1].time < suspended.time:
            return None
        dated, rule = dates[-1], self._row.undated_by
        if rule is None:
            return dated
        which = key_part(dated.data, rule.by)
        for fact in reversed(self._undated.get(key, ())):
            if fact.time < dated.time:
                break
            if key_part(fact.data, rule.by) == which:
                return None
        return dated

    def _hold(self, begun: list[Fact], first: int, at: int) -> int:
        """Since when one suspension that nothing ended no longer waits, or when the first will have waited enough."""
        holds = list[int]()
        for place in range(len(begun) - 1, first - 1, -1):
            holds.append(self._setting.plan.hold(begun[place]))
            if holds[-1] <= at:
                break
        return min(holds)


def _instant(fact: Fact, field: str) -> int | None:
    """The timestamp in the data, None if there is none or it has no offset."""
    try:
        return parse_instant(fact.data.get(field))
    except ValueError:
        return None
