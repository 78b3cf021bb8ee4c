"""What another policy would make of the flags that are up now: a sum by rule. Pure sums over rows."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qorgau.assess import case_history
from qorgau.rows import FlagRow
from qorgau.rules import APART, Policy

if TYPE_CHECKING:
    from qorgau.plan import Plan
    from qorgau.replay.batch import OneCase


@dataclass(slots=True)
class Effect:
    """By rule: flags up under the policy before, those that would come up, and those that would be cleared."""

    before: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    cleared: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Effect") -> None:
        """Takes over the sums of other cases."""
        for mine, more in ((self.before, other.before), (self.raised, other.raised), (self.cleared, other.cleared)):
            mine.update(more)

    def rows(self, policies: Iterable[Policy]) -> Iterator[dict[str, Any]]:
        """A row for each rule of either policy, in the order of the first that has it."""
        entries = [row for policy in policies for row in (*policy.rules, *policy.flags) if not isinstance(row, APART)]
        for rule, title in {row.id: row.title for row in reversed(entries)}.items():
            yield {
                "kind": "effect",
                "rule": rule,
                "title": title,
                "open": self.before[rule],
                "raised": self.raised[rule],
                "cleared": self.cleared[rule],
            }


def effect_on(case: "OneCase", plans: "tuple[Plan, ...]", until: int) -> Effect:
    """The effect on one case at `until`, of the second plan against the first. The same deadline at the same level is
    the same flag, whenever it was raised."""
    before, after = (
        Counter(_name(row) for row in case_history(case.facts, plan, until, others) if row.cleared_at is None)
        for plan, others in zip(plans, case.others, strict=True)
    )
    return Effect(_by_rule(before), _by_rule(after - before), _by_rule(before - after))


def _name(row: FlagRow) -> tuple[str, str, str, int | None]:
    return row.rule, row.key, row.level, row.start_at


def _by_rule(flags: "Counter[tuple[str, str, str, int | None]]") -> Counter[str]:
    found = Counter[str]()
    for name, count in flags.items():
        found[name[0]] += count
    return found
