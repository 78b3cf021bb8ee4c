"""Decisions by sanction and reports of the same pair after them, counted once and by hand."""

from collections import Counter
from dataclasses import replace
from typing import Any

from intake.measured import measured_of
from intake.sanctions import DECISION, WITHDREW, outcomes, sanctions
from qorgau.attribution.sums import KIND as LEG
from qorgau.facts import Fact
from qorgau.instants import DAY, parse_instant
from qorgau.measures.phases import Row
from tests.measured import plan, record_of, season_facts, season_judged, season_records

AT = parse_instant("2026-03-02T09:00:00+05:00")
MONTHS = {90: True, 365: False}


def fact(type: str, at: int, source: str = "102/KZ-75", case: str = "c1", **data: Any) -> Fact:
    return Fact(f"{type} {at}", source, type, at, at, case, {"region": "KZ-75"} | data)


def report(at: int, case: str = "c1", pair: str = "p1") -> Fact:
    return fact("report.received", at, case=case, report_id=f"{case}-{at}", channel="102", area="urban", pair_ref=pair)


def decision(at: int, sanction: str = "warning") -> Fact:
    return fact("court.decision_issued", at, "court/KZ-75-01", protocol_id="n1", sanction=sanction)


def rows_of(own: list[Fact], others: tuple[Fact, ...] = ()) -> list[Row]:
    return list(outcomes(plan())(replace(record_of(own, AT + 500 * DAY), others=others)))


def again(own: list[Fact], *others: Fact) -> int | None:
    (row,) = rows_of([report(AT - DAY), decision(AT), *own], others)
    found: int | None = row["again"]
    return found


def test_the_pair_reported_again_here_or_in_another_case_is_a_repeat() -> None:
    assert again([]) is None
    assert again([report(AT + 9 * DAY)]) == 9 * DAY
    assert again([], report(AT + 8 * DAY, "c2")) == 8 * DAY
    assert again([report(AT + 9 * DAY)], report(AT + 8 * DAY, "c2")) == 8 * DAY


def test_what_is_no_repeat() -> None:
    assert again([report(AT)], report(AT - DAY, "c2")) is None
    assert again([], report(AT + DAY, "c2", pair="p2")) is None
    second = report(AT + DAY, "c2")
    merged = fact("report.merged", AT + 2 * DAY, case="c2", report_id=second.data["report_id"], into_report_id="r0")
    assert again([], second, merged) is None
    withdrawn = fact("fact.withdrawn", AT + 2 * DAY, case="c2", fact_id=second.id, reason="wrong_case")
    assert again([], second, withdrawn) is None


def test_a_case_she_withdrew_counts_until_it_is_opened_again() -> None:
    closed = fact("case.closed", AT, "coordinator/KZ-75", reason="survivor_withdrew")
    reopened = fact("case.reopened", AT + DAY, "coordinator/KZ-75", reason="new_facts")
    assert [row["kind"] for row in rows_of([report(AT - DAY), closed])] == [WITHDREW]
    assert rows_of([report(AT - DAY), closed, reopened]) == []
    assert rows_of([report(AT - DAY), replace(closed, data={**closed.data, "reason": "decided"})]) == []


def test_repeats_are_told_only_when_every_window_of_the_month_is_over() -> None:
    row: dict[str, Any] = {"kind": DECISION, "region": "KZ-75", "month": "2026-03", "sanction": "warning"}
    rows = [row | {"again": 80 * DAY}] * 6 + [row | {"again": 90 * DAY + 1}] * 5 + [row | {"again": None}] * 9
    table = sanctions(rows, [], MONTHS, plan().policy)
    (total,) = [cell for cell in table["decisions"] if cell["sanction"] == "total"]
    assert (total["decisions"], total["repeat_within_90"], total["repeat_within_365"]) == (20, 6, None)
    later = sanctions(rows, [], {90: True, 365: True}, plan().policy)
    assert [cell["repeat_within_365"] for cell in later["decisions"]][-1] == 11


def test_decisions_of_the_season_are_those_of_its_facts_and_none_below_five_is_told() -> None:
    gone = {(fact.case, fact.source, fact.data["fact_id"]) for fact in season_facts() if fact.type == "fact.withdrawn"}
    copies = {
        (fact.case, fact.source, fact.id): fact for fact in season_facts() if fact.type == "court.decision_issued"
    }
    counted = Counter(copies[name].data["sanction"] for name in copies.keys() - gone)
    rows = [row for record in season_records() for row in outcomes(plan())(record)]
    decided = [row for row in rows if row["kind"] == DECISION]
    assert Counter(row["sanction"] for row in decided) == counted
    assert counted.total() > 50
    table = sanctions(decided, [], MONTHS, plan().policy)
    shown = {cell["sanction"]: cell["decisions"] for cell in table["decisions"]}
    assert shown.pop("total") == counted.total()
    assert shown == counted
    assert min(counted.values()) >= 5
    by_region = sanctions(decided, [], MONTHS, plan().policy, ["region"])["decisions"]
    told = [cell["decisions"] for cell in by_region if cell["decisions"] is not None]
    assert min([*told, *shown.values()]) >= 5


def test_a_sanction_that_few_got_is_withheld_with_another_that_would_give_it_away() -> None:
    row: dict[str, Any] = {"kind": DECISION, "region": "KZ-75", "month": "2026-03", "again": None}
    rows = [row | {"sanction": name} for name, n in (("arrest", 3), ("warning", 40), ("fine", 12)) for _ in range(n)]
    told = {cell["sanction"]: cell["decisions"] for cell in sanctions(rows, [], MONTHS, plan().policy)["decisions"]}
    assert told == {"warning": 40, "total": 55}


def test_what_is_written_down_of_a_case_points_at_nobody() -> None:
    """Its account (kind `leg`) has the case, which is counted once however many agencies share a leg."""
    fields = {
        *("kind", "region", "month", "rule", "against", "outcome", "span", "channel", "area", "agency"),
        *("sanction", "again", "reason", "at"),
    }
    for record, found in season_judged():
        assert {name for row in measured_of(plan())(record, found) if row["kind"] != LEG for name in row} <= fields
