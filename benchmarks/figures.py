"""A figure: two sides measured in turns in one run, what one is to the other, and the aim beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from qorgau.output import people, show_table, write_rows

Values = Sequence[float]
_COLUMNS = ("benchmark", "figure", "unit", "ours", "other", "ratio: min", "median", "max", "aim")


@dataclass(frozen=True, slots=True)
class Figure:
    """Two sides, a value of each a round. `ours` and `other` say what was measured; `aim` is of words, not checked."""

    benchmark: str
    name: str
    unit: str
    ours: str
    other: str
    values: Values
    against: Values
    aim: str = ""

    @property
    def ratios(self) -> list[float]:
        """Ours divided by the other's, round by round; a side that was nothing has no ratio."""
        return [one / other for one, other in zip(self.values, self.against, strict=True) if other]

    def row(self) -> dict[str, Any]:
        """As printed for machines."""
        return {
            "kind": "figure",
            "benchmark": self.benchmark,
            "name": self.name,
            "unit": self.unit,
            "rounds": len(self.values),
            "ours": {"what": self.ours, **spread(self.values)},
            "other": {"what": self.other, **spread(self.against)},
            "ratio": spread(self.ratios),
            "aim": self.aim or None,
        }

    def cells(self) -> list[str]:
        """As printed for people."""
        of = spread(self.ratios)
        ratios = [short(of[name]) for name in ("min", "median", "max")] if of else ["", "", ""]
        sides = [f"{short(median(values))} ({what})" for values, what in self._sides()]
        return [self.benchmark, self.name, self.unit, *sides, *ratios, self.aim]

    def _sides(self) -> list[tuple[Values, str]]:
        return [(self.values, self.ours), (self.against, self.other)]


def spread(values: Iterable[float]) -> dict[str, float]:
    """Smallest, middle and largest, to four digits; nothing of nothing."""
    ordered = sorted(values)
    if not ordered:
        return {}
    named = {"min": ordered[0], "median": median(ordered), "max": ordered[-1]}
    return {name: float(f"{value:.4g}") for name, value in named.items()}


def percentile(values: Iterable[float], percent: int) -> float:
    """The nearest-rank percentile; of nothing it is no number."""
    ordered = sorted(values)
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else float("nan")


def short(value: float) -> str:
    """A number that can be read at a glance."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def show(figures: Sequence[Figure]) -> None:
    """The figures of one benchmark for machines, as soon as it is over."""
    write_rows(figure.row() for figure in figures)


def show_all(figures: Sequence[Figure]) -> None:
    """All of them for people, where somebody watches."""
    show_table("two sides measured in turns", _COLUMNS, [figure.cells() for figure in figures])


def say(words: str) -> None:
    """What is being done now, where somebody watches."""
    if (console := people()) is not None:
        console.print(words, style="dim")
