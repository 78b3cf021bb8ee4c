"""The list of examinations: asked for, blocked, done or declined, and the one that nobody has asked for yet."""

from typing import Any

import pytest

from qorgau.facts import Fact
from tests.stated import moment, of_kind, only, post, withdrawn


def arrived(day: str, **data: Any) -> Fact:
    at = f"2026-{day}T08:00:00+05:00"
    return post("police.arrived", f"{day}T10:00", response="incident", occurred_at=at, **data)


def of_exam(type: str, time: str, **data: Any) -> Fact:
    return post(f"exam.{type}", time, exam_id="e1", **data)


HURT = arrived("03-02", injury=True, sexual=True)
REQUESTED = of_exam("requested", "03-02T11:00", consent="given", source="police-unit/KZ-75")
DATED = of_exam("scheduled", "03-02T12:00", scheduled_for="2026-03-03T09:00:00+05:00")
BLOCKED = of_exam("blocked", "03-02T13:00", reason="no_expert")
DONE = of_exam("completed", "03-03T09:30")
COLLECTED = of_exam("evidence_collected", "03-03T09:00")
REPORT = of_exam("report_issued", "03-10T09:00")
DECLINED = of_exam("declined", "03-02T14:00", source="crisis-centre/KZ-75")
DOCUMENTED = of_exam("alt_documented", "03-02T15:00", source="clinic/KZ-75")


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([REQUESTED], "requested"),
        ([REQUESTED, DATED], "scheduled"),
        ([REQUESTED, DATED, BLOCKED], "blocked"),
        ([REQUESTED, DATED, COLLECTED], "evidence_collected"),
        ([REQUESTED, DATED, COLLECTED, DONE], "completed"),
        ([REQUESTED, DONE, REPORT], "reported"),
        ([DONE, of_exam("blocked", "03-09T09:00", reason="transport")], "completed"),
        ([REQUESTED, DECLINED], "declined"),
        ([REQUESTED, DECLINED, of_exam("requested", "03-05T09:00", consent="given")], "requested"),
        ([REQUESTED, BLOCKED, DOCUMENTED], "documented"),
        ([REQUESTED, DOCUMENTED, DONE], "completed"),
        ([REQUESTED, DATED, withdrawn(DATED, "03-02T12:30")], "requested"),
    ],
)
def test_an_examination_stands_where_its_last_fact_left_it(facts: list[Fact], state: str) -> None:
    row = only("examinations", facts)
    assert (row.key, row.state) == ("e1", state)


def test_each_fact_is_shown_with_its_instant() -> None:
    later = of_exam("scheduled", "03-02T16:00", scheduled_for="2026-03-03T09:00:00+05:00")
    row = only("examinations", [REQUESTED, BLOCKED, DOCUMENTED, later, COLLECTED, DONE, REPORT])
    expected = {
        **{"exam_id": "e1", "requested_at": "2026-03-02T06:00:00Z", "scheduled_at": "2026-03-02T11:00:00Z"},
        **{"scheduled_for": "2026-03-03T04:00:00Z", "evidence_at": "2026-03-03T04:00:00Z"},
        **{"blocked": [{"at": "2026-03-02T08:00:00Z", "reason": "no_expert"}]},
        **{"completed_at": "2026-03-03T04:30:00Z", "documented_at": "2026-03-02T10:00:00Z"},
        **{"declined_at": None, "reported_at": "2026-03-10T04:00:00Z"},
    }
    assert {name: row.item[name] for name in expected} == expected


def test_an_examination_nobody_has_asked_for_is_listed_while_it_is_due() -> None:
    row = only("examinations", [HURT], "03-02T10:30")
    assert (row.key, row.state, row.region) == ("", "not_requested", "KZ-75")
    assert (row.due, row.agency) == (moment("03-02T16:00"), "police-unit/KZ-75")
    assert [waits["rule"] for waits in row.item["deadlines"]] == ["P20", "P21", "P22"]


def test_one_that_is_asked_for_takes_over_what_is_due() -> None:
    row = only("examinations", [HURT, REQUESTED], "03-02T11:30")
    assert (row.key, row.due) == ("e1", moment("03-05T08:00"))
    # Somebody who works on it has posted; until then it is the centre of the region.
    assert row.agency == "forensic/KZ-75"
    blocked = only("examinations", [HURT, REQUESTED, BLOCKED], "03-02T14:00")
    assert (blocked.state, blocked.due) == ("blocked", moment("03-03T01:00"))


def test_evidence_still_to_be_collected_stays_due_with_an_examination_that_is_done() -> None:
    row = only("examinations", [HURT, REQUESTED, DONE], "03-04T00:00")
    assert (row.state, row.due) == ("completed", moment("03-07T08:00"))
    assert only("examinations", [HURT, REQUESTED, DONE, COLLECTED], "03-04T00:00").due is None


def test_another_incident_after_an_examination_that_is_over_calls_for_a_new_one() -> None:
    again = arrived("04-02", injury=True, sexual=False)
    old, new = of_kind("examinations", [HURT, REQUESTED, DONE, COLLECTED, again], "04-02T11:00")
    assert (old.state, old.due) == ("completed", None)
    assert (new.key, new.state, new.due) == ("", "not_requested", moment("04-02T16:00"))


def test_who_declines_without_saying_which_declines_those_that_are_open() -> None:
    unnamed = post("exam.declined", "03-02T17:00", source="crisis-centre/KZ-75")
    assert only("examinations", [REQUESTED, unnamed]).state == "declined"
    done, declined = of_kind("examinations", [DONE, post("exam.declined", "03-04T17:00")])
    assert (done.state, declined.key, declined.state) == ("completed", "", "declined")
    assert only("examinations", [HURT, unnamed], "03-03T00:00").state == "declined"


def test_a_closed_case_leaves_the_state_and_takes_the_due() -> None:
    closed = post("case.closed", "03-02T12:00", reason="survivor_withdrew")
    row = only("examinations", [HURT, REQUESTED, closed], "03-02T13:00")
    assert (row.state, row.due, row.item["case_closed"]) == ("requested", None, True)
