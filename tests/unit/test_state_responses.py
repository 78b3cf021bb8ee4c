"""The list of responses: how a call-out stands, which fact belongs to which, who has to act and by when."""

import pytest

from qorgau.facts import Fact
from tests.stated import moment, of_kind, only, post, withdrawn

CALL = post("police.incident_registered", "03-02T10:00", priority="immediate", area="urban", report_id="r1")
SENT = post("police.dispatched", "03-02T10:03")
THERE = post("police.arrived", "03-02T10:10", response="incident", injury=False, sexual=False)
TALKED = post("police.outcome_recorded", "03-02T11:00", outcome="talk_held")
CANCELLED = post("police.call_cancelled", "03-02T10:05", reason="false_call")
BROKEN = post("order.violation_reported", "03-02T10:00", area="rural", order_id="o1")
DETAINED = post("offender.detained", "03-02T10:20")
RELEASED = post("offender.released", "03-02T18:00")
HIGH = post("risk.assessed", "03-02T10:40", level="high", tool="dash")


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([CALL], "registered"),
        ([CALL, SENT], "dispatched"),
        ([CALL, SENT, THERE], "arrived"),
        ([CALL, SENT, THERE, TALKED], "closed"),
        ([CALL, TALKED], "closed"),
        ([CALL, CANCELLED], "cancelled"),
        ([CALL, CANCELLED, THERE], "arrived"),
        ([THERE], "arrived"),
        ([HIGH], "unregistered"),
        ([BROKEN], "registered"),
        ([BROKEN, DETAINED], "closed"),
        ([CALL, DETAINED], "registered"),
    ],
)
def test_a_call_out_stands_where_its_last_step_left_it(facts: list[Fact], state: str) -> None:
    assert only("responses", facts).state == state


def test_each_step_is_shown_with_its_instant() -> None:
    facts = [CALL, SENT, THERE, TALKED, HIGH, DETAINED, RELEASED]
    protocol = post("protocol.drawn_up", "03-02T12:00", protocol_id="p1", article="73")
    row = only("responses", [*facts, protocol])
    assert row.key == "102/KZ-75#police.incident_registered-03-02T10.00"
    assert row.region == "KZ-75"
    expected = {
        **{"begun_by": "call", "report_id": "r1", "priority": "immediate", "area": "urban"},
        **{"registered_at": "2026-03-02T05:00:00Z", "dispatched_at": "2026-03-02T05:03:00Z"},
        **{"arrived_at": "2026-03-02T05:10:00Z", "response": "incident", "cancelled_at": None},
        **{"outcome": "talk_held", "outcomes": [{"at": "2026-03-02T06:00:00Z", "outcome": "talk_held"}]},
        **{"offender": "released", "detained_at": "2026-03-02T05:20:00Z", "released_at": "2026-03-02T13:00:00Z"},
        **{"risk": "high", "risk_tool": "dash", "risk_assessed_at": "2026-03-02T05:40:00Z"},
        **{"protocols": [{"at": "2026-03-02T07:00:00Z", "protocol_id": "p1"}], "case_closed": False},
    }
    assert {name: row.item[name] for name in expected} == expected


def test_police_who_have_to_come_have_the_term_of_the_last_grade() -> None:
    regraded = post("police.reprioritised", "03-02T10:05", priority="prompt", area="urban")
    row = only("responses", [CALL, regraded], "03-02T10:06")
    assert (row.due, row.agency) == (moment("03-02T11:05"), "102/KZ-75")
    assert row.item["priority"] == "prompt"
    assert row.item["reprioritised"] == [{"at": "2026-03-02T05:05:00Z", "priority": "prompt"}]
    assert row.item["deadlines"] == [{"rule": "P04", "due_at": "2026-03-02T06:05:00Z"}]


def test_once_police_are_there_the_unit_has_to_assess_and_to_decide() -> None:
    row = only("responses", [CALL, THERE], "03-02T10:30")
    assert (row.due, row.agency) == (moment("03-02T13:10"), "police-unit/KZ-75")
    assert [waits["rule"] for waits in row.item["deadlines"]] == ["P08", "P06"]
    unit = post("risk.assessed", "03-02T10:20", level="high", tool="dash", source="police-unit/u7")
    facts = [CALL, THERE, unit]
    assert only("responses", facts, "03-02T10:30").agency == "police-unit/u7"
    refused = post("order.refused", "03-02T10:50", reason="no_grounds")
    # Three working days, of which Monday the second is none.
    assert only("responses", [*facts, refused], "03-02T11:00").due == moment("03-06T00:00")


def test_a_violation_of_an_order_is_a_call_out_of_its_own() -> None:
    row = only("responses", [BROKEN], "03-02T10:01")
    assert (row.item["begun_by"], row.item["order_id"], row.item["priority"]) == ("order_violation", "o1", None)
    assert row.due == moment("03-02T10:20")


def test_a_detention_answers_the_violation_that_waits_and_not_an_earlier_visit() -> None:
    broken = post("order.violation_reported", "03-09T10:00", area="urban", order_id="o1")
    taken = post("offender.detained", "03-09T10:10")
    visit, violation = of_kind("responses", [CALL, THERE, TALKED, broken, taken])
    assert (visit.item["offender"], violation.item["offender"]) == (None, "detained")
    assert (violation.state, violation.due) == ("closed", None)


def test_two_call_outs_that_overlap_share_an_arrival_and_what_follows() -> None:
    second = post("police.incident_registered", "03-02T10:04", priority="prompt", area="urban")
    one, other = of_kind("responses", [CALL, second, THERE, TALKED, HIGH])
    assert (one.state, other.state) == ("closed", "closed")
    assert one.item["arrived_at"] == other.item["arrived_at"] == "2026-03-02T05:10:00Z"
    assert (one.item["risk"], other.item["risk"]) == ("high", "high")


def test_what_comes_of_a_later_visit_is_nothing_of_the_earlier_one() -> None:
    again = post("police.incident_registered", "03-09T10:00", priority="prompt", area="urban")
    there = post("police.arrived", "03-09T10:30", response="incident", injury=False, sexual=False)
    outcome = post("police.outcome_recorded", "03-09T11:00", outcome="order_issued")
    medium = post("risk.assessed", "03-09T11:30", level="medium", tool="dash")
    one, other = of_kind("responses", [CALL, THERE, HIGH, again, there, outcome, medium])
    assert (one.state, one.item["outcome"], one.item["risk"]) == ("arrived", None, "high")
    assert (other.state, other.item["outcome"], other.item["risk"]) == ("closed", "order_issued", "medium")


def test_an_outcome_while_the_next_call_waits_is_that_of_the_visit_that_had_none() -> None:
    again = post("police.incident_registered", "03-02T10:30", priority="prompt", area="urban")
    one, other = of_kind("responses", [CALL, THERE, again, TALKED])
    assert (one.state, other.state) == ("closed", "registered")
    next_outcome = post("police.outcome_recorded", "03-02T12:00", outcome="no_access")
    one, other = of_kind("responses", [CALL, THERE, again, TALKED, next_outcome])
    assert (one.item["outcome"], other.item["outcome"]) == ("talk_held", "no_access")


def test_a_unit_whose_clock_is_a_little_ahead_of_the_desk_answers_its_call() -> None:
    soon = post("police.arrived", "03-02T09:59:00", response="incident", injury=False, sexual=False)
    assert only("responses", [CALL, soon]).state == "arrived"
    before = post("police.arrived", "03-02T09:58:59", response="incident", injury=False, sexual=False)
    unregistered, registered = of_kind("responses", [CALL, before])
    assert (unregistered.key, unregistered.state, registered.state) == ("", "arrived", "registered")


def test_an_arrival_that_a_waiting_call_explains_does_not_answer_the_next_one_too() -> None:
    next_call = post("police.incident_registered", "03-02T10:10:30", priority="immediate", area="urban")
    one, other = of_kind("responses", [CALL, THERE, next_call])
    assert (one.state, other.state) == ("arrived", "registered")


def test_what_nobody_registered_is_one_row_however_much_it_is() -> None:
    row = only("responses", [SENT, THERE, TALKED, HIGH])
    assert (row.key, row.state, row.item["registered_at"], row.item["begun_by"]) == ("", "closed", None, None)


def test_an_arrival_that_is_withdrawn_has_not_happened() -> None:
    facts = [CALL, THERE, withdrawn(THERE, "03-02T12:00")]
    assert only("responses", facts, "03-02T11:59").state == "arrived"
    assert only("responses", facts, "03-02T12:00").state == "registered"


def test_an_arrival_dated_ahead_of_now_counts_from_its_own_time() -> None:
    ahead = post("police.arrived", "03-02T10:10", recorded="03-02T10:01", response="incident")
    assert only("responses", [CALL, ahead], "03-02T10:09").state == "registered"
    assert only("responses", [CALL, ahead], "03-02T10:10").state == "arrived"


def test_a_closed_case_leaves_the_state_and_takes_the_due() -> None:
    closed = post("case.closed", "03-02T10:05", reason="no_contact")
    row = only("responses", [CALL, closed], "03-02T10:06")
    assert (row.state, row.due, row.item["case_closed"]) == ("registered", None, True)
    reopened = post("case.reopened", "03-03T10:05", reason="new_facts")
    assert not only("responses", [CALL, closed, reopened]).item["case_closed"]
