"""Samples gathered by cell, and each cell compared: domestic-violence against quarantine-regime delays. Pure."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import mannwhitneyu

from qorgau.calendar import Calendar
from qorgau.instants import SECOND
from qorgau.parity.bootstrap import Medians, medians
from qorgau.parity.holm import holm
from qorgau.parity.samples import CATEGORIES, DOMESTIC, REGIME, Category, Cell, Sample, cell_of

AT_LEAST = 10
"""Below so many on one side nothing is said of a cell."""
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Side:
    """How many of a category have a delay, and how many have none because nobody has come."""

    answered: int = 0
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One cell: `medians` in seconds and `p` (Mann-Whitney, two-sided); None where there are too few to compare."""

    cell: Cell
    domestic: Side
    regime: Side
    medians: Medians | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A line among those it is shown with: p after Holm over all of them that are compared, and whether to look."""

    line: Line
    holm_p: float | None
    flagged: bool


@dataclass(slots=True)
class Gathering:
    """The delays of each cell, as numbers only: a million calls are eight megabytes."""

    calendar: Calendar
    _delays: "dict[tuple[Cell, Category], array[float]]" = field(default_factory=dict)
    _unanswered: dict[tuple[Cell, Category], int] = field(default_factory=dict)

    def add(self, samples: Iterable[Sample]) -> None:
        """Take these in."""
        for sample in samples:
            place = cell_of(sample, self.calendar), sample.category
            if sample.delay is None:
                self._unanswered[place] = self._unanswered.get(place, 0) + 1
            else:
                self._delays.setdefault(place, array("d")).append(sample.delay / SECOND)

    def lines(self) -> tuple[Line, ...]:
        """Every cell of which anything is known, by name. Costs about a millisecond a cell."""
        cells = {cell for cell, _ in (*self._delays, *self._unanswered)}
        return tuple(self._line(cell) for cell in sorted(cells))

    def _line(self, cell: Cell) -> Line:
        domestic, regime = (self._delays.get((cell, category), array("d")) for category in CATEGORIES.values())
        sides = Side(len(domestic), self._none(cell, DOMESTIC)), Side(len(regime), self._none(cell, REGIME))
        if min(len(domestic), len(regime)) < AT_LEAST:
            return Line(cell, *sides)
        ones, others = np.asarray(domestic), np.asarray(regime)
        return Line(cell, *sides, medians(ones, others), float(mannwhitneyu(ones, others).pvalue))

    def _none(self, cell: Cell, category: Category) -> int:
        return self._unanswered.get((cell, category), 0)


def compared(samples: Iterable[Sample], calendar: Calendar) -> tuple[Line, ...]:
    """Every cell of these samples, by name."""
    gathering = Gathering(calendar)
    gathering.add(samples)
    return gathering.lines()


def judged(lines: Sequence[Line]) -> list[Judged]:
    """The lines of one answer, in their order. One is flagged where Holm's p is below 0.05 and its interval excludes
    zero: the two look at different sides of the delays, and a find must stand before both."""
    corrected = iter(holm([line.p for line in lines if line.p is not None]))
    found = []
    for line in lines:
        p = None if line.p is None else next(corrected)
        flagged = p is not None and p < ALPHA and line.medians is not None and line.medians.difference.without_zero
        found.append(Judged(line, p, flagged))
    return found
