"""The list of hearings: dates, suspensions and what became of each, also where a new date is a new hearing."""

from typing import Any

import pytest

from qorgau.facts import Fact
from tests.stated import moment, of_kind, only, post, withdrawn


def of_hearing(type: str, time: str, hearing: str = "h1") -> Fact:
    return post(f"court.hearing_{type}", time, id=f"{type}-{hearing}-{time[:5]}", protocol_id="p1", hearing_id=hearing)


def dated(time: str, on: str, hearing: str = "h1", mode: str = "in_person") -> Fact:
    data = {"protocol_id": "p1", "hearing_id": hearing, "scheduled_for": f"2026-{on}:00+05:00", "mode": mode}
    return post("court.hearing_scheduled", time, id=f"dated-{hearing}-{time[:5]}", **data)


def stopped(time: str, hearing: str = "h1", source: str = "") -> Fact:
    data: dict[str, Any] = {"protocol_id": "p1", "hearing_id": hearing, "legal_basis": "state_of_emergency"}
    id = f"stopped-{hearing}-{time[:5]}"
    return post("court.hearing_suspended", time, id=id, source=source, tolls_term=True, **data)


def put_off(time: str, hearing: str = "h1") -> Fact:
    data = {"protocol_id": "p1", "hearing_id": hearing, "reason": "party_absent"}
    return post("court.hearing_postponed", time, id=f"put-off-{hearing}-{time[:5]}", **data)


DRAWN = post(
    "protocol.drawn_up",
    "03-01T10:00",
    protocol_id="p1",
    article="73",
    arrest_eligible=False,
    occurred_at="2026-03-01T08:00:00+05:00",
)
REGISTERED = post("court.case_registered", "03-02T10:00", protocol_id="p1", court="KZ-75-01", arrest_eligible=False)
LISTED = dated("03-02T11:00", "03-10T10:00")
STOPPED = stopped("03-05T10:00")
RESUMED = of_hearing("resumed", "03-20T10:00")
HELD = of_hearing("held", "03-10T10:30")
DECIDED = post("court.decision_issued", "03-25T12:00", protocol_id="p1", sanction="fine")
NEW_DATE = dated("03-21T10:00", "03-28T10:00", "h2")


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([LISTED], "listed"),
        ([LISTED, STOPPED], "suspended"),
        ([LISTED, STOPPED, RESUMED], "awaiting_date"),
        ([LISTED, STOPPED, RESUMED, dated("03-21T10:00", "03-28T10:00")], "listed"),
        ([LISTED, STOPPED, dated("03-06T10:00", "03-28T10:00")], "listed"),
        ([LISTED, put_off("03-10T10:00")], "awaiting_date"),
        ([LISTED, HELD], "held"),
        ([LISTED, STOPPED, of_hearing("held", "03-30T10:00")], "held"),
        ([LISTED, of_hearing("cancelled", "03-09T10:00")], "cancelled"),
        ([LISTED, DECIDED], "decided"),
        ([LISTED, STOPPED, DECIDED], "decided"),
        ([LISTED, HELD, DECIDED], "held"),
        ([LISTED, DECIDED, stopped("03-26T10:00")], "suspended"),
        ([LISTED, STOPPED, withdrawn(STOPPED, "03-06T10:00")], "listed"),
    ],
)
def test_a_hearing_stands_where_its_last_fact_left_it(facts: list[Fact], state: str) -> None:
    row = only("hearings", [REGISTERED, *facts])
    assert (row.key, row.state, row.court) == ("p1/h1", state, "KZ-75-01")


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([LISTED, STOPPED, RESUMED, NEW_DATE], "relisted"),
        ([LISTED, STOPPED, NEW_DATE], "relisted"),
        ([LISTED, STOPPED, NEW_DATE, of_hearing("resumed", "03-22T10:00")], "relisted"),
        ([LISTED, put_off("03-10T10:00"), NEW_DATE], "postponed"),
        ([LISTED, NEW_DATE], "listed"),
    ],
)
def test_a_hearing_whose_new_date_is_another_hearing_waits_for_nothing(facts: list[Fact], state: str) -> None:
    old, new = of_kind("hearings", [REGISTERED, *facts])
    assert (old.key, old.state, new.key, new.state) == ("p1/h1", state, "p1/h2", "listed")


def test_a_date_given_before_the_hearing_was_suspended_is_no_new_one() -> None:
    row, other = of_kind("hearings", [REGISTERED, LISTED, dated("03-04T10:00", "03-28T10:00", "h2"), STOPPED])
    assert (row.state, row.item["next_date"], other.state) == ("suspended", None, "listed")


def test_each_suspension_is_shown_with_the_date_it_hit_and_the_next_one() -> None:
    again = stopped("03-22T10:00", source="system/court-tracker")
    facts = [REGISTERED, LISTED, STOPPED, RESUMED, dated("03-21T10:00", "03-28T10:00"), again, NEW_DATE]
    later = dated("03-23T10:00", "04-02T10:00", "h3", "remote")
    row = of_kind("hearings", [*facts[:-1], later])[0]
    first = {
        **{"fact_id": "stopped-h1-03-05", "source": "court/KZ-75-01", "at": "2026-03-05T05:00:00Z"},
        **{"tolls_term": True, "legal_basis": "state_of_emergency", "scheduled_for": "2026-03-10T05:00:00Z"},
        **{"resumed_at": "2026-03-20T05:00:00Z", "next_date": "2026-03-28T05:00:00Z"},
    }
    second = first | {
        **{"fact_id": "stopped-h1-03-22", "source": "system/court-tracker", "at": "2026-03-22T05:00:00Z"},
        **{"scheduled_for": "2026-03-28T05:00:00Z", "resumed_at": None, "next_date": "2026-04-02T05:00:00Z"},
    }
    assert row.item["suspensions"] == [first, second]
    assert row.item["next_date"] == "2026-04-02T05:00:00Z"
    assert (row.item["scheduled_for"], row.item["earlier_dates"]) == ("2026-03-28T05:00:00Z", ["2026-03-10T05:00:00Z"])
    assert (row.item["listed_at"], row.item["mode"]) == ("2026-03-21T05:00:00Z", "in_person")


def test_a_suspended_hearing_says_until_when_the_survivor_is_protected() -> None:
    issued = [post("order.served", "03-01T12:00", order_id="o1"), post("order.served", "03-03T12:00", order_id="o2")]
    row = only("hearings", [REGISTERED, LISTED, STOPPED, *issued], "03-06T00:00")
    assert row.item["order_ends"] == "2026-04-02T07:00:00Z"
    revoked = post("order.revoked", "03-04T12:00", order_id="o2", reason="court_decision")
    row = only("hearings", [REGISTERED, LISTED, STOPPED, *issued, revoked], "03-06T00:00")
    assert row.item["order_ends"] == "2026-03-31T07:00:00Z"
    lapsed = only("hearings", [REGISTERED, LISTED, STOPPED, *issued, revoked])
    assert lapsed.item["order_ends"] == "2026-03-31T07:00:00Z"
    assert only("hearings", [REGISTERED, LISTED, STOPPED]).item["order_ends"] is None
    assert only("hearings", [REGISTERED, LISTED, STOPPED, issued[1], revoked]).item["order_ends"] is None


def test_limitation_is_told_until_the_case_is_decided() -> None:
    row = only("hearings", [DRAWN, REGISTERED, LISTED], "03-20T00:00")
    assert (row.item["limitation_due"], row.item["decided_at"]) == ("2026-05-01T03:00:00Z", None)
    row = only("hearings", [DRAWN, REGISTERED, LISTED, HELD, DECIDED], "03-26T00:00")
    assert (row.item["limitation_due"], row.item["decided_at"]) == (None, "2026-03-25T07:00:00Z")


def test_a_suspended_hearing_is_due_within_its_own_clock_which_nothing_stops() -> None:
    row = only("hearings", [REGISTERED, LISTED, STOPPED], "03-06T00:00")
    assert (row.due, row.agency) == (moment("03-08T10:00"), "court/KZ-75-01")
    facts = [REGISTERED, LISTED, STOPPED, NEW_DATE]
    assert [one.due for one in of_kind("hearings", facts, "03-22T00:00")] == [None, None]


def test_a_hearing_of_today_is_due_today_and_its_suspension_stops_that_clock() -> None:
    arrest = post("court.case_registered", "03-02T10:00", protocol_id="p1", court="KZ-75-01", arrest_eligible=True)
    today = dated("03-02T11:00", "03-02T16:00")
    assert only("hearings", [arrest, today], "03-02T12:00").due == moment("03-03T00:00")
    row = only("hearings", [arrest, today, stopped("03-02T15:00")], "03-02T15:30")
    assert row.item["deadlines"] == [
        {"rule": "P19", "due_at": "2026-03-05T10:00:00Z"},
        {"rule": "P17", "due_at": None},
    ]


def test_facts_of_one_instant_leave_a_hearing_in_the_same_state_whatever_they_are_called() -> None:
    listing, stop = dated("03-05T10:00", "03-10T10:00"), stopped("03-05T10:00")
    for one, other in ((listing, stop), (stop, listing)):
        renamed = [post(fact.type, "03-05T10:00", id=id, **fact.data) for fact, id in ((one, "a"), (other, "b"))]
        assert only("hearings", renamed).state == "suspended"


def test_postponements_and_the_end_of_a_hearing_are_shown() -> None:
    cancelled = post("court.hearing_cancelled", "03-12T10:00", protocol_id="p1", hearing_id="h1", reason="case_ended")
    row = only("hearings", [REGISTERED, LISTED, put_off("03-10T10:00"), cancelled])
    assert row.item["postponed"] == [{"at": "2026-03-10T05:00:00Z", "reason": "party_absent"}]
    assert (row.item["cancelled_at"], row.item["cancel_reason"]) == ("2026-03-12T05:00:00Z", "case_ended")
    assert only("hearings", [REGISTERED, LISTED, HELD]).item["held_at"] == "2026-03-10T05:30:00Z"


def test_a_hearing_of_a_case_that_was_never_registered_is_before_no_court() -> None:
    row = only("hearings", [LISTED])
    assert (row.court, row.region) == (None, "KZ-75")


def test_a_closed_case_says_so_and_the_hearing_stands_as_it_did() -> None:
    closed = post("case.closed", "03-06T12:00", reason="handed_over")
    row = only("hearings", [REGISTERED, LISTED, STOPPED, closed], "03-07T00:00")
    assert (row.state, row.due, row.item["case_closed"]) == ("suspended", None, True)
