"""What another policy would change is listed by rule: flags that would come up or be cleared, and no others."""

from pathlib import Path
from typing import Any

import pytest

from qorgau.embedded.data import default_policy
from qorgau.facts import Fact, fact_to_json
from qorgau.instants import HOUR, MINUTE, parse_instant
from qorgau.policy import load_policy
from qorgau.replay.batch import Job, judge_all
from qorgau.replay.casefile import CaseFile, Ties
from qorgau.replay.effect import Effect, effect_on
from tests.command_line import Shell
from tests.faults.test_newer_policy import policy, protocol

AT = parse_instant("2026-03-02T05:00:00Z")


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def effect(shell: Shell, facts: list[Fact], before: Path, after: Path) -> dict[str, dict[str, Any]]:
    policies = load_policy(before), load_policy(after)
    file = CaseFile(shell.facts([fact_to_json(fact) for fact in facts]), Ties.of(policies))
    found = Effect()
    for one in judge_all(file, Job(effect_on, policies, AT), workers=1):
        found.add(one)
    return {row["rule"]: row for row in found.rows(policies)}


def counts(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["open"], row["raised"], row["cleared"]


def test_a_shorter_term_raises_and_a_longer_one_clears(shell: Shell, tmp_path: Path) -> None:
    shorter, longer = policy(tmp_path, "1.0.1", "PT1H"), policy(tmp_path, "1.0.2", "PT6H")
    facts = [*protocol("late", AT - 4 * HOUR), *protocol("soon", AT - 90 * MINUTE), *protocol("new", AT - 2 * MINUTE)]
    usual = policy(tmp_path, "1.1.0", "PT3H")
    assert counts(effect(shell, facts, usual, usual)["P14"]) == (1, 0, 0)
    assert counts(effect(shell, facts, usual, shorter)["P14"]) == (1, 1, 0)
    # The breach goes; a warning does not come, for four hours are not four fifths of six.
    assert counts(effect(shell, facts, usual, longer)["P14"]) == (1, 0, 1)
    others = effect(shell, facts, usual, shorter)
    assert all(counts(row)[1:] == (0, 0) for rule, row in others.items() if rule != "P14")


def test_the_command_refuses_a_wrong_policy_with_its_lines_before_it_asks_any_server(shell: Shell) -> None:
    wrong = shell.file("wrong.yaml", "policy: 1\nrules: []\n")
    ended = shell.run("policy", "activate", wrong, "--from", "2026-03-02T05:00:00Z")
    assert ended.status == 1
    assert ended.rows[0]["line"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "soon"], "--from"),
        (["--from", "2026-03-02T05:00:00Z"], "say where Kafka is"),
        (["--from", "2026-03-02T05:00:00Z", "--kafka", "127.0.0.1:1"], "say where the database is"),
    ],
)
def test_what_is_not_said_is_asked_for(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    for name in ("KAFKA", "MONGO"):
        monkeypatch.delenv(f"QORGAU_{name}", raising=False)
    ended = shell.run("policy", "activate", default_policy(), *arguments)
    assert ended.status == 2
    assert says in ended.err
