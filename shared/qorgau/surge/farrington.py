"""Farrington's bound of a week's count, from the same season of past years or, where there are fewer, the last weeks.

Source: Farrington, Andrews, Beale and Catchpole, A statistical algorithm for the early detection of outbreaks of
infectious disease, J R Stat Soc A 159 (1996), 547-563.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr

from qorgau.surge.counts import Reading, baseline, judged
from qorgau.surge.quasipoisson import Fit, Floats, fit, predict

# Weeks in 1, 2, ... 5 years, 365.25 / 7 of them in each.
_YEARS_BACK = (52, 104, 157, 209, 261)
_TREND_YEARS = 3
_TREND_LEVEL = 0.05
# Their rule: fewer than five reports in four weeks are no outbreak.
_FEWEST, _FEWEST_WEEKS = 5, 4
# A baseline without a report counts as half a report; otherwise the first report would be infinitely many.
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Farrington:
    """How to compute it; `weeks` and `z` are those of the policy's F8.

    `z`: the quantile of the bound. Theirs is 2.58; 1.96 is passed by one quiet week in 40. `weeks`: the baseline of
    the lite version. `half_window`: weeks on each side of the same week in past years.
    """

    weeks: int = 8
    z: float = 1.96
    half_window: int = 3


F8_WEEKLY = Farrington()


def farrington(
    counts: Sequence[int | None], how: Farrington = F8_WEEKLY, *, last: int | None = None
) -> tuple[Reading | None, ...]:
    """Each week, or of the last ones each, by the full method where the series goes three years back, otherwise by the
    lite one."""
    return tuple(
        full(counts, at, how) if at >= _YEARS_BACK[_TREND_YEARS - 1] else lite(counts, at, how)
        for at in judged(counts, last)
    )


def lite(counts: Sequence[int | None], at: int, how: Farrington = F8_WEEKLY) -> Reading | None:
    """The short form: expected is the mean m of the `weeks` weeks before, with neither trend nor weights.

    Overdispersion phi = max(1, s^2 / m) with the sample variance s^2 (n - 1), variance of the prediction
    phi m (1 + 1/n), and then `upper_bound` and `score` as in the full method. None where it was not counted.
    """
    known = baseline(counts, at, how.weeks)
    if known is None:
        return None
    usual = np.array(known, dtype=float)
    mean = float(usual.mean()) or _HALF / len(known)
    spread = max(1.0, float(usual.var(ddof=1)) / mean)
    return _reading(counts, at, mean, spread * mean * (1 + 1 / len(known)), how)


def full(counts: Sequence[int | None], at: int, how: Farrington = F8_WEEKLY) -> Reading | None:
    """The method of 1996: a quasi-Poisson regression on the weeks around the same week of up to five past years.

    log(mean) is a straight line in time; past outbreaks are weighted down (`quasipoisson`); the line is
    level unless its slope differs from 0 at 5 % and extrapolates to no more than was ever counted in the baseline.
    None where it was not counted.
    """
    places = _same_season(counts, at, how.half_window)
    if places is None:
        return None
    y = np.array([counts[place] for place in places], dtype=float)
    if not y.any():
        mean = _HALF / len(places)
        return _reading(counts, at, mean, mean * (1 + 1 / len(places)), how)
    time = np.array(places, dtype=float) - at
    mean, variance = _with_trend(y, time) or predict(_level(y), np.ones(1))
    return _reading(counts, at, mean, variance, how)


def upper_bound(mean: float, variance: float, z: float) -> float:
    """The bound: mean (1 + 2/3 z sd / mean)^(3/2), because counts to the power 2/3 are nearly symmetric.

    `variance` is that of a count about its prediction, sampling and estimation together: phi m + var(m).
    """
    return float(mean * (1 + 2 / 3 * z * math.sqrt(variance) / mean) ** 1.5)


def score(count: int, mean: float, variance: float) -> float:
    """How many standard deviations a count lies above its mean, after the power 2/3: the z whose bound it is."""
    above: float = (count / mean) ** (2 / 3) - 1
    return 1.5 * above * mean / math.sqrt(variance)


def _reading(counts: Sequence[int | None], at: int, mean: float, variance: float, how: Farrington) -> Reading | None:
    """`statistic` is their exceedance score, (y - expected) / (bound - expected); above 1 is an alarm."""
    count = counts[at]
    if count is None:
        return None
    bound = upper_bound(mean, variance, how.z)
    recent = sum(known for known in counts[max(0, at - _FEWEST_WEEKS + 1) : at + 1] if known is not None)
    statistic = (count - mean) / (bound - mean)
    p = float(ndtr(-score(count, mean, variance)))
    return Reading(mean, bound, statistic, p, statistic > 1 and recent >= _FEWEST)


def _same_season(counts: Sequence[int | None], at: int, half_window: int) -> list[int] | None:
    wanted = [at - back + off for back in _YEARS_BACK for off in range(-half_window, half_window + 1) if back <= at]
    places = [place for place in wanted if place >= 0 and counts[place] is not None]
    return places if len(places) >= 0.7 * _TREND_YEARS * (2 * half_window + 1) else None


def _level(y: Floats) -> Fit:
    found = fit(y, np.ones((len(y), 1)))
    assert found is not None  # the mean of counts that are not all zero
    return found


def _with_trend(y: Floats, time: Floats) -> tuple[float, float] | None:
    """The prediction by the line, or None if the line is not to be used."""
    years = time / 52
    line = fit(y, np.column_stack([np.ones(len(y)), years]))
    if line is None:
        return None
    slope = abs(line.beta[1]) / math.sqrt(line.covariance[1, 1])
    if 2 * stdtr(len(y) - 2, -slope) >= _TREND_LEVEL:
        return None
    mean, variance = predict(line, np.array([1.0, 0.0]))
    return (mean, variance) if mean <= y.max() else None
