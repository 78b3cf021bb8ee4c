"""`qorgau season`: files of made-up facts."""

from pathlib import Path

import pytest

from qorgau.facts import fact_from_json
from qorgau.season import season
from tests.command_line import Shell


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def test_the_weeks_are_those_that_the_feed_posts(shell: Shell) -> None:
    rows = shell.run("season", "weeks").rows
    assert [fact_from_json(row) for row in rows] == [one.fact for one in season()]


def test_another_seed_gives_other_cases(shell: Shell) -> None:
    first, other = (shell.run("season", "spring", "--cases", "3", "--seed", seed).rows for seed in ("1", "2"))
    cases = [{row["case"] for row in rows if "case" in row} for rows in (first, other)]
    assert [len(found) for found in cases] == [3, 3]
    assert not cases[0] & cases[1]


def test_no_case_is_bad_use(shell: Shell) -> None:
    ended = shell.run("season", "spring", "--cases", "0")
    assert (ended.status, ended.out) == (2, "")
