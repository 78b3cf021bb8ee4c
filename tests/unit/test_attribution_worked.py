"""Attribution worked out by hand: three scenario files leg by leg, and the corners one by one."""

from typing import Any

import pytest

from qorgau.attribution.account import Attribution, attribute
from qorgau.facts import fact_from_json
from qorgau.instants import format_duration, parse_instant
from tests.expected import ROOT, load_scenario
from tests.heart import facts_of
from tests.worked.form import Row, fact, local, withdrawal

P1 = {"protocol_id": "p1"}
TOLLS: dict[str, Any] = {"tolls_term": True, "legal_basis": "force_majeure"}


def by(source: str, row: Row) -> Row:
    return {**row, "source": source}


def court(id: str, type: str, time: str, source: str = "court/KZ-75-01", **data: Any) -> Row:
    return by(source, fact(id, f"court.{type}", time, **({**P1, **data})))


def account(facts: list[Row], as_of: str) -> Attribution:
    found = attribute(facts_of(facts), parse_instant(local(as_of)))
    assert found is not None
    assert sum(one.length for one in found.segments) == found.total
    return found


def row_of(found: Attribution) -> list[str]:
    """The segments as `leg agency length`."""
    return [f"{one.leg} {one.agency} {format_duration(one.length)}" for one in found.segments]


def legs(facts: list[Row], as_of: str) -> list[tuple[str, str]]:
    return [(one.leg, format_duration(one.length)) for one in account(facts, as_of).segments]


def scenario(name: str) -> tuple[Attribution, list[Row]]:
    loaded = load_scenario(ROOT / "tests" / "scenarios" / name)
    facts = [fact_from_json(row) for row in loaded["facts"] if "case" in row]
    found = attribute(facts, parse_instant(loaded["as_of"][-1]))
    assert found is not None
    return found, found.to_json()["legs"]


def charged(rows: list[Row]) -> dict[str, tuple[str, str, str]]:
    return {row["leg"]: (row["agency"], row["charged"], row["beside"]) for row in rows}


def test_s01_goes_from_desk_to_desk_until_the_decision() -> None:
    found, rows = scenario("s01_happy_path.yaml")
    assert row_of(found) == [
        "triage 102/KZ-75 PT2M",  # 19:02 to 19:04
        "dispatch 102/KZ-75 PT11M",  # to 19:15; nobody posted a dispatch
        "risk police-unit/KZ-75 PT25M",  # to 19:40
        "order police-unit/KZ-75 PT50M",  # to 20:30
        "service police-unit/KZ-75 PT15M",  # to 20:45
        "examination forensic/KZ-75 PT15M",  # to 21:00, when the protocol is there without it
        "to_court police-unit/KZ-75 PT1H30M",  # to 22:30
        "listing court/KZ-75-02 PT50M",  # to 23:20; heard without a date
        "decision court/KZ-75-02 PT10M",  # to 23:30
    ]
    assert (format_duration(found.total), found.ended, found.running) == ("PT4H28M", "decided", None)
    assert charged(rows) == {
        "dispatch": ("102/KZ-75", "PT11M", "PT0S"),
        "triage": ("102/KZ-75", "PT2M", "PT0S"),
        "decision": ("court/KZ-75-02", "PT10M", "PT0S"),
        "listing": ("court/KZ-75-02", "PT50M", "PT0S"),
        "to_court": ("police-unit/KZ-75", "PT1H30M", "PT0S"),
        "service": ("police-unit/KZ-75", "PT15M", "PT0S"),
        "risk": ("police-unit/KZ-75", "PT25M", "PT0S"),
        "order": ("police-unit/KZ-75", "PT50M", "PT25M"),  # 19:15 to 20:30
        "examination": ("forensic/KZ-75", "PT15M", "PT3H15M"),  # asked for at 20:00, not done by 23:30
        "exam_referral": ("police-unit/KZ-75", "PT0S", "PT45M"),  # 19:15 to 20:00
        "protocol": ("police-unit/KZ-75", "PT0S", "PT1H45M"),  # 19:15 to 21:00
        "contact": ("crisis-centre/KZ-75", "PT0S", "PT2H15M"),  # since 21:15
        "review": ("coordinator/KZ-75", "PT0S", "PT3H50M"),  # since 19:40
    }
    assert found.to_json()["clocks"]["legal"] == "PT50M"  # P17: 22:30 to 23:20


def test_s03_is_the_courts_standstill_with_both_clocks_beside() -> None:
    found, rows = scenario("s03_courts_suspended.yaml")
    assert row_of(found) == [
        "to_court police-unit/KZ-71 PT1H30M",  # 18 March 10:00 to 11:30
        "listing court/KZ-71-01 PT30M",  # to 12:00
        "hearing court/KZ-71-01 PT3H",  # to 15:00
        "suspension court/KZ-71-01 P54DT19H",  # to 12 May 10:00: 13 d of March, 30 of April, 11 of May, and 19 h
        "listing court/KZ-71-01 PT5H",  # to 15:00
        "decision court/KZ-71-01 PT20M",  # to 15:20
    ]
    assert format_duration(found.total) == "P55DT5H20M"
    assert charged(rows) == {
        "to_court": ("police-unit/KZ-71", "PT1H30M", "PT0S"),
        "listing": ("court/KZ-71-01", "PT5H30M", "PT0S"),
        "hearing": ("court/KZ-71-01", "PT3H", "PT0S"),
        "suspension": ("court/KZ-71-01", "P54DT19H", "PT0S"),
        "decision": ("court/KZ-71-01", "PT20M", "PT0S"),
    }
    clock = {"legal": "PT8H30M", "tolled": "P54DT19H", "safety": "P54DT19H"}  # 3 h 30 min before and 5 h after
    assert found.to_json()["clocks"] == {**clock, "protocols": [{"key": "p1", **clock}]}


def test_s05_is_the_forensic_centres_while_blocked_and_police_never_draw_up_a_protocol() -> None:
    found, rows = scenario("s05_exam_blocked.yaml")
    assert row_of(found) == [
        "triage 102/KZ-19 PT2M",  # 1 April 22:20 to 22:22
        "dispatch 102/KZ-19 PT19M",  # to 22:41
        "risk police-unit/KZ-19 PT39M",  # to 23:20
        "order police-unit/KZ-19 PT1H10M",  # to 00:30
        "service police-unit/KZ-19 PT5M",  # to 00:35
        "examination forensic/KZ-19 PT8H25M",  # to 2 April 09:00
        "exam_blocked forensic/KZ-19 P1DT1H",  # to 3 April 10:00
        "protocol police-unit/KZ-19 P1DT23H",  # to the instant of asking, 5 April 09:00
    ]
    assert (found.ended, found.running) == (None, ("protocol", "police-unit/KZ-19"))
    assert format_duration(found.total) == "P3DT10H40M"
    assert charged(rows) == {
        "dispatch": ("102/KZ-19", "PT19M", "PT0S"),
        "triage": ("102/KZ-19", "PT2M", "PT0S"),
        "service": ("police-unit/KZ-19", "PT5M", "PT0S"),
        "risk": ("police-unit/KZ-19", "PT39M", "PT0S"),
        "order": ("police-unit/KZ-19", "PT1H10M", "PT39M"),
        "exam_blocked": ("forensic/KZ-19", "P1DT1H", "PT0S"),
        "examination": ("forensic/KZ-19", "PT8H25M", "P1DT2H5M"),  # 23:30 to 3 April 10:00 is 34 h 30 min
        "exam_referral": ("police-unit/KZ-19", "PT0S", "PT49M"),  # 22:41 to 23:30
        "protocol": ("police-unit/KZ-19", "P1DT23H", "P1DT11H19M"),  # since 22:41
        "contact": ("crisis-centre/KZ-19", "PT0S", "PT9H20M"),  # 00:40 to 10:00
    }


def test_while_an_examination_is_beside_the_court_only_the_court_is_charged() -> None:
    facts = [
        by("police-unit/KZ-75", fact("a", "exam.requested", "2026-06-01 08:00", exam_id="e1")),
        court("b", "case_registered", "2026-06-01 09:00", arrest_eligible=True),
        court("c", "hearing_scheduled", "2026-06-01 12:00", hearing_id="h1"),
        by("clinic/KZ-75-3", fact("d", "exam.completed", "2026-06-01 13:00", exam_id="e1")),
    ]
    found = account(facts, "2026-06-01 14:00")
    assert row_of(found) == [
        "examination clinic/KZ-75-3 PT1H",
        "listing court/KZ-75-01 PT3H",
        "hearing court/KZ-75-01 PT2H",
    ]
    assert [(one.leg, format_duration(one.length)) for one in found.beside] == [("examination", "PT4H")]


def test_a_dispatch_written_down_after_the_arrival_it_led_to_is_no_second_journey() -> None:
    facts = [
        fact("a", "police.incident_registered", "2026-06-01 09:00"),
        fact("b", "police.arrived", "2026-06-01 09:10", response="order_violation"),
        fact("c", "police.dispatched", "2026-06-01 09:12"),
        fact("d", "order.violation_reported", "2026-06-01 20:00"),
        fact("e", "police.dispatched", "2026-06-01 20:05"),
        fact("f", "police.arrived", "2026-06-01 20:20", response="order_violation"),
    ]
    expected = [("dispatch", "PT10M"), ("protocol", "PT10H50M"), ("dispatch", "PT5M"), ("travel", "PT15M")]
    assert legs(facts, "2026-06-01 21:00") == [*expected, ("protocol", "PT40M")]


def test_a_call_out_that_nobody_arrived_at_is_over_when_proceedings_go_on() -> None:
    facts = [
        fact("a", "police.incident_registered", "2026-06-01 09:00"),
        fact("b", "police.dispatched", "2026-06-01 09:05"),
        court("c", "case_registered", "2026-06-01 10:05", arrest_eligible=True),
    ]
    assert legs(facts, "2026-06-01 11:05") == [("dispatch", "PT5M"), ("travel", "PT1H"), ("listing", "PT1H")]


def test_an_order_served_by_a_clock_that_is_ahead_is_not_waited_for() -> None:
    facts = [
        fact("a", "police.arrived", "2026-06-01 09:00", response="incident"),
        fact("b", "order.served", "2026-06-01 09:59:59", order_id="o1"),
        fact("c", "order.issued", "2026-06-01 10:00", order_id="o1"),
    ]
    assert ("service", "PT1H") not in legs(facts, "2026-06-01 11:00")
    assert legs(facts, "2026-06-01 11:00")[-1] == ("protocol", "PT1H")


def test_two_protocols_are_waited_for_until_the_last_is_decided() -> None:
    facts = [
        court("a", "case_registered", "2026-06-01 09:00", arrest_eligible=False),
        court("b", "case_registered", "2026-06-01 09:00", "court/KZ-75-02", protocol_id="p2", arrest_eligible=False),
        court("c", "hearing_scheduled", "2026-06-01 10:00", hearing_id="h1"),
        court("d", "decision_issued", "2026-06-03 10:00"),
        court("e", "decision_issued", "2026-06-05 10:00", "court/KZ-75-02", protocol_id="p2"),
    ]
    found = account(facts[:4], "2026-06-04 10:00")
    assert (found.ended, found.running) == (None, ("listing", "court/KZ-75-02"))
    found = account(facts, "2026-06-30 10:00")
    assert row_of(found) == [
        "listing court/KZ-75-01 PT1H",
        "hearing court/KZ-75-01 P2D",
        "listing court/KZ-75-02 P2D",
    ]
    assert [(one.agency, format_duration(one.length)) for one in found.beside] == [("court/KZ-75-02", "P2DT1H")]
    assert found.ended == "decided"


def test_a_decision_that_is_issued_again_does_not_make_the_way_longer() -> None:
    facts = [
        court("a", "case_registered", "2026-06-01 09:00", arrest_eligible=False),
        court("b", "decision_issued", "2026-06-02 09:00"),
        court("c", "decision_issued", "2026-06-09 09:00"),
    ]
    assert legs(facts, "2026-06-30 09:00") == [("listing", "P1D")]


def test_a_case_moved_to_another_court_is_charged_to_each_while_it_had_it() -> None:
    facts = [
        court("a", "case_registered", "2026-06-01 09:00", arrest_eligible=False),
        court("b", "case_registered", "2026-06-02 09:00", "court/KZ-75-02", arrest_eligible=False),
        court("c", "hearing_scheduled", "2026-06-04 09:00", "court/KZ-75-02", hearing_id="h1"),
    ]
    found = account(facts, "2026-06-05 09:00")
    assert row_of(found) == [
        "listing court/KZ-75-01 P1D",
        "listing court/KZ-75-02 P2D",
        "hearing court/KZ-75-02 P1D",
    ]


def test_an_offered_case_is_the_time_of_whom_it_was_offered_to() -> None:
    offer = fact("a", "case.transfer_offered", "2026-06-01 09:00", transfer_id="t1", to="shelter/KZ-75-2")
    taken = by("shelter/KZ-75-2", fact("b", "case.transfer_accepted", "2026-06-01 15:00", transfer_id="t1"))
    found = account([offer, taken], "2026-06-01 16:00")
    assert row_of(found) == ["transfer shelter/KZ-75-2 PT6H", "coordination coordinator/KZ-75 PT1H"]


def test_closed_time_of_a_case_opened_again_is_a_leg_of_its_own() -> None:
    closed = by("coordinator/KZ-75", fact("b", "case.closed", "2026-06-02 09:00", reason="no_contact"))
    opened = by("coordinator/KZ-75", fact("c", "case.reopened", "2026-06-05 09:00", reason="new_facts"))
    facts = [
        fact("a", "shelter.referral_requested", "2026-06-01 09:00"),
        closed,
        opened,
        by("shelter/KZ-75", fact("d", "shelter.admitted", "2026-06-06 09:00")),
        by("coordinator/KZ-75", fact("e", "case.closed", "2026-06-08 09:00", reason="decided")),
    ]
    shut = account(facts[:2], "2026-06-04 09:00")
    assert (shut.ended, legs(facts[:2], "2026-06-04 09:00")) == ("closed", [("shelter", "P1D")])
    found = account(facts, "2026-06-30 09:00")
    assert row_of(found) == [
        "shelter shelter/KZ-75 P1D",
        "closed coordinator/KZ-75 P3D",
        "shelter shelter/KZ-75 P1D",
        "coordination coordinator/KZ-75 P2D",
    ]
    assert found.ended == "closed"


def test_a_decision_after_the_closing_ends_the_account_and_not_the_closing() -> None:
    facts = [
        court("a", "case_registered", "2026-06-01 09:00", arrest_eligible=False),
        fact("b", "case.closed", "2026-06-02 09:00"),
        court("c", "decision_issued", "2026-06-04 09:00"),
    ]
    assert legs(facts, "2026-06-30 09:00") == [("listing", "P1D"), ("closed", "P2D")]


def test_a_report_after_the_decision_has_no_answer_yet_unless_it_was_merged() -> None:
    facts = [
        fact("a", "report.received", "2026-06-01 09:00", report_id="r1"),
        court("b", "decision_issued", "2026-06-02 09:00"),
        fact("c", "report.received", "2026-06-03 09:00", report_id="r2"),
    ]
    assert account(facts, "2026-06-04 09:00").ended is None
    assert account(facts, "2026-06-04 09:00").running == ("triage", "102/KZ-75")
    merged = fact("d", "report.merged", "2026-06-03 10:00", report_id="r2", into_report_id="r1")
    assert account([*facts, merged], "2026-06-04 09:00").ended == "decided"


def test_a_merged_report_still_tells_since_when_somebody_waits() -> None:
    facts = [
        fact("a", "report.received", "2026-06-01 09:00", report_id="r1"),
        fact("b", "report.received", "2026-06-01 09:10", report_id="r2"),
        fact("c", "report.merged", "2026-06-01 09:15", report_id="r1", into_report_id="r2"),
        fact("d", "report.triaged", "2026-06-01 09:30", report_id="r2", needs_police=False),
    ]
    expected = [("triage", "PT30M"), ("contact", "PT30M")]
    assert legs(facts, "2026-06-01 10:00") == expected


def test_a_withdrawn_decision_was_never_made() -> None:
    decided = court("b", "decision_issued", "2026-06-02 09:00")
    facts = [court("a", "case_registered", "2026-06-01 09:00", arrest_eligible=False), decided]
    gone = by("court/KZ-75-01", withdrawal(decided, "2026-06-03 09:00"))
    assert account([*facts, gone], "2026-06-03 08:59").ended == "decided"
    after = account([*facts, gone], "2026-06-03 09:00")
    assert (after.ended, row_of(after)) == (None, ["listing court/KZ-75-01 P2D"])


def test_an_arrival_recorded_late_takes_the_time_from_dispatch_when_it_is_known() -> None:
    facts = [
        fact("a", "police.incident_registered", "2026-06-01 09:00"),
        fact("b", "police.arrived", "2026-06-01 09:20", "2026-06-01 11:00", response="incident"),
    ]
    assert legs(facts, "2026-06-01 10:59") == [("dispatch", "PT1H59M")]
    assert legs(facts, "2026-06-01 11:00") == [("dispatch", "PT20M"), ("risk", "PT1H40M")]


def test_what_was_before_the_report_is_not_part_of_the_way_to_the_decision() -> None:
    facts = [
        fact("a", "police.incident_registered", "2026-06-01 08:00"),
        fact("b", "report.received", "2026-06-01 09:00", report_id="r1"),
    ]
    assert legs(facts, "2026-06-01 10:00") == [("dispatch", "PT1H")]


def test_a_new_date_stops_the_safety_clock_and_not_the_toll() -> None:
    facts = [
        court("a", "case_registered", "2026-06-01 09:00", arrest_eligible=False),
        court("b", "hearing_suspended", "2026-06-02 09:00", hearing_id="h1", **TOLLS),
        court("c", "hearing_scheduled", "2026-06-05 09:00", hearing_id="h2"),
        court("d", "hearing_held", "2026-06-10 09:00", hearing_id="h2"),
        court("e", "decision_issued", "2026-06-10 10:00"),
    ]
    [clocks] = account(facts, "2026-06-30 09:00").clocks
    shown = [format_duration(length) for length in (clocks.legal, clocks.tolled, clocks.safety)]
    assert shown == ["P1DT1H", "P8D", "P3D"]


def test_a_suspension_without_a_legal_basis_tolls_nothing_and_is_as_unsafe() -> None:
    facts = [
        court("a", "case_registered", "2026-06-01 09:00", arrest_eligible=False),
        court("b", "hearing_suspended", "2026-06-02 09:00", hearing_id="h1", tolls_term=False),
    ]
    [clocks] = account(facts, "2026-06-05 09:00").clocks
    assert [format_duration(one) for one in (clocks.legal, clocks.tolled, clocks.safety)] == ["P4D", "PT0S", "P3D"]


def test_suspensions_that_overlap_toll_their_union() -> None:
    facts = [
        court("a", "case_registered", "2026-06-01 09:00", arrest_eligible=False),
        court("b", "hearing_suspended", "2026-06-01 10:00", hearing_id="h1", **TOLLS),
        court("c", "term_suspended", "2026-06-03 09:00", legal_basis="force_majeure"),
        court("d", "hearing_resumed", "2026-06-04 12:00", hearing_id="h1"),
        court("e", "term_resumed", "2026-06-05 09:00"),
    ]
    [clocks] = account(facts, "2026-06-06 09:00").clocks
    # deadlines.md 4.5: the clock stands 3 d 23 h.
    assert [format_duration(one) for one in (clocks.tolled, clocks.safety)] == ["P3DT23H", "P3DT2H"]
    expected = [("listing", "PT1H"), ("suspension", "P3DT2H"), ("term_suspension", "PT21H"), ("listing", "P1D")]
    assert legs(facts, "2026-06-06 09:00") == expected


COURT_STEPS = [
    ("case_registered", "listing"),
    ("hearing_scheduled", "hearing"),
    ("hearing_postponed", "listing"),
    ("hearing_scheduled", "hearing"),
    ("hearing_cancelled", "listing"),
    ("hearing_scheduled", "hearing"),
    ("hearing_suspended", "suspension"),
    ("hearing_resumed", "listing"),
    ("hearing_held", "decision"),
    ("hearing_scheduled", "hearing"),
    ("hearing_held", "decision"),
]


@pytest.mark.parametrize("count", range(1, len(COURT_STEPS) + 1))
def test_after_each_step_of_the_court_the_case_waits_for_the_next(count: int) -> None:
    facts = [
        court(str(place), type, f"2026-06-{place + 1:02} 09:00", hearing_id="h1", arrest_eligible=True, reason="other")
        for place, (type, _) in enumerate(COURT_STEPS[:count])
    ]
    found = account(facts, f"2026-06-{count:02} 09:00")
    assert found.running == (COURT_STEPS[count - 1][1], "court/KZ-75-01")


@pytest.mark.parametrize(
    ("outcome", "leg"),
    [
        ("protocol_drawn_up", "protocol"),
        ("order_issued", "protocol"),
        ("talk_held", "contact"),
        ("no_access", "contact"),
        ("no_offence", "contact"),
        ("handed_to_investigation", "investigation"),
    ],
)
def test_an_outcome_says_whether_a_protocol_is_still_to_come(outcome: str, leg: str) -> None:
    facts = [
        fact("a", "police.arrived", "2026-06-01 09:00", response="order_violation"),
        fact("b", "police.outcome_recorded", "2026-06-01 10:00", outcome=outcome),
    ]
    running = account(facts, "2026-06-01 11:00").running
    assert running is not None
    assert running[0] == leg
