"""`qorgau clock`: what it shows, what it sets, what it leaves as it was."""

import json
from pathlib import Path
from typing import Any

import pytest

from qorgau.cli import main
from qorgau.clock import ClockSetting, read_clock, wall_ticks, write_clock
from qorgau.instants import DAY, HOUR, MINUTE, parse_instant

AT = parse_instant("2020-03-01T00:00:00Z")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "clock.json"


def shown(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    assert main(["clock", *map(str, arguments)]) == 0
    return json.loads(capfd.readouterr().out)


def test_it_shows_the_present_instant_and_what_the_file_holds(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_clock(file, AT, 60, wall_ticks() - HOUR)
    before = read_clock(file)
    row = shown(capfd, file)
    assert AT + 60 * HOUR <= parse_instant(row["now"]) <= AT + 60 * HOUR + 60 * MINUTE
    assert (row["at"], row["factor"]) == ("2020-03-01T00:00:00Z", 60)
    assert read_clock(file) == before


def test_a_new_pace_goes_on_from_the_present_instant(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_clock(file, AT, 24, wall_ticks() - HOUR)
    shown(capfd, file, "--factor", "0")
    setting = read_clock(file)
    assert setting.factor == 0
    assert AT + DAY <= setting.at <= AT + DAY + HOUR


def test_a_new_instant_keeps_the_pace(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_clock(file, AT, 0.5)
    before = wall_ticks()
    assert shown(capfd, file, "--at", "2021-05-09T10:00:00+05:00")["now"] == "2021-05-09T05:00:00Z"
    setting = read_clock(file)
    assert (setting.at, setting.factor) == (parse_instant("2021-05-09T05:00:00Z"), 0.5)
    assert before <= setting.wall <= wall_ticks()


@pytest.mark.parametrize("content", [None, "broken"])
def test_an_instant_makes_a_clock_where_there_is_none(
    file: Path, capfd: pytest.CaptureFixture[str], content: str | None
) -> None:
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert main(["clock", str(file)]) == 2
    assert main(["clock", str(file), "--factor", "0"]) == 2
    assert "--at TIME" in capfd.readouterr().err
    shown(capfd, file, "--at", "2020-03-01T00:00:00Z", "--factor", "0")
    assert read_clock(file) == ClockSetting(AT, read_clock(file).wall, 0)


@pytest.mark.parametrize(
    "wrong", [("--at", "noon"), ("--at", "2020-03-01T00:00:00"), ("--factor", "-1"), ("--factor", "nan")]
)
def test_a_wrong_option_leaves_the_clock_as_it_was(
    file: Path, capfd: pytest.CaptureFixture[str], wrong: tuple[str, str]
) -> None:
    before = write_clock(file, AT, 1)
    assert main(["clock", str(file), *wrong]) == 2
    assert read_clock(file) == before
    assert "noon" not in capfd.readouterr().err


def test_a_clock_that_cannot_be_written_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["clock", str(tmp_path / "file" / "clock.json"), "--at", "2020-03-01T00:00:00Z"]) == 2
    assert "cannot be written" in capfd.readouterr().err
