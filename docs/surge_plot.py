"""Draws the pictures of docs/statistics.md: `python -m docs.surge_plot FILE [--column NAME] [--out FOLDER]`.

Needs matplotlib, of the development tools. The file has a line a day, as for `qorgau stats surge`.
"""

import argparse
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import matplotlib.pyplot as plt
from docs.drawing import HERE, prepare, save
from matplotlib.axes import Axes

from qorgau.surge.counts import Reading, Series, weeks
from qorgau.surge.methods import METHODS
from qorgau.surge.reading import read_series

EPOCH = date(1970, 1, 1)
LOCKDOWN = date(2020, 3, 20)
CLOSE_FROM, CLOSE_TO = date(2020, 2, 10), date(2020, 5, 17)
SOURCE = "Calls about domestic violence to Argentina's helpline 144; open data, datos.gob.ar"
MARKS = {"c1": ("C1", "v"), "c2": ("C2", "o"), "c3": ("C3", "s"), "cusum": ("CUSUM", "D")}


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the counts and writes the two pictures."""
    parser = argparse.ArgumentParser(prog="python -m docs.surge_plot")
    parser.add_argument("file", type=Path)
    parser.add_argument("--column", default="domestic")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args(argv)
    with arguments.file.open(encoding="utf-8-sig", newline="") as file:
        daily = read_series(file, arguments.column)
    weekly = weeks(daily)
    if weekly is None:
        parser.error("not one whole week")
    prepare()
    arguments.out.mkdir(parents=True, exist_ok=True)
    draw_days(daily, arguments.out / "surge-days.svg")
    draw_weeks(weekly, arguments.out / "surge-weeks.svg")


def draw_days(daily: Series, to: Path) -> None:
    """The spring of 2020 by day: counts, what C2 expected, its bound, and under them the alarms of each method."""
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(9, 5.2), sharex=True, height_ratios=(4, 1), layout="constrained"
    )
    shown = range((CLOSE_FROM - daily.start).days, (CLOSE_TO - daily.start).days + 1)
    days, counts = [daily.first_day(at) for at in shown], [daily.counts[at] for at in shown]
    found = {method: METHODS[method](daily.counts[: shown.stop], last=len(shown)) for method in MARKS}
    _bars(above, days, counts, 0.9)
    _expected(above, days, found["c2"], "expected by C2", "bound of C2")
    _alarms(above, days, counts, found["c2"], "alarm of C2")
    for row, (method, (_, mark)) in enumerate(MARKS.items()):
        alarms = [day for day, reading in zip(days, found[method], strict=True) if _alarm(reading)]
        below.plot(alarms, [-row] * len(alarms), mark, color="black", markersize=4.5)
    below.set_yticks([-row for row in range(len(MARKS))], [name for name, _ in MARKS.values()])
    below.set_ylim(-len(MARKS) + 0.4, 0.6)
    below.set_title("alarms by method", loc="left", fontsize=9)
    below.grid(axis="both", color="0.85", linewidth=0.6)
    below.set_axisbelow(True)
    for axes in (above, below):
        axes.axvline(_number(LOCKDOWN) - 0.5, color="black", linewidth=1.1, linestyle=(0, (6, 3)))
    above.set_ylabel("calls a day")
    above.set_ylim(0, 205)
    above.set_xlim(_number(CLOSE_FROM) - 0.7, _number(CLOSE_TO) + 0.7)
    _name_lockdown(above, LOCKDOWN)
    above.legend(loc="upper left", fontsize=8, frameon=False)
    mondays = [CLOSE_FROM + timedelta(weeks=week) for week in range(0, 14, 2)]
    below.set_xticks([_number(day) for day in mondays], [f"{day.day} {day:%b}" for day in mondays])
    figure.suptitle(f"{SOURCE}, 10 February to 17 May 2020", x=0.01, ha="left", fontsize=9)
    save(figure, to)


def draw_weeks(weekly: Series, to: Path) -> None:
    """All weeks: counts, what Farrington's method expected, its bound and its alarms."""
    figure, axes = plt.subplots(figsize=(9, 3.9), layout="constrained")
    starts = [weekly.first_day(at) + timedelta(days=3) for at in range(len(weekly.counts))]
    found = METHODS["farrington"](weekly.counts)
    _bars(axes, starts, weekly.counts, 6.2)
    _expected(axes, starts, found, "expected by Farrington", "its bound (z 1.96)")
    _alarms(axes, starts, weekly.counts, found, "alarm")
    axes.axvline(_number(LOCKDOWN), color="black", linewidth=1.1, linestyle=(0, (6, 3)))
    full = _number(weekly.first_day(157)) - 0.5
    axes.axvline(full, color="black", linewidth=0.9, linestyle=":")
    axes.set_xlim(_number(starts[0]) - 7, _number(starts[-1]) + 10)
    axes.set_ylim(0, max(count or 0 for count in weekly.counts) * 1.45)
    _name_lockdown(axes, LOCKDOWN)
    axes.text(full - 8, axes.get_ylim()[1] * 0.98, "lite before, past\nyears after", va="top", ha="right", fontsize=8)
    axes.set_ylabel("calls a week")
    axes.legend(loc="upper center", ncols=4, fontsize=8, frameon=False, bbox_to_anchor=(0.49, 1.0), columnspacing=1.4)
    years = range(starts[0].year, starts[-1].year + 1)
    quarters = [first for year in years for month in (1, 4, 7, 10) if (first := date(year, month, 1)) <= starts[-1]]
    axes.set_xticks([_number(day) for day in quarters], [f"{day:%b\n%Y}" for day in quarters])
    figure.suptitle(f"{SOURCE}, by week", x=0.01, ha="left", fontsize=9)
    save(figure, to)


def _bars(axes: Axes, days: Sequence[date], counts: Sequence[int | None], width: float) -> None:
    axes.bar([_number(day) for day in days], [count or 0 for count in counts], width, color="0.8", label="calls")


def _expected(axes: Axes, days: Sequence[date], found: Sequence[Reading | None], expected: str, bound: str) -> None:
    known = [(_number(day), reading) for day, reading in zip(days, found, strict=True) if reading is not None]
    x = [day for day, _ in known]
    axes.plot(x, [reading.expected for _, reading in known], color="black", linewidth=1.3, label=expected)
    axes.plot(x, [reading.bound for _, reading in known], color="0.35", linewidth=1, linestyle="--", label=bound)


def _alarms(
    axes: Axes, days: Sequence[date], counts: Sequence[int | None], found: Sequence[Reading | None], name: str
) -> None:
    hit = [(_number(day), count) for day, count, reading in zip(days, counts, found, strict=True) if _alarm(reading)]
    x, y = [day for day, _ in hit], [count or 0 for _, count in hit]
    axes.plot(x, y, "o", color="black", markersize=6, markerfacecolor="white", markeredgewidth=1.6, label=name)


def _name_lockdown(axes: Axes, day: date) -> None:
    left, right = axes.get_xlim()
    beside = _number(day) + (right - left) * 0.008
    axes.text(beside, axes.get_ylim()[1] * 0.98, "lockdown begins\n20 March 2020", va="top", ha="left", fontsize=8)


def _alarm(reading: Reading | None) -> bool:
    return reading is not None and reading.alarm


def _number(day: date) -> float:
    return float((day - EPOCH).days)


if __name__ == "__main__":
    main()
