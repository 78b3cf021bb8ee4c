"""Hearings that stand, as reports count them: the same code as the flag F9, so the two never disagree."""

import random
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qorgau import assess
from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, MICROSECOND, parse_instant
from qorgau.plan import Plan, compile_policy
from qorgau.policy import load_policy
from qorgau.protection import StandingRow, case_standing_hearings, standing_hearings
from qorgau.record import CaseRecord, advance, learn
from qorgau.rules import ProtectionGap
from tests.dense_histories import dense
from tests.expected import POLICY, SCENARIOS, load_scenario
from tests.heart import facts_of, plan_of
from tests.histories import judged
from tests.worked.form import local
from tests.worked.protection import dated, suspended

PLAN = compile_policy(load_policy(POLICY))
SERVED = parse_instant("2026-06-01T04:00:00Z")
few = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def at(text: str) -> int:
    return parse_instant(local(text))


def standing(text: str, *more: dict[str, Any]) -> StandingRow:
    """The one hearing that stands at a local time."""
    (row,) = case_standing_hearings(facts_of([suspended("2026-06-05 10:00"), *more]), PLAN, at(text))
    return row


def order() -> dict[str, Any]:
    data = {"region": "KZ-75", "order_id": "o1"}
    return {
        "id": "s",
        "source": "p",
        "type": "order.served",
        "time": "2026-06-01T04:00:00Z",
        "case": "c1",
        "data": data,
    }


def test_a_gap_is_as_long_as_from_the_end_of_the_order_to_the_new_date() -> None:
    row = standing("2026-06-09 10:00", order(), dated("n", "2026-06-08 10:00", "2026-07-06T10:00:00+05:00"))
    assert row.to_json() == {
        "case": "c1",
        "rule": "F9",
        "key": "p1",
        "suspended_at": "2026-06-05T05:00:00Z",
        "suspended_by": "102/KZ-75",
        "new_date": "2026-07-06T05:00:00Z",
        "order_end": "2026-07-01T04:00:00Z",
        "gap": "P5DT1H",
        "followed": False,
        "up": True,
    }


def test_an_order_that_lasts_until_the_date_leaves_a_gap_of_nothing() -> None:
    row = standing("2026-06-09 10:00", order(), dated("n", "2026-06-08 10:00", "2026-07-01T09:00:00+05:00"))
    assert (row.gap, row.up) == (0, False)


def test_a_gap_without_a_date_or_without_an_order_has_no_length() -> None:
    open_ended, unserved = standing("2026-07-02 10:00", order()), standing("2026-07-02 10:00")
    assert (open_ended.new_date, open_ended.order_end, open_ended.gap, open_ended.up) == (
        None,
        SERVED + 30 * DAY,
        None,
        True,
    )
    assert (unserved.order_end, unserved.gap, unserved.up) == (None, None, False)


def test_what_followed_the_order_fills_the_gap_and_is_said() -> None:
    set_on = {**order(), "id": "q", "type": "court.special_requirements_set", "time": "2026-06-20T04:00:00Z"}
    row = standing("2026-07-02 10:00", order(), set_on)
    assert (row.followed, row.gap, row.up) == (True, None, False)


def test_a_case_never_judged_and_a_service_without_the_rule_have_nothing_standing() -> None:
    record = learn(CaseRecord("c1"), facts_of([order(), suspended("2026-06-05 10:00")]))
    assert standing_hearings(record, PLAN) == []
    intake = compile_policy(load_policy(POLICY), "intake")
    assert standing_hearings(replace(record, as_of=at("2026-06-09 10:00")), intake) == []
    assert standing_hearings(advance(record, at("2026-06-09 10:00"), PLAN)[0], PLAN)


def test_a_record_is_woken_at_the_end_of_the_order_and_not_for_a_date() -> None:
    court = compile_policy(load_policy(POLICY), "court-tracker")
    facts = facts_of(
        [order(), suspended("2026-06-05 10:00"), dated("n", "2026-06-08 10:00", "2026-06-20T10:00:00+05:00")]
    )
    record, _ = advance(learn(CaseRecord("c1"), facts), at("2026-06-25 10:00"), court)
    end = SERVED + 30 * DAY
    assert (end, "F9", "p1", None) in record.timers
    assert record.next_due == end
    before, _ = advance(record, end - MICROSECOND, court)
    after, events = advance(before, end, court)
    assert not before.flags[len(record.flags) :]
    assert [(event.change, event.flag.rule, event.at, event.flag.agency) for event in events] == [
        ("raised", "F9", end, "court/KZ-75")
    ]
    assert after.flags[-1].due_at is None


def test_another_policy_lets_a_gap_go_that_it_does_not_know() -> None:
    """What raised it raises nothing there, so no fact of it names the key any more."""
    raw = load_policy(POLICY).model_copy(update={"fingerprint": "older"})
    flags = [
        flag.model_copy(update={"raised_by": [flag.raised_by[0].model_copy(update={"fact": "court.term_suspended"})]})
        if isinstance(flag, ProtectionGap)
        else flag
        for flag in raw.flags
    ]
    facts = facts_of([order(), suspended("2026-06-05 10:00")])
    older, _ = advance(learn(CaseRecord("c1"), facts), at("2026-07-02 10:00"), compile_policy(raw))
    assert [row.cleared_at for row in older.flags if row.rule == "F9"] == [None]
    newer = compile_policy(raw.model_copy(update={"flags": flags, "fingerprint": "newer"}))
    judged_anew, _ = advance(older, at("2026-07-03 10:00"), newer)
    cleared = [row.cleared_at for row in judged_anew.flags if row.rule == "F9"]
    assert cleared == [at("2026-07-02 10:00") + MICROSECOND]


def test_the_scenario_has_no_gap_once_the_order_is_extended() -> None:
    (path,) = [path for path in SCENARIOS if path.stem.startswith("s10")]
    facts = facts_of(load_scenario(path)["facts"])
    lengths = {}
    for day in ("04-13", "04-15", "05-20", "05-27"):
        (row,) = case_standing_hearings(facts, PLAN, parse_instant(f"2020-{day}T12:00:00+06:00"))
        lengths[day] = (row.gap, row.up)
    assert lengths == {
        "04-13": (19 * DAY + 22 * HOUR, True),
        "04-15": (0, False),
        "05-20": (None, False),
        "05-27": (4 * DAY + 22 * HOUR, True),
    }


def check_agreement(case: Any, chooser: random.Random) -> None:
    policy, raw, _ = case
    plan: Plan = plan_of(policy)
    facts: list[Fact] = facts_of(raw)
    for name, own in assess.by_case(facts).items():
        if name is None:
            continue
        until = chooser.choice([fact.known_at for fact in own]) + chooser.choice([0, 1, HOUR, 20 * HOUR, 31 * DAY])
        history = assess.case_history(own, plan, until, facts)
        flagged = {row.key for row in history if row.rule == "F9" and row.cleared_at is None}
        shuffled = [*own, *chooser.choices(own, k=3)]
        chooser.shuffle(shuffled)
        rows = case_standing_hearings(shuffled, plan, until)
        assert {row.key for row in rows if row.up} == flagged
        assert rows == case_standing_hearings(own, plan, until)
        for row in rows:
            assert (
                not row.gap or row.new_date is None or row.order_end is None or row.gap == row.new_date - row.order_end
            )


@few
@given(dense(), st.randoms(use_true_random=False))
def test_reports_and_the_flag_agree_where_everything_meets(case: Any, chooser: random.Random) -> None:
    check_agreement(case, chooser)


@few
@given(judged(), st.randoms(use_true_random=False))
def test_reports_and_the_flag_agree_on_any_history(case: Any, chooser: random.Random) -> None:
    check_agreement(case, chooser)
