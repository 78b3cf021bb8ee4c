"""The steps by which a deadline came to its due and its end, each as data and as a sentence. Pure.

Every number is the heart's; here it is only named. What one step says is one function.
"""

from collections.abc import Callable
from typing import Any

from qorgau.explaining.form import Step, dated
from qorgau.explaining.scene import Scene, fact_item, rule_of
from qorgau.explaining.wording import LocalTime, called, condition, length, listed, offset, plural
from qorgau.facts import Fact
from qorgau.heart.deadlines import Deadline
from qorgau.heart.matching import days_granted
from qorgau.heart.reactions import Term
from qorgau.heart.tolls import FOREVER
from qorgau.instants import format_duration, format_instant, parse_instant
from qorgau.rows import FlagRow
from qorgau.rules import CaseLine, Rule


class DeadlineStory:
    """One deadline in one scene, told step by step."""

    def __init__(self, scene: Scene, deadline: Deadline, row: FlagRow) -> None:
        self.scene, self.deadline, self.row = scene, deadline, row
        self.rule: Rule = rule_of(scene.plan, deadline.version)
        zone = scene.plan.calendar.zone(deadline.governing.data.get("region"))
        self.local = LocalTime(zone, deadline.start)
        self.term: Term = deadline._term(scene.risk) if deadline.version.cases else deadline.version.term
        elapsed = deadline.version.clock == "elapsed"
        self.span = self.term.within if elapsed else deadline._calendar_span(self.term, scene.plan)[0]

    def steps(self) -> list[Step]:
        """All steps that apply, in the order of the arithmetic."""
        found = [tell(self) for tell in _STEPS]
        return [step for step in found if step is not None] + self._escalated()

    def facts(self) -> dict[str, Any]:
        """The facts that began and ended it."""
        end = self.ended_by()
        return {"start": fact_item(self.deadline.governing), "end": None if end is None else fact_item(end)}

    def ended_by(self) -> Fact | None:
        """The stop, or the cancel or closing of the case that came first."""
        deadline = self.deadline
        if deadline.stop is not None or deadline.end is None:
            return deadline.stop
        cancels = self.scene.playing("cancel", deadline.version, deadline.key)
        closings = [fact for fact in self.scene.known if fact.type == self.scene.plan.closed_by]
        return next((fact for fact in [*cancels, *closings] if fact.time == deadline.end), None)

    def start(self) -> Step:
        """When and by what it began (2)."""
        deadline, fact = self.deadline, self.deadline.governing
        field = None if fact.time == deadline.start else _dated_by(fact, deadline.start)
        again = deadline.version.recurring and fact in self.scene.playing("stop", deadline.version, deadline.key)
        how = f"as dated by {field} in {called(fact)}" if field else f"with {called(fact)}"
        if again and not field:
            how = f"with {called(fact)}, which answered the one before"
        zone = f"{self.local.zone.key}, {offset(self.local.zone, deadline.start)}"
        sentence = f"The term began on {self.local(deadline.start)} ({zone}) {how}."
        return self._step(
            "start", deadline.start, sentence, fact=fact_item(fact), field=field, zone=self.local.zone.key
        )

    def lasting(self) -> Step:
        """How long it is, and by which line of the rule (4.2, 4.3)."""
        clock, term = self.deadline.version.clock, self.term
        amount = {
            "elapsed": f"{length(term.within)} as they pass",
            "day_end": "until 24:00 local time of the same day",
            "working_days": f"until 24:00 local time of working day {term.count} after that day",
            "months": f"until the same local time {plural(term.count, 'calendar month')} later",
        }[clock]
        line = self._line()
        why = f", because {condition(line)}" if line is not None and line.when is not None else ""
        sentence = f"It lasts {amount}{why}; the severity is {term.severity}."
        within = format_duration(term.within) if clock == "elapsed" else None
        return _plain("term", sentence, clock=clock, within=within, count=term.count or None, severity=term.severity)

    def skipped(self) -> Step | None:
        """The days that were not counted."""
        deadline, calendar = self.deadline, self.scene.plan.calendar
        if deadline.version.clock != "working_days":
            return None
        day = calendar.local_date(deadline.start, self.local.zone)
        last = calendar.nth_working_day(day, self.term.count)
        off = calendar.days_off_between(day, last)
        dates = listed([f"{one.day} {one:%B}" for one in off])
        sentence = f"Days off do not count: {dates}." if off else "No day off fell into that time."
        return _plain("days_off", sentence, days=[one.isoformat() for one in off], last_day=last.isoformat())

    def base(self) -> Step:
        """The due before tolls and extensions (4.3)."""
        at = self.deadline.start + self.span
        return self._step("base_due", at, f"Without interruption it would end on {self.local(at)}.")

    def extended(self) -> Step | None:
        """What was granted besides (4.7)."""
        grants = self.grants()
        if not grants:
            return None
        told = [f"{length(granted)} on {self.local(fact.time)} by {called(fact)}" for fact, granted in grants]
        total = sum(granted for _, granted in grants)
        items = [{"fact": fact_item(fact), "granted": format_duration(granted)} for fact, granted in grants]
        sentence = f"It was extended: {listed(told)}."
        return _plain("extended", sentence, grants=items, total=format_duration(total))

    def grants(self) -> list[tuple[Fact, int]]:
        """Which facts granted how much; their sum is what the heart added to the span."""
        deadline, version = self.deadline, self.deadline.version
        left = deadline.need - self.span
        found = []
        for fact in self.scene.playing("extension", version, deadline.key):
            granted = min(left, days_granted(fact, version.days_field)) if fact.time >= deadline.start else 0
            if granted:
                found.append((fact, granted))
                left -= granted
        return found

    def tolled(self) -> Step | None:
        """When the clock stood (4.5)."""
        spans = self.stood()
        if not spans:
            return None
        ledger = [self._toll(on, off) for on, off in spans]
        total = sum((self.scene.at if off is None else off) - on for on, off in spans)
        told = [
            f"from {self.local(on)} to {self.local(off)}" if off else f"since {self.local(on)}" for on, off in spans
        ]
        sentence = f"The clock stood {listed(told)}, {length(total)} in all."
        return _plain("tolled", sentence, spans=ledger, total=format_duration(total))

    def stood(self) -> list[tuple[int, int | None]]:
        """The spans before the due in which the clock stood; the end of one is None while it lasts."""
        deadline, clock = self.deadline, self.deadline.clock
        if clock is None or clock.standstill is None:
            return []
        found: list[tuple[int, int | None]] = []
        for on, off in zip(clock.standstill.ons, clock.standstill.offs, strict=True):
            begin = max(on, deadline.start)
            end = off if deadline.end is None else min(off, deadline.end)
            if begin < end and (deadline.due is None or begin < deadline.due):
                found.append((begin, None if end == FOREVER else end))
        return found

    def needed(self) -> Step:
        """What the span and the extensions come to (4.4)."""
        need = self.deadline.need
        sentence = f"So the running time allowed was {length(need)}."
        return _plain("need", sentence, length=format_duration(need))

    def due(self) -> Step:
        """When that time is used up, or how much of it is left while the clock stands."""
        deadline, clock = self.deadline, self.deadline.clock
        if deadline.due is not None:
            return self._step("due", deadline.due, f"It was due on {self.local(deadline.due)}.")
        left = deadline.need - clock.active(self.scene.at) if clock else 0
        sentence = f"While the clock stands there is no due; the time left is {length(left)}."
        return _plain("due", sentence, at=None, remaining=format_duration(left))

    def warning(self) -> Step | None:
        """When it warns (4.9)."""
        at = self.deadline.warning
        return None if at is None else self._step("warning", at, f"The warning was set for {self.local(at)}.")

    def hold(self) -> Step | None:
        """A start that was recorded late waits, and whatever was recorded after the due cannot be told before (5)."""
        deadline, fact = self.deadline, self.deadline.governing
        if deadline.hold <= deadline.start:
            return None
        waits = deadline.hold - fact.known_at
        sentence = f"Its start was recorded on {self.local(fact.recorded)}"
        if waits:
            sentence += f", and the rest of that batch was given {length(waits)}"
        sentence += f", so nothing was raised before {self.local(deadline.hold)}."
        return self._step("hold", deadline.hold, sentence, waited=format_duration(waits))

    def window(self) -> Step | None:
        """A window that had passed before anybody knew is nobody's breach (5)."""
        fact = self.deadline.governing
        if self.deadline.fixed != "window_passed":
            return None
        sentence = f"It was over before anything of it was known here, on {self.local(fact.known_at)}."
        return self._step("window_passed", fact.known_at, sentence)

    def ripe(self) -> Step | None:
        """When it may be called breached (5)."""
        deadline = self.deadline
        if deadline.due is None or self.row.level != "breach":
            return None
        return self._step("ripe", deadline.ripe, f"A breach could be told from {self.local(deadline.ripe)} on.")

    def raised(self) -> Step:
        """When the flag went up."""
        what = {"warn": "The warning", "breach": "The breach", "info": "The information"}[self.row.level]
        at = self.row.raised_at
        return self._step("raised", at, f"{what} was raised on {self.local(at)}.")

    def end(self) -> Step | None:
        """What ended it (3)."""
        deadline, fact = self.deadline, self.ended_by()
        if deadline.end is None:
            return None
        how = "stop" if deadline.stop is not None else "cancel"
        word = "answered" if how == "stop" else "cancelled"
        by = called(fact) if fact is not None else "a fact"
        sentence = f"It was {word} on {self.local(deadline.end)} by {by}"
        if fact is not None and fact.recorded > fact.time:
            sentence += f", recorded on {self.local(fact.recorded)}"
        return self._step("end", deadline.end, f"{sentence}.", by=how, fact=None if fact is None else fact_item(fact))

    def late(self) -> Step | None:
        """By how much it was late, or is so far."""
        deadline, late_by = self.deadline, self.deadline.late_by
        if late_by is not None:
            sentence = f"That is {length(late_by)} after the due."
            return _plain("late", sentence, late_by=format_duration(late_by), so_far=False)
        if deadline.due is None or deadline.state(self.scene.at) != "breached":
            return None
        late_by = self.scene.at - deadline.due
        if not late_by:
            return None
        sentence = f"By {self.local(self.scene.at)} nothing had ended it, {length(late_by)} after the due."
        return _plain("late", sentence, late_by=format_duration(late_by), so_far=True)

    def _escalated(self) -> list[Step]:
        desks = self.scene.plan.policy.policy.desks
        return [
            self._step("escalated", at, f"{to}, the {desks.get(to, to)}, was told on {self.local(at)}.", to=to)
            for to, at in self.row.escalations
        ]

    def _line(self) -> CaseLine | None:
        """The line of `cases` that gave the term."""
        lines = zip(self.deadline.version.cases, self.rule.cases, strict=True)
        return next((row for line, row in lines if line.term is self.term), None)

    def _toll(self, on: int, off: int | None) -> dict[str, Any]:
        version, key = self.deadline.version, self.deadline.key
        began = next((fact for fact in reversed(self.scene.playing("toll", version, key)) if fact.time <= on), None)
        ended = next((fact for fact in self.scene.playing("untoll", version, key) if fact.time == off), None)
        return {
            "from": format_instant(on),
            "to": None if off is None else format_instant(off),
            "length": format_duration((self.scene.at if off is None else off) - on),
            "by": None if began is None else fact_item(began),
            "until": None if ended is None else fact_item(ended),
        }

    def _step(self, name: str, at: int, sentence: str, **more: Any) -> Step:
        return dated(name, at, sentence, self.local, **more)


def _plain(name: str, sentence: str, **more: Any) -> Step:
    return {"step": name, **more, "sentence": sentence}


def _dated_by(fact: Fact, start: int) -> str | None:
    """The field of a fact whose timestamp is the start."""
    for field, value in fact.data.items():
        try:
            if parse_instant(value) == start:
                return field
        except ValueError:
            continue
    return None


_STEPS: tuple[Callable[[DeadlineStory], Step | None], ...] = (
    DeadlineStory.start,
    DeadlineStory.lasting,
    DeadlineStory.skipped,
    DeadlineStory.base,
    DeadlineStory.extended,
    DeadlineStory.tolled,
    DeadlineStory.needed,
    DeadlineStory.due,
    DeadlineStory.warning,
    DeadlineStory.hold,
    DeadlineStory.window,
    DeadlineStory.ripe,
    DeadlineStory.raised,
    DeadlineStory.end,
    DeadlineStory.late,
)
