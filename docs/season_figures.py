"""What each rule of a policy makes of the bundled season, in sums: the figures of docs/policy.md. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from intake.statistics.counting import Kept, Ledger, Report, Sieve
from intake.statistics.methods import surge_rule
from intake.statistics.periods import Days
from intake.statistics.surges import Region
from qorgau.assess import deadline_rows, flag_history
from qorgau.calendar import Calendar
from qorgau.facts import Fact
from qorgau.heart.tolls import FOREVER
from qorgau.instants import DAY
from qorgau.plan import compile_policy
from qorgau.replay.sums import Tally
from qorgau.rules import Policy
from qorgau.season import BEGINS, WEEKS, season

ENDS = BEGINS + WEEKS * 7 * DAY
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """The season's facts and cases; by rule its sums, as `qorgau replay` writes them; how often reports surged."""

    facts: int
    cases: int
    rules: Mapping[str, Row]
    surges: int


def figures_of(policy: Policy) -> Figures:
    """The season judged to its end."""
    planned = list(season())
    facts = [one.fact for one in planned]
    plan, tally = compile_policy(policy), Tally()
    tally.add_flags(flag_history(facts, plan, ENDS))
    tally.add_deadlines(deadline_rows(facts, plan, ENDS))
    rows = {row["rule"]: row for row in tally.rows(policy, policy.policy.id)}
    return Figures(len(facts), len({fact.case for fact in facts} - {None}), rows, _surges(policy, facts))


def _surges(policy: Policy, facts: Sequence[Fact]) -> int:
    """So many surges were up at any time: a region and channel, and the day or week."""
    rule = surge_rule(policy)
    if rule is None:
        return 0
    kept = [one for fact in facts if isinstance(one := Sieve(rule.row).kept(fact), Kept) and one.kind == "report"]
    calendar = Calendar(policy.policy.calendar, policy.policy.zones)
    up = set[tuple[str, Any]]()
    for code in policy.policy.zones.regions:
        days = Days(calendar, calendar.zone(code))
        own = [Report(code, one.channel, one.time, ((one.known, FOREVER),)) for one in kept if one.region == code]
        region = Region(rule, days, Ledger(own, days.of))
        up |= {(code, name) for moment in region.moments(region.instants(BEGINS, ENDS)) for name in moment.up}
    return len(up)
