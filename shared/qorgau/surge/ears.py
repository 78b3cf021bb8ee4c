"""EARS C1, C2 and C3: today against the mean and the standard deviation of seven days shortly before.

Sources: Hutwagner and others, The bioterrorism preparedness and response Early Aberration Reporting System (EARS),
J Urban Health 80 (2003), i89-i96; Hutwagner and others, Comparing aberration detection methods with simulated data,
Emerg Infect Dis 11 (2005), 314-316. The formulas are as in Fricker, Hegler and Dunfee, Comparing syndromic
surveillance detection methods: EARS' versus a CUSUM-based methodology, Stat Med 27 (2008), 3407-3429.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

from scipy.special import stdtr

from qorgau.surge.counts import Reading, baseline, judged

C1_THRESHOLD, C2_THRESHOLD, C3_THRESHOLD = 3.0, 3.0, 2.0
_C3_DAYS = 3
# P(C3 >= c) for independent normal counts, of which it depends on nothing else: 30 million draws, seed 20200320.
_C3_TAIL = (
    (0.0, 0.4481),
    (0.25, 0.3524),
    (0.5, 0.275),
    (1.0, 0.1663),
    (1.5, 0.1016),
    (2.0, 0.06336),
    (2.5, 0.04039),
    (3.0, 0.02636),
    (4.0, 0.0119),
    (5.0, 0.005744),
    (6.0, 0.002936),
    (8.0, 0.0008834),
    (10.0, 0.0003114),
    (14.0, 5.453e-05),
    (20.0, 7.067e-06),
)
# Far out C3 is one C2, whose tail falls with the sixth power as that of Student's t with six degrees of freedom.
_C3_POWER = 6


@dataclass(frozen=True, slots=True)
class Ears:
    """How to compute them; the values are those of the policy's F8.

    `sd_floor`, in counts: a smaller standard deviation of the baseline counts as this one. After seven equal days it
    is 0, and the statistic would be infinite for one report more than usual. `min_count`: fewer reports are no alarm.
    """

    days: int = 7
    sd_floor: float = 0.5
    min_count: int = 5


F8_DAILY = Ears()


def c1(counts: Sequence[int | None], ears: Ears = F8_DAILY, *, last: int | None = None) -> tuple[Reading | None, ...]:
    """C1 = (y - mean) / sd of the seven days just before (lag 0); an alarm above 3.

    None where a period or its baseline was not counted. With `last` only so many periods are judged, the newest.
    """
    return tuple(_reading(counts, at, 0, C1_THRESHOLD, ears) for at in judged(counts, last))


def c2(counts: Sequence[int | None], ears: Ears = F8_DAILY, *, last: int | None = None) -> tuple[Reading | None, ...]:
    """C2 = (y - mean) / sd of the seven days that end three days before (lag 2); an alarm above 3.

    The lag keeps the first days of a slow surge out of what is called usual.
    """
    return tuple(_reading(counts, at, 2, C2_THRESHOLD, ears) for at in judged(counts, last))


def c3(counts: Sequence[int | None], ears: Ears = F8_DAILY, *, last: int | None = None) -> tuple[Reading | None, ...]:
    """C3(t) = sum of max(0, C2 - 1) over today and the two days before; an alarm above 2.

    Days that were alarms themselves are summed as well (Fricker's form). All three C2 are needed.
    """
    wanted = judged(counts, last)
    needed = judged(counts, len(wanted) + _C3_DAYS - 1)
    daily = dict(zip(needed, c2(counts, ears, last=len(needed)), strict=True))
    return tuple(
        _summed([daily.get(at - back) for back in reversed(range(_C3_DAYS))], counts[at], ears) for at in wanted
    )


def _reading(counts: Sequence[int | None], at: int, lag: int, threshold: float, ears: Ears) -> Reading | None:
    """C1 or C2. p: the t distribution of a further count of normal ones, t = C / sqrt(1 + 1/n), n - 1 degrees."""
    count, usual = counts[at], baseline(counts, at - lag, ears.days)
    if count is None or usual is None:
        return None
    mean, sd = fmean(usual), max(stdev(usual), ears.sd_floor)
    statistic = (count - mean) / sd
    p = float(stdtr(len(usual) - 1, -statistic / math.sqrt(1 + 1 / len(usual))))
    alarm = statistic > threshold and count >= ears.min_count
    return Reading(mean, mean + threshold * sd, statistic, p, alarm)


def _summed(three: Sequence[Reading | None], count: int | None, ears: Ears) -> Reading | None:
    known = [reading for reading in three if reading is not None]
    if len(known) < _C3_DAYS or count is None:
        return None
    today = known[-1]
    parts = [max(0.0, reading.statistic - 1) for reading in known]
    statistic, room = sum(parts), C3_THRESHOLD - sum(parts[:-1])
    sd = (today.bound - today.expected) / C2_THRESHOLD
    # After two high days there is an alarm whatever today's count.
    bound = today.expected + sd * (1 + room) if room >= 0 else 0.0
    alarm = statistic > C3_THRESHOLD and count >= ears.min_count
    return Reading(today.expected, bound, statistic, _c3_tail(statistic), alarm)


def _c3_tail(statistic: float) -> float:
    """P(C3 >= statistic): straight lines between the logarithms of the table."""
    if statistic <= 0:
        return 1.0
    for (low, above), (high, beyond) in pairwise(_C3_TAIL):
        if statistic <= high:
            share = (statistic - low) / (high - low)
            return math.exp((1 - share) * math.log(above) + share * math.log(beyond))
    last, p = _C3_TAIL[-1]
    return p * float(last / statistic) ** _C3_POWER
