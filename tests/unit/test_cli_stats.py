"""`qorgau stats surge`: a row a day or week and method, and how it ends on a file that is no series."""

import io
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from qorgau.commands.stats import _METHODS
from qorgau.surge.methods import METHODS
from tests.command_line import Shell

DAILY = [5, 6, 4, 5, 5, 6, 5, 4, 6, 5, 5, 7, 8, 9]
WEEKLY = [34, 37, 35, 36, 38, 34, 36, 37]
START = date(2026, 1, 5)
FIELDS = ["date", "count", "method", "expected", "statistic", "p", "alarm"]


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def csv(counts: list[int], step: int = 1, head: str = "date,count") -> str:
    rows = [f"{START + timedelta(days=step * at)},{count}" for at, count in enumerate(counts)]
    return "\n".join([head, *rows]) + "\n"


def test_the_methods_are_those_that_the_command_names() -> None:
    assert tuple(METHODS) == _METHODS


def test_a_row_a_day_says_what_the_issue_says(shell: Shell) -> None:
    file = shell.file("counts.csv", csv(DAILY))
    ended = shell.run("stats", "surge", file, "--method", "c2")
    assert (ended.status, ended.err, len(ended.rows)) == (0, "", 14)
    assert [list(row) for row in ended.rows] == [FIELDS] * 14
    assert [round(row["statistic"], 3) for row in ended.rows[11:]] == [2.449, 4.140, 5.590]
    assert [row["alarm"] for row in ended.rows] == [False] * 12 + [True, True]
    assert ended.rows[0] == dict(zip(FIELDS, ["2026-01-05", 5, "c2", None, None, None, False], strict=True))
    (summed,) = shell.run("stats", "surge", file, "--method", "c3").rows[-1:]
    assert round(summed["statistic"], 3) == 9.179


def test_weeks_are_judged_by_the_bound_of_the_issue(shell: Shell) -> None:
    for count, alarm in ((49, False), (50, True)):
        file = shell.file("counts.csv", csv([*WEEKLY, count], step=7))
        ended = shell.run("stats", "surge", file, "--method", "farrington")
        row = ended.rows[-1]
        assert (row["date"], row["expected"], row["alarm"]) == ("2026-03-02", 35.875, alarm)
        bound = row["expected"] + (count - row["expected"]) / row["statistic"]
        assert bound == pytest.approx(49.02, abs=0.005)


def test_without_a_method_all_judge_one_after_the_other(shell: Shell) -> None:
    ended = shell.run("stats", "surge", shell.file("counts.csv", csv(DAILY)))
    found = [(row["method"], row["date"]) for row in ended.rows]
    days = [str(START + timedelta(days=at)) for at in range(14)]
    weeks = {"farrington": ["2026-01-05", "2026-01-12"]}
    assert found == [(method, day) for method in _METHODS for day in weeks.get(method, days)]


def test_weekly_sums_days_from_monday_to_sunday(shell: Shell) -> None:
    file = shell.file("counts.csv", csv(list(range(1, 18))))
    ended = shell.run("stats", "surge", file, "--weekly", "--method", "c1")
    assert [(row["date"], row["count"]) for row in ended.rows] == [("2026-01-05", 28), ("2026-01-12", 77)]


def test_a_file_without_a_whole_week_has_no_weeks(shell: Shell) -> None:
    file = shell.file("counts.csv", csv([1] * 6))
    assert shell.run("stats", "surge", file, "--method", "farrington").rows == []
    ended = shell.run("stats", "surge", file, "--weekly")
    assert (ended.status, ended.out) == (2, "")
    assert "not one week" in ended.err


def test_the_counts_may_stand_in_another_column(shell: Shell) -> None:
    text = "calls,date,domestic\n9,2026-01-05,3\n8,2026-01-06,4\n"
    ended = shell.run("stats", "surge", shell.file("counts.csv", text), "--column", "domestic", "--method", "c1")
    assert [row["count"] for row in ended.rows] == [3, 4]


def test_standard_input_is_read(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + csv(DAILY).encode())))
    assert len(shell.run("stats", "surge", "-", "--method", "c2").rows) == 14


def test_gaps_are_told_and_are_no_zeros(shell: Shell) -> None:
    text = csv([5, 6, 4, 5, 5, 6, 5, 7]).replace("2026-01-07,4\n", "").replace("2026-01-09,5\n", "2026-01-09,\n")
    ended = shell.run("stats", "surge", shell.file("counts.csv", text), "--method", "c1")
    assert (ended.status, [row["count"] for row in ended.rows]) == (0, [5, 6, None, 5, None, 6, 5, 7])
    assert ended.rows[-1]["expected"] == 5.4
    told = "2 of 8 days have no count, the first 2026-01-07, the last 2026-01-09; they are gaps, not zeros"
    assert ended.err == f"qorgau: {told}\n"


SECRET = "4711"
BAD = {
    "no header": ("", 1, "column date"),
    "no column of counts": (f"date,{SECRET}\n2026-01-05,1\n", 1, "column count"),
    "no column of dates": ("day,count\n2026-01-05,1\n", 1, "column date"),
    "a column twice": ("date,count,count\n2026-01-05,1,2\n", 1, "once"),
    "semicolons": ("date;count\n2026-01-05;1\n", 1, "column date"),
    "no count": ("date,count\n", 1, "no count follows"),
    "a date in words": (f"date,count\n2026-01-05,1\n{SECRET} of May,1\n", 3, "YYYY-MM-DD"),
    "a date that is none": ("date,count\n2026-02-30,1\n", 2, "YYYY-MM-DD"),
    "a date of another form": ("date,count\n20260105,1\n", 2, "YYYY-MM-DD"),
    "a time": ("date,count\n2026-01-05T00:00,1\n", 2, "YYYY-MM-DD"),
    "a negative count": (f"date,count\n2026-01-05,-{SECRET}\n", 2, "whole number"),
    "a fraction": (f"date,count\n2026-01-05,{SECRET}.5\n", 2, "whole number"),
    "a fraction that is whole": ("date,count\n2026-01-05,1.0\n", 2, "whole number"),
    "not a number": ("date,count\n2026-01-05,nan\n", 2, "whole number"),
    "foreign digits": ("date,count\n2026-01-05,\u0663\n", 2, "whole number"),
    "too large": (f"date,count\n2026-01-05,{SECRET * 4}\n", 2, "ten digits"),
    "a date twice": ("date,count\n2026-01-05,1\n2026-01-05,1\n", 3, "earlier line"),
    "an order of its own": ("date,count\n2026-01-05,1\n\n2026-01-04,1\n", 4, "ascend"),
    "another century": ("date,count\n2026-01-05,1\n2226-01-05,1\n", 3, "hundred years"),
    "a cell too many": (f"date,count\n2026-01-05,1,{SECRET}\n", 2, "cells"),
    "an open quote": (f'date,count\n2026-01-05,"{SECRET}\n', 2, "CSV"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_series_ends_with_2_and_the_line_and_is_not_repeated(name: str, shell: Shell) -> None:
    text, line, why = BAD[name]
    file = shell.file("counts.csv", text)
    ended = shell.run("stats", "surge", file)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"qorgau: {file}, line {line}: ")
    assert why in ended.err
    assert SECRET not in ended.err.replace(str(file), "")


def test_bytes_that_are_no_text_and_a_file_that_is_not_there_end_with_2(shell: Shell) -> None:
    file = shell.folder / "counts.csv"
    file.write_bytes(b"date,count\n2026-01-05,1\n2026-01-06,\xff\n")
    ended = shell.run("stats", "surge", file)
    assert (ended.status, ended.err) == (2, f"qorgau: {file}, line 3: not UTF-8\n")
    assert shell.run("stats", "surge", shell.folder / "none.csv").status == 2
    assert shell.run("stats", "surge", file, "--method", "c4").status == 2


def test_people_see_each_excess_with_its_chance(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, list[str], list[tuple[object, ...]]]] = []
    monkeypatch.setattr("qorgau.output.show_table", lambda *table: shown.append(table))
    shell.run("stats", "surge", shell.file("counts.csv", csv(DAILY)), "--method", "c2")
    ((title, columns, rows),) = shown
    assert title == "2 alarms in 5 judgements"
    assert dict(zip(columns, rows[-1], strict=True)) == {
        "date": date(2026, 1, 18),
        "method": "c2",
        "count": 9,
        "expected": "5.1",
        "excess": "+75 %",
        "p": "0.00098",
    }


def test_other_commands_do_not_wait_for_scipy() -> None:
    code = "import sys; from qorgau.cli import main; main(['stats', 'surge', '--help']); print('scipy' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "False"
