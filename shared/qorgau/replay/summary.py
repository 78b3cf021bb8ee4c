"""What many cases come to, beside the rules: flags by week, what a stop of the courts cost, whose time it was. Pure
sums over what is judged of each case."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from qorgau.attribution.account import attribute
from qorgau.attribution.table import LEGS
from qorgau.calendar import Calendar
from qorgau.facts import Fact
from qorgau.hearings.impact import Cost
from qorgau.hearings.listing import SUSPENDED, hearing_rows, hearings_of
from qorgau.instants import format_duration
from qorgau.plan import Plan
from qorgau.record import CaseRecord, learn
from qorgau.rows import DeadlineRow, FlagRow
from qorgau.state.view import CaseView

Row = dict[str, Any]
_PLACES = {leg.name: place for place, leg in enumerate(LEGS)}


@dataclass(slots=True)
class Summary:
    """Sums over some cases: flags by the week they were raised in, rule and level; cost by region and court; by leg and
    kind of agency how many cases were charged and how long (microseconds)."""

    weeks: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    costs: dict[tuple[str, str], Cost] = field(default_factory=dict)
    cases: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: "Summary") -> None:
        """Takes over the sums of other cases."""
        self.weeks.update(other.weeks)
        self.cases.update(other.cases)
        self.times.update(other.times)
        for place, cost in other.costs.items():
            self.costs.setdefault(place, Cost()).add(cost)

    def rows(self, policy: str, at: int) -> Iterator[Row]:
        """A row for each week (named by its Monday), rule and level; each court, and all courts as none; each leg."""
        for (week, rule, level), count in sorted(self.weeks.items()):
            yield {"kind": "week", "policy": policy, "week": week, "rule": rule, "level": level, "raised": count}
        whole = Cost()
        for (region, court), cost in sorted(self.costs.items()):
            whole.add(cost)
            yield {"kind": "impact", "policy": policy, "region": region, "court": court, **cost.sums(at)}
        yield {"kind": "impact", "policy": policy, "region": None, "court": None, **whole.sums(at)}
        for leg, agency in sorted(self.times, key=lambda name: (_PLACES[name[0]], name[1])):
            cases, time = self.cases[leg, agency], format_duration(self.times[leg, agency])
            yield {"kind": "leg", "policy": policy, "leg": leg, "agency": agency, "cases": cases, "time": time}


def summary_of(
    facts: Sequence[Fact], plan: Plan, at: int, flags: Iterable[FlagRow], deadlines: Sequence[DeadlineRow]
) -> Summary:
    """The sums of one case, of which flags and deadlines are judged already."""
    found = Summary()
    found.weeks.update((_week(row.raised_at, plan.calendar), row.rule, row.level) for row in flags)
    if any(fact.type == SUSPENDED for fact in facts):
        found.costs = _costs(facts, plan, at, deadlines)
    account = attribute(facts, at)
    charged = {} if account is None else {(one.leg, one.agency): one.charged for one in account.shares()}
    of_kinds = Counter[tuple[str, str]]()
    for (leg, agency), time in charged.items():
        of_kinds[leg, agency.partition("/")[0]] += time
    found.times = Counter({name: time for name, time in of_kinds.items() if time})
    found.cases = Counter(found.times.keys())
    return found


def _costs(facts: Sequence[Fact], plan: Plan, at: int, deadlines: Sequence[DeadlineRow]) -> dict[tuple[str, str], Cost]:
    record = replace(learn(CaseRecord(facts[0].case or ""), facts), as_of=at)
    view = CaseView(record, deadlines, plan)
    by_court: dict[tuple[str, str], list[Row]] = {}
    for row in hearing_rows(view, hearings_of(view)):
        item = {"case": record.case, "key": row.key, "state": row.state, "item": row.item}
        by_court.setdefault((row.region or "", row.court or ""), []).append(item)
    costs = {place: Cost.of(rows) for place, rows in by_court.items()}
    return {place: cost for place, cost in costs.items() if cost.hearings}


def _week(at: int, calendar: Calendar) -> str:
    """The Monday before an instant, in the zone of whoever has none: all regions are counted by the same weeks."""
    day = calendar.local_date(at, calendar.zone(None))
    return str(day - timedelta(days=day.weekday()))
