"""Corners that random histories seldom reach, each as the specification has it; the oracle must agree."""

import copy
from typing import Any

import pytest

from qorgau import assess
from qorgau.instants import parse_instant
from tests import oracle
from tests.expected import POLICY
from tests.heart import deadline_rows, facts_of, flag_history, plan_of
from tests.oracle import load_policy
from tests.worked.form import Row, fact, local, withdrawal
from tests.worked.terms import item, registered, suspended


@pytest.fixture(scope="module", name="policy")
def default_policy() -> Row:
    return load_policy(POLICY)


def flags(facts: list[Row], policy: Row, as_of: str, rule: str) -> list[tuple[Any, ...]]:
    """Level, key, raised, cleared and outcome of the flags of a rule, once the oracle has agreed to all."""
    rows = flag_history(facts, plan_of(policy), local(as_of))
    assert rows == oracle.flag_history(facts, policy, local(as_of))
    names = ("level", "key", "raised_at", "cleared_at", "outcome")
    return [tuple(row[name] for name in names) for row in rows if row["rule"] == rule]


def states(facts: list[Row], policy: Row, as_of: str, rule: str) -> list[tuple[str, str]]:
    """Start and state of the deadlines of a rule, once the oracle has agreed to all."""
    plan = plan_of(policy)
    rows = deadline_rows(facts, plan, local(as_of))
    assert rows == oracle.deadline_rows(facts, policy, local(as_of))
    stepped = assess.case_assessment(facts_of(facts), plan, parse_instant(local(as_of)))[1]
    assert rows == [row.to_json() for row in stepped]
    return [(row["start_at"], row["state"]) for row in rows if row["rule"] == rule]


def test_a_reopening_lets_go_on_what_began_between_two_closings(policy: Row) -> None:
    facts = [
        fact("a", "order.issued", "2026-06-01 09:00", order_id="o1"),
        fact("b", "case.closed", "2026-06-01 10:00"),
        fact("c", "order.issued", "2026-06-01 11:00", order_id="o2"),
        fact("d", "case.closed", "2026-06-01 12:00"),
        fact("e", "case.reopened", "2026-06-02 15:00"),
    ]
    raised = [(row[1], row[2]) for row in flags(facts, policy, "2026-06-02 16:00", "P09") if row[0] == "breach"]
    assert raised == [("o1", "2026-06-02T10:00:00Z"), ("o2", "2026-06-02T10:00:00Z")]


def test_a_withdrawn_reopening_closes_again_what_it_had_let_go_on(policy: Row) -> None:
    facts = [
        fact("a", "order.issued", "2026-06-01 09:00", order_id="o1"),
        fact("b", "case.closed", "2026-06-01 10:00"),
        (again := fact("c", "case.reopened", "2026-06-03 10:00")),
        withdrawal(again, "2026-06-03 12:00"),
    ]
    [breach] = flags(facts, policy, "2026-06-04 10:00", "P09")
    assert breach[2:] == ("2026-06-03T05:00:00Z", "2026-06-03T07:00:00Z", "late_recording")


def test_an_order_revoked_at_the_very_instant_of_its_end_leaves_no_gap(policy: Row) -> None:
    facts = [
        fact("k", "risk.assessed", "2026-05-01 08:00", level="high"),
        fact("s", "order.served", "2026-05-01 09:00", order_id="o1"),
    ]
    revoked = fact("v", "order.revoked", "2026-05-31 09:00", order_id="o1")
    assert [row[1] for row in flags(facts, policy, "2026-06-02 09:00", "F6")] == ["o1"]
    assert flags([*facts, revoked], policy, "2026-06-02 09:00", "F6") == []


def test_a_revocation_recorded_late_takes_the_derived_end_and_its_gap_back(policy: Row) -> None:
    facts = [
        fact("k", "risk.assessed", "2026-05-01 08:00", level="high"),
        fact("s", "order.served", "2026-05-01 09:00", order_id="o1"),
        fact("v", "order.revoked", "2026-05-20 09:00", "2026-06-03 09:00", order_id="o1"),
    ]
    [gap] = flags(facts, policy, "2026-06-04 09:00", "F6")
    assert gap[2:] == ("2026-05-31T04:00:00Z", "2026-06-03T04:00:00Z", "cleared")


def test_a_toll_that_counts_whatever_its_key_also_stops_clocks_whose_key_comes_later(policy: Row) -> None:
    other = copy.deepcopy(policy)
    [p17] = [rule for rule in other["rules"] if rule["id"] == "P17"]
    p17["tolled_by"][0]["from"]["any_in_case"] = True
    foreign = suspended("h1", "2026-06-01 09:00")
    foreign["data"]["protocol_id"] = "p9"
    facts = [foreign, registered("2026-06-01 10:00", True)]
    assert [state for _, state in states(facts, other, "2026-06-03 09:00", "P17")] == ["tolled"]
    assert flags(facts, other, "2026-06-03 09:00", "P17") == []
    assert [row[0] for row in flags(facts, policy, "2026-06-03 09:00", "P17")] == ["warn", "breach"]


def test_a_case_whose_registration_is_withdrawn_is_no_longer_overtaken(policy: Row) -> None:
    start = registered("2026-06-02 10:00", True, court="KZ-75-02")
    decided = [item(f"e{at}", at) for at in ("2026-06-03 09:00", "2026-06-04 09:00", "2026-06-04 15:00")]
    facts = [start, *decided, withdrawal(start, "2026-06-05 09:00")]
    [overtaken] = flags(facts, policy, "2026-06-08 09:00", "F3")
    assert overtaken[2:] == ("2026-06-04T10:00:00Z", "2026-06-05T04:00:00Z", "cleared")


@pytest.mark.parametrize(("time", "raised"), [("2026-07-01 08:59:59.999999", 1), ("2026-07-01 09:00", 0)])
def test_a_report_at_the_very_end_of_the_window_is_no_repetition(policy: Row, time: str, raised: int) -> None:
    facts = [
        fact("r1", "report.received", "2026-06-01 09:00", report_id="r1", pair_ref="x"),
        fact("r2", "report.received", time, report_id="r2", pair_ref="x"),
    ]
    assert len(flags(facts, policy, "2026-07-02 09:00", "F5")) == raised


def test_a_risk_recorded_late_counts_for_what_ended_before_the_next_one(policy: Row) -> None:
    facts = [
        fact("o", "police.outcome_recorded", "2026-06-01 09:00", outcome="talk_held"),
        fact("c", "survivor.contacted", "2026-06-02 15:00"),
        fact("k2", "risk.assessed", "2026-06-03 09:00", level="medium"),
    ]
    late = fact("k1", "risk.assessed", "2026-06-01 10:00", "2026-06-04 09:00", level="high")
    assert states(facts, policy, "2026-06-05 09:00", "P26") == [("2026-06-01T04:00:00Z", "met")]
    assert states([*facts, late], policy, "2026-06-05 09:00", "P26") == [("2026-06-01T04:00:00Z", "closed_late")]


def test_derived_ends_of_two_orders_at_one_instant_are_two_facts(policy: Row) -> None:
    other = copy.deepcopy(policy)
    [p07] = [rule for rule in other["rules"] if rule["id"] == "P07"]
    p07["starts"] = [{"fact": "order.expired"}]
    facts = [fact(name, "order.served", "2026-05-01 09:00", order_id=name) for name in ("o1", "o2")]
    facts.append(fact("v", "order.revoked", "2026-05-20 09:00", "2026-06-02 09:00", order_id="o1"))
    assert states(facts, other, "2026-06-01 09:00", "P07") == [("2026-05-31T04:00:00Z", "running")]
    assert states(facts, other, "2026-06-02 10:00", "P07") == [("2026-05-31T04:00:00Z", "running")]
    assert flags(facts, other, "2026-06-10 10:00", "P07")[-1][4] == "open"


def test_an_extension_recorded_late_takes_the_derived_end_back_and_checks_are_owed_again(policy: Row) -> None:
    facts = [
        fact("s", "order.served", "2026-05-01 09:00", order_id="o1"),
        fact("x", "order.extended", "2026-05-25 09:00", "2026-06-03 09:00", order_id="o1", days=10),
    ]
    breaches = [row[2:] for row in flags(facts, policy, "2026-06-20 09:00", "P11") if row[0] == "breach"]
    assert breaches == [
        ("2026-05-08T04:00:00Z", "2026-05-31T04:00:00Z", "missed"),
        ("2026-06-03T04:00:00Z", "2026-06-10T04:00:00Z", "missed"),
    ]


def test_a_suspended_hearing_and_postponements_stand_again_when_the_case_is_reopened(policy: Row) -> None:
    facts = [
        suspended("h1", "2026-06-01 10:00"),
        *[fact(f"p{at}", "court.hearing_postponed", f"2026-06-0{at} 11:00", protocol_id="p1") for at in (1, 2)],
        fact("c1", "case.closed", "2026-06-03 10:00"),
        fact("n1", "court.hearing_postponed", "2026-06-04 10:00", protocol_id="p2"),
        fact("c2", "case.reopened", "2026-06-05 10:00"),
    ]
    for rule in ("F1", "F4"):
        raised = [row[1:] for row in flags(facts, policy, "2026-06-06 10:00", rule)]
        assert [row[3] for row in raised] == ["cleared", "open"]
        assert [row[1] for row in raised][1] == "2026-06-05T05:00:00Z"


@pytest.mark.parametrize(
    ("reported", "arrived", "state"),
    [
        ("2026-06-01 10:15", "2026-06-01 11:00", "breached"),
        ("2026-06-01 12:00", "2026-06-01 11:00", "window_passed"),
        ("2026-06-01 12:00", "2026-06-01 10:20", "breached"),
    ],
)
def test_the_fact_recorded_first_governs_whichever_is_dated_first(
    policy: Row, reported: str, arrived: str, state: str
) -> None:
    other = copy.deepcopy(policy)
    [p21] = [rule for rule in other["rules"] if rule["id"] == "P21"]
    p21["within"] = "PT2H"
    happened = {"injury": True, "occurred_at": "2026-06-01T08:30:00+05:00"}
    facts = [
        fact("r1", "report.received", "2026-06-01 09:00", reported, report_id="r1", **happened),
        fact("a1", "police.arrived", "2026-06-01 10:00", arrived, **happened),
    ]
    assert [found for _, found in states(facts, other, "2026-06-02 09:00", "P21")] == [state]


def test_an_extension_at_the_very_end_of_an_order_is_in_time(policy: Row) -> None:
    facts = [
        fact("s", "order.served", "2026-05-01 09:00", order_id="o1"),
        fact("x", "order.extended", "2026-05-31 09:00", order_id="o1", days=10),
    ]
    assert flags(facts, policy, "2026-06-20 09:00", "P11")[-1][3] == "2026-06-10T04:00:00Z"


def test_a_back_filled_start_is_not_warned_about_before_its_batch_is_in(policy: Row) -> None:
    facts = [fact("a1", "police.arrived", "2026-06-01 10:00", "2026-06-01 13:30", response="incident")]
    [warned, _] = flags(facts, policy, "2026-06-01 15:00", "P06")
    assert warned[2] == "2026-06-01T08:40:00Z"


def test_when_the_governing_fact_is_withdrawn_the_zone_of_the_next_one_decides(policy: Row) -> None:
    first = fact("g1", "court.case_registered", "2024-02-05 10:00+06:00", protocol_id="p1", arrest_eligible=True)
    second = first | {"id": "g2", "data": {**first["data"], "region": "KZ-23"}}
    facts = [first, second, withdrawal(first, "2024-02-05 20:00+06:00")]
    [warned, breached] = flags(facts, policy, "2024-02-06 12:00+06:00", "P17")
    assert (warned[0], warned[4]) == ("warn", "breached")
    assert breached[2] == "2024-02-05T19:00:00Z"  # midnight at UTC+5, not at UTC+6
    assert flags([first, second], policy, "2024-02-06 12:00+06:00", "P17")[-1][2] == "2024-02-05T18:00:00Z"


def test_a_review_at_the_very_instant_of_the_second_report_answers_it(policy: Row) -> None:
    facts = [
        fact("r1", "report.received", "2026-06-01 09:00", report_id="r1", pair_ref="x"),
        fact("r2", "report.received", "2026-06-02 09:00", report_id="r2", pair_ref="x"),
    ]
    review = fact("v", "coordination.reviewed", "2026-06-02 09:00", "2026-06-02 11:00")
    [repeated] = flags([*facts, review], policy, "2026-06-03 09:00", "F5")
    assert repeated[2:] == ("2026-06-02T04:00:00Z", "2026-06-02T06:00:00Z", "cleared")


@pytest.mark.parametrize(("one", "other", "counts"), [("ә1", "z1", "z1"), ("ә1", "ө1", "ә1"), ("Ж", "é", "é")])
def test_copies_that_differ_only_in_their_letters_are_ordered_by_these_and_not_by_escapes(
    policy: Row, one: str, other: str, counts: str
) -> None:
    first = fact("a", "order.issued", "2026-06-01 09:00", order_id=one)
    copies = [first, first | {"data": {**first["data"], "order_id": other}}]
    for facts in (copies, copies[::-1]):
        assert {row[1] for row in flags(facts, policy, "2026-06-03 09:00", "P09")} == {counts}
