"""A spring judged by `qorgau replay`, against an independent count of the same file: equal to the last flag and day."""

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from qorgau.season.spring import ENDS
from tests.command_line import Row, Shell
from tests.expected import POLICY
from tests.spring_count import count

AS_OF = "2020-06-01T00:00:00+06:00"
RUN = "import sys\nfrom qorgau.cli import main\nif __name__ == '__main__':\n    sys.exit(main(sys.argv[1:]))\n"
MINUTE = 60


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def assert_counted(facts: Path, rows: list[Row], cases: int) -> None:
    """Every number of F1, F2, F3, F9, P19, P27, and every figure of every court."""
    counted = count(facts, POLICY, ENDS)
    assert counted.cases == cases
    judged = {row["rule"]: row for row in rows if row["kind"] == "rule"}
    for rule, own in counted.rows().items():
        assert {name: judged[rule][name] for name in own} == own, rule
        assert own["raised"] > 0, rule
    told = {row["court"] or "": row for row in rows if row["kind"] == "impact"}
    assert told.keys() == counted.impact.keys()
    for court, figures in counted.impact.items():
        own = figures.row()
        assert {name: told[court][name] for name in own} == own, court
    assert counted.impact[""].gaps > 0
    assert counted.impact[""].running_out > 0


def made(to: Path, cases: int) -> Path:
    """A spring in a file, and by a process of its own as every command is."""
    with to.open("wb") as file:
        subprocess.run([*_command(to), "season", "spring", "--cases", str(cases)], check=True, stdout=file)
    return to


def replayed(facts: Path, jobs: int) -> list[Row]:
    options = ["--summary", "--as-of", AS_OF, "--jobs", str(jobs)]
    ended = subprocess.run([*_command(facts), "replay", str(facts), *options], check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def _command(beside: Path) -> list[str]:
    # A file and not `-c`: the processes of the pool begin by reading it.
    script = beside.with_suffix(".py")
    script.write_text(RUN, encoding="utf-8")
    return [sys.executable, str(script)]


def test_a_small_spring_is_what_is_counted(shell: Shell) -> None:
    facts = shell.folder / "spring.ndjson"
    facts.write_text(shell.run("season", "spring", "--cases", "300").out, encoding="utf-8")
    rows = shell.run("replay", facts, "--summary", "--as-of", AS_OF, "--jobs", "1").rows
    assert_counted(facts, rows, 300)


@pytest.mark.long
def test_a_tenth_of_the_spring_is_what_is_counted(tmp_path: Path) -> None:
    facts = made(tmp_path / "spring.ndjson", 10_000)
    assert_counted(facts, replayed(facts, 2), 10_000)


@pytest.mark.night
def test_the_whole_spring_is_what_is_counted_and_takes_two_cores_less_than_ten_minutes(tmp_path: Path) -> None:
    facts = made(tmp_path / "spring.ndjson", 100_000)
    begun = monotonic()
    rows = replayed(facts, 2)
    assert monotonic() - begun < 10 * MINUTE
    assert_counted(facts, rows, 100_000)
