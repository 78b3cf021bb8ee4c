"""Figures of phases: the rows of a case, and sums that a recount by another way gives too."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qorgau import assess
from qorgau.facts import Fact
from qorgau.instants import HOUR, MINUTE, parse_instant
from qorgau.measures.figures import APART, Figures, figures, targets
from qorgau.measures.phases import DECLINES, Row, phases
from qorgau.record import CaseRecord
from qorgau.rows import DeadlineRow, Judged
from tests.heart import facts_of, plan_of
from tests.histories import judged
from tests.measured import OVER, plan, record_of, season_facts, season_judged

AT = parse_instant("2026-03-02T09:00:00+05:00")
REGION = {"region": "KZ-75"}
NEVER = 1 << 62
NOT_JUDGED = {"running", "tolled", "cancelled", "window_passed"}


def season_rows() -> list[Row]:
    return [row for record, found in season_judged() for row in phases(record, found, plan().calendar)]


def in_march(instant: int, region: str) -> bool:
    zone = ZoneInfo(plan().policy.policy.zones.regions[region])
    return datetime.fromtimestamp(instant / 1_000_000, zone).strftime("%Y-%m") == "2020-03"


def test_shares_of_a_month_are_those_that_a_recount_of_the_printed_deadlines_gives() -> None:
    regions = {fact.case: fact.data["region"] for fact in season_facts() if fact.case}
    ended: Counter[tuple[str, str]] = Counter()
    in_time: Counter[tuple[str, str]] = Counter()
    # Which of these a survivor declined the printed rows do not say.
    unclear = {"P20", "P21", "P22", "P24"}
    for row in assess.deadline_rows(season_facts(), plan(), OVER):
        region = regions[row.case]
        if row.state in NOT_JUDGED or row.rule in unclear or not in_march(row.start_at, region):
            continue
        for name in (region, "total"):
            ended[row.rule, name] += 1
            in_time[row.rule, name] += row.state == "met"
    rows = [row for row in season_rows() if row["month"] == "2020-03"]
    compared = 0
    for of_rule in figures(rows, ["region"], plan().policy):
        for cell in of_rule["cells"] if of_rule["rule"] not in unclear else ():
            if cell["n"] is not None:
                name = of_rule["rule"], cell["region"]
                assert cell["n"] == ended[name]
                assert cell["share_in_time"] == round(in_time[name] / ended[name], 3)
                compared += 1
    assert compared > 100
    assert {rule for (rule, name), n in ended.items() if name == "total" and n >= 5} <= {
        of_rule["rule"] for of_rule in figures(rows, [], plan().policy)
    }


def test_percentiles_are_those_of_the_spans_between_the_facts_themselves() -> None:
    """Every report of the month and the first triage of it, put in order by hand."""
    gone = {(fact.case, fact.source, fact.data["fact_id"]) for fact in season_facts() if fact.type == "fact.withdrawn"}
    # Of copies the first one recorded counts; the season is in that order.
    copies = {(fact.case, fact.source, fact.id): fact for fact in reversed(season_facts())}
    facts = [fact for name, fact in copies.items() if name not in gone]
    triaged: dict[Any, int] = {}
    for fact in sorted(facts, key=lambda fact: fact.time):
        if fact.type == "report.triaged":
            triaged.setdefault((fact.case, fact.data["report_id"]), fact.time)
    merged = {(fact.case, fact.data["report_id"]): fact.time for fact in facts if fact.type == "report.merged"}
    spans: list[int] = []
    never = 0
    for fact in facts:
        if fact.type != "report.received" or not in_march(fact.time, fact.data["region"]):
            continue
        name = fact.case, fact.data["report_id"]
        done, taken_out = triaged.get(name, NEVER), merged.get(name, NEVER)
        if done < NEVER and done <= taken_out:
            spans.append(done - fact.time)
        else:
            # Merged before it was triaged, and too late for that.
            never += taken_out - fact.time > 5 * MINUTE
    rows = [row for row in season_rows() if row["month"] == "2020-03" and row["rule"] == "P01"]
    (cell,) = figures(rows, [], plan().policy)[0]["cells"]
    assert cell["n"] == len(spans) + never
    for percent in (50, 90):
        # The smallest that so many of a hundred do not exceed.
        exact = next(span for place, span in enumerate(sorted(spans), 1) if place * 100 >= percent * cell["n"])
        assert cell[f"p{percent}"] == f"PT{-(-exact // MINUTE)}M"


def test_what_she_declined_is_counted_apart() -> None:
    rows = [row for row in season_rows() if row["rule"] == "P24"]
    stopped = [one for _, found in season_judged() for one in found if one.row.rule == "P24" and one.stop]
    declined = [one for one in stopped if one.stop is not None and one.stop.type in DECLINES]
    counted = Counter(row["outcome"] for row in rows)
    assert 0 < counted["declined"] == sum(one.row.state == "met" for one in declined)
    assert counted["in_time"] == sum(one.row.state == "met" for one in stopped) - counted["declined"]
    assert all((row["span"] is None) == (row["outcome"] not in ("in_time", "late")) for row in rows)


def fact(type: str, at: int, source: str = "shelter/KZ-75", **data: Any) -> Fact:
    return Fact(f"{type} {at}", source, type, at, at, "c1", REGION | data)


def rows_of(facts: list[Fact], as_of: int) -> dict[str, Row]:
    record = record_of(facts, as_of)
    return {row["rule"]: row for row in phases(record, assess.judged(record, plan()), plan().calendar)}


def test_who_had_no_place_before_she_withdrew_missed_it() -> None:
    asked = fact("shelter.referral_requested", AT, "police-unit/KZ-75-02")
    for wait, outcome in ((6 * HOUR, "declined"), (6 * HOUR + 1, "missed")):
        withdrew = fact("shelter.survivor_withdrew", AT + wait)
        row = rows_of([asked, withdrew], AT + 20 * HOUR)["P24"]
        assert (row["outcome"], row["span"], row["agency"]) == (outcome, None, "shelter/KZ-75")


def test_an_overdue_deadline_is_open_of_the_agency_whose_duty_it_is_and_one_that_runs_is_not_there() -> None:
    asked = fact("shelter.referral_requested", AT, "police-unit/KZ-75-02")
    assert rows_of([asked], AT + HOUR) == {}
    row = rows_of([asked], AT + 7 * HOUR)["P24"]
    assert (row["outcome"], row["span"], row["agency"], row["month"]) == ("open", None, "shelter/KZ-75", "2026-03")


def test_channel_and_area_are_those_of_the_report_the_deadline_is_about() -> None:
    first = fact("report.received", AT, "102/KZ-75", report_id="r1", channel="102", area="urban")
    later = fact("report.received", AT + HOUR, "helpline-150/KZ-75", report_id="r2", channel="150", area="rural")
    triaged = fact("report.triaged", AT + MINUTE, "102/KZ-75", report_id="r1", channel="102", needs_police=True)
    registered = fact(
        "police.incident_registered", AT + 2 * HOUR, "102/KZ-75", priority="immediate", area="urban", report_id="r1"
    )
    arrived = fact(
        "police.arrived", AT + 2 * HOUR + MINUTE, "102/KZ-75", response="incident", injury=False, sexual=False
    )
    rows = rows_of([first, later, triaged, registered, arrived], AT + 20 * HOUR)
    # The call was registered for the first report, which the arrival does not say.
    assert {(rule, rows[rule]["channel"], rows[rule]["area"]) for rule in ("P03", "P06")} == {
        ("P03", "102", "urban"),
        ("P06", "150", "rural"),
    }
    rows = rows_of([registered, arrived], AT + 20 * HOUR)
    assert (rows["P03"]["channel"], rows["P03"]["area"]) == (None, "urban")


@given(
    st.lists(st.integers(0, 20)),
    st.lists(st.integers(0, 20), min_size=1),
    st.integers(1, 100),
)
def test_what_is_not_done_yet_can_only_make_a_percentile_too_high(
    done: list[int], yet: list[int], percent: int
) -> None:
    told = Figures(spans=list(done), unfulfilled=len(yet)).percentile(percent)
    true = Figures(spans=[*done, *yet]).percentile(percent)
    assert true is not None
    assert told is None or told >= true
    assert sum(span <= true for span in (*done, *yet)) * 100 >= percent * (len(done) + len(yet))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(judged())
def test_the_rows_of_judged_deadlines_are_the_printed_ones_and_their_ends_fit_them(case: Any) -> None:
    policy, written, as_of = case
    compiled, facts = plan_of(policy), facts_of(written)
    until = assess.last_known(facts) if as_of is None else parse_instant(as_of)
    for own in assess.by_case(facts).values():
        if own[0].case is None:
            continue
        record = CaseRecord(own[0].case, record_of(own, until).facts, as_of=until)
        found = assess.judged(record, compiled)
        assert [one.row for one in found] == assess.deadlines(record, compiled)
        for one in found:
            assert fits(one.row, one), one


def fits(row: DeadlineRow, one: Judged) -> bool:
    """Whether the state of a deadline follows from its due and its end."""
    if row.state in ("running", "breached", "tolled"):
        return one.ended_at is None
    if row.state == "window_passed":
        return row.due_at is not None and row.due_at <= one.governing.known_at
    if one.ended_at is None or (one.stop is None) != (row.state in ("cancelled", "missed")):
        return False
    late = row.due_at is None or one.ended_at > row.due_at
    if row.state == "closed_late" and row.due_at is not None:
        return row.late_by == one.ended_at - row.due_at
    return late == (row.state in ("closed_late", "missed"))


@pytest.mark.parametrize("by", [["region"], ["channel"], ["agency"], ["region", "channel"]])
def test_no_line_of_a_table_gives_away_what_is_withheld(by: Any) -> None:
    rows = [row for row in season_rows() if row["month"] == "2020-03"]
    withheld = 0
    for of_rule in figures(rows, by, plan().policy):
        counts = {tuple(cell[name] for name in by): cell["n"] for cell in of_rule["cells"] if cell["n"] is not None}
        assert all(count >= 5 for count in counts.values())
        for cell, total in counts.items():
            for axis in (axis for axis, name in enumerate(cell) if name == "total"):
                line = [n for other, n in counts.items() if other != cell and same_line(cell, other, axis)]
                # Nobody knows all agencies.
                if len(line) < {"region": len(plan().policy.policy.zones.regions), "channel": 6}.get(by[axis], OVER):
                    # Else whoever adds them up knows that all others had none.
                    assert total - sum(line) > 0, (of_rule["rule"], cell)
                    withheld += 1
        for name in APART:
            assert all(cell[name] is None or cell[name] >= 5 for cell in of_rule["cells"])
    assert withheld > 10


def same_line(cell: tuple[str, ...], other: tuple[str, ...], axis: int) -> bool:
    return all(name == other[place] for place, name in enumerate(cell) if place != axis)


def test_a_target_is_a_line_of_the_policy() -> None:
    def words(rule: str) -> Iterable[Any]:
        return [(term["clock"], term.get("within"), term.get("count")) for term in targets(rule, plan().policy)]

    assert words("P01") == [("elapsed", "PT5M", None)]
    assert words("P03") == [("elapsed", "PT15M", None), ("elapsed", "PT20M", None), ("elapsed", "PT15M", None)]
    assert words("P07") == [("working_days", None, 3)]
    assert targets("P03", plan().policy)[1]["when"] == {"start": {"area": "rural"}}
