"""Hearings that stand, each with its new date, the end of the last order and what lies between the two; pure.

It is what the protection gap (F9, deadlines.md section 8) is judged by, for those who report on many cases.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from qorgau.facts import Fact
from qorgau.heart.gaps import ProtectionGapFlag
from qorgau.instants import format_duration, format_instant
from qorgau.plan import Plan
from qorgau.record import CaseRecord, learn, open_case


@dataclass(frozen=True, slots=True)
class StandingRow:
    """One hearing that stands; instants and lengths in microseconds.

    `new_date`: None while it has none. `order_end`: of the served order that ends last, as it is known, None without
    one. `gap`: from there to the new date, 0 if the order lasts until then; None while it is open-ended, without an
    order, or if special requirements followed it (`followed`). `up`: whether the flag is up.
    """

    case: str
    rule: str
    key: str
    suspended_at: int
    suspended_by: str
    new_date: int | None
    order_end: int | None
    gap: int | None
    followed: bool
    up: bool

    def to_json(self) -> dict[str, Any]:
        """For an answer: instants and durations as text."""
        return {
            "case": self.case,
            "rule": self.rule,
            "key": self.key,
            "suspended_at": format_instant(self.suspended_at),
            "suspended_by": self.suspended_by,
            "new_date": None if self.new_date is None else format_instant(self.new_date),
            "order_end": None if self.order_end is None else format_instant(self.order_end),
            "gap": None if self.gap is None else format_duration(self.gap),
            "followed": self.followed,
            "up": self.up,
        }


def standing_hearings(record: CaseRecord, plan: Plan) -> list[StandingRow]:
    """What stands in a case at the record's `as_of`, by rule and key; nothing if it was never judged."""
    at = record.as_of
    if at is None:
        return []
    situation = open_case(replace(record, flags=(), timers=()), plan).situation
    rows = list[StandingRow]()
    for name, flag_plan in sorted(plan.flags.items()):
        flag = situation.rule_flag(flag_plan) if flag_plan.protection is not None else None
        if isinstance(flag, ProtectionGapFlag):
            found = [_row(record.case, name, flag, key, at) for key in flag.raised_keys()]
            rows += [row for row in found if row is not None]
    return rows


def case_standing_hearings(facts: Iterable[Fact], plan: Plan, at: int) -> list[StandingRow]:
    """The same of the one case whose facts these are, in any order and with any copies, as known at an instant."""
    own = list(facts)
    record = learn(CaseRecord((own[0].case or "") if own else ""), own)
    return standing_hearings(replace(record, as_of=at), plan)


def _row(case: str, rule: str, flag: ProtectionGapFlag, key: str, at: int) -> StandingRow | None:
    standing = flag.standing(key, at)
    if standing is None:
        return None
    return StandingRow(
        case=case,
        rule=rule,
        key=key,
        suspended_at=standing.suspended.time,
        suspended_by=standing.suspended.source,
        new_date=standing.hearing_at,
        order_end=None if standing.protection is None else standing.protection.end,
        gap=standing.length,
        followed=standing.followed,
        up=flag.answer(key, at).up,
    )
