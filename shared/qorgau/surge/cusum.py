"""The Poisson CUSUM: small excesses that go on, summed until they cannot be chance.

Sources: Lucas, Counted data CUSUM's, Technometrics 27 (1985), 129-144 (reference value, head start); Lorden,
Procedures for reacting to a change in distribution, Ann Math Stat 42 (1971), 1897-1908 (the interval); Hoehle and
Paul, Count data regression charts for the monitoring of surveillance time series, Comput Stat Data Anal 52 (2008),
4357-4368 (a usual count that changes with time).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qorgau.surge.counts import Reading, baseline, judged

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Cusum:
    """How to compute it.

    `periods` and `lag`: the usual count is the mean of so many periods, that many before the one judged, so that the
    first weeks of a surge are not yet usual. `shift`: the excess to be found, in standard deviations of the count.
    `between_alarms`: as long as nothing changes, at least so many periods pass between two alarms, on average.
    `head_start`: where the sum starts after an alarm, as a share of the interval; a surge that goes on is soon told
    again. `min_count`: an alarm needs so many reports since the sum was last 0.
    """

    periods: int = 28
    lag: int = 7
    shift: float = 1.0
    between_alarms: float = 100.0
    head_start: float = 0.5
    min_count: int = 5


DEFAULT = Cusum()


@dataclass(frozen=True, slots=True)
class Design:
    """Sum the excess of counts over `reference` (k), an alarm at `interval` (h); both in counts.

    `theta`: P(sum >= s) <= exp(-theta s) as long as nothing changes.
    """

    reference: float
    interval: float
    theta: float


def design(mean: float, dispersion: float = 1.0, how: Cusum = DEFAULT) -> Design:
    """k and h for a usual count and its overdispersion (variance / mean).

    Lucas: k = (m1 - m0) / ln(m1 / m0), with m0 usual and m1 = m0 + shift sqrt(phi m0) to be found. The sum is then
    that of the log likelihood ratios, times 1 / theta with theta = ln(m1 / m0) / phi, and by Lorden an alarm at
    h = ln(between_alarms) / theta comes at most once in `between_alarms` periods.
    """
    sought = mean + how.shift * math.sqrt(dispersion * mean)
    ratio = math.log(sought / mean)
    theta = ratio / dispersion
    return Design((sought - mean) / ratio, math.log(how.between_alarms) / theta, theta)


def cusum(counts: Sequence[int | None], how: Cusum = DEFAULT, *, last: int | None = None) -> tuple[Reading | None, ...]:
    """S(t) = max(0, S(t-1) + y(t) - k(t)), an alarm at S >= h; `statistic` is S / h.

    k and h follow the usual count: mean m and phi = max(1, variance / m) of the baseline, which is why the sum is
    kept as a share of h. The first sum starts at 0. A gap leaves it as it is. p = exp(-theta S) of the sum without
    restarts, an upper limit (Kingman, Inequalities in the theory of queues, J R Stat Soc B 32 (1970), 102-110).
    `last` saves nothing here: the sum goes through all that came before.
    """
    state = _State(0.0, 0.0, 0)
    readings: list[Reading | None] = []
    for at, count in enumerate(counts):
        usual = baseline(counts, at - how.lag, how.periods)
        if count is None or usual is None:
            readings.append(None)
            continue
        reading, state = _step(state, count, usual, how)
        readings.append(reading)
    return tuple(readings[judged(counts, last).start :])


@dataclass(frozen=True, slots=True)
class _State:
    """The sum as a share of the interval, the same without restarts, and the reports since it was 0."""

    share: float
    unbroken: float
    reports: int


def _step(state: _State, count: int, usual: Sequence[int], how: Cusum) -> tuple[Reading, _State]:
    mean = sum(usual) / len(usual) or _HALF / len(usual)
    variance = sum((known - mean) ** 2 for known in usual) / (len(usual) - 1)
    plan = design(mean, max(1.0, variance / mean), how)
    more = (count - plan.reference) / plan.interval
    share, unbroken = max(0.0, state.share + more), max(0.0, state.unbroken + more)
    reports = state.reports + count if share > 0 else 0
    alarm = share >= 1 and reports >= how.min_count
    p = math.exp(-plan.theta * plan.interval * unbroken)
    bound = max(0.0, plan.reference + plan.interval * (1 - state.share))
    return Reading(mean, bound, share, p, alarm), _State(how.head_start if alarm else share, unbroken, reports)
