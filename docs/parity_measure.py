"""Measures what docs/parity.md says of the method: `python -m docs.parity_measure`, a row of JSON a measurement.

Precincts are simulated, so the truth is known: whether the interval holds it, how often a planted bias is found, and
how often one is found where there is none.
"""

import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.stats import bootstrap, gamma, mannwhitneyu

from qorgau.parity.bootstrap import Floats, medians
from qorgau.parity.comparing import ALPHA
from qorgau.parity.holm import holm

SEED = 20200511
PRECINCTS, MANY = 2_000, 20_000
# Fewer of what takes milliseconds each.
BY_BCA = 500
SIZES = ((10, 10), (10, 30), (20, 20), (60, 60), (10, 200), (200, 200))
# The spread of the logarithm: 0.25 is a unit whose ways are alike, 0.8 one with a town and a steppe in it.
SPREADS = (0.25, 0.35, 0.5, 0.8)
ANSWERS, CELLS = 500, 24

Method = Callable[[Floats, Floats], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Precinct:
    """The delays of one cell in seconds, and the difference of the medians they were drawn with."""

    domestic: Floats
    regime: Floats
    truth: float


def delays(lots: Generator, n: int, median: float) -> Floats:
    """Delays with this median in one of three skewed shapes, of any spread that calls have."""
    match lots.integers(3):
        case 0:
            return median * lots.lognormal(0, lots.uniform(0.25, 1.0), n)
        case 1:
            shape = lots.uniform(0.8, 6)
            return median * lots.gamma(shape, 1, n) / float(gamma.median(shape))
        case _:
            shape = lots.uniform(0.8, 2.5)
            return median * lots.weibull(shape, n) / math.pow(math.log(2), 1 / shape)


def precinct(lots: Generator, first: int | None = None, second: int | None = None) -> Precinct:
    """One with so many calls of each category, or with 10 to 200: the medians 5 to 45 minutes and up to half apart."""
    n, m = (int(lots.integers(10, 201)) if size is None else size for size in (first, second))
    usual = lots.uniform(300, 2700)
    median = usual * lots.uniform(0.67, 1.5)
    return Precinct(delays(lots, n, median), delays(lots, m, usual), median - usual)


def alike(lots: Generator, n: int, bias: float, spread: float) -> tuple[Floats, Floats]:
    """Both categories of one cell, log-normal with one spread; domestic-violence calls take `bias` times as long."""
    return 900 * bias * lots.lognormal(0, spread, n), 900 * lots.lognormal(0, spread, n)


def percentile(first: Floats, second: Floats) -> tuple[float, float]:
    """The interval that is used."""
    found = medians(first, second).difference
    return found.lower, found.upper


def bca(first: Floats, second: Floats) -> tuple[float, float]:
    """Efron's accelerated interval, as scipy has it, to compare with."""
    found = bootstrap((first, second), _difference, n_resamples=2_000, rng=np.random.default_rng(SEED))
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def coverage(method: Method, precincts: int, first: int | None = None, second: int | None = None) -> float:
    """The share of intervals that hold the truth."""
    lots, held = np.random.default_rng(SEED), 0
    for _ in range(precincts):
        one = precinct(lots, first, second)
        lower, upper = method(one.domestic, one.regime)
        held += lower <= one.truth <= upper
    return held / precincts


def found(n: int, bias: float, spread: float, cells: int) -> tuple[float, float]:
    """How often a planted bias is found in a cell that is judged alone: by p, and by p and interval (flagged)."""
    lots, by_p, flagged = np.random.default_rng(SEED), 0, 0
    for _ in range(cells):
        first, second = alike(lots, n, bias, spread)
        if mannwhitneyu(first, second).pvalue < ALPHA:
            by_p += 1
            flagged += medians(first, second).difference.without_zero
    return by_p / cells, flagged / cells


def false_finds(answers: int, cells: int) -> float:
    """The share of answers in which Holm's p is below the level somewhere, where nothing differs anywhere."""
    lots, wrong = np.random.default_rng(SEED), 0
    for _ in range(answers):
        pairs = [alike(lots, int(lots.integers(10, 201)), 1, 0.6) for _ in range(cells)]
        wrong += min(holm([float(mannwhitneyu(*pair).pvalue) for pair in pairs])) < ALPHA
    return wrong / answers


def _difference(first: Floats, second: Floats, axis: int = -1) -> Any:
    return np.median(first, axis) - np.median(second, axis)


def _rows() -> Iterator[dict[str, object]]:
    for precincts in (PRECINCTS, MANY):
        yield {"coverage": "n from 10 to 200", "of": precincts, "percentile": coverage(percentile, precincts)}
    for first, second in SIZES:
        held = coverage(percentile, 2 * PRECINCTS, first, second)
        yield {"coverage": [first, second], "percentile": held, "bca": coverage(bca, BY_BCA, first, second)}
    for spread in SPREADS:
        for n in (60, 120, 240, 480):
            by_p, flagged = found(n, 1.2, spread, 1_000)
            yield {"bias": 1.2, "spread": spread, "n": n, "p": by_p, "flagged": flagged}
    yield {"answers with a false find": false_finds(ANSWERS, CELLS), "cells": CELLS}


def main() -> None:
    """Writes the rows."""
    for row in _rows():
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
