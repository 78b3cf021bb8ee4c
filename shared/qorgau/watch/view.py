"""What the view shows, computed from a few looks at the services. Pure: looks in, numbers and rows out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qorgau.instants import parse_duration, parse_instant
from qorgau.vocabulary import INTAKE
from qorgau.watch.readings import Lag, Readings, quantile, since, together

READY, NOT_READY, AWAY = "ready", "not ready", "away"
SEVERITIES = ("critical", "high", "medium")
# A case passes through them roughly in this order; several run side by side.
STAGES: Mapping[str, tuple[str, ...]] = {
    "report, hand-over": ("P01", "P02", "T01", "T02"),
    "police response": ("P03", "P04", "P05", "P06", "P07", "P08"),
    "protective order": ("P09", "P10", "P11", "P12", "P13", "F6"),
    "examination": ("P20", "P21", "P22", "P23", "F2"),
    "shelter, contact": ("P24", "P25", "P26"),
    "court": ("P14", "P15", "P16", "P17", "P18", "P19", "P27", "F1", "F3", "F4", "F9"),
    "the case itself": ("F5", "F7"),
}
# How an entry says that it is still up; the second one is that of a window that had passed before anybody knew.
_UP = frozenset({"open", "window_passed"})
_ONGOING = frozenset({"running", "tolled", "breached"})


@dataclass(frozen=True, slots=True)
class ServiceLook:
    """A service at one look: its state, what is wrong with it, and its readings (the last ones while it is away)."""

    state: str
    trouble: str = ""
    readings: Readings | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """Everything at one moment: `wall` in seconds of a steady clock, `now` on the logical clock, the newest flags."""

    wall: float
    now: int
    pace: float
    services: Mapping[str, ServiceLook]
    flags: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """Where cases are: deadlines under way (None: not told), nearly due, overdue, and flags of rules without a due."""

    name: str
    under_way: int | None
    soon: int
    late: int
    flags: int


@dataclass(frozen=True, slots=True)
class ShownFlag:
    """A flag as it is now. `span` in microseconds: how late it is or was, of a warning that is up how long is left,
    otherwise how long it has been up; None where it is down and nothing was late."""

    rule: str
    title: str
    level: str
    severity: str
    case: str
    region: str
    agency: str
    told: str
    raised_at: int
    outcome: str
    span: int | None

    @property
    def up(self) -> bool:
        return self.outcome in _UP


@dataclass(frozen=True, slots=True)
class View:
    """What is shown. Lags in seconds of the wall; rates a second of the wall."""

    now: int
    pace: float
    services: Mapping[str, ServiceLook]
    cases: Mapping[str, int] = field(default_factory=dict)
    stages: Sequence[Stage] = ()
    open_by_severity: Mapping[str, int] = field(default_factory=dict)
    warnings: int = 0
    newest: Sequence[ShownFlag] = ()
    facts: float = 0.0
    events: float = 0.0
    lag: tuple[Lag | None, Lag | None] = (None, None)


def view_of(looks: Sequence[Look], titles: Mapping[str, str]) -> View:
    """The view at the last of these looks; rates and lags are those since the first. `titles` by rule."""
    first, last = looks[0], looks[-1]
    readings = {name: look.readings for name, look in last.services.items() if look.readings is not None}
    flags: Counter[tuple[str, str, str]] = Counter()
    for reading in readings.values():
        flags.update(reading.open_flags)
    return View(
        now=last.now,
        pace=last.pace,
        services=last.services,
        cases=_cases(readings),
        stages=_stages(flags, readings.values()),
        open_by_severity={severity: _sum(flags, severity) for severity in SEVERITIES},
        warnings=sum(count for (_, level, _), count in flags.items() if level == "warn"),
        newest=sorted(
            (flag for row in last.flags if (flag := _shown_flag(row, last.now, titles)).up or flag.level != "warn"),
            key=_newest_first,
        ),
        facts=_rate(first, last, lambda reading: reading.facts),
        events=_rate(first, last, lambda reading: reading.events),
        lag=_lag(first, last),
    )


def _cases(readings: Mapping[str, Readings]) -> Mapping[str, int]:
    """Every case begins or is registered at intake; while it is away, the others know most of them."""
    known = [reading.cases for name, reading in sorted(readings.items(), key=lambda item: item[0] != INTAKE)]
    return next((cases for cases in known if cases), {})


def _sum(flags: Mapping[tuple[str, str, str], int], severity: str) -> int:
    """What is overdue or flagged; warnings are counted apart."""
    return sum(count for (_, level, of), count in flags.items() if of == severity and level != "warn")


def _stages(flags: Mapping[tuple[str, str, str], int], readings: Iterable[Readings]) -> list[Stage]:
    deadlines: Counter[tuple[str, str]] = Counter()
    for reading in readings:
        deadlines.update(reading.deadlines)
    stages = []
    for name, rules in STAGES.items():
        levels: Counter[str] = Counter()
        for (rule, level, _), count in flags.items():
            levels[level] += count if rule in rules else 0
        ongoing = sum(count for (rule, state), count in deadlines.items() if rule in rules and state in _ONGOING)
        under_way = ongoing if deadlines and any(rule.startswith("P") for rule in rules) else None
        stages.append(Stage(name, under_way, levels["warn"], levels["breach"], levels["flag"]))
    return stages


def _rate(first: Look, last: Look, of: Callable[[Readings], float]) -> float:
    """How much a second was counted between two looks; a counter that fell began anew with its process."""
    span = last.wall - first.wall
    if span <= 0:
        return 0.0
    added = 0.0
    for name, look in last.services.items():
        before = first.services[name].readings if name in first.services else None
        if look.readings is None or before is None:
            continue
        grown = of(look.readings) - of(before)
        added += grown if grown >= 0 else of(look.readings)
    return added / span


def _lag(first: Look, last: Look) -> tuple[Lag | None, Lag | None]:
    """The median and the 99th percentile of what was late since the first look, in seconds of the wall."""
    grown = []
    for name, look in last.services.items():
        before = first.services[name].readings if name in first.services else None
        if look.readings is not None:
            grown.append(since(before.lag, look.readings.lag) if before else look.readings.lag)
    buckets = together(grown)
    return quantile(buckets, 0.5), quantile(buckets, 0.99)


def _newest_first(flag: ShownFlag) -> tuple[bool, int]:
    """Warnings come last: there are many, and most of them go away again."""
    return flag.level == "warn", -flag.raised_at


def _shown_flag(row: Mapping[str, Any], now: int, titles: Mapping[str, str]) -> ShownFlag:
    rule, level = str(row.get("rule", "")), str(row.get("level", ""))
    steps = row.get("escalations") or {}
    return ShownFlag(
        rule=rule,
        title=titles.get(rule, rule),
        level=level,
        severity=str(row.get("severity", "")),
        case=str(row.get("case", "")),
        region=str(row.get("region") or ""),
        agency=str(row.get("agency") or ""),
        told=max(steps, default="") if isinstance(steps, Mapping) else "",
        raised_at=parse_instant(row["raised_at"]),
        outcome=str(row.get("outcome", "")),
        span=_span(row, level, now),
    )


def _span(row: Mapping[str, Any], level: str, now: int) -> int | None:
    if row.get("outcome") not in _UP:
        late_by = row.get("late_by")
        return None if late_by is None else parse_duration(late_by)
    due = row.get("due_at")
    instant = parse_instant(row["raised_at"] if due is None else due)
    return max(0, instant - now if level == "warn" else now - instant)
