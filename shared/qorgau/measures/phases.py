"""What a case adds to the figures of each phase: a row for each deadline that has ended or is overdue. Pure.

The rows are made of deadlines, not of flags, because a deadline found late only after its end raised none
(deadlines.md 10.2). What they hold are codes, instants' months and lengths; no reference to a case or a person.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from qorgau.calendar import Calendar
from qorgau.facts import Fact
from qorgau.heart.known import KnownFacts
from qorgau.instants import to_datetime
from qorgau.record import CaseRecord
from qorgau.rows import Judged, State

Row = Mapping[str, Any]
# What a service writes down of a case whenever it is saved.
Measured = Callable[[CaseRecord, Sequence[Judged]], Iterable[Row]]
Outcome = Literal["in_time", "late", "open", "missed", "declined", "cancelled", "window_passed"]
# The grade a deadline goes by: that of now, or the one first given (only where grades change).
Against = Literal["current", "original"]
AGAINST: tuple[Against, ...] = get_args(Against)

KIND = "phase"
REPORT = "report.received"
# A stop by her own wish meets the deadline and says nothing of the agency (deadlines.md 10.8).
DECLINES = frozenset({"exam.declined", "shelter.survivor_withdrew"})
_OUTCOMES: Mapping[State, Outcome] = {
    "met": "in_time",
    "closed_late": "late",
    "breached": "open",
    "missed": "missed",
    "cancelled": "cancelled",
    "window_passed": "window_passed",
}


def phases(
    record: CaseRecord, deadlines: Iterable[Judged], calendar: Calendar, against: Against = "current"
) -> Iterator[Row]:
    """The rows of a case: rule, outcome, `span` from start to fulfilment in microseconds (None: not fulfilled), region
    of the governing fact, local month of the start, channel and area of the report, and the agency that stopped it or
    else whose duty it is. None for a value means that it is not known."""
    reports = Reports(record)
    for one in deadlines:
        outcome = outcome_of(one)
        if outcome is None:
            continue
        report, region = reports.of(one), _text(one.governing, "region")
        fulfilled = outcome in ("in_time", "late") and one.ended_at is not None
        yield {
            "kind": KIND,
            "rule": one.row.rule,
            "against": against,
            "outcome": outcome,
            "span": one.ended_at - one.row.start_at if fulfilled and one.ended_at is not None else None,
            "region": region,
            "month": month_of(one.row.start_at, region, calendar),
            "channel": _text(report, "channel"),
            "area": _text(report, "area") or _text(one.governing, "area"),
            "agency": one.stop.source if one.stop is not None and one.stop.source else one.duty,
        }


def outcome_of(one: Judged) -> Outcome | None:
    """How a deadline counts; None while it runs or its clock stands. Who was too late before she declined missed it."""
    outcome = _OUTCOMES.get(one.row.state)
    if one.stop is not None and one.stop.type in DECLINES:
        return {"in_time": "declined", "late": "missed"}.get(outcome or "", outcome)  # type: ignore[return-value]
    return outcome


def month_of(instant: int, region: object, calendar: Calendar) -> str:
    """The local month of an instant in a region, such as `2026-03`."""
    return f"{to_datetime(instant).astimezone(calendar.zone(region)):%Y-%m}"


class Reports:
    """The reports of a case that count, to find the one that a deadline is about."""

    def __init__(self, record: CaseRecord) -> None:
        known = KnownFacts(record.facts, record.as_of).of(REPORT)
        self._reports = sorted(known, key=lambda fact: fact.order)
        self._by_id = {fact.data["report_id"]: fact for fact in self._reports if _text(fact, "report_id")}

    def of(self, one: Judged) -> Fact | None:
        """The report that the governing fact names, else the last one by the start, else the first of the case."""
        named = self._by_id.get(_text(one.governing, "report_id"))
        if named is not None or not self._reports:
            return named
        before = [fact for fact in self._reports if fact.time <= one.row.start_at]
        return before[-1] if before else self._reports[0]


def _text(fact: Fact | None, name: str) -> str | None:
    value = fact.data.get(name) if fact is not None else None
    return value if isinstance(value, str) else None
