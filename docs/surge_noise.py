"""Measures the false alarms of docs/statistics.md: `python -m docs.surge_noise`, a row of JSON a method and noise.

The noise is that of counts in which nothing ever changes, so every alarm is false.
"""

import json
import sys
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from qorgau.surge.counts import Reading
from qorgau.surge.farrington import full, lite
from qorgau.surge.methods import METHODS

SEED = 20200320
# The mean of a period, and the variance in units of it: 1 is Poisson, above it negative binomial.
NOISES = ((1, 1.0), (5, 1.0), (20, 1.0), (80, 1.0), (20, 2.0), (80, 2.0))
PERIODS = 40_000
# Five years of past and a week to judge.
PAST = 265
JUDGED = 4_000


def draw(lots: Generator, mean: float, dispersion: float, size: int) -> list[int]:
    """Independent counts with this mean and this variance / mean."""
    if dispersion > 1:
        successes = mean / (dispersion - 1)
        return [int(count) for count in lots.negative_binomial(successes, 1 / dispersion, size)]
    return [int(count) for count in lots.poisson(mean, size)]


def readings(method: str, lots: Generator, mean: float, dispersion: float) -> Sequence[Reading | None]:
    """What a method says of the noise."""
    if method == "farrington, full":
        return [full(draw(lots, mean, dispersion, PAST), PAST - 1) for _ in range(JUDGED)]
    counts = draw(lots, mean, dispersion, PERIODS)
    if method == "farrington, lite":
        return [lite(counts, at) for at in range(len(counts))]
    return METHODS[method](counts)


def main() -> None:
    """Writes a row for each method and noise: alarms in 1,000 periods, and how often p was at most 0.01."""
    for method in ("c1", "c2", "c3", "farrington, lite", "farrington, full", "cusum"):
        for mean, dispersion in NOISES:
            lots = np.random.default_rng(SEED)
            found = [reading for reading in readings(method, lots, mean, dispersion) if reading is not None]
            row = {
                "method": method,
                "mean": mean,
                "dispersion": dispersion,
                "judged": len(found),
                "alarms_in_1000": round(1000 * sum(reading.alarm for reading in found) / len(found), 1),
                "p_at_most_0.01_in_1000": round(1000 * sum(reading.p <= 0.01 for reading in found) / len(found), 1),
            }
            sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
