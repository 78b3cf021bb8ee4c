"""The oracle by itself: it gives what the scenario files and the worked examples of the specification say."""

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.expected import DEADLINE, FLAG, OPEN, POLICY, SCENARIOS, load_scenario, normal_rows, open_rows
from tests.oracle import deadline_rows, flag_history, load_policy
from tests.worked_examples import EXAMPLES, Example, as_of, check_rows, tweaked


@pytest.fixture(scope="module", name="policy")
def default_policy() -> dict[str, Any]:
    return load_policy(POLICY)


def test_there_are_scenarios_and_worked_examples_to_check() -> None:
    assert len(SCENARIOS) >= 8
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES) >= 40


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_history_of_a_scenario_is_the_expected_one(path: Path, policy: dict[str, Any]) -> None:
    scenario = load_scenario(path)
    history = flag_history(scenario["facts"], policy, scenario["as_of"][-1])
    assert normal_rows(history, FLAG) == normal_rows(scenario["expect"]["flags"], FLAG)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_check_points_of_a_scenario_are_the_expected_ones(path: Path, policy: dict[str, Any]) -> None:
    scenario = load_scenario(path)
    for check in scenario["expect"]["checkpoints"]:
        history = flag_history(scenario["facts"], policy, check["as_of"])
        assert normal_rows(open_rows(history), OPEN) == normal_rows(check["open"], OPEN)
        if "deadlines" in check:
            deadlines = deadline_rows(scenario["facts"], policy, check["as_of"])
            assert normal_rows(deadlines, DEADLINE) == normal_rows(check["deadlines"], DEADLINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_worked_example_comes_out_as_written(example: Example, policy: dict[str, Any]) -> None:
    own_policy = tweaked(example, copy.deepcopy(policy))
    facts = list(example.facts)
    check_rows(example, "flags", flag_history(facts, own_policy, as_of(example)))
    check_rows(example, "deadlines", deadline_rows(facts, own_policy, as_of(example)))
