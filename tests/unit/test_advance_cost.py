"""What a record costs: how many deadlines are worked out for a fact, a thousand of a kind, and a record read back."""

from collections import Counter
from typing import Any

import pytest

from qorgau import assess
from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, MINUTE
from qorgau.plan import Plan
from qorgau.record import CaseRecord, advance, learn, open_case
from tests.busy_case import START, busy_case, one
from tests.expected import POLICY
from tests.heart import plan_of
from tests.oracle import load_policy

Row = dict[str, Any]


@pytest.fixture(scope="module", name="plan")
def default_plan() -> Plan:
    return plan_of(load_policy(POLICY) | {"fingerprint": "the first"})


def judged_by(record: CaseRecord, more: Fact, plan: Plan) -> tuple[int, CaseRecord]:
    """How many deadlines one more fact has worked out."""
    learnt = learn(record, [more])
    work = open_case(learnt, plan)
    work.step_to(more.known_at)
    return work.situation.judged, learnt


@pytest.mark.parametrize(
    "type",
    [
        "police.arrived",
        "order.compliance_checked",
        "report.received",
        "police.incident_registered",
        "case.consent_changed",
    ],
)
def test_one_more_fact_in_a_case_of_a_thousand_works_out_only_what_it_touches(type: str, plan: Plan) -> None:
    facts = busy_case(1_000)
    now = facts[-1].known_at + MINUTE
    record, _ = advance(learn(CaseRecord("c1"), facts), now, plan)
    deadlines = len(assess.deadlines(record, plan))
    assert deadlines > 600
    more = one("new", type, now + MINUTE, order_id="o1", report_id="new", priority="immediate", response="incident")
    judged, learnt = judged_by(record, more, plan)
    open_ones = sum(row.state in ("running", "breached") for row in assess.deadlines(record, plan))
    assert judged <= 4 if type != "police.arrived" else judged <= open_ones + 5
    advanced, _ = advance(learnt, now + MINUTE, plan)
    assert list(advanced.flags) == list(assess.case_history(learnt.facts, plan, now + MINUTE))


@pytest.mark.parametrize("count", [120, 1_200])
def test_what_a_fact_costs_does_not_grow_with_the_case(count: int, plan: Plan) -> None:
    facts = busy_case(count)
    work = open_case(learn(CaseRecord("c1"), facts), plan)
    work.step_to(facts[-1].known_at + MINUTE)
    assert work.situation.judged < 4 * count


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("order.compliance_checked", {"order_id": "o1"}),
        ("court.hearing_postponed", {"protocol_id": "p1"}),
        ("report.received", {"report_id": "r1", "pair_ref": "x1"}),
    ],
)
def test_a_thousand_facts_of_one_kind_are_not_a_thousand_times_a_thousand(type: str, data: Row, plan: Plan) -> None:
    facts = [one("s", "order.served", START, order_id="o1")]
    facts += [one(f"k{place}", type, START + place * HOUR, **data) for place in range(1, 1_001)]
    work = open_case(learn(CaseRecord("c1"), facts), plan)
    work.step_to(facts[-1].known_at)
    assert work.situation.judged <= 3_100


def test_call_outs_that_nobody_answers_each_breach_and_end_with_the_one_arrival(plan: Plan) -> None:
    facts = [
        one(f"i{place}", "police.incident_registered", START + place * MINUTE, priority="immediate", area="urban")
        for place in range(1_000)
    ]
    facts.append(one("a", "police.arrived", START + 2 * DAY, response="order_violation"))
    work = open_case(learn(CaseRecord("c1"), facts), plan)
    work.step_to(START + 2 * DAY)
    assert work.situation.judged == 2_000
    outcomes = Counter(row.outcome for row in work.flagging.rows() if row.rule == "P03" and row.level == "breach")
    assert outcomes == {"closed_late": 1_000}


def test_a_record_read_back_is_woken_for_what_waits_and_for_nothing_else(plan: Plan) -> None:
    record, _ = advance(learn(CaseRecord("c1"), busy_case(600)), START + 30 * DAY, plan)
    waiting = {(rule, start) for _, rule, _, start in record.timers}
    assert ("F7", None) in waiting
    work = open_case(record, plan)
    assert record.next_due is not None
    work.step_to(record.next_due)
    assert work.situation.judged <= 2
