"""What a policy makes of a file of cases, rule by rule, and what another would have made of it. Pure sums over rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from qorgau.instants import format_duration
from qorgau.rows import DeadlineRow, FlagRow, flag_order
from qorgau.rules import APART, Policy

Row = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """Sums over some cases under one policy: flags by rule and level, deadlines by rule and state, how late."""

    raised: Counter[tuple[str, str]] = field(default_factory=Counter)
    cleared: Counter[tuple[str, str]] = field(default_factory=Counter)
    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    late_by: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, flags: Iterable[FlagRow], deadlines: Iterable[DeadlineRow]) -> Self:
        """The sums of what is judged of some cases."""
        made = cls()
        made.add_flags(flags)
        made.add_deadlines(deadlines)
        return made

    def add_flags(self, rows: Iterable[FlagRow]) -> None:
        """Counts flags of a history."""
        for row in rows:
            self.raised[row.rule, row.level] += 1
            self.cleared[row.rule, row.level] += row.cleared_at is not None

    def add_deadlines(self, rows: Iterable[DeadlineRow]) -> None:
        """Counts deadlines. Lateness is theirs and not the flags': one found out only after its end raised no flag."""
        for row in rows:
            self.states[row.rule, row.state] += 1
            if row.late_by is not None:
                self.late_by.setdefault(row.rule, []).append(row.late_by)

    def add(self, other: "Tally") -> None:
        """Takes over the sums of other cases."""
        self.raised.update(other.raised)
        self.cleared.update(other.cleared)
        self.states.update(other.states)
        for rule, lengths in other.late_by.items():
            self.late_by.setdefault(rule, []).extend(lengths)

    def rows(self, policy: Policy, name: str, service: str | None = None) -> Iterator[Row]:
        """A row for each rule of the policy in its order, those without a flag or deadline too."""
        own = policy if service is None else policy.for_service(service)
        entries = [*own.rules, *(flag for flag in own.flags if not isinstance(flag, APART))]
        for rule, title in {entry.id: entry.title for entry in entries}.items():
            levels = {
                level: {"raised": count, "cleared": self.cleared[rule, level]}
                for (of, level), count in sorted(self.raised.items())
                if of == rule
            }
            late = sorted(self.late_by.get(rule, ()))
            yield {
                "kind": "rule",
                "policy": name,
                "rule": rule,
                "title": title,
                "raised": sum(counts["raised"] for counts in levels.values()),
                "cleared": sum(counts["cleared"] for counts in levels.values()),
                "late": len(late),
                "p50": _length(late, 50),
                "p90": _length(late, 90),
                "levels": levels,
                "deadlines": {state: n for (of, state), n in sorted(self.states.items()) if of == rule},
            }


def differences(before: Iterable[FlagRow], after: Iterable[FlagRow]) -> list[Row]:
    """Every flag that two policies do not agree on, in the order of raising: the same flag has the same id in both."""
    old, new = ({row.id: row for row in rows} for rows in (before, after))
    differing = [name for name in old | new if old.get(name) != new.get(name)]
    rows = [(old.get(name), new.get(name), name) for name in differing]
    rows.sort(key=lambda pair: flag_order(pair[0] or pair[1]))  # type: ignore[arg-type]  # one of them is there
    return [_difference(*row) for row in rows]


def _difference(before: FlagRow | None, after: FlagRow | None, name: str) -> Row:
    change = "added" if before is None else "removed" if after is None else "changed"
    return {
        "kind": "difference",
        "change": change,
        "id": name,
        "before": None if before is None else before.to_json(),
        "after": None if after is None else after.to_json(),
    }


def _length(ordered: Sequence[int], percent: int) -> str | None:
    """The nearest-rank percentile as an ISO duration; None of nothing."""
    if not ordered:
        return None
    return format_duration(ordered[-(-len(ordered) * percent // 100) - 1])
