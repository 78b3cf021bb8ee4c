"""The heart on the scenario files and on every worked example of the specification."""

import copy
from pathlib import Path
from typing import Any

import pytest

from qorgau import assess
from qorgau.instants import parse_instant
from qorgau.plan import Plan
from tests.expected import DEADLINE, FLAG, OPEN, POLICY, SCENARIOS, load_scenario, normal_rows, open_rows
from tests.heart import deadline_rows, facts_of, flag_history, plan_of
from tests.oracle import load_policy
from tests.worked.form import context, fact
from tests.worked.terms import item, registered
from tests.worked_examples import EXAMPLES, Example, as_of, check_rows, tweaked

SHORTER = "2026-06-02T12:00:00+05:00"


@pytest.fixture(scope="module", name="policy")
def default_policy() -> dict[str, Any]:
    return load_policy(POLICY)


@pytest.fixture(scope="module", name="plan")
def default_plan(policy: dict[str, Any]) -> Plan:
    return plan_of(policy)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_history_of_a_scenario_is_the_expected_one(path: Path, plan: Plan) -> None:
    scenario = load_scenario(path)
    history = flag_history(scenario["facts"], plan, scenario["as_of"][-1])
    assert normal_rows(history, FLAG) == normal_rows(scenario["expect"]["flags"], FLAG)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_check_points_of_a_scenario_are_the_expected_ones(path: Path, plan: Plan) -> None:
    scenario = load_scenario(path)
    for check in scenario["expect"]["checkpoints"]:
        history = flag_history(scenario["facts"], plan, check["as_of"])
        assert normal_rows(open_rows(history), OPEN) == normal_rows(check["open"], OPEN)
        if "deadlines" in check:
            rows = deadline_rows(scenario["facts"], plan, check["as_of"])
            assert normal_rows(rows, DEADLINE) == normal_rows(check["deadlines"], DEADLINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_worked_example_comes_out_as_written(example: Example, policy: dict[str, Any]) -> None:
    plan = plan_of(tweaked(example, copy.deepcopy(policy)))
    facts = list(example.facts)
    check_rows(example, "flags", flag_history(facts, plan, as_of(example)))
    check_rows(example, "deadlines", deadline_rows(facts, plan, as_of(example)))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_services_share_the_flags_of_a_case_out_among_themselves(path: Path, policy: dict[str, Any]) -> None:
    scenario = load_scenario(path)
    until = scenario["as_of"][-1]
    whole = flag_history(scenario["facts"], plan_of(policy), until)
    services = {rule["service"] for rule in [*policy["rules"], *policy["flags"]]}
    shares = [flag_history(scenario["facts"], plan_of(policy, name), until) for name in sorted(services)]
    assert normal_rows([row for share in shares for row in share], FLAG) == normal_rows(whole, FLAG)


def test_other_limits_ladders_and_holidays_give_other_dues_and_steps(policy: dict[str, Any]) -> None:
    other = copy.deepcopy(policy)
    head, rules = other["policy"], {rule["id"]: rule for rule in other["rules"]}
    rules["P26"]["cases"] = [{"otherwise": True, "within": "PT2H"}]
    head["ladder"]["high"] = [{"to": "L3", "after": "PT10M"}]
    head["calendar"]["extra_days_off"] = ["2026-06-02"]
    facts = [
        fact("o1", "police.outcome_recorded", "2026-06-01 10:00", outcome="talk_held"),
        fact("k1", "risk.assessed", "2026-06-01 10:00", level="high"),
    ]
    [breach] = [row for row in flag_history(facts, plan_of(other), SHORTER) if row["level"] == "breach"]
    assert breach["due_at"] == "2026-06-01T07:00:00Z"
    assert breach["escalations"] == {"L3": "2026-06-01T07:10:00Z"}
    dues = {row["rule"]: row["due_at"] for row in deadline_rows(facts, plan_of(other), SHORTER)}
    usual = {row["rule"]: row["due_at"] for row in deadline_rows(facts, plan_of(policy), SHORTER)}
    assert (usual["P07"], dues["P07"]) == ("2026-06-04T19:00:00Z", "2026-06-05T19:00:00Z")


def test_facts_beyond_the_case_may_come_by_themselves_and_make_no_rows(plan: Plan) -> None:
    own = [registered("2026-06-02 10:00", True, court="KZ-75-02")]
    decided = [item(f"e{at}", at) for at in ("2026-06-03 09:00", "2026-06-04 09:00", "2026-06-08 15:00")]
    foreign = fact("g9", "court.case_registered", "2026-06-02 10:00", protocol_id="p9", arrest_eligible=True) | {
        "case": "c9"
    }
    until = "2026-06-12T09:00:00+05:00"
    rows = flag_history(own, plan, until, [*decided, foreign])
    assert [row["case"] for row in rows if row["rule"] == "F3"] == ["c1"]
    assert {row["case"] for row in rows} == {"c1"}
    assert [row for row in flag_history([*own, *decided], plan, until) if row["case"] == "c1"] == rows


def test_judged_by_default_is_up_to_the_last_recording_of_the_copies_that_count(plan: Plan) -> None:
    report = fact("r1", "report.received", "2026-06-01 10:00", report_id="r1")
    late_copy = report | {"recorded": "2026-06-01T18:00:00+05:00"}
    note = context("n1", "emergency.regime_declared", "2026-06-01 10:04:30")
    assert [row["level"] for row in flag_history([late_copy, report], plan, None)] == []
    assert [row["level"] for row in flag_history([late_copy, report, note], plan, None)] == ["warn"]


def test_history_and_deadlines_of_a_case_are_the_same_together_and_apart(plan: Plan) -> None:
    for path in SCENARIOS:
        scenario = load_scenario(path)
        until = parse_instant(scenario["as_of"][-1])
        facts = facts_of(scenario["facts"])
        own = [one for one in facts if one.case is not None]
        others = [one for one in facts if one.case is None]
        history, deadlines = assess.case_assessment(own, plan, until, others)
        assert history == assess.case_history(own, plan, until, others)
        assert deadlines == assess.case_deadlines(own, plan, until)


def test_no_facts_give_no_rows(plan: Plan) -> None:
    assert flag_history([], plan, None) == deadline_rows([], plan, None) == []
