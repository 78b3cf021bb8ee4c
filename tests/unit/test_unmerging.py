"""A report is merged into another and un-merged again: everything is as if nobody had done either."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from qorgau import assess
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, MINUTE, parse_instant
from qorgau.plan import compile_policy
from qorgau.policy import load_policy
from qorgau.rows import FlagRow

PLAN = compile_policy(load_policy(default_policy()), "intake")
START = parse_instant("2026-05-04T05:00:00Z")
DESK = "102/KZ-75"


def fact(case: str, id: str, type: str, at: int, **data: object) -> Fact:
    return Fact(id, DESK, type, at, at, case, {"region": "KZ-75", **data})


def reports(chooser: random.Random) -> list[Fact]:
    """Three cases on one pair: reports, triage, contact, closings, in any order."""
    found: list[Fact] = []
    for number in range(3):
        case, at = f"c{number}", START + chooser.randint(0, 20) * DAY + chooser.randint(0, 600) * MINUTE
        report = {"report_id": f"r{number}", "channel": "102"}
        found.append(fact(case, f"r{number}", "report.received", at, area="urban", pair_ref="p1", **report))
        if chooser.random() < 0.6:
            later = at + chooser.randint(0, 20) * MINUTE
            found.append(
                fact(case, f"t{number}", "report.triaged", later, needs_police=True, priority="prompt", **report)
            )
        if chooser.random() < 0.4:
            found.append(fact(case, f"s{number}", "survivor.contacted", at + chooser.randint(1, 90) * HOUR))
        if chooser.random() < 0.2:
            found.append(fact(case, f"x{number}", "case.closed", at + chooser.randint(1, 20) * DAY, reason="error"))
    return found


def up(rows: list[FlagRow]) -> set[tuple[str, str, str, str, int | None, int | None, str]]:
    """The flags that are up, without when each was raised."""
    open_rows = [row for row in rows if row.cleared_at is None]
    return {(r.case, r.rule, r.key, r.level, r.start_at, r.due_at, r.outcome) for r in open_rows}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 30))
def test_a_merge_and_its_withdrawal_leave_the_former_state_deadlines_included(seed: int) -> None:
    chooser = random.Random(seed)
    facts = reports(chooser)
    duplicate, into = chooser.sample(range(3), 2)
    at = START + chooser.randint(0, 22) * DAY + chooser.randint(0, 600) * MINUTE
    case = f"c{duplicate}"
    merge = fact(case, "m", "report.merged", at, report_id=f"r{duplicate}", into_report_id=f"r{into}")
    undone = fact(case, "w", "fact.withdrawn", at + chooser.randint(0, 3) * DAY, fact_id="m", reason="entered_in_error")
    until = START + 40 * DAY
    assert assess.deadline_rows([*facts, merge, undone], PLAN, until) == assess.deadline_rows(facts, PLAN, until)
    before, after = assess.flag_history(facts, PLAN, until), assess.flag_history([*facts, merge, undone], PLAN, until)
    # A merge and its withdrawal are recordings: silence (F7) begins anew with each.
    assert {row for row in up(after) if row[1] != "F7"} == {row for row in up(before) if row[1] != "F7"}


def test_a_merge_that_stands_ends_the_clocks_of_the_duplicate_and_takes_it_out_of_the_count() -> None:
    facts = [
        fact(f"c{n}", f"r{n}", "report.received", START + n * MINUTE, report_id=f"r{n}", channel="102", pair_ref="p1")
        for n in range(2)
    ]
    merge = fact("c1", "m", "report.merged", START + 2 * MINUTE, report_id="r1", into_report_id="r0")
    flags = assess.flag_history([*facts, merge], PLAN, START + HOUR)
    assert {row.rule for row in flags if row.case == "c1"} == {"F5"}
    assert [row.outcome for row in flags if row.rule == "F5"] == ["cleared"]
    deadlines = assess.deadline_rows([*facts, merge], PLAN, START + HOUR)
    assert [row.state for row in deadlines if (row.case, row.rule) == ("c1", "P01")] == ["cancelled"]
