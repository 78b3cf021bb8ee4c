"""What was blocked or declined, beside the last capacity reported in the region by then."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, parse_instant
from qorgau.measures.capacity import EXAMS, SHELTERS, Dimension, Reports, Service, capacity, refusals
from tests.measured import plan, record_of, season_facts, season_records

AT = parse_instant("2026-03-10T09:00:00+05:00")
DIMENSIONS: list[list[Dimension]] = [[], ["region"], ["reason"], ["region", "reason"]]
AGAIN = "no_intake_quarantine"


def doctors(at: int, on_duty: int, reachable: bool, source: str = "forensic/KZ-75", region: str = "KZ-75") -> Fact:
    data = {"region": region, "on_duty": on_duty, "reachable": reachable}
    return Fact(f"r{at}", source, EXAMS.reported, at, at, None, data)


def places(at: int, free: int, quarantine_free: int) -> Fact:
    data = {"region": "KZ-75", "places": 24, "free": free, "quarantine_free": quarantine_free}
    return Fact(f"r{at}", "shelter/KZ-75", SHELTERS.reported, at, at, None, data)


def was(service: Service, reports: list[Fact], reason: str = "transport") -> str:
    return Reports(reports, service).was("KZ-75", AT, reason)


def test_the_last_report_by_then_says_whether_there_was_a_doctor_who_could_be_reached() -> None:
    before, after = doctors(AT - DAY, 0, True), doctors(AT + 1, 3, True)
    assert was(EXAMS, [after, before]) == "without"
    assert was(EXAMS, [before, doctors(AT, 1, True)]) == "with_capacity"
    assert was(EXAMS, [before, doctors(AT, 1, False)]) == "without"


def test_nobody_knows_where_nobody_reported_for_a_week_or_only_elsewhere() -> None:
    assert was(EXAMS, []) == "unknown"
    assert was(EXAMS, [doctors(AT - 7 * DAY, 1, True)]) == "with_capacity"
    assert was(EXAMS, [doctors(AT - 7 * DAY - 1, 1, True)]) == "unknown"
    assert was(EXAMS, [doctors(AT, 1, True, region="KZ-71")]) == "unknown"


def test_one_centre_of_the_region_with_a_doctor_is_enough() -> None:
    assert was(EXAMS, [doctors(AT - HOUR, 2, True), doctors(AT, 0, True, "clinic/KZ-75-02")]) == "with_capacity"


def test_who_was_sent_away_for_want_of_quarantine_is_held_against_places_in_quarantine() -> None:
    assert was(SHELTERS, [places(AT, 4, 0)], AGAIN) == "without"
    assert was(SHELTERS, [places(AT, 0, 1)], AGAIN) == "with_capacity"
    assert was(SHELTERS, [places(AT, 0, 1)], "full") == "without"
    assert was(SHELTERS, [places(AT, 4, 0)], "full") == "with_capacity"


def test_a_report_that_was_withdrawn_was_never_made_and_of_copies_the_first_counts() -> None:
    said, before = doctors(AT, 2, True), doctors(AT - DAY, 0, True)
    taken_back = {"region": "KZ-75", "fact_id": said.id, "reason": "wrong_data"}
    withdrawal = Fact("w", said.source, "fact.withdrawn", AT + DAY, AT + DAY, None, taken_back)
    assert was(EXAMS, [said, withdrawal, before]) == "without"
    assert was(EXAMS, [said, replace(withdrawal, source="clinic/KZ-75"), before]) == "with_capacity"
    copy = replace(said, recorded=AT + HOUR, data={**said.data, "on_duty": 0})
    assert was(EXAMS, [copy, said]) == "with_capacity"


def test_a_refusal_is_a_row_of_its_month_and_one_withdrawn_is_none() -> None:
    blocked = Fact("b", "forensic/KZ-75", EXAMS.refused, AT, AT, "c1", {"region": "KZ-75", "reason": "transport"})
    taken_back = {"region": "KZ-75", "fact_id": "b", "reason": "wrong_data"}
    withdrawal = Fact("w", blocked.source, "fact.withdrawn", AT + DAY, AT + DAY, "c1", taken_back)
    (row,) = refusals(record_of([blocked], AT), EXAMS, plan())
    assert (row["kind"], row["month"], row["reason"], row["at"]) == ("exam_blocked", "2026-03", "transport", AT)
    assert list(refusals(record_of([blocked, withdrawal], AT + DAY), EXAMS, plan())) == []


@pytest.mark.parametrize("service", [EXAMS, SHELTERS])
def test_sums_of_the_season_are_those_of_a_plain_search(service: Service) -> None:
    rows = [row for record in season_records() for row in refusals(record, service, plan())]
    counted: Counter[str] = Counter()
    for row in rows:
        reports = [
            fact
            for fact in season_facts()
            if fact.type == service.reported
            and fact.data["region"] == row["region"]
            and row["at"] - 7 * DAY <= fact.time <= row["at"]
        ]
        # In the season each region has one that reports.
        last: Any = max(reports, key=lambda fact: fact.time).data if reports else None
        if last is None:
            counted["unknown"] += 1
        elif service is EXAMS:
            counted["with_capacity" if last["on_duty"] > 0 and last["reachable"] else "without"] += 1
        else:
            free = last["quarantine_free"] if row["reason"] == AGAIN else last["free"]
            counted["with_capacity" if free > 0 else "without"] += 1
    assert counted.total() > 10
    told = capacity(rows, season_facts(), service, plan().policy)
    (total,) = told
    assert total["total"] == counted.total()
    for name, count in counted.items():
        assert total[name] in (count, None)
    for by in DIMENSIONS:
        cells = capacity(rows, season_facts(), service, plan().policy, by)
        assert all(value >= 5 for cell in cells for value in cell.values() if isinstance(value, int))
