"""Which reports count, since when and how long, and how many of them each local day has. Pure.

A report counts from when it is known until it is withdrawn, and not while a known merge names it (deadlines.md, 1.1,
1.7 and F5). What is kept of a fact are codes and instants.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from qorgau import rules
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.heart.matching import Predicate, any_of, where
from qorgau.heart.others import Span
from qorgau.heart.tolls import FOREVER


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a fact: a report, or a merge, which takes reports of its `report` (their number) out."""

    id: str
    kind: Literal["report", "merge"]
    region: str
    channel: str
    report: str
    time: int
    known: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """That a fact counts as never posted, from when on."""

    id: str
    known: int


@dataclass(frozen=True, slots=True)
class Report:
    """A report and when it counts."""

    region: str
    channel: str
    time: int
    spans: tuple[Span, ...]

    def counts_at(self, at: int) -> bool:
        """Whether it counts at an instant."""
        return any(begin <= at < end for begin, end in self.spans)


class Sieve:
    """Which facts are kept, by the policy's F8; without one every report that is not merged counts."""

    def __init__(self, rule: rules.Surge | None) -> None:
        lines: dict[str, list[Predicate]] = defaultdict(list)
        for line in rule.counts if rule else [rules.Line(fact="report.received")]:
            lines[line.fact].append(where(line.where, line.where_any))
        self._counted = {fact: any_of(ways) for fact, ways in lines.items()}
        default = rules.NotCounted(fact="report.merged", by="report_id")
        self._not = rule.not_counted if rule else default
        self._by = self._not.by if self._not else "report_id"

    def kept(self, fact: Fact) -> Kept | Withdrawn | None:
        """What is kept of a fact, or that it withdraws another one; None if it is neither."""
        data = fact.data
        if fact.type == WITHDRAWAL:
            withdrawn = data.get("fact_id")
            return Withdrawn(_name(fact, withdrawn), fact.known_at) if isinstance(withdrawn, str) else None
        region, channel, report = (_text(data.get(name)) for name in ("region", "channel", self._by))
        if fact.type in self._counted and region and channel and self._counted[fact.type](data):
            return Kept(_name(fact, fact.id), "report", region, channel, report, fact.time, fact.known_at)
        if self._not is not None and fact.type == self._not.fact and report:
            return Kept(_name(fact, fact.id), "merge", region, "", report, fact.time, fact.known_at)
        return None


class Ledger:
    """How many reports of one region each channel and local day has, at an instant that only moves on.

    `day_of`: the local day of an instant. `older`: whether the region was heard of before these reports.
    """

    def __init__(self, reports: Sequence[Report], day_of: Callable[[int], date], older: bool = False) -> None:
        self.counts: dict[str, Counter[date]] = {}
        self._days: Counter[date] = Counter()
        self._older = older
        dated = [(report, day_of(report.time)) for report in reports]
        self.days = {day for _, day in dated}
        """Every day that has a report at some time."""
        self.steps = sorted(
            (at, report.channel, day, change)
            for report, day in dated
            for begin, end in report.spans
            for at, change in ((begin, 1), (end, -1))
            if at < FOREVER
        )
        """At which instants the count of which channel and day changes, and by how much."""
        self._place = 0

    def go_to(self, at: int) -> None:
        """Let everything happen up to an instant."""
        while self._place < len(self.steps) and self.steps[self._place][0] <= at:
            _, channel, day, change = self.steps[self._place]
            self._place += 1
            self.counts.setdefault(channel, Counter())[day] += change
            self._days[day] += change

    def begin(self) -> date | None:
        """The first day of the series: that of the first report in the region by whatever channel; before it nobody
        counted. None where nothing counts; long ago where the region was heard of before."""
        counted = [day for day, count in self._days.items() if count]
        return (date.min if self._older else min(counted)) if counted else None


def _name(fact: Fact, id: str) -> str:
    # With the case: a report that was posted into the wrong case is withdrawn there, and may come under the same id.
    return f"{fact.case} {fact.source} {id}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
