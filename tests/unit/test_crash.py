"""Crash points: the process dies where a test says, once if it is to be once, and nowhere else."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qorgau.shell.crash import POINTS, arm, crash_point

ROUNDS = """
import sys
from qorgau.shell.crash import POINTS, arm, crash_point
arm(sys.argv[1])
for number in (1, 2, 3):
    for point in POINTS:
        crash_point(point)
        print(number, point, flush=True)
"""


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm(None)


def rounds(where: str) -> tuple[int, list[str]]:
    """How a process that passes every point three times ends, and the points it got over."""
    ended = subprocess.run([sys.executable, "-c", ROUNDS, where], stdout=subprocess.PIPE, text=True, timeout=30)
    return ended.returncode, ended.stdout.splitlines()


@pytest.mark.parametrize(
    ("where", "last"), [("after-load", None), ("after-save:2", "2 after-load"), ("before-commit:3", "3 after-clear")]
)
def test_the_process_dies_at_the_named_pass_of_the_named_point(where: str, last: str | None) -> None:
    status, passed = rounds(where)
    assert status == -signal.SIGKILL
    assert (passed[-1] if passed else None) == last


def test_with_a_file_it_dies_once_and_goes_on_when_it_is_started_again(tmp_path: Path) -> None:
    where = f"after-publish:2@{tmp_path / 'crashed'}"
    assert rounds(where)[0] == -signal.SIGKILL
    status, passed = rounds(where)
    assert status == 0
    assert len(passed) == 3 * len(POINTS)


@pytest.mark.parametrize("where", ["", "nowhere", "after-load:", "after-load:0", "after-load:x", "after-load@"])
def test_a_point_that_does_not_exist_is_refused_with_those_that_do(where: str) -> None:
    with pytest.raises(ValueError, match="before-commit"):
        arm(where)


def test_unarmed_every_point_is_passed() -> None:
    for point in POINTS:
        crash_point(point)
