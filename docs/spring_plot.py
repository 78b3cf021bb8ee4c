"""Draws the pictures of docs/spring.md from its figures."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import matplotlib.pyplot as plt
from docs.drawing import save
from docs.spring_figures import REGIONS, SHOWN, Figures
from matplotlib.axes import Axes

from qorgau.season.spring import LEFT_OPEN

STOP, RESTART = date(2020, 3, 16), date(2020, 5, 11)
_LEGS = 12


def draw(figures: Figures, to: Path) -> None:
    """Writes all of them into a folder."""
    draw_weeks(figures, to / "spring-weeks.svg")
    draw_hearings(figures, to / "spring-hearings.svg")
    draw_gaps(figures, to / "spring-gaps.svg")
    draw_legs(figures, to / "spring-legs.svg")


def draw_weeks(figures: Figures, to: Path) -> None:
    """Flags by week, a panel each kind; grey is the time in which courts were stopped."""
    figure, panels = plt.subplots(3, 2, figsize=(9, 7), sharex=True, layout="constrained")
    weeks = [date.fromisoformat(week) for week in figures.all_weeks()]
    for axes, (rule, level, words) in zip(panels.flat, SHOWN, strict=True):
        counts = figures.weeks.get((rule, level), Counter())
        axes.axvspan(_day(STOP), _day(RESTART), color="0.92", linewidth=0)
        axes.bar([_day(week) + 3.5 for week in weeks], [counts.get(str(week), 0) for week in weeks], 6, color="0.35")
        axes.set_title(f"{rule}: {words}", loc="left", fontsize=9)
        axes.set_ylim(0, 1.2 * max([1, *counts.values()]))
        _plain(axes, "y")
    ticks = [date(2020, 3, 2) + timedelta(weeks=number) for number in range(0, 13, 4)]
    for axes in panels[-1]:
        axes.set_xticks([_day(day) for day in ticks], [f"{day.day} {day:%b}" for day in ticks])
    panels[0][0].text(_day(STOP) + 1, panels[0][0].get_ylim()[1] * 0.97, "courts stopped", va="top", fontsize=8)
    figure.suptitle("Flags raised a week, from Monday in Almaty; made-up cases", x=0.01, ha="left", fontsize=9)
    save(figure, to)


def draw_hearings(figures: Figures, to: Path) -> None:
    """Hearings hit and days lost, region by region."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 5.4), sharey=True, layout="constrained")
    names = _regions(figures)
    rows = range(len(names))
    hit, days = ([getattr(figures.places[name], what) for name in names] for what in ("hearings", "days"))
    left.barh(rows, hit, 0.7, color="0.35")
    right.barh(rows, [lost / 1000 for lost in days], 0.7, color="0.6")
    for row, name in enumerate(names):
        place = figures.places[name]
        left.text(place.hearings, row, f" {place.hearings:,}", va="center", fontsize=8)
        mean = place.days / place.protocols
        right.text(place.days / 1000, row, f" {place.days / 1000:,.1f} ({mean:.0f})", va="center", fontsize=8)
    left.set_yticks(rows, [_named(name) for name in names])
    left.set_title("hearings suspended", loc="left", fontsize=9)
    right.set_title("days lost, in thousands (mean of a protocol)", loc="left", fontsize=9)
    for axes, most in ((left, max(hit)), (right, max(days) / 1000)):
        axes.set_xlim(0, most * 1.32)
        _plain(axes, "x")
    save(figure, to)


def draw_gaps(figures: Figures, to: Path) -> None:
    """Gaps of protection and limitation terms that run out, as shares of the protocols hit."""
    figure, axes = plt.subplots(figsize=(9, 5.8), layout="constrained")
    names = _regions(figures)
    places = [figures.places[name] for name in names]
    for shift, what, shade, words in (
        (0.2, "gaps", "0.35", "without protection before the hearing (the order ends first)"),
        (-0.2, "running_out", "0.7", "limitation ends before the hearing"),
    ):
        counts = [getattr(place, what) for place in places]
        shares = [100 * count / place.protocols for count, place in zip(counts, places, strict=True)]
        axes.barh([row + shift for row in range(len(names))], shares, 0.38, color=shade, label=words)
        for row, (share, count) in enumerate(zip(shares, counts, strict=True)):
            axes.text(share, row + shift, f" {count:,}", va="center", fontsize=7)
    axes.set_yticks(range(len(names)), [_named(name) for name in names])
    axes.set_ylim(-0.6, len(names) + 1.4)
    words = "% of the protocols whose hearing was suspended (beside the bars: how many);  "
    axes.set_xlabel(words + "\n* courts stopped until further notice")
    axes.legend(loc="upper right", fontsize=8, frameon=False, ncols=2)
    _plain(axes, "x")
    save(figure, to)


def draw_legs(figures: Figures, to: Path) -> None:
    """Whose time it was: the legs that took longest, in years of all cases together."""
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    longest = sorted(figures.legs, key=lambda leg: -leg[3])[:_LEGS][::-1]
    axes.barh(range(len(longest)), [days / 365.25 for *_, days in longest], 0.7, color="0.35")
    for row, (_, _, cases, days) in enumerate(longest):
        words = f" {days / 365.25:,.0f} years, {cases:,} cases, {days / cases:,.1f} days each"
        axes.text(days / 365.25, row, words, va="center", fontsize=8)
    axes.set_yticks(range(len(longest)), [f"{leg.replace('_', ' ')}: {agency}" for leg, agency, *_ in longest])
    axes.set_xlim(0, max(days for *_, days in longest) / 365.25 * 1.6)
    axes.set_xlabel("years charged, all cases together")
    _plain(axes, "x")
    save(figure, to)


def _regions(figures: Figures) -> list[str]:
    """The regions, the one with most hearings hit last, which is drawn on top."""
    return sorted(figures.places, key=lambda name: (figures.places[name].hearings, name))


def _named(region: str) -> str:
    return REGIONS[region] + (" *" if region in LEFT_OPEN else "")


def _plain(axes: Axes, across: str) -> None:
    axes.grid(axis="x" if across == "x" else "y", color="0.85", linewidth=0.6)
    (axes.xaxis if across == "x" else axes.yaxis).set_major_formatter(lambda count, _: f"{count:,.0f}")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _day(day: date) -> float:
    return float((day - date(1970, 1, 1)).days)
