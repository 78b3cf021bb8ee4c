"""What one look at a service's `/metrics` says, as numbers the view needs. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

Buckets = Mapping[float, float]
"""Of a histogram: how many were at most so many seconds; infinity holds all."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Counters since the process began, and the state it recomputes from its database.

    `open_flags` by (rule, level, severity), `deadlines` by (rule, state), `cases` by state.
    """

    facts: float = 0.0
    events: float = 0.0
    lag: Buckets = field(default_factory=dict)
    cases: Mapping[str, int] = field(default_factory=dict)
    deadlines: Mapping[tuple[str, str], int] = field(default_factory=dict)
    open_flags: Mapping[tuple[str, str, str], int] = field(default_factory=dict)


def read_metrics(text: str) -> Readings:
    """The readings in a text of metrics; what is not there is none. Raises ValueError where it is no such text."""
    facts = events = 0.0
    lag: dict[float, float] = {}
    cases: Counter[str] = Counter()
    deadlines: Counter[tuple[str, str]] = Counter()
    flags: Counter[tuple[str, str, str]] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels, value = sample.labels, sample.value
            match sample.name:
                case "qorgau_facts_total":
                    facts += value if labels.get("outcome") != "rejected" else 0
                case "qorgau_flag_events_total":
                    events += value
                case "qorgau_timer_lag_seconds_bucket":
                    bound = float(labels["le"])
                    lag[bound] = lag.get(bound, 0.0) + value
                case "qorgau_cases":
                    cases[labels.get("state", "")] += int(value)
                case "qorgau_deadlines":
                    deadlines[labels.get("rule", ""), labels.get("state", "")] += int(value)
                case "qorgau_flags_open":
                    key = (labels.get("rule", ""), labels.get("level", ""), labels.get("severity", ""))
                    flags[key] += int(value)
    return Readings(facts, events, lag, dict(cases), dict(deadlines), dict(flags))


def since(earlier: Buckets, later: Buckets) -> Buckets:
    """What was added between two looks; the later one itself where the process began anew in between."""
    if any(later.get(bound, 0) < count for bound, count in earlier.items()):
        return later
    return {bound: count - earlier.get(bound, 0) for bound, count in later.items()}


def together(many: Iterable[Buckets]) -> Buckets:
    """Histograms of several services as one."""
    total: dict[float, float] = {}
    for buckets in many:
        for bound, count in buckets.items():
            total[bound] = total.get(bound, 0.0) + count
    return total


@dataclass(frozen=True, slots=True)
class Lag:
    """So many seconds, or more than that where it lies `beyond` the last bucket."""

    seconds: float
    beyond: bool = False


def quantile(buckets: Buckets, share: float) -> Lag | None:
    """What this share stayed below, taking each bucket as evenly filled; None where nothing was measured."""
    bounds = sorted(buckets)
    wanted = share * buckets[bounds[-1]] if bounds else 0
    if wanted <= 0:
        return None
    low = below = 0.0
    for bound in bounds[:-1]:
        if buckets[bound] >= wanted:
            return Lag(low + (bound - low) * (wanted - below) / (buckets[bound] - below))
        low, below = bound, buckets[bound]
    return Lag(low, beyond=True)
