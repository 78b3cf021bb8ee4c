"""Grades of call-outs: the first due stays for ever, each finding is found and not found, desks are counted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from police_dispatch.regraded import REPEATED, desks, ledger_item, measured_of
from police_dispatch.regrading import CallOut, call_outs
from police_dispatch.state import projection
from qorgau.assess import judged
from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, MINUTE, format_instant, parse_instant
from tests.measured import plan, record_of, season_judged

AT = parse_instant("2026-03-02T09:00:00+05:00")
DESK = "102/KZ-75"
WITHIN = {"immediate": 15 * MINUTE, "prompt": HOUR, "scheduled": DAY}


def fact(type: str, at: int, source: str = DESK, **data: Any) -> Fact:
    return Fact(f"{type} {at}", source, type, at, at, "c1", {"region": "KZ-75"} | data)


def registered(priority: str, at: int = AT) -> Fact:
    return fact("police.incident_registered", at, priority=priority, area="urban")


def regraded(priority: str, at: int, source: str = DESK) -> Fact:
    return fact("police.reprioritised", at, source, priority=priority, area="urban")


def arrived(at: int) -> Fact:
    return fact("police.arrived", at, response="incident", injury=False, sexual=False)


def risk(level: str, at: int) -> Fact:
    return fact("risk.assessed", at, "police-unit/KZ-75-02", level=level, tool="dash")


def outs_of(*facts: Fact, as_of: int = AT + 10 * DAY) -> Sequence[CallOut]:
    record = record_of(list(facts), as_of)
    return call_outs(record, plan(), judged(record, plan()))


def findings(*facts: Fact) -> list[tuple[str, str | None]]:
    return [(found.kind, found.against) for out in outs_of(*facts) for found in out.findings]


def test_a_grade_is_lowered_early_when_its_deadline_is_tight_and_when_it_has_passed() -> None:
    for after, found in (
        (12 * MINUTE - 1, []),
        (12 * MINUTE, [("lowered_when_tight", "current")]),
        (15 * MINUTE, [("lowered_when_tight", "current")]),
        (15 * MINUTE + 1, [("lowered_when_passed", "current")]),
    ):
        assert findings(registered("immediate"), regraded("prompt", AT + after)) == found


def test_a_grade_that_is_raised_or_said_again_is_no_lowering() -> None:
    assert findings(registered("prompt"), regraded("immediate", AT + 2 * HOUR)) == []
    assert findings(registered("immediate"), regraded("immediate", AT + HOUR)) == []


def test_a_second_lowering_is_measured_by_the_first_due_too() -> None:
    twice = registered("immediate"), regraded("prompt", AT + MINUTE), regraded("scheduled", AT + 20 * MINUTE)
    assert findings(*twice) == [("lowered_when_passed", "original")]


def test_what_is_said_after_the_arrival_lowers_nothing() -> None:
    late = registered("immediate"), arrived(AT + 10 * MINUTE), regraded("scheduled", AT + HOUR)
    first, second = outs_of(*late)
    assert (len(first.grades), first.findings, second.registered, second.findings) == (1, (), False, ())


def test_a_first_grade_far_below_what_the_risk_form_says_soon_after() -> None:
    low = [("first_grade_below_risk", None)]
    for priority, level, after, found in (
        ("scheduled", "high", 5 * HOUR, low),
        ("prompt", "high", 2 * DAY, low),
        ("prompt", "high", 2 * DAY + 1, []),
        ("immediate", "high", HOUR, []),
        ("scheduled", "medium", HOUR, []),
    ):
        assert findings(registered(priority), risk(level, AT + after)) == found
    # The first form counts, not one of weeks of work with her.
    assert findings(registered("prompt"), risk("standard", AT + HOUR), risk("high", AT + 2 * HOUR)) == []
    assert findings(registered("prompt"), risk("high", AT - 1)) == []


grades = st.lists(st.tuples(st.sampled_from(sorted(WITHIN)), st.integers(1, 90)), max_size=6)


@settings(deadline=None)
@given(st.sampled_from(sorted(WITHIN)), grades, st.booleans())
def test_the_first_due_stays_beside_every_later_one_whatever_comes(
    first: str, later: list[tuple[str, int]], comes: bool
) -> None:
    facts, at = [registered(first)], AT
    for priority, minutes in later:
        at += minutes * MINUTE
        facts.append(regraded(priority, at))
    arrival = [arrived(at + MINUTE)] if comes else []
    (out,) = outs_of(*facts, *arrival)
    item = ledger_item(out)
    due = AT + WITHIN[first]
    assert [grade["original_due_at"] for grade in item["grades"]] == [format_instant(due)] * len(facts)
    assert [grade["priority"] for grade in item["grades"]] == [first, *(priority for priority, _ in later)]
    assert item["grades"][-1]["due_at"] == format_instant(at + WITHIN[later[-1][0] if later else first])
    in_time = at + MINUTE <= due
    assert item["original"]["state"] == (("met" if in_time else "closed_late") if comes else "breached")
    assert item["original"]["due_at"] == format_instant(due)


@settings(deadline=None)
@given(st.sampled_from(sorted(WITHIN)), grades.filter(bool), st.data())
def test_a_withdrawn_grade_was_never_given(first: str, later: list[tuple[str, int]], data: st.DataObject) -> None:
    facts, at = [registered(first)], AT
    for priority, minutes in later:
        at += minutes * MINUTE
        facts.append(regraded(priority, at))
    gone = data.draw(st.sampled_from(facts[1:]))
    withdrawal = replace(fact("fact.withdrawn", at + DAY, fact_id=gone.id, reason="entered_in_error"))
    without = [one for one in facts if one is not gone]
    assert [ledger_item(out) for out in outs_of(*facts, withdrawal)] == [ledger_item(out) for out in outs_of(*without)]


def test_figures_say_what_the_current_and_what_the_first_grade_make_of_an_arrival() -> None:
    facts = [registered("immediate"), regraded("prompt", AT + 14 * MINUTE), arrived(AT + 30 * MINUTE)]
    record = record_of(facts, AT + HOUR)
    rows = list(measured_of(plan())(record, judged(record, plan())))
    graded = {(row["against"], row["rule"], row["outcome"]) for row in rows if row.get("rule") in ("P03", "P04")}
    assert graded == {("current", "P03", "cancelled"), ("current", "P04", "in_time"), ("original", "P03", "late")}
    (desk,) = [row for row in rows if row["kind"] == "regradings"]
    assert (desk["desk"], desk["month"], desk["lowered"], desk["lowered_when_tight"]) == (DESK, "2026-03", 1, 1)


def test_a_desk_that_lowers_again_and_again_is_named_and_small_counts_are_not() -> None:
    def rows(desk: str, n: int, lowered: int) -> list[dict[str, Any]]:
        names = ("lowered", "lowered_when_passed", "lowered_when_tight", "first_grade_below_risk")
        return [{"desk": desk, "call_outs": 1} | dict.fromkeys(names, int(place < lowered)) for place in range(n)]

    told = desks([*rows("102/KZ-75", 30, REPEATED), *rows("102/KZ-71", 30, REPEATED - 1), *rows("102/KZ-10", 4, 4)])
    assert [(row["desk"], row["call_outs"], row["lowered"], row["repeated"]) for row in told] == [
        ("102/KZ-75", 30, 5, True),
        ("102/KZ-71", 30, None, False),
    ]


def test_two_desks_of_a_call_out_answer_each_for_what_it_did() -> None:
    facts = [registered("immediate"), regraded("scheduled", AT + HOUR, "102/KZ-71")]
    record = record_of(facts, AT + 2 * HOUR)
    rows = [row for row in measured_of(plan())(record, judged(record, plan())) if row["kind"] == "regradings"]
    assert [(row["desk"], row["lowered"], row["lowered_when_passed"]) for row in rows] == [
        (DESK, 0, 0),
        ("102/KZ-71", 1, 1),
    ]
    (row,) = [row for row in projection(plan())(record, judged(record, plan())) if row.kind == "regradings"]
    assert (row.kind, row.state, row.agency, row.region) == ("regradings", "lowered_when_passed", "102/KZ-71", "KZ-75")
    assert row.due == AT + HOUR + DAY


def test_call_outs_of_the_season_are_those_registered_and_their_grades_those_given() -> None:
    given_again = lowered = 0
    for record, deadlines in season_judged():
        known = {one.governing.identity for one in deadlines if one.row.rule in ("P03", "P04", "P05")}
        for out in call_outs(record, plan(), deadlines):
            assert out.grades[0].fact.identity in known
            given_again += len(out.grades) - 1
            lowered += len(out.lowered)
    assert given_again >= lowered >= 3
