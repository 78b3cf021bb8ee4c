"""One deadline: how long it has, when it warns, breaches and climbs, and its state (deadlines.md, sections 4 to 7)."""

from bisect import bisect_left
from datetime import date

from qorgau.facts import Fact
from qorgau.heart.circumstances import Risk
from qorgau.heart.reactions import Term, Version
from qorgau.heart.tolls import Clock, Standstill
from qorgau.plan import Plan
from qorgau.rows import DeadlineRow, Level, State

Extension = tuple[tuple[int, int, str, str], int]
"""What a fact grants: its place in fact order and the length."""


def _dated(extension: Extension) -> int:
    return extension[0][0]


class Deadline:
    """A deadline of one rule, key and start as the facts known now make it; judged anew when one of them changes.

    `opens` is the start of the deadline that the stop of a recurring rule opened; `fixed` the state if time alone can
    no longer change it, otherwise it is running before `ripe` and breached from then on.
    """

    __slots__ = (
        "_base",
        "clock",
        "due",
        "end",
        "fixed",
        "governing",
        "hold",
        "judged",
        "key",
        "need",
        "opens",
        "ripe",
        "severity",
        "start",
        "stop",
        "version",
        "warn_at",
        "warning",
    )

    def __init__(self, version: Version, key: str, start: int, governing: Fact, hold: int) -> None:
        self.version, self.key, self.start = version, key, start
        self.governing, self.hold = governing, hold
        self.end: int | None = None
        self.stop: Fact | None = None
        self.opens: int | None = None
        self.judged = False
        self.severity = version.term.severity
        self.clock: Clock | None = None
        self.need = 0
        self.due: int | None = None
        self.warning: int | None = None
        self.warn_at: int | None = None
        self.ripe = 0
        self.fixed: State | None = None
        self._base: tuple[Term, Fact, int, int | None] | None = None

    def judge(self, plan: Plan, risk: Risk, standstill: Standstill | None, extensions: list[Extension]) -> None:
        """Work out term, due, warning and state from the facts known now; `end` and `stop` are known already."""
        version = self.version
        term = self._term(risk) if version.cases else version.term
        span, last_day_at = (term.within, None) if version.clock == "elapsed" else self._calendar_span(term, plan)
        clock = Clock(self.start, self.end, standstill)
        need = span + self._granted(span, clock, extensions) if extensions else span
        self.severity, self.clock, self.need, self.judged = term.severity, clock, need, True
        self.due = due = clock.reached(need)
        self.warning = self._warning(last_day_at)
        self.warn_at = None
        if due is not None:
            self.ripe = max(due, self.hold)
            if self.warning is not None and self.hold < due:
                self.warn_at = max(self.warning, self.hold)
        self.fixed = self._fixed(due)

    def _term(self, risk: Risk) -> Term:
        """4.2: the first line of `cases` that fits; the risk is the last one dated before the end."""
        version = self.version
        assessed = risk.last(self.end) if version.by_risk else {}
        for line in version.cases:
            if line.risk(assessed) and line.start(self.governing.data):
                return line.term
        return version.term

    def _calendar_span(self, term: Term, plan: Plan) -> tuple[int, int | None]:
        """4.3 for clocks that look at a calendar: the span, and when to warn on the last working day."""
        base = self._base
        if base is None or base[0] is not term or base[1] is not self.governing:
            due, last_day_at = self._calendar_due(term, plan)
            self._base = base = term, self.governing, due - self.start, last_day_at
        return base[2], base[3]

    def _calendar_due(self, term: Term, plan: Plan) -> tuple[int, int | None]:
        calendar, clock, warning = plan.calendar, self.version.clock, self.version.warning
        zone = calendar.zone(self.governing.data.get("region"))
        if clock == "months":
            return calendar.months_later(self.start, term.count, zone), None
        day: date = calendar.local_date(self.start, zone)
        if clock == "day_end":
            return calendar.day_end(day, zone), None
        last = calendar.nth_working_day(day, term.count)
        at = warning.last_day_at if warning else None
        return calendar.day_end(last, zone), calendar.local_instant(last, at, zone) if at is not None else None

    def _granted(self, span: int, clock: Clock, extensions: list[Extension]) -> int:
        """4.7: what extensions add; active time and need only grow, so the first that comes too late is the last."""
        granted, most = 0, self.version.most_granted
        for place in range(bisect_left(extensions, self.start, key=_dated), len(extensions)):
            at, length = _dated(extensions[place]), extensions[place][1]
            too_late = (self.end is not None and at > self.end) or clock.active(at) > span + granted
            if too_late or granted == most:
                break
            granted = min(granted + length, most)
        return granted

    def _warning(self, last_day_at: int | None) -> int | None:
        """4.9: the warning instant, None if it would not be before the due."""
        warning, due, clock = self.version.warning, self.due, self.clock
        if warning is None or due is None or clock is None:
            return None
        if warning.percent is not None:
            at = clock.reached(self.need * warning.percent // 100)
        elif warning.after is not None:
            at = clock.reached(warning.after)
        else:
            at = last_day_at
        return at if at is not None and at < due else None

    def _fixed(self, due: int | None) -> State | None:
        """Section 5, all states but running and breached."""
        end = self.end
        in_time = due is not None and end is not None and end <= due
        if self.version.window_passed_at_report and not in_time and due is not None and due <= self.governing.known_at:
            return "window_passed"
        if end is not None:
            if self.stop is not None:
                return "met" if in_time else "closed_late"
            return "cancelled" if in_time else "missed"
        return "tolled" if due is None else None

    def state(self, at: int) -> State:
        """Section 5 at an instant not before the last fact known."""
        return self.fixed or ("running" if at < self.ripe else "breached")

    def level(self, at: int) -> Level | None:
        """Section 6: which flag is up."""
        if self.fixed is not None:
            return "info" if self.fixed == "window_passed" and at >= self.hold else None
        if at >= self.ripe:
            return "breach"
        return "warn" if self.warn_at is not None and at >= self.warn_at else None

    def wake(self, at: int, ladder: tuple[tuple[str, int], ...]) -> int | None:
        """The next instant at which the level changes by itself or a step of the ladder is reached."""
        if self.fixed is not None:
            return self.hold if self.fixed == "window_passed" and at < self.hold else None
        if at < self.ripe:
            return self.warn_at if self.warn_at is not None and at < self.warn_at else self.ripe
        return min([self.ripe + after for _, after in ladder if self.ripe + after > at], default=None)

    @property
    def late_by(self) -> int | None:
        """How late the stop came, if it came late."""
        if self.fixed != "closed_late" or self.end is None or self.due is None:
            return None
        return self.end - self.due

    def row(self, case: str, at: int) -> DeadlineRow:
        """The output row of 9.4."""
        tolled = self.fixed == "tolled" and self.clock is not None
        return DeadlineRow(
            case=case,
            rule=self.version.rule,
            key=self.key,
            severity=self.severity,
            start_at=self.start,
            due_at=self.due,
            state=self.state(at),
            late_by=self.late_by,
            remaining=self.need - self.clock.active(at) if tolled and self.clock is not None else None,
        )
