"""The bundled season as the services have it when it is over: a record of each case, judged by all rules."""

from dataclasses import replace
from functools import cache

from qorgau.assess import by_case, judged
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.instants import DAY
from qorgau.plan import Plan, compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord, learn
from qorgau.rows import Judged
from qorgau.season import BEGINS, WEEKS, season

OVER = BEGINS + WEEKS * 7 * DAY


@cache
def plan() -> Plan:
    """The default policy, all services."""
    return compile_policy(load_policy(default_policy()))


@cache
def season_facts() -> tuple[Fact, ...]:
    """Every fact of the season."""
    return tuple(planned.fact for planned in season())


@cache
def season_records() -> tuple[CaseRecord, ...]:
    """A record of each case, as judged at the end."""
    cases = by_case(season_facts())
    return tuple(
        replace(learn(CaseRecord(case), facts), as_of=OVER) for case, facts in cases.items() if case is not None
    )


@cache
def season_judged() -> tuple[tuple[CaseRecord, tuple[Judged, ...]], ...]:
    """Each record with its deadlines."""
    return tuple((record, tuple(judged(record, plan()))) for record in season_records())


def record_of(facts: list[Fact], as_of: int) -> CaseRecord:
    """The record of one case, as judged at an instant."""
    return replace(learn(CaseRecord("c1"), facts), as_of=as_of)
