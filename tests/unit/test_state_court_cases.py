"""The list of court cases: one row a protocol, from its drawing up to the decision."""

import pytest

from qorgau.facts import Fact
from tests.stated import moment, of_kind, only, post, withdrawn
from tests.unit.test_state_hearings import (
    DECIDED,
    DRAWN,
    HELD,
    LISTED,
    NEW_DATE,
    REGISTERED,
    RESUMED,
    STOPPED,
    of_hearing,
    put_off,
)

TERM_STOPPED = post("court.term_suspended", "03-03T10:00", protocol_id="p1", legal_basis="expert_examination")
TERM_RUNS = post("court.term_resumed", "03-13T10:00", protocol_id="p1")


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([DRAWN], "awaiting_registration"),
        ([DRAWN, REGISTERED], "awaiting_date"),
        ([DRAWN, REGISTERED, LISTED], "listed"),
        ([DRAWN, LISTED], "listed"),
        ([DRAWN, REGISTERED, LISTED, STOPPED], "suspended"),
        ([DRAWN, REGISTERED, LISTED, STOPPED, RESUMED], "awaiting_date"),
        ([DRAWN, REGISTERED, LISTED, STOPPED, NEW_DATE], "listed"),
        ([DRAWN, REGISTERED, LISTED, put_off("03-10T10:00")], "awaiting_date"),
        ([DRAWN, REGISTERED, LISTED, of_hearing("cancelled", "03-09T10:00")], "awaiting_date"),
        ([DRAWN, REGISTERED, LISTED, HELD], "held"),
        ([DRAWN, REGISTERED, LISTED, HELD, DECIDED], "decided"),
        ([DRAWN, DECIDED], "decided"),
        ([DRAWN, REGISTERED, DECIDED, withdrawn(DECIDED, "03-26T10:00")], "awaiting_date"),
    ],
)
def test_a_court_case_stands_where_its_hearings_left_it(facts: list[Fact], state: str) -> None:
    row = only("court-cases", facts)
    assert (row.key, row.state) == ("p1", state)


def test_what_is_known_of_a_court_case_is_shown_with_its_instants() -> None:
    extended = post("court.term_extended", "03-14T10:00", protocol_id="p1", days=5)
    arrest = post("court.decision_issued", "03-25T12:00", protocol_id="p1", sanction="arrest", days=7)
    required = post("court.special_requirements_set", "03-25T12:10", months=6)
    row = only("court-cases", [DRAWN, REGISTERED, TERM_STOPPED, TERM_RUNS, extended, LISTED, HELD, arrest, required])
    assert row.court == "KZ-75-01"
    expected = {
        **{"protocol_id": "p1", "drawn_up_at": "2026-03-01T05:00:00Z", "article": "73"},
        **{"occurred_at": "2026-03-01T03:00:00Z", "registered_at": "2026-03-02T05:00:00Z", "arrest_eligible": False},
        **{"extended_days": 5, "hearings": 1, "decided_at": "2026-03-25T07:00:00Z", "sanction": "arrest"},
        **{"sanction_days": 7, "sanction_hours": None, "limitation_due": None},
        **{"requirements": [{"at": "2026-03-25T07:10:00Z", "months": 6}]},
    }
    assert {name: row.item[name] for name in expected} == expected
    span = {"at": "2026-03-03T05:00:00Z", "legal_basis": "expert_examination", "resumed_at": "2026-03-13T05:00:00Z"}
    assert row.item["term_suspensions"] == [span]


def test_a_protocol_has_three_days_to_reach_the_court_and_the_offence_two_months() -> None:
    row = only("court-cases", [DRAWN], "03-01T12:00")
    assert (row.due, row.agency) == (moment("03-04T10:00"), "police-unit/KZ-75")
    assert [waits["rule"] for waits in row.item["deadlines"]] == ["P15", "P27"]
    assert row.item["limitation_due"] == "2026-05-01T03:00:00Z"


def test_while_the_term_stands_only_limitation_is_due() -> None:
    row = only("court-cases", [DRAWN, REGISTERED, TERM_STOPPED], "03-05T00:00")
    assert row.due == moment("05-01T08:00")
    assert row.item["deadlines"][-1] == {"rule": "P18", "due_at": None}
    again = post("court.term_suspended", "03-04T10:00", protocol_id="p1", legal_basis="force_majeure")
    row = only("court-cases", [DRAWN, REGISTERED, TERM_STOPPED, again], "03-05T00:00")
    assert [span["resumed_at"] for span in row.item["term_suspensions"]] == [None]


def test_a_detained_person_must_be_judged_within_the_day_on_whichever_protocol() -> None:
    detained = post("offender.detained", "03-01T11:00")
    assert only("court-cases", [DRAWN, detained], "03-01T12:00").due == moment("03-02T11:00")
    released = post("offender.released", "03-01T13:00")
    assert only("court-cases", [DRAWN, detained, released], "03-01T14:00").due == moment("03-04T10:00")


def test_requirements_that_name_no_protocol_stand_in_every_court_case() -> None:
    other = post("court.case_registered", "03-02T10:00", id="r2", protocol_id="p2", court="KZ-75-02")
    required = post("court.special_requirements_set", "03-25T12:10", months=6)
    rows = of_kind("court-cases", [DRAWN, REGISTERED, other, required])
    assert [(row.key, len(row.item["requirements"])) for row in rows] == [("p1", 1), ("p2", 1)]


def test_requirements_that_belong_to_no_court_case_are_a_row_of_their_own() -> None:
    row = only("court-cases", [post("court.special_requirements_set", "03-25T12:10", months=6)])
    assert (row.key, row.state, row.due) == ("", "requirements_set", None)
    assert row.item["requirements"] == [{"at": "2026-03-25T07:10:00Z", "months": 6}]


def test_a_case_that_went_to_another_court_is_before_that_one() -> None:
    moved = post("court.case_registered", "03-04T10:00", protocol_id="p1", court="KZ-75-02", arrest_eligible=False)
    row = only("court-cases", [DRAWN, REGISTERED, moved])
    assert (row.court, row.item["registered_at"]) == ("KZ-75-02", "2026-03-02T05:00:00Z")


def test_a_closed_case_says_so() -> None:
    closed = post("case.closed", "03-06T12:00", reason="handed_over")
    row = only("court-cases", [DRAWN, REGISTERED, closed], "03-07T00:00")
    assert (row.state, row.due, row.item["case_closed"]) == ("awaiting_date", None, True)
