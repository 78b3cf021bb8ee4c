"""Accounts in sum: what is kept of a case, and the table of many, in which nobody can be found."""

from itertools import pairwise
from typing import Any

import pytest

from qorgau.attribution.sums import Row, measured, summed
from qorgau.calendar import Calendar
from qorgau.instants import HOUR, MINUTE, parse_duration, parse_instant
from qorgau.policy import load_policy
from tests.expected import POLICY, ROOT, load_scenario
from tests.heart import facts_of
from tests.worked.form import fact, local

FRAME = load_policy(POLICY).policy
CALENDAR = Calendar(FRAME.calendar, FRAME.zones)


def at(text: str) -> int:
    return parse_instant(local(text))


def kept(facts: list[Row], as_of: str) -> tuple[Row, ...]:
    return measured(facts_of(facts), at(as_of), CALENDAR)


def case(number: int, minutes: int, leg: str = "triage", **more: Any) -> Row:
    """A kept row; the case is closed and its report was made in Almaty in June."""
    of = {"case": f"c{number}", "region": "KZ-75", "month": "2026-06", "open": False, "running": False, "as_of": 0}
    return {**of, "leg": leg, "agency": "102/KZ-75", "micros": minutes * MINUTE, **more}


def cells(rows: list[Row], now: int = 0) -> list[tuple[Any, ...]]:
    return [
        tuple(cell[name] for name in ("leg", "open", "cases", "sum", "median", "p90")) for cell in summed(rows, now)
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "scenarios").glob("*.yaml")), ids=lambda path: path.stem[:3])
def test_the_rows_of_a_case_sum_to_its_whole(path: Any) -> None:
    loaded = load_scenario(path)
    cases: dict[str, list[Row]] = {}
    for row in loaded["facts"]:
        cases.setdefault(row.get("case", ""), []).append(row)
    for name in cases.keys() - {""}:
        for as_of in loaded["as_of"]:
            rows = measured(facts_of(cases[name]), parse_instant(as_of), CALENDAR)
            whole = [row["micros"] for row in rows if row["leg"] == "whole"]
            assert whole == [sum(row["micros"] for row in rows if row["leg"] != "whole")]
            assert {row["case"] for row in rows} == {name}


def test_a_case_belongs_to_the_region_and_local_month_of_its_report() -> None:
    report = fact("a", "report.received", "2026-06-01 02:00", region="KZ-47", report_id="r1")
    rows = kept([report, fact("b", "police.arrived", "2026-06-02 09:00", region="KZ-75")], "2026-06-03 09:00")
    # In UTC it was still May.
    assert {(row["region"], row["month"]) for row in rows} == {("KZ-47", "2026-06")}


def test_an_open_account_is_kept_with_what_runs_even_where_it_has_only_begun() -> None:
    call = fact("a", "police.incident_registered", "2026-06-01 09:00")
    gone = fact("b", "police.dispatched", "2026-06-01 09:05")
    rows = kept([call, gone], "2026-06-01 09:05")
    told = [(row["leg"], row["micros"], row["running"]) for row in rows]
    assert told == [("dispatch", 5 * MINUTE, False), ("travel", 0, True), ("whole", 5 * MINUTE, True)]
    assert all(row["open"] for row in rows)


def test_what_runs_is_summed_to_the_instant_of_asking_and_nothing_else() -> None:
    call = fact("a", "police.incident_registered", "2026-06-01 09:00")
    gone = fact("b", "police.dispatched", "2026-06-01 09:05")
    rows = [{**row, "case": f"c{n}"} for n in range(5) for row in kept([call, gone], f"2026-06-01 09:0{5 + n % 2}")]
    now = at("2026-06-01 10:05")
    assert cells(rows, now) == [
        ("travel", True, 5, "PT5H", "PT1H", "PT1H"),
        ("dispatch", True, 5, "PT25M", "PT5M", "PT5M"),
        ("whole", True, 5, "PT5H25M", "PT1H5M", "PT1H5M"),
    ]


def test_percentiles_are_by_nearest_rank() -> None:
    rows = [case(number, minutes) for number, minutes in enumerate((1, 2, 3, 4, 5, 6, 7, 8, 9, 100))]
    assert cells(rows) == [("triage", False, 10, "PT2H25M", "PT5M", "PT9M")]
    assert cells(rows[:5]) == [("triage", False, 5, "PT15M", "PT3M", "PT5M")]


def test_a_case_that_is_charged_a_leg_at_two_agencies_counts_once() -> None:
    rows = [case(number, 10) for number in range(5)] + [case(0, 20, agency="102/KZ-19")]
    assert cells(rows) == [("triage", False, 5, "PT1H10M", "PT10M", "PT30M")]
    assert cells([*rows[:4], rows[5]]) == []


def test_few_cases_look_like_none_also_where_open_and_ended_ones_together_would_be_enough() -> None:
    rows = [case(number, 10, open=number > 2) for number in range(6)]
    assert summed(rows, 0) == summed([], 0) == []
    assert len(summed(rows, 0, below=3)) == 2


def test_regions_and_months_are_apart_and_in_order() -> None:
    rows = [
        case(number, 10, leg, region=region, month=month)
        for number in range(5)
        for leg in ("whole", "triage")
        for region in ("KZ-75", "KZ-19")
        for month in ("2026-07", "2026-06")
    ]
    found = [(cell["region"], cell["month"], cell["leg"]) for cell in summed(rows, 0)]
    assert len(found) == 8
    assert all(one[:2] <= other[:2] for one, other in pairwise(found))
    assert found[:2] == [("KZ-19", "2026-06", "triage"), ("KZ-19", "2026-06", "whole")]


def test_a_sum_is_cut_to_whole_seconds() -> None:
    rows = [case(number, 0, micros=HOUR + 999_999) for number in range(5)]
    [cell] = summed(rows, 0)
    assert [parse_duration(cell[name]) for name in ("sum", "median")] == [5 * HOUR + 4_000_000, HOUR]


def test_nothing_is_kept_of_a_case_of_which_nothing_counts() -> None:
    assert measured([], 0, CALENDAR) == ()
