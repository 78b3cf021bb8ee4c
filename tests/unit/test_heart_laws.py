"""Laws of the heart on random histories under random policies; the first: it says what the naive oracle says."""

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qorgau import assess
from qorgau.facts import Fact
from qorgau.instants import DAY, format_instant, parse_instant
from qorgau.plan import Plan, compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord, advance, learn, overhear
from qorgau.rows import FlagEvent, FlagRow, flag_order
from tests import oracle
from tests.dense_histories import dense
from tests.expected import POLICY
from tests.heart import deadline_rows, facts_of, flag_history, plan_of
from tests.histories import as_ofs, histories, judged
from tests.odd_policies import odd_policies

Judged = tuple[dict[str, Any], list[dict[str, Any]], str | None]
Draw = Callable[[st.SearchStrategy[Any]], Any]

slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
few = settings(max_examples=40, deadline=None, suppress_health_check=slow)
shufflers = st.randoms(use_true_random=False)


@st.composite
def oddly_judged(draw: Draw) -> Judged:
    """A history under a policy far from the default one."""
    policy = draw(odd_policies())
    facts = draw(histories(policy))
    return policy, facts, draw(as_ofs(facts))


def agree(case: Judged) -> None:
    policy, facts, as_of = case
    plan = plan_of(policy)
    assert flag_history(facts, plan, as_of) == oracle.flag_history(facts, policy, as_of)
    assert deadline_rows(facts, plan, as_of) == oracle.deadline_rows(facts, policy, as_of)
    # What stepping left of each deadline is what it looks like to somebody who comes only now.
    read = facts_of(facts)
    for own in cases_in(read).values():
        until = assess.last_known(read) if as_of is None else parse_instant(as_of)
        assert assess.case_assessment(own, plan, until, read)[1] == assess.case_deadlines(own, plan, until)


@few
@given(judged())
def test_heart_and_oracle_agree(case: Judged) -> None:
    agree(case)


@few
@given(oddly_judged())
def test_heart_and_oracle_agree_under_odd_policies(case: Judged) -> None:
    agree(case)


@few
@given(dense())
def test_heart_and_oracle_agree_where_everything_meets(case: Judged) -> None:
    agree(case)


@pytest.mark.long
@settings(few, max_examples=1_000)
@given(judged() | oddly_judged() | dense())
def test_heart_and_oracle_agree_on_a_thousand_histories(case: Judged) -> None:
    agree(case)


@pytest.mark.night
@settings(few, max_examples=20_000)
@given(judged(max_facts=24) | oddly_judged() | dense(max_facts=40))
def test_heart_and_oracle_agree_on_twenty_thousand_histories(case: Judged) -> None:
    agree(case)


@few
@given(judged(), shufflers)
def test_neither_the_order_of_facts_nor_copies_matter(case: Judged, shuffler: random.Random) -> None:
    policy, rows, as_of = case
    plan, facts = plan_of(policy), facts_of(rows)
    until = None if as_of is None else parse_instant(as_of)
    shuffled = [*facts, *shuffler.choices(facts, k=len(facts))]
    shuffler.shuffle(shuffled)
    assert assess.flag_history(shuffled, plan, until) == assess.flag_history(facts, plan, until)
    assert assess.deadline_rows(shuffled, plan, until) == assess.deadline_rows(facts, plan, until)


def told(events: tuple[FlagEvent, ...]) -> list[tuple[object, ...]]:
    return [(event.seq, event.at, event.change, event.detail, event.id, event.flag) for event in events]


def instants_around(facts: list[Fact], chooser: random.Random) -> list[int]:
    """Instants to stop at: those of facts, just before and after them, and any others."""
    known = [fact.known_at for fact in facts]
    near = [at + chooser.choice([0, -1, 1, DAY]) for at in chooser.choices(known, k=4)]
    return near + [chooser.randint(min(known) - DAY, max(known) + 40 * DAY) for _ in range(4)]


def cases_in(facts: list[Fact]) -> dict[str, list[Fact]]:
    return {case: own for case, own in assess.by_case(facts).items() if case is not None}


def check_steps(case: Judged, chooser: random.Random) -> None:
    """Stopping anywhere on the way, or at every instant that `next_due` names, changes nothing."""
    policy, rows, _ = case
    plan, facts = plan_of(policy), facts_of(rows)
    cuts = sorted(instants_around(facts, chooser))
    for name, own in cases_in(facts).items():
        begun = learn(CaseRecord(name), own)
        at_once, events = advance(begun, cuts[-1], plan, facts)
        in_steps, told_in_steps = begun, list[tuple[object, ...]]()
        for cut in cuts:
            in_steps, some = advance(in_steps, cut, plan, facts)
            told_in_steps += told(some)
        assert (in_steps, told_in_steps) == (at_once, told(events))
        woken, told_when_woken = begun, list[tuple[object, ...]]()
        while woken.next_due is not None and woken.next_due <= cuts[-1]:
            assert woken.as_of is None or woken.next_due > woken.as_of
            woken, some = advance(woken, woken.next_due, plan, facts)
            told_when_woken += told(some)
        woken, some = advance(woken, cuts[-1], plan, facts)
        assert (woken, told_when_woken) == (at_once, told(events))
        assert not some


@few
@given(judged(), shufflers)
def test_it_does_not_matter_in_how_many_steps_a_case_is_advanced(case: Judged, chooser: random.Random) -> None:
    check_steps(case, chooser)


@few
@given(oddly_judged(), shufflers)
def test_nor_does_it_under_odd_policies(case: Judged, chooser: random.Random) -> None:
    check_steps(case, chooser)


def live(name: str, own: list[Fact], others: list[Fact], plan: Plan, chooser: random.Random) -> CaseRecord:
    """Facts of the case and copies of others in batches of any order, many too late to be stepped in place."""
    record, left, left_of_others = CaseRecord(name), own[:], others[:]
    chooser.shuffle(left)
    chooser.shuffle(left_of_others)
    events: list[FlagEvent] = []
    while left or left_of_others:
        count = chooser.randint(1, 3)
        record, left = learn(record, left[:count]), left[count:]
        count = chooser.randint(0, 3)
        record, left_of_others = overhear(record, left_of_others[:count]), left_of_others[count:]
        if chooser.random() < 0.7:
            until = chooser.choice(instants_around(own, chooser))
            record, some = advance(record, until, plan)
            events += some
    record, some = advance(record, max(fact.known_at for fact in own) + 10 * DAY, plan)
    check_events(record, [*events, *some])
    return record


def check_events(record: CaseRecord, events: list[FlagEvent]) -> None:
    """The events tell the rows, each once and in order."""
    assert [event.seq for event in events] == list(range(1, record.seq + 1))
    assert [event.at for event in events] == sorted(event.at for event in events)
    last: dict[str, FlagRow] = {}
    for event in events:
        assert (event.change == "raised") == (event.flag.id not in last)
        last[event.flag.id] = event.flag
    assert list(last.values()) == list(record.flags)
    once = [event.id for event in events if event.change != "updated"]
    assert len(once) == len(set(once))


def check_live(case: Judged, chooser: random.Random) -> None:
    policy, rows, _ = case
    plan, facts = plan_of(policy), facts_of(rows)
    for name, own in cases_in(facts).items():
        record = live(name, own, [fact for fact in facts if fact.case != name], plan, chooser)
        replayed = assess.flag_history(record.facts, plan, record.as_of, record.others)
        assert sorted(record.flags, key=flag_order) == replayed
        assert assess.deadlines(record, plan) == assess.deadline_rows(record.facts, plan, record.as_of)


@few
@given(judged(), shufflers)
def test_what_was_raised_live_is_what_a_replay_of_the_filed_facts_gives(case: Judged, chooser: random.Random) -> None:
    check_live(case, chooser)


@few
@given(dense(), shufflers)
def test_steps_and_batches_change_nothing_where_everything_meets(case: Judged, chooser: random.Random) -> None:
    check_steps(case, chooser)
    check_live(case, chooser)


@pytest.mark.long
@settings(few, max_examples=500)
@given(judged() | oddly_judged() | dense(), shufflers)
def test_steps_and_batches_on_five_hundred_histories(case: Judged, chooser: random.Random) -> None:
    check_steps(case, chooser)
    check_live(case, chooser)


def elapsed_only(policy: dict[str, Any]) -> Plan:
    """The rules that look at no calendar, all in force at any time."""
    policy["rules"] = [
        rule | {"effective_from": "1900-01-01"}
        for rule in policy["rules"]
        if rule["clock"] == "elapsed" and rule["effective_from"].year == 2020
    ]
    return plan_of(policy)


def moved(value: Any, by: int) -> Any:
    """A value of `data` if all happened so much later: timestamps move, the rest stays."""
    try:
        return format_instant(parse_instant(value) + by)
    except ValueError:
        return value


def all_later(facts: list[Fact], by: int) -> list[Fact]:
    return [
        Fact(
            one.id,
            one.source,
            one.type,
            one.time + by,
            one.recorded + by,
            one.case,
            {name: moved(value, by) for name, value in one.data.items()},
        )
        for one in facts
    ]


@few
@given(judged(), st.integers(-300 * DAY, 900 * DAY))
def test_where_only_elapsed_time_counts_all_may_happen_at_another_time(case: Judged, by: int) -> None:
    policy, rows, _ = case
    plan, facts = elapsed_only(policy), facts_of(rows)

    def gist(row: FlagRow, by: int) -> tuple[object, ...]:
        instants = (row.start_at, row.due_at, row.raised_at, row.cleared_at, *(at for _, at in row.escalations))
        later = tuple(None if at is None else at + by for at in instants)
        return row.rule, row.key, row.level, row.severity, row.outcome, row.late_by, later

    here = assess.flag_history(facts, plan)
    there = assess.flag_history(all_later(facts, by), plan)
    assert [gist(row, by) for row in here] == [gist(row, 0) for row in there]


def one_pair(chooser: random.Random) -> list[Fact]:
    """A few weeks of two or three cases on one pair: reports, merges, reviews and withdrawals, some recorded late."""
    facts: list[Fact] = []
    for number in range(chooser.randint(3, 9)):
        time = chooser.randint(0, 40) * DAY + chooser.randint(0, 3)
        recorded = time + chooser.choice([0, 1, DAY, 5 * DAY])
        case = f"c{chooser.randint(1, chooser.choice([2, 3]))}"
        known = [fact for fact in facts if fact.case == case] or facts
        data: dict[str, str] = {"report_id": f"r{number}", "pair_ref": "p1"}
        type = chooser.choice(["report.received"] * 4 + ["report.merged", "fact.withdrawn", "coordination.reviewed"])
        if type == "report.merged":
            data = {"report_id": f"r{chooser.randint(0, 8)}", "into_report_id": "r0"}
        elif type == "fact.withdrawn" and known:
            data = {"fact_id": chooser.choice(known).id}
        facts.append(Fact(f"f{number}", "102/KZ-75", type, time, recorded, case, {"region": "KZ-75", **data}))
    return facts


@few
@given(st.integers(0, 1 << 30))
def test_a_repeat_over_several_cases_is_the_same_live_and_replayed(seed: int) -> None:
    chooser = random.Random(seed)
    plan, facts = intake_plan(), one_pair(chooser)
    for name, own in cases_in(facts).items():
        record = live(name, own, [fact for fact in facts if fact.case != name], plan, chooser)
        replayed = assess.flag_history(record.facts, plan, record.as_of, record.others)
        assert sorted(record.flags, key=flag_order) == replayed


@cache
def intake_plan() -> Plan:
    return compile_policy(load_policy(POLICY), "intake")
