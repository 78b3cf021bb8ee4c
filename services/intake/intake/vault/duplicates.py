"""Which reports are probably about one incident: proposals with a score and reasons, for a person to decide. Pure.

Two neighbours and a helpline may tell of one evening within minutes. Each comparison says how many times likelier what
it found is when two reports are about one incident than when they are not; the score is the probability that follows
from all of them (Fellegi and Sunter, "A Theory for Record Linkage", 1969, with comparisons taken as independent). The
factors are estimates of this project, not fitted to data: there are none yet. Nothing is merged here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import log2
from types import MappingProxyType
from typing import Any

from intake.vault.blind import Indexes, Traces, contradict, same_pair
from intake.vault.records import Report, VaultRecord
from qorgau.instants import parse_instant

# A day later it is rather the next incident, which must not disappear in the first.
WINDOW = timedelta(hours=24)
# Shown to a person from here on; below it there would be more wrong proposals than right ones.
THRESHOLD = 0.5
# Of any two reports within the window so few are about one incident.
PRIOR_ODDS = 1 / 2_000

_STEP = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is compared of one report: when it happened (or was told), its codes, and its traces."""

    case: str
    report: str
    at: int
    codes: Mapping[str, Any]
    traces: Traces = field(default_factory=Traces, repr=False)

    @property
    def order(self) -> tuple[int, str, str]:
        return self.at, self.case, self.report


@dataclass(frozen=True, slots=True)
class Reason:
    """One comparison: its name, and how much it counts in bits; below 0 it speaks against."""

    name: str
    bits: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two reports that may be about one incident, the earlier first, how probable that is, and why, heaviest first."""

    first: Sketch
    second: Sketch
    score: float
    reasons: tuple[Reason, ...]


def sketches(record: VaultRecord) -> Iterator[Sketch]:
    """The sketches of a case's reports."""
    for report in record.reports:
        yield Sketch(record.case, report.id, _happened(report), report.codes, report.traces)


def proposal(one: Sketch, other: Sketch) -> Proposal | None:
    """How probably two reports are about one incident; None where they cannot be. The same whichever comes first."""
    first, second = sorted((one, other), key=lambda sketch: sketch.order)
    apart = (second.at - first.at) * _STEP
    if (one.case, one.report) == (other.case, other.report) or apart > WINDOW:
        return None
    # Two numbers are two people: what happened to one of them is not what happened to the other.
    if contradict(one.traces.survivor, other.traces.survivor):
        return None
    reasons = [Reason(name, round(log2(factor), 2)) for name, factor in _factors(first, second, apart)]
    odds = PRIOR_ODDS * 2.0 ** sum(reason.bits for reason in reasons)
    ordered = tuple(sorted(reasons, key=lambda reason: (-abs(reason.bits), reason.name)))
    return Proposal(first, second, round(odds / (1 + odds), 3), ordered)


def proposals(new: Sketch, others: Iterable[Sketch], threshold: float = THRESHOLD) -> tuple[Proposal, ...]:
    """What to show to a person about a report, the most probable first."""
    made = [found for other in others if (found := proposal(new, other)) is not None and found.score >= threshold]
    return tuple(sorted(made, key=_by_score))


def _by_score(found: Proposal) -> tuple[float, tuple[int, str, str], tuple[int, str, str]]:
    return -found.score, found.first.order, found.second.order


def _happened(report: Report) -> int:
    told = report.codes.get("occurred_at")
    return report.at if told is None else parse_instant(told)


def _factors(first: Sketch, second: Sketch, apart: timedelta) -> Iterator[tuple[str, float]]:
    yield "time", next(factor for limit, factor in _TIMES if apart <= limit)
    yield from _people(first.traces, second.traces)
    for name in ("phones", "places"):
        ours: Indexes = getattr(first.traces, name)
        if not ours.isdisjoint(getattr(second.traces, name)):
            yield name, _SHARED[name]
    for name, (same, different) in _CODES.items():
        if name in first.codes and name in second.codes:
            agree = first.codes[name] == second.codes[name]
            yield name, same if agree else different


def _people(first: Traces, second: Traces) -> Iterator[tuple[str, float]]:
    """The strongest that is known of the people counts alone: a pair that agrees includes its survivor."""
    if contradict(first.offender, second.offender):
        yield "offender", _OTHER_OFFENDER
    if same_pair(first, second):
        yield "pair", _SHARED["pair"]
    elif not first.survivor.isdisjoint(second.survivor):
        yield "survivor", _SHARED["survivor"]


# How far apart the incidents are dated. Neighbours call within minutes; the survivor herself may call in the morning.
_TIMES = (
    (timedelta(minutes=15), 30.0),
    (timedelta(hours=1), 8.0),
    (timedelta(hours=3), 2.0),
    (timedelta(hours=12), 0.5),
    (WINDOW, 0.05),
)
# What few others share. The same pair within a quarter of an hour is one incident; a day later, alone, it is not yet.
_SHARED: Mapping[str, float] = MappingProxyType({"pair": 5_000, "survivor": 2_000, "phones": 500, "places": 60})
_OTHER_OFFENDER = 0.1
# What many share: factor where it agrees, and where it differs. What one of them did not say counts nothing.
_CODES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "region": (3.0, 0.02),
        "area": (1.3, 0.2),
        "district": (5.0, 0.1),
        # One channel hears most incidents once; two channels hear the same one from different people.
        "channel": (0.8, 1.5),
        "injury": (1.3, 0.6),
        "sexual": (1.1, 0.5),
        "gbv_type": (1.5, 0.4),
        "relation": (1.5, 0.4),
        "age_band": (1.5, 0.4),
        "sex": (1.1, 0.1),
    }
)
