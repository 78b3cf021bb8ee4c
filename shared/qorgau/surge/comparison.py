"""A count against the usual one: never the excess in percent alone, always with the chance of it."""

import math
from dataclasses import dataclass

from scipy.special import bdtr, bdtrc, pdtr, pdtrc


@dataclass(frozen=True, slots=True)
class Comparison:
    """`percent` is the excess over `usual` (None where nothing is usual), `z` the excess in standard deviations.

    `p` is one-sided: the chance of a count at least as far from the usual one, to the same side, if nothing has
    changed. Counts are of reports in one period.
    """

    observed: int
    usual: float
    percent: float | None
    z: float | None
    p: float

    def __str__(self) -> str:
        """The sentence for people, the chance included: `+25.16 % (z 3.17, p 0.0012)`."""
        if self.percent is None or self.z is None:
            return f"{self.observed} where none is usual (p {self.p:.2g})"
        return f"{self.percent:+.2f} % (z {self.z:.2f}, p {self.p:.2g})"


def compare(observed: int, usual: float, periods: int | None = None) -> Comparison:
    """Compares a count of one period with the usual one, both as Poisson counts.

    Without `periods` the usual count is taken as known: z = (observed - usual) / sqrt(usual), p the exact Poisson
    tail. With `periods`, `usual` is the mean of that many periods and as uncertain as they make it: z = (observed -
    usual) / sqrt(usual (1 + 1/periods)), and p is exact given the sum of all reports, of which each falls into the
    observed period with probability 1 / (periods + 1): Przyborowski and Wilenski, Homogeneity of results in testing
    samples from Poisson series, Biometrika 31 (1940), 313-323. Raises ValueError for a negative count, or if
    `usual * periods` is no whole number.
    """
    if observed < 0 or usual < 0 or (periods is not None and periods < 1):
        raise ValueError("counts are not negative, and a mean needs a period")
    percent = 100 * (observed - usual) / usual if usual else None
    spread = math.sqrt(usual if periods is None else usual * (1 + 1 / periods))
    z = (observed - usual) / spread if usual else None
    p = _poisson(observed, usual) if periods is None else _binomial(observed, usual, periods)
    return Comparison(observed, usual, percent, z, p)


def _poisson(observed: int, usual: float) -> float:
    if observed < usual:
        return float(pdtr(observed, usual))
    return float(pdtrc(observed - 1, usual)) if observed else 1.0


def _binomial(observed: int, usual: float, periods: int) -> float:
    before = round(usual * periods)
    if not math.isclose(before, usual * periods, abs_tol=1e-6):
        raise ValueError("usual times periods is the sum of their counts, a whole number")
    share = 1 / (periods + 1)
    if observed < usual:
        return float(bdtr(observed, observed + before, share))
    return float(bdtrc(observed - 1, observed + before, share)) if observed else 1.0
