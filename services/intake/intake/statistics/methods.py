"""The policy's F8 as something to compute with: which method reads a period, how far back, and what it says. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from intake.statistics.periods import Period
from qorgau import rules
from qorgau.surge.comparison import Comparison, compare
from qorgau.surge.counts import Reading
from qorgau.surge.cusum import Cusum, cusum
from qorgau.surge.ears import C1_THRESHOLD, C2_THRESHOLD, C3_THRESHOLD, Ears, c1, c2, c3
from qorgau.surge.farrington import Farrington, farrington, lite
from qorgau.surge.methods import Judging
from qorgau.vocabulary import INTAKE

Counts = Sequence[int | None]
# What is said of the last of these periods, None where it or its baseline was not counted.
Read = Callable[[Counts], Reading | None]
# The season of five past years, three weeks on each side of it.
_FULL_WEEKS = 264
# A sum that began earlier has long been 0 again.
_CUSUM_BACK = 140


class BadRule(ValueError):
    """F8 asks for something that no method does; the message says what."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way to judge a period. `back`: how many periods before it are read. `lag`, `baseline`: what is usual is told
    by so many periods, the last of them so many before it; no `baseline` where it is not a mean of such."""

    name: str
    period: Period
    read: Read
    back: int
    lag: int
    baseline: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a method says of a period of one channel, and the counts that are usual; `usual` begins with the oldest."""

    channel: str
    first: date
    count: int
    method: Method
    reading: Reading
    usual: tuple[tuple[date, int], ...]

    @property
    def comparison(self) -> Comparison:
        """The excess in percent and its own chance: exact where the usual count is the mean of known ones."""
        if not self.usual:
            return compare(self.count, self.reading.expected)
        counts = [count for _, count in self.usual]
        return compare(self.count, sum(counts) / len(counts), len(counts))


@dataclass(frozen=True, slots=True)
class SurgeRule:
    """F8, ready to be applied."""

    row: rules.Surge
    methods: Mapping[Period, Method]


def surge_rule(policy: rules.Policy) -> SurgeRule | None:
    """The surge flag of intake, None where the policy has none. Raises BadRule."""
    found = [flag for flag in policy.flags if isinstance(flag, rules.Surge) and flag.service == INTAKE]
    if not found:
        return None
    if len(found) > 1 or found[0].group_by != ["region", "channel"]:
        raise BadRule("a policy has one surge flag, grouped by region and channel")
    methods: dict[Period, Method] = {}
    if found[0].daily:
        methods["day"] = _method("day", found[0].daily)
    if found[0].weekly:
        methods["week"] = _method("week", found[0].weekly)
    return SurgeRule(found[0], methods)


def _method(period: Period, row: Mapping[str, Any]) -> Method:
    name = row.get("method")
    if period == "day" and name in _EARS:
        return _ears(str(name), row)
    if period == "week" and name in ("farrington", "farrington_lite"):
        return _farrington(str(name), row)
    if name == "cusum":
        return _cusum(period, row)
    raise BadRule(f"{period}: the method is none of those in docs/statistics.md")


class _Ears(Protocol):
    def __call__(self, counts: Counts, ears: Ears, *, last: int) -> tuple[Reading | None, ...]: ...


_EARS: Mapping[str, tuple[_Ears, int, int, float]] = {
    "ears_c1": (c1, 0, 0, C1_THRESHOLD),
    "ears_c2": (c2, 2, 0, C2_THRESHOLD),
    "ears_c3": (c3, 2, 2, C3_THRESHOLD),
}


def _ears(name: str, row: Mapping[str, Any]) -> Method:
    function, lag, more, threshold = _EARS[name]
    _only(row, "baseline_days", "lag_days", "threshold", "sd_floor", "min_count")
    _fixed(row, lag_days=lag, threshold=threshold)
    how = Ears(_whole(row, "baseline_days", 7, 2), _number(row, "sd_floor", 0.5), _whole(row, "min_count", 5))
    return Method(name, "day", lambda counts: function(counts, how, last=1)[-1], how.days + lag + more, lag, how.days)


def _farrington(name: str, row: Mapping[str, Any]) -> Method:
    _only(row, "baseline_weeks", "z", "power")
    _fixed(row, power=1.5)
    how = Farrington(_whole(row, "baseline_weeks", 8, 2), _number(row, "z", 1.96))
    if name == "farrington":
        return Method(name, "week", lambda counts: farrington(counts, how, last=1)[-1], _FULL_WEEKS, 0, 0)
    return Method(name, "week", lambda counts: lite(counts, len(counts) - 1, how), max(how.weeks, 3), 0, how.weeks)


def _cusum(period: Period, row: Mapping[str, Any]) -> Method:
    _only(row, "baseline", "lag", "shift", "between_alarms", "min_count")
    how = Cusum(
        periods=_whole(row, "baseline", 28, 2),
        lag=_whole(row, "lag", 7),
        shift=_number(row, "shift", 1.0),
        between_alarms=_number(row, "between_alarms", 100.0, 1),
        min_count=_whole(row, "min_count", 5),
    )
    back = how.periods + how.lag + _CUSUM_BACK
    return Method("cusum", period, lambda counts: cusum(counts, how, last=1)[-1], back, how.lag, how.periods)


def _only(row: Mapping[str, Any], *names: str) -> None:
    if not row.keys() <= {"method", *names}:
        raise BadRule(f"{row['method']} knows {', '.join(names)} and nothing else")


def _fixed(row: Mapping[str, Any], **values: float) -> None:
    for name, value in values.items():
        if row.get(name, value) != value:
            raise BadRule(f"{name} of {row['method']} is {value:g}")


def _whole(row: Mapping[str, Any], name: str, default: int, least: int = 1) -> int:
    value = row.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= 366:
        raise BadRule(f"{name} is a whole number from {least} to 366")
    return value


def _number(row: Mapping[str, Any], name: str, default: float, above: float = 0) -> float:
    value = row.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > above:
        raise BadRule(f"{name} is a number above {above:g}")
    return float(value)


def others(counts: Sequence[tuple[date, int]], method: Method) -> Iterable[tuple[str, Reading]]:
    """What the other methods say of the last of these periods, as far as the counts reach back."""
    numbers = [count for _, count in counts]
    for name, read in _ALL[method.period].items():
        reading = read(numbers, last=1)[-1] if name != method.name else None
        if reading is not None:
            yield name, reading


_ALL: Mapping[Period, Mapping[str, Judging]] = {
    "day": {"ears_c1": c1, "ears_c2": c2, "ears_c3": c3, "cusum": cusum},
    "week": {"farrington": farrington, "cusum": cusum},
}
