"""`qorgau replay`: sums that agree with `qorgau assess`, differences that are the difference of two runs of it."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from qorgau.assess import by_case
from qorgau.attribution.account import attribute
from qorgau.commands.assess import flags_of
from qorgau.facts import fact_from_json
from qorgau.instants import parse_duration, parse_instant
from qorgau.policy import load_policy, parse_policy
from qorgau.replay.batch import Job, judge_all
from qorgau.replay.casefile import CaseFile, Ties
from qorgau.replay.sums import Tally, differences
from qorgau.rows import DeadlineRow, FlagRow
from tests.command_line import Row, Shell
from tests.expected import POLICY, SCENARIOS, load_scenario
from tests.histories import histories
from tests.oracle import flag_history
from tests.random_policies import default_policy

EVERYTHING = [fact for path in SCENARIOS for fact in load_scenario(path)["facts"]]
TEXT = POLICY.read_text(encoding="utf-8")
CHANGES = {
    "PT20M}": "PT1H}",
    "within: P15D": "within: P10D",
    "within: PT4H": "within: PT30M",
    "severity: critical": "severity: high",
}
OTHER = re.sub("|".join(CHANGES), lambda found: CHANGES[found[0]], TEXT)
IDENTITY = ("case", "rule", "key", "level", "start_at", "raised_at")


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def of_kind(rows: list[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["kind"] == kind]


def by_identity(rows: list[Row]) -> dict[str, Row]:
    return {json.dumps([row[name] for name in IDENTITY]): row for row in rows}


def test_there_is_a_row_for_every_rule_and_its_sums_are_those_of_assess(shell: Shell) -> None:
    facts = shell.facts(EVERYTHING)
    rows = shell.run("replay", facts).rows
    flags = shell.run("assess", facts).rows
    assert len(rows) == 29 + 8
    assert {row["rule"]: row["raised"] for row in rows if row["raised"]} == Counter(row["rule"] for row in flags)
    closed = Counter(row["rule"] for row in flags if row["cleared_at"])
    assert {row["rule"]: row["cleared"] for row in rows if row["cleared"]} == closed
    states = Counter((row["rule"], row["state"]) for row in shell.run("assess", facts, "--deadlines").rows)
    found = {(row["rule"], state): n for row in rows for state, n in row["deadlines"].items()}
    assert found == states


def test_how_late_a_rule_was_kept_is_told_of_its_deadlines(shell: Shell) -> None:
    row = next(row for row in shell.run("replay", shell.facts(EVERYTHING)).rows if row["rule"] == "P03")
    late = [row for row in shell.run("assess", shell.facts(EVERYTHING), "--deadlines").rows if row["late_by"]]
    assert (row["late"], row["p50"], row["p90"]) == (1, "PT35M", "PT35M")
    assert [item["late_by"] for item in late if item["rule"] == "P03"] == ["PT35M"]


def test_percentiles_are_values_that_occurred() -> None:
    tally = Tally()
    lengths = [60_000_000 * minutes for minutes in (1, 2, 3, 4, 5, 6, 7, 8, 9, 100)]
    tally.add_deadlines(DeadlineRow("c", "P03", "", "high", 0, 0, "closed_late", late) for late in reversed(lengths))
    row = next(row for row in tally.rows(load_policy(POLICY), "default") if row["rule"] == "P03")
    assert (row["late"], row["p50"], row["p90"]) == (10, "PT5M", "PT9M")


def test_two_policies_differ_by_the_difference_of_two_assessments(shell: Shell) -> None:
    facts, other = shell.facts(EVERYTHING), shell.file("other.yaml", OTHER)
    rows = shell.run("replay", facts, "--policy", POLICY, "--policy", other).rows
    before = by_identity(shell.run("assess", facts, "--policy", POLICY).rows)
    after = by_identity(shell.run("assess", facts, "--policy", other).rows)
    expected = {name: (before.get(name), after.get(name)) for name in before | after}
    expected = {name: sides for name, sides in expected.items() if sides[0] != sides[1]}
    told = [(row["before"], row["after"]) for row in of_kind(rows, "difference")]
    assert expected
    assert {next(iter(by_identity([old or new]))): (old, new) for old, new in told} == expected
    assert len(told) == len(expected)
    assert {row["change"] for row in of_kind(rows, "difference")} == {"added", "removed", "changed"}


def test_two_policies_give_totals_for_each(shell: Shell) -> None:
    facts, other = shell.facts(EVERYTHING), shell.file("other.yaml", OTHER)
    rows = of_kind(shell.run("replay", facts, "--policy", POLICY, "--policy", other).rows, "rule")
    for policy in (POLICY, other):
        alone = shell.run("replay", facts, "--policy", policy).rows
        assert [row for row in rows if row["policy"] == str(policy)] == alone


def test_a_policy_does_not_differ_from_itself(shell: Shell) -> None:
    rows = shell.run("replay", shell.facts(EVERYTHING), "--policy", POLICY, "--policy", POLICY).rows
    assert not of_kind(rows, "difference")


def test_three_policies_are_bad_use(shell: Shell) -> None:
    ended = shell.run("replay", shell.facts([]), *["--policy", POLICY] * 3)
    assert (ended.status, ended.out) == (2, "")


def test_an_open_flag_whose_severity_changed_is_a_changed_one() -> None:
    one = FlagRow("c", "P03", "", "breach", "high", 0, 0, 0)
    other = FlagRow("c", "P03", "", "breach", "critical", 0, 0, 0)
    assert [row["change"] for row in differences([one], [other])] == ["changed"]
    assert [row["change"] for row in differences([one], [])] == ["removed"]
    assert [row["change"] for row in differences([], [one])] == ["added"]


def rows_by(facts: Path, workers: int, as_of: str | None = None) -> list[Any]:
    policy = parse_policy(TEXT)
    file = CaseFile(facts, Ties.of([policy]))
    until = file.until() if as_of is None else parse_instant(as_of)
    assert until is not None
    found = judge_all(file, Job(flags_of, (policy,), until), workers)
    return [json.loads(line) for lines in found for _, line in lines]


def test_the_answers_do_not_depend_on_the_number_of_processes(shell: Shell) -> None:
    facts = shell.facts(EVERYTHING)
    assert rows_by(facts, workers=2) == rows_by(facts, workers=1) != []


def test_by_default_it_is_judged_as_of_the_last_instant_at_which_a_copy_that_counts_is_known(shell: Shell) -> None:
    first = report("c1", 1)
    again = first | {"recorded": "2026-06-20T09:00:00+05:00"}
    other = report("c2", 2)
    file = CaseFile(shell.facts([first, again, other]), Ties.of([]))
    assert file.until() == parse_instant("2026-06-02T09:00:00+05:00")


def fact(case: str | None, id: str, type: str, time: str, **data: object) -> Row:
    row = {
        "id": id,
        "source": "102/KZ-75",
        "type": type,
        "time": f"{time}:00+05:00",
        "data": {"region": "KZ-75", **data},
    }
    return row | ({} if case is None else {"case": case})


def report(case: str, day: int, **data: object) -> Row:
    return fact(case, f"r{day}", "report.received", f"2026-06-{day:02}T09:00", report_id=f"r{day}", **data)


PAIR = [
    report("c1", 1, pair_ref="x1"),
    report("c2", 5, pair_ref="x1"),
    # Merged by a third case, of which no report is on the pair.
    fact("c3", "m", "report.merged", "2026-06-06T09:00", report_id="r1", into_report_id="r5"),
    fact("c3", "w", "fact.withdrawn", "2026-06-07T09:00", fact_id="m", reason="entered_in_error"),
]


def test_a_case_is_judged_with_the_reports_of_others_and_their_mergings_and_withdrawals(shell: Shell) -> None:
    found = [row for row in rows_by(shell.facts(PAIR), workers=1) if row["rule"] == "F5"]
    assert [(row["case"], row["raised_at"], row["cleared_at"]) for row in found] == [
        ("c2", "2026-06-05T04:00:00Z", "2026-06-06T04:00:00Z"),
        ("c2", "2026-06-07T04:00:00Z", None),
    ]


def test_a_case_is_judged_with_the_docket_of_its_court(shell: Shell) -> None:
    register = {"protocol_id": "p1", "court": "A", "arrest_eligible": False}
    item = {"court": "A", "category": "emergency_regime", "registered_at": "2026-06-02T09:00:00+05:00"}
    docket = [fact(None, f"d{n}", "court.docket_item_decided", f"2026-06-{n:02}T09:00", **item) for n in (18, 19, 20)]
    facts = [fact("c1", "k", "court.case_registered", "2026-06-01T10:00", **register), *docket]
    wrong = fact(None, "w", "fact.withdrawn", "2026-06-21T09:00", fact_id="d20", reason="wrong_data")
    found = [row for row in rows_by(shell.facts([*facts, wrong]), workers=1) if row["rule"] == "F3"]
    assert [(row["raised_at"], row["cleared_at"]) for row in found] == [
        ("2026-06-20T04:00:00Z", "2026-06-21T04:00:00Z"),
    ]


@given(facts=histories(default_policy()))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_judging_case_by_case_gives_what_judging_all_at_once_gives(shell: Shell, facts: list[Row]) -> None:
    rows = rows_by(shell.facts(facts), workers=1)
    rows.sort(key=json.dumps)
    expected = sorted(flag_history(facts, default_policy(), None), key=json.dumps)
    assert rows == expected


def test_a_summary_adds_weeks_impact_and_legs_and_changes_no_row_of_a_rule(shell: Shell) -> None:
    facts = shell.facts(EVERYTHING)
    alone, rows = shell.run("replay", facts).rows, shell.run("replay", facts, "--summary").rows
    assert of_kind(rows, "rule") == alone
    by_week = Counter[str]()
    for row in of_kind(rows, "week"):
        by_week[row["rule"]] += row["raised"]
    assert by_week == {row["rule"]: row["raised"] for row in alone if row["raised"]}
    suspended = [fact for fact in EVERYTHING if fact["type"] == "court.hearing_suspended"]
    [whole] = [row for row in of_kind(rows, "impact") if row["court"] is None]
    assert 0 < whole["suspensions"] <= len(suspended)
    assert of_kind(rows, "leg")


def test_the_times_of_the_legs_are_those_of_all_accounts(shell: Shell) -> None:
    facts = shell.facts(EVERYTHING)
    until = CaseFile(facts, Ties.of([])).until()
    assert until is not None
    cases = by_case(fact_from_json(fact) for fact in EVERYTHING)
    accounts = [attribute(own, until) for case, own in cases.items() if case is not None]
    told = [parse_duration(row["time"]) for row in of_kind(shell.run("replay", facts, "--summary").rows, "leg")]
    assert sum(told) == sum(account.total for account in accounts if account is not None)


def test_the_sums_do_not_depend_on_the_number_of_processes(shell: Shell) -> None:
    facts = shell.facts(EVERYTHING)
    one, two = (shell.run("replay", facts, "--summary", "--jobs", jobs) for jobs in ("1", "2"))
    assert one.out == two.out != ""


@pytest.mark.parametrize(
    "options", [["--jobs", "0"], ["--summary", "--policy", POLICY, "--policy", POLICY]], ids=["no jobs", "two policies"]
)
def test_what_cannot_be_summed_is_bad_use(shell: Shell, options: list[Any]) -> None:
    ended = shell.run("replay", shell.facts(EVERYTHING), *options)
    assert (ended.status, ended.out) == (2, "")
