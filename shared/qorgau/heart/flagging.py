"""The open flags of a case, and what an assessment changes in them: rows and events (deadlines.md 6, 7, 9)."""

from collections.abc import Callable, Iterable

from qorgau.facts import Fact, region_of
from qorgau.heart.deadlines import Deadline
from qorgau.heart.reactions import FlagPlan
from qorgau.heart.ruleflags import Answer
from qorgau.instants import format_instant
from qorgau.plan import Plan
from qorgau.rows import Change, FlagEvent, FlagRow, Level

# The duty of an agency that the start fact names in a field (policy.yaml, `duty_kinds`).
_NAMED = "start."
Name = tuple[str, str, int | None]
"""Rule, key and start of a deadline, or id, key and None of a rule flag: what can have one flag up at a time."""


class OpenFlag:
    """A flag that is up; becomes a row when somebody asks or when it is cleared."""

    __slots__ = ("agency", "due", "level", "name", "outcome", "raised_at", "region", "severity", "steps")

    def __init__(self, name: Name, level: Level, raised_at: int) -> None:
        self.name, self.level, self.raised_at = name, level, raised_at
        self.outcome = "window_passed" if level == "info" else "open"
        self.severity = ""
        self.due: int | None = None
        self.steps: tuple[tuple[str, int], ...] = ()
        self.region: str | None = None
        self.agency: str | None = None

    @classmethod
    def of_row(cls, row: FlagRow) -> "OpenFlag":
        """The open flag that a stored row describes."""
        flag = cls((row.rule, row.key, row.start_at), row.level, row.raised_at)
        flag.severity, flag.due, flag.steps = row.severity, row.due_at, row.escalations
        flag.region, flag.agency = row.region, row.agency
        return flag

    def row(self, case: str, cleared_at: int | None = None, late_by: int | None = None) -> FlagRow:
        """The row of now."""
        rule, key, start = self.name
        return FlagRow(
            case,
            rule,
            key,
            self.level,
            self.severity,
            start,
            self.due,
            self.raised_at,
            cleared_at,
            late_by,
            self.outcome,
            self.steps,
            self.region,
            self.agency,
        )


class Duty:
    """Whose lateness it is (policy.yaml, `duty_kinds`): the last known fact of each kind of agency that has duties."""

    def __init__(self, plan: Plan, known: Callable[[], Iterable[Fact]]) -> None:
        self._plan, self._known = plan, known
        self._last: dict[str, Fact] | None = None
        self._sources: dict[tuple[str, ...], str | None] = {}

    def note(self, fact: Fact, adding: bool) -> None:
        """A fact became known or no longer counts."""
        if self._last is None:
            return
        kind = fact.source.partition("/")[0]
        if kind not in self._plan.kinds:
            return
        self._sources.clear()
        last = self._last.get(kind)
        if not adding and last is fact:
            self._last = None  # found again among the known facts when somebody asks
        elif adding and (last is None or last.order < fact.order):
            self._last[kind] = fact

    def agency(
        self, kinds: tuple[str, ...], by: Fact | None, region: str | None, before: str | None = None
    ) -> str | None:
        """The agency whose duty it is in a region; where the fact that began it is gone, the one `before` if it goes by
        that."""
        if "start" in kinds:
            return (by.source or None) if by else before
        if kinds[0].startswith(_NAMED):
            named = by.data.get(kinds[0].removeprefix(_NAMED)) if by else before
            return named if isinstance(named, str) else None
        return self.of_kinds(kinds, region)

    def of_kinds(self, kinds: tuple[str, ...], region: str | None) -> str:
        """The agency of one of these kinds that posted the last known fact, else the first kind in the region."""
        if self._last is None:
            self._last = {}
            for fact in self._known():
                self.note(fact, True)
        if kinds not in self._sources:
            known = [self._last[kind] for kind in kinds if kind in self._last]
            self._sources[kinds] = max(known, key=lambda fact: fact.order).source if known else None
        return self._sources[kinds] or (f"{kinds[0]}/{region}" if region else kinds[0])


class Flagging:
    """The flags of a case: `look_at` compares one deadline or rule flag with what is up and notes the difference."""

    def __init__(self, case: str, plan: Plan, duty: Duty, rows: tuple[FlagRow, ...], seq: int) -> None:
        self._case, self._plan, self._duty = case, plan, duty
        self._rows: list[FlagRow | OpenFlag] = list(rows)
        self.open: dict[Name, OpenFlag] = {}
        self.up: dict[str, set[str]] = {}
        """The keys with which each rule flag is up."""
        self.seq = seq
        self.events: list[FlagEvent] | None = None
        """Left out where nobody listens."""
        for place, row in enumerate(rows):
            if row.cleared_at is None:
                flag = self._rows[place] = OpenFlag.of_row(row)
                self.open[flag.name] = flag
                if row.start_at is None:
                    self.up.setdefault(row.rule, set()).add(row.key)
        self._places = {flag.name: place for place, flag in enumerate(self._rows) if isinstance(flag, OpenFlag)}

    def rows(self) -> tuple[FlagRow, ...]:
        """Every entry ever raised, in the order of raising."""
        return tuple(row if isinstance(row, FlagRow) else row.row(self._case) for row in self._rows)

    def look_at(self, name: Name, deadline: Deadline | None, at: int) -> None:
        """Compare a deadline (None: it no longer exists) with the flag it has up."""
        flag = self.open.get(name)
        level = deadline.level(at) if deadline is not None else None
        if flag is not None and flag.level != level:
            self._clear_deadline(flag, deadline, at)
            flag = None
        if level is None or deadline is None:
            return
        severity, due, kinds = deadline.severity, deadline.due, deadline.version.duty_kinds
        if flag is None:
            flag = self._raise(name, level, severity, due, kinds, deadline.governing, at)
        elif flag.due != due or flag.severity != severity:
            flag.severity, flag.due = severity, due
            self._changed(flag, kinds, deadline.governing)
            self._tell("updated", flag, at, "" if due is None else format_instant(due))
        if level == "breach":
            self._climb(flag, deadline, at)

    def look_at_rule_flag(self, plan: FlagPlan, key: str, answer: Answer, at: int) -> None:
        """Compare a rule flag with whether it is up."""
        name = (plan.id, key, None)
        flag = self.open.get(name)
        if answer.up and flag is None:
            self.up.setdefault(plan.id, set()).add(key)
            self._raise(name, "flag", plan.severity, None, plan.duty_kinds, answer.by, at)
        elif flag is not None and answer.up and flag.severity != plan.severity:
            flag.severity = plan.severity
            self._changed(flag, plan.duty_kinds, answer.by)
            self._tell("updated", flag, at)
        elif flag is not None and not answer.up:
            self._clear(flag, "cleared", plan.duty_kinds, answer.by, at)

    def clear_unknown(self, name: Name, at: int) -> None:
        """Clear a flag of a rule that the policy no longer has."""
        flag = self.open[name]
        self._clear(flag, "cleared" if flag.level == "flag" else "void", None, None, at)

    def _raise(
        self, name: Name, level: Level, severity: str, due: int | None, kinds: tuple[str, ...], by: Fact | None, at: int
    ) -> OpenFlag:
        flag = self.open[name] = OpenFlag(name, level, at)
        self._places[name] = len(self._rows)
        self._rows.append(flag)
        flag.severity, flag.due = severity, due
        self._changed(flag, kinds, by)
        self._tell("raised", flag, at)
        return flag

    def _climb(self, flag: OpenFlag, deadline: Deadline, at: int) -> None:
        """Section 7: a step is written down when it is first reached."""
        for step, after in self._plan.ladders.get(deadline.severity, ()):
            if deadline.ripe + after <= at and all(reached != step for reached, _ in flag.steps):
                flag.steps += ((step, at),)
                self._changed(flag, deadline.version.duty_kinds, deadline.governing)
                self._tell("escalated", flag, at, step)

    def _clear_deadline(self, flag: OpenFlag, deadline: Deadline | None, at: int) -> None:
        """9.2, 9.3."""
        outcome = _outcome(flag.level, deadline, at) if deadline is not None else "void"
        if deadline is not None and outcome not in ("due_moved", "tolled"):
            flag.due = deadline.due
        late_by = deadline.late_by if deadline is not None and outcome == "closed_late" else None
        rule = self._plan.families.get(flag.name[0])
        version = deadline.version if deadline is not None else rule.versions[0] if rule else None
        governing = deadline.governing if deadline is not None else None
        self._clear(flag, outcome, version.duty_kinds if version else None, governing, at, late_by)

    def _clear(
        self,
        flag: OpenFlag,
        outcome: str,
        kinds: tuple[str, ...] | None,
        by: Fact | None,
        at: int,
        late_by: int | None = None,
    ) -> None:
        flag.outcome = outcome
        if kinds is not None:
            self._changed(flag, kinds, by)
        name = flag.name
        row = self._rows[self._places.pop(name)] = flag.row(self._case, at, late_by)
        del self.open[name]
        if name[2] is None:
            self.up[name[0]].discard(name[1])
        self.seq += 1
        if self.events is not None:
            self.events.append(FlagEvent("cleared", row, at, self.seq))

    def _changed(self, flag: OpenFlag, kinds: tuple[str, ...], by: Fact | None) -> None:
        """Whose lateness it is, as known at this change; the region stays if the fact it came from is gone."""
        if by is not None:
            flag.region = region_of(by)
        flag.agency = self._duty.agency(kinds, by, flag.region, flag.agency)

    def _tell(self, change: Change, flag: OpenFlag, at: int, detail: str = "") -> None:
        self.seq += 1
        if self.events is not None:
            self.events.append(FlagEvent(change, flag.row(self._case), at, self.seq, detail))


def _outcome(level: Level, deadline: Deadline, at: int) -> str:
    """The table of 9.3 for a deadline that still exists."""
    state = deadline.state(at)
    if state in ("met", "cancelled"):
        early = deadline.end is not None and deadline.warning is not None and deadline.end <= deadline.warning
        return "late_recording" if level != "warn" or early else state
    if level == "warn" and state in ("breached", "closed_late", "missed"):
        return "breached"
    if state in ("closed_late", "missed", "tolled"):
        return state
    return "due_moved"
