"""Re-opened, merged, handed-on and withdrawn: whatever happens to a case, all that is made of it keeps its laws."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import court_tracker.measured
import intake.measured
import police_dispatch.regraded
from police_dispatch.regrading import call_outs
from qorgau.assess import deadline_rows, deadlines, flag_history, judged
from qorgau.attribution.account import attribute
from qorgau.embedded.data import default_policy
from qorgau.facts import WITHDRAWAL, Fact, fact_to_json
from qorgau.hearings.deriving import to_say
from qorgau.heart.known import KnownFacts
from qorgau.identity.membership import is_part
from qorgau.instants import DAY, format_instant
from qorgau.measures.phases import Measured
from qorgau.plan import Plan, compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord, advance, learn
from qorgau.rows import flag_order
from qorgau.vocabulary import COURT, INTAKE, POLICE
from tests import oracle
from tests.eventful_histories import CASE, CENTRE, eventful
from tests.expected import POLICY
from tests.stated import PROJECTIONS, SERVICES

MEASURED: dict[str, Callable[[Plan], Measured]] = {
    INTAKE: intake.measured.measured_of,
    POLICE: police_dispatch.regraded.measured_of,
    COURT: court_tracker.measured.measured_of,
}
ORACLES = oracle.load_policy(POLICY)
some = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 1 << 30)
EVERY = [pytest.param(20), pytest.param(1_500, marks=pytest.mark.night)]


@cache
def plan_of(service: str | None) -> Plan:
    return compile_policy(load_policy(default_policy()), service)


def record_of(facts: Sequence[Fact], as_of: int) -> CaseRecord:
    return replace(learn(CaseRecord(CASE), facts), as_of=as_of)


def made_of(facts: Sequence[Fact], as_of: int) -> Any:
    """All that readers get of a case besides its flags: rows of lists, rows of figures, its account."""
    record = record_of(facts, as_of)
    due = {service: judged(record, plan_of(service)) for service in MEASURED}
    lists = [row for of in SERVICES for row in PROJECTIONS[of](plan_of(of))(record, due[of])]
    sums = [row for of, make in MEASURED.items() for row in make(plan_of(of))(record, due[of])]
    return sorted(lists, key=repr), sorted(sums, key=repr), attribute(record.facts, as_of)


def without_duties(made: Any) -> Any:
    """The same without who has to act: that goes by who posted last, and a withdrawal is posted too."""
    lists, sums, account = made
    bare = [repr(replace(row, agency=None)) for row in lists], [repr(row | {"agency": None}) for row in sums]
    return *map(sorted, bare), account


def some_instant(dice: Random, facts: Sequence[Fact]) -> int:
    return dice.choice([fact.known_at for fact in facts]) + dice.choice((0, 0, 1, DAY, 60 * DAY))


@pytest.mark.parametrize("count", EVERY)
def test_flags_and_deadlines_are_those_of_the_oracle(count: int) -> None:
    dice = Random(31)
    for _ in range(count):
        facts = eventful(dice)
        as_of = some_instant(dice, facts)
        rows = [fact_to_json(fact) for fact in facts]
        until = format_instant(as_of)
        found = [row.to_json() for row in flag_history(facts, plan_of(None), as_of)]
        assert found == oracle.flag_history(rows, ORACLES, until)
        due = [row.to_json() for row in deadline_rows(facts, plan_of(None), as_of)]
        assert due == oracle.deadline_rows(rows, ORACLES, until)


@some
@given(seeds)
def test_step_by_step_in_any_order_is_as_if_all_had_been_known_at_once(seed: int) -> None:
    dice = Random(seed)
    facts = eventful(dice)
    last = max(fact.known_at for fact in facts)
    for service in (INTAKE, *SERVICES):
        plan, record, left = plan_of(service), CaseRecord(CASE), list(facts)
        while left:
            record, left = learn(record, left[:3]), left[3:]
            record, _ = advance(record, dice.choice([fact.known_at for fact in record.facts]), plan)
        record, _ = advance(record, last + 30 * DAY, plan)
        assert sorted(record.flags, key=flag_order) == flag_history(record.facts, plan, record.as_of)
        assert deadlines(record, plan) == deadline_rows(record.facts, plan, record.as_of)


@some
@given(seeds)
def test_lists_figures_and_accounts_depend_on_the_facts_alone(seed: int) -> None:
    dice = Random(seed)
    facts = eventful(dice)
    as_of = some_instant(dice, facts)
    again = [*facts, *dice.choices(facts, k=5)]
    dice.shuffle(again)
    assert made_of(again, as_of) == made_of(facts, as_of)


@some
@given(seeds)
def test_what_was_withdrawn_is_in_no_list_figure_or_account(seed: int) -> None:
    dice = Random(seed)
    facts = eventful(dice)
    as_of = max(fact.known_at for fact in facts) + DAY
    stays = [fact for fact in KnownFacts(learn(CaseRecord(CASE), facts).facts, as_of) if fact.type != WITHDRAWAL]
    assert without_duties(made_of(facts, as_of)) == without_duties(made_of(stays, as_of))


@some
@given(seeds)
def test_each_second_is_charged_once_whatever_is_closed_merged_or_taken_back(seed: int) -> None:
    dice = Random(seed)
    facts = eventful(dice)
    account = attribute(facts, some_instant(dice, facts))
    if account is None:
        return
    assert sum(one.charged for one in account.shares()) == account.total == account.end - account.begin
    borders = [one.begin for one in account.segments] + [account.end]
    assert borders[0] == account.begin
    assert [one.end for one in account.segments] == borders[1:]


@some
@given(seeds)
def test_every_deadline_that_ended_is_in_one_figure_and_none_that_runs(seed: int) -> None:
    dice = Random(seed)
    facts = eventful(dice)
    record = record_of(facts, some_instant(dice, facts))
    for service, make in MEASURED.items():
        found = judged(record, plan_of(service))
        rows = [
            row
            for row in make(plan_of(service))(record, found)
            if row["kind"] == "phase" and row["against"] == "current"
        ]
        assert len(rows) == sum(one.row.state not in ("running", "tolled") for one in found)


@some
@given(seeds)
def test_a_later_grade_leaves_the_due_of_the_first_where_it_is(seed: int) -> None:
    dice = Random(seed)
    facts = eventful(dice)
    as_of, plan = max(fact.known_at for fact in facts), plan_of(POLICE)
    before = record_of(facts, as_of)
    outs = call_outs(before, plan, judged(before, plan))
    graded = [out for out in outs if out.registered and out.original is not None]
    if not graded:
        return
    first = dice.choice(graded).grades[0].fact
    at = first.time + dice.randint(1, 20) * 60_000_000
    data = {"region": first.data["region"], "priority": "scheduled", "area": "urban"}
    after = record_of([*facts, Fact("later", first.source, "police.reprioritised", at, at, CASE, data)], max(as_of, at))
    dues = {out.grades[0].fact.identity: out.original for out in call_outs(after, plan, judged(after, plan))}
    for out in outs:
        told = dues[out.grades[0].fact.identity] if out.registered else None
        if told is not None and out.original is not None:
            assert told.row.due_at == out.original.row.due_at


@some
@given(seeds)
def test_what_a_stop_makes_the_system_say_needs_nothing_more_once_it_is_said(seed: int) -> None:
    dice = Random(seed)
    facts = eventful(dice)
    courts = [(fact.source, fact.data) for fact in facts if fact.type == "court.case_registered"]
    if not courts:
        return
    source, data = courts[0]
    begin = min(fact.time for fact in facts)
    at = begin + dice.randint(0, 40) * DAY
    stop = {"region": data["region"], "court": data["court"], "legal_basis": "state_of_emergency", "tolls_term": True}
    stops = [Fact("stop", source, "court.operations_limited", at, at, None, stop)]
    if dice.random() < 0.5:
        back = {"region": data["region"], "court": data["court"]}
        stops.append(Fact("back", source, "court.operations_restored", at + 9 * DAY, at + 9 * DAY, None, back))
    said = to_say(CASE, facts, stops)
    assert list(to_say(CASE, [*facts, *said], stops)) == []


@some
@given(seeds)
def test_only_an_answer_that_accepts_and_stands_makes_an_agency_part_of_the_case(seed: int) -> None:
    facts = eventful(Random(seed))
    gone = {(fact.source, fact.data["fact_id"]) for fact in facts if fact.type == WITHDRAWAL}
    stands = [fact for fact in facts if fact.identity not in gone]
    own = any(fact.source == CENTRE and fact.type not in (WITHDRAWAL, "case.transfer_declined") for fact in stands)
    referred = any(fact.type == "case.referred" and fact.data["agency"] == CENTRE for fact in stands)
    assert is_part(CENTRE, lambda region: False, facts) == (own or referred)
