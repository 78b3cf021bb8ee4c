"""A record that learns and advances: which events come of it, what it must look at again, and what it must not."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from qorgau import assess
from qorgau.facts import Fact
from qorgau.instants import DAY, parse_instant
from qorgau.plan import Plan, compile_policy
from qorgau.record import CaseRecord, advance, learn, overhear
from qorgau.rows import FlagEvent, flag_order
from qorgau.rules import Policy
from tests.busy_case import START, busy_case
from tests.expected import POLICY
from tests.heart import facts_of
from tests.oracle import load_policy
from tests.worked.form import fact, local, withdrawal

Row = dict[str, Any]


@pytest.fixture(scope="module", name="policy")
def default_policy() -> Row:
    return load_policy(POLICY)


@pytest.fixture(scope="module", name="plan")
def default_plan(policy: Row) -> Plan:
    return fingerprinted(policy, "the first")


def fingerprinted(policy: Row, name: str) -> Plan:
    return compile_policy(Policy.model_validate(policy | {"fingerprint": name}))


def at(text: str) -> int:
    return parse_instant(local(text))


def filed(*rows: Row) -> CaseRecord:
    return learn(CaseRecord("c1"), facts_of(rows))


def told(events: tuple[FlagEvent, ...]) -> list[tuple[str, str, str]]:
    return [(event.change, event.flag.level, event.detail) for event in events]


CALLED = fact("i1", "police.incident_registered", "2026-06-01 14:00", priority="immediate", area="urban")
ARRIVED = fact("a1", "police.arrived", "2026-06-01 14:10", "2026-06-01 15:40", response="order_violation")


def test_a_breach_is_told_as_it_is_raised_climbs_and_is_cleared(plan: Plan) -> None:
    record, events = advance(filed(CALLED), at("2026-06-01 15:30"), plan)
    assert told(events) == [
        ("raised", "warn", ""),
        ("cleared", "warn", ""),
        ("raised", "breach", ""),
        ("escalated", "breach", "L2"),
        ("escalated", "breach", "L3"),
    ]
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert [event.flag.escalations for event in events[2:4]] == [(), (("L2", at("2026-06-01 14:15")),)]
    assert (events[1].flag.outcome, events[1].flag.cleared_at) == ("breached", at("2026-06-01 14:15"))
    assert record.seq == 5
    assert [event.flag.id for event in events[2:]] == [record.flags[1].id] * 3


def test_a_late_arrival_recorded_after_the_breach_takes_it_back_exactly_once(plan: Plan) -> None:
    record, _ = advance(filed(CALLED), at("2026-06-01 15:30"), plan)
    record, events = advance(learn(record, facts_of([ARRIVED])), at("2026-06-01 16:00"), plan)
    assert told(events) == [("cleared", "breach", "")]
    assert (events[0].flag.outcome, events[0].at) == ("late_recording", at("2026-06-01 15:40"))
    again, nothing = advance(learn(record, facts_of([ARRIVED])), at("2026-06-01 18:00"), plan)
    assert nothing == ()
    assert again.flags == record.flags


def test_an_open_flag_whose_due_moves_while_it_stays_up_is_updated(plan: Plan) -> None:
    record = filed(
        fact("k1", "risk.assessed", "2026-06-01 08:00", level="medium"),
        fact("o1", "police.outcome_recorded", "2026-06-01 09:00", outcome="talk_held"),
        fact("k2", "risk.assessed", "2026-06-04 15:00", level="high"),
    )
    record, events = advance(record, at("2026-06-04 16:00"), plan)
    mine = [event for event in events if event.flag.rule == "P26" and event.flag.level == "breach"]
    assert [(event.change, event.detail) for event in mine] == [
        ("raised", ""),
        ("escalated", "L1"),
        ("escalated", "L2"),
        ("updated", "2026-06-02T04:00:00Z"),
    ]
    assert len({event.flag.id for event in mine}) == 1


def test_nothing_known_yet_is_not_judged(plan: Plan) -> None:
    record = filed(CALLED)
    assert record.next_due == at("2026-06-01 14:00")
    assert advance(record, at("2026-06-01 13:59"), plan) == (record, ())
    assert advance(CaseRecord("c1"), START, plan) == (CaseRecord("c1"), ())
    assert assess.deadlines(record, plan) == []
    assert not assess.is_closed(record, plan)


def test_going_back_changes_nothing(plan: Plan) -> None:
    record, _ = advance(filed(CALLED), at("2026-06-01 14:05"), plan)
    assert advance(record, at("2026-06-01 14:05"), plan) == (record, ())
    assert advance(record, at("2026-06-01 14:00"), plan) == (record, ())


def test_next_due_is_the_next_instant_at_which_anything_may_change(plan: Plan) -> None:
    record, _ = advance(filed(CALLED), at("2026-06-01 14:05"), plan)
    seen: list[int] = []
    while record.next_due is not None and len(seen) < 6:
        seen.append(record.next_due)
        record, _ = advance(record, record.next_due, plan)
    warned, due, top = at("2026-06-01 14:12"), at("2026-06-01 14:15"), at("2026-06-01 15:15")
    stale = at("2026-06-15 14:00")
    assert seen == [warned, due, top, stale]
    assert record.next_due is None


def test_a_case_never_judged_is_due_when_the_copy_that_stays_counts_and_not_when_one_that_does_not_did(
    plan: Plan,
) -> None:
    """Else it would be looked at over and over without getting on: an earlier recording dated later stays."""
    early, late = at("2026-06-01 14:00"), at("2026-06-01 16:00")
    passing = Fact("i1", "102/KZ-75", "police.incident_registered", early, early, "c1", {"region": "KZ-75"})
    stays = replace(passing, time=late, recorded=early - 1)
    heard = Fact("r2", "102/KZ-75", "report.received", early, early, "c2", {"region": "KZ-75"})
    for record in (
        learn(learn(CaseRecord("c1"), [passing]), [stays]),
        overhear(learn(CaseRecord("c1"), [stays]), [heard]),
    ):
        assert record.next_due == late
        assert advance(record, late, plan)[0].as_of == late


def test_a_case_is_closed_until_it_is_reopened(plan: Plan) -> None:
    record = filed(
        CALLED,
        fact("c1", "case.closed", "2026-06-02 10:00", reason="decided"),
        fact("c2", "case.reopened", "2026-06-03 10:00", reason="error"),
    )
    closed = []
    for until in ("2026-06-01 15:00", "2026-06-02 10:00", "2026-06-03 09:59", "2026-06-03 10:00"):
        record, _ = advance(record, at(until), plan)
        closed.append(assess.is_closed(record, plan))
    assert closed == [False, True, True, False]


def test_a_flag_names_the_region_of_its_start_and_the_agency_that_acted_last(plan: Plan) -> None:
    unit = {"source": "police-unit/KZ-75-3"}
    arrived = fact("a1", "police.arrived", "2026-06-01 10:00", response="incident")
    wrong = fact("f1", "order.refused", "2026-06-01 10:30", reason="no_grounds") | unit
    withdrawn = withdrawal(wrong, "2026-06-01 13:30") | {"source": "police-unit/KZ-75-3", "type": "fact.withdrawn"}
    other = fact("f2", "offender.detained", "2026-06-01 13:20") | {"source": "police-unit/KZ-11"}
    record, _ = advance(filed(arrived, wrong, withdrawn, other), at("2026-06-02 10:00"), plan)
    agencies = {(row.rule, row.level): (row.region, row.agency) for row in record.flags}
    assert agencies["P08", "breach"] == ("KZ-75", "police-unit/KZ-75-3")
    assert agencies["P06", "warn"] == ("KZ-75", "police-unit/KZ-75-3")
    alone, _ = advance(filed(arrived), at("2026-06-01 14:00"), plan)
    assert {row.agency for row in alone.flags if row.rule == "P08"} == {"police-unit/KZ-75"}
    nowhere, _ = advance(filed(arrived | {"data": {"response": "incident", "region": 7}}), at("2026-06-01 14:00"), plan)
    assert {(row.region, row.agency) for row in nowhere.flags if row.rule == "P08"} == {(None, "police-unit")}


def test_where_the_duty_is_the_start_facts_the_agency_is_its_source(plan: Plan) -> None:
    report = fact("r1", "report.received", "2026-06-01 10:00", report_id="r1") | {"source": "helpline-111"}
    note = fact("n1", "survivor.contacted", "2026-06-01 10:02") | {"source": "crisis-centre/KZ-75"}
    record, _ = advance(filed(report, note), at("2026-06-01 11:00"), plan)
    assert {row.agency for row in record.flags if row.rule == "P01"} == {"helpline-111"}


def test_another_policy_judges_everything_anew_one_microsecond_later(policy: Row, plan: Plan) -> None:
    other = copy.deepcopy(policy)
    rules = {rule["id"]: rule for rule in other["rules"]}
    rules["P26"]["cases"] = [{"otherwise": True, "within": "PT1H"}]
    rules["P07"]["severity"] = "critical"
    other["rules"] = [rule for rule in other["rules"] if rule["id"] != "P03"]
    outcome = fact("o1", "police.outcome_recorded", "2026-06-01 14:00", outcome="talk_held")
    record, _ = advance(filed(CALLED, outcome), at("2026-06-01 18:00"), plan)
    assert (record.fingerprint, record.law_from) == ("the first", None)
    changed, events = advance(record, at("2026-06-01 18:30"), fingerprinted(other, "the second"))
    assert (changed.fingerprint, changed.law_from) == ("the second", at("2026-06-01 18:00") + 1)
    assert {event.at for event in events} == {at("2026-06-01 18:00") + 1}
    outcomes = {(row.rule, row.level): row.outcome for row in changed.flags}
    assert outcomes == {
        ("P03", "warn"): "breached",
        ("P03", "breach"): "void",
        ("P26", "breach"): "open",
    }
    again, later = advance(changed, at("2026-06-01 19:00"), fingerprinted(other, "the second"))
    assert told(later) == [("escalated", "breach", "L2")]
    assert again.law_from == changed.law_from


def test_the_same_rules_under_another_fingerprint_change_no_flag(policy: Row, plan: Plan) -> None:
    busy = learn(CaseRecord("c1"), busy_case(60))
    record, _ = advance(busy, START + 10 * DAY, plan)
    assert any(row.cleared_at is None for row in record.flags)
    changed, events = advance(record, START + 10 * DAY + 1, fingerprinted(policy, "the second"))
    assert events == ()
    assert changed.flags == record.flags
    assert changed.timers == record.timers
    assert changed.next_due == record.next_due


def test_a_services_plan_judges_only_its_own_rules(policy: Row) -> None:
    court = compile_policy(Policy.model_validate(policy), "court-tracker")
    record, _ = advance(learn(CaseRecord("c1"), busy_case(120)), START + 30 * DAY, court)
    services = {rule["id"]: rule["service"] for rule in [*policy["rules"], *policy["flags"]]}
    assert {services[row.rule] for row in record.flags} == {"court-tracker"}


def report(case: str, id: str, time: str, recorded: str | None = None) -> Fact:
    row = fact(id, "report.received", time, recorded, report_id=id, channel="102", area="urban", pair_ref="p1")
    return facts_of([{**row, "case": case}])[0]


def test_a_report_of_another_case_raises_the_repeat_from_when_this_case_heard_of_it(policy: Row) -> None:
    plan = compile_policy(Policy.model_validate(policy), "intake")
    record = learn(CaseRecord("c1"), [report("c1", "r1", "2026-06-01 14:00")])
    record, events = advance(record, at("2026-06-01 14:30"), plan)
    assert not [event for event in events if event.flag.rule == "F5"]
    record = overhear(record, [report("c2", "r2", "2026-05-20 10:00")])
    assert record.next_due == at("2026-06-01 14:30") + 1
    record, events = advance(record, at("2026-06-01 15:00"), plan)
    assert [(e.flag.rule, e.change, e.at) for e in events] == [("F5", "raised", at("2026-06-01 14:30") + 1)]
    assert overhear(record, [report("c2", "r2", "2026-05-20 10:00")]) is record
    assert assess.flag_history(record.facts, plan, record.as_of, record.others) == sorted(record.flags, key=flag_order)


def test_a_case_that_has_only_heard_of_others_waits_for_its_own_first_fact(plan: Plan) -> None:
    record = overhear(CaseRecord("c1"), [report("c2", "r2", "2026-05-20 10:00")])
    assert record.next_due is None
    assert advance(record, at("2026-06-01 15:00"), plan) == (record, ())


def test_a_policy_with_an_instant_judges_anew_at_it_and_not_before(policy: Row, plan: Plan) -> None:
    other = copy.deepcopy(policy)
    next(rule for rule in other["rules"] if rule["id"] == "P06")["within"] = "PT1H"
    arrived = fact("a1", "police.arrived", "2026-06-01 14:00", response="incident", injury=False, sexual=False)
    record, _ = advance(filed(arrived), at("2026-06-01 14:30"), plan)
    begins = at("2026-06-01 16:00")
    newer = replace(fingerprinted(other, "the second"), begins=begins)
    changed, events = advance(record, at("2026-06-01 18:30"), newer)
    assert changed.law_from == begins
    assert [event.at for event in events if event.flag.rule == "P06" and event.change == "raised"] == [begins]
    same, none = advance(record, begins - 1, newer)
    assert (same, none) == (record, ())


def test_what_the_old_policy_had_not_come_to_is_judged_from_there(policy: Row, plan: Plan) -> None:
    record, _ = advance(filed(CALLED), at("2026-06-01 14:01"), plan)
    assert record.next_due is not None
    newer = replace(fingerprinted(policy, "the second"), begins=at("2026-06-03 00:00"))
    changed, _ = advance(record, at("2026-06-03 00:00"), newer)
    assert changed.law_from == record.next_due
