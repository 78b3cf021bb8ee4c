"""One case inside one `advance`: its steps from instant to instant, and what each makes of its flags (9.1).

Mutable and short-lived. What an instant touches, by a fact or by a timer, is worked out again; nothing else is.
"""

from collections.abc import Iterable, Iterator

from qorgau.facts import Fact, region_of
from qorgau.heart.deadlines import Deadline
from qorgau.heart.flagging import Duty, Flagging, Name
from qorgau.heart.kinds import ONE_CASE
from qorgau.heart.others import Others
from qorgau.heart.situation import Situation
from qorgau.heart.timers import Timers
from qorgau.plan import Plan
from qorgau.rows import DeadlineRow, FlagRow, Judged

Timer = tuple[int, str, str, int | None]
_ORDER = ""
"""Stands for the rule in the name of a timer for the derived end of an order."""


class Casework:
    """One case as known at `at` (None: before its first fact), ready to step on."""

    def __init__(
        self,
        case: str,
        facts: tuple[Fact, ...],
        plan: Plan,
        at: int | None,
        rows: tuple[FlagRow, ...] = (),
        seq: int = 0,
        others: Others | None = None,
    ) -> None:
        self.case, self.plan = case, plan
        self.timers = Timers()
        self._duty = Duty(plan, lambda: self.situation.known)
        self.flagging = Flagging(case, plan, self._duty, rows, seq)
        self.situation = Situation(case, facts, plan, at, self.flagging.up, others or Others((), plan))
        self._steps = self.situation.known.steps
        self._place = 0
        self._touched: set[tuple[str, str, int]] = set()
        self._set_first_timers(at)

    def next_instant(self) -> int | None:
        """The earliest later instant at which anything may change."""
        at, steps = self.timers.next(), self._steps
        if self._place < len(steps) and (at is None or steps[self._place][0] < at):
            return steps[self._place][0]
        return at

    def step_to(self, until: int) -> None:
        """Step through every instant up to one at which anything may change."""
        while (at := self.next_instant()) is not None and at <= until:
            self.step(at)

    def step(self, at: int) -> None:
        """Assess once, with everything known at an instant, what it touches."""
        steps, situation = self._steps, self.situation
        while self._place < len(steps) and steps[self._place][0] <= at:
            _, fact, adding = steps[self._place]
            self._place += 1
            situation.post(fact, adding)
            self._duty.note(fact, adding)
        for name in self.timers.due(at):
            self._wake(name)
        for key, ends_at in situation.settle_orders(at):
            self.timers.set((_ORDER, key, None), ends_at)
        self._touched |= situation.settle()
        if self._touched:
            self._look_at_deadlines(at)
        if situation.stirred:
            self._look_at_rule_flags(at)

    def touch_everything(self, at: int) -> None:
        """Have the next step look at everything anew, for another policy; flags of rules that it lacks are cleared."""
        self.situation.touch_everything()
        for name in sorted(self.flagging.open, key=_place):
            if name[0] not in (self.plan.flags if name[2] is None else self.plan.families):
                self.flagging.clear_unknown(name, at)
            elif (start := name[2]) is not None:
                self._touched.add((name[0], name[1], start))

    def set_timers(self, timers: Iterable[Timer]) -> None:
        """Take over the timers of a record that was judged by the same policy."""
        for at, rule, key, start in timers:
            flag = self.plan.flags.get(rule)
            if (rule in self.plan.families) if start is not None else (flag is not None and flag.kind in ONE_CASE):
                self.timers.set((rule, key, start), at)

    def get_timers(self, at: int) -> tuple[Timer, ...]:
        """The timers to keep in the record."""
        for stale in self.situation.stale:
            self.timers.set((stale.plan.id, "", None), stale.answer("", at).wake)
        found = [(at, *name) for at, name in self.timers.pending() if name[0] != _ORDER]
        return tuple(sorted(found, key=lambda timer: (timer[0], _place(timer[1:]))))

    def deadline_rows(self, at: int) -> list[DeadlineRow]:
        """All deadlines as they are at an instant not before the last step and before the next."""
        return [deadline.row(self.case, at) for deadline in self._deadlines()]

    def judged(self, at: int) -> list[Judged]:
        """The same with what each was made of."""
        return [self._judged(deadline, at) for deadline in self._deadlines()]

    def _deadlines(self) -> Iterator[Deadline]:
        for _, docket in self.situation.dockets():
            found = [docket.find(key, start) for key, start in docket.names()]
            yield from (deadline for deadline in found if deadline is not None)

    def _judged(self, deadline: Deadline, at: int) -> Judged:
        governing, region = deadline.governing, region_of(deadline.governing)
        return Judged(
            row=deadline.row(self.case, at),
            governing=governing,
            region=region,
            duty=self._duty.agency(deadline.version.duty_kinds, governing, region),
            warns_at=deadline.warning,
            ended_at=deadline.end,
            stop=deadline.stop,
        )

    def _set_first_timers(self, at: int | None) -> None:
        """What a record need not keep, because it follows from the facts."""
        for key, ends_at in self.situation.pending_orders():
            self.timers.set((_ORDER, key, None), ends_at)
        for flag, key, wake in self.situation.crossing(at):
            self.timers.set((flag, key, None), wake)

    def _wake(self, name: Name) -> None:
        rule, key, start = name
        if rule == _ORDER:
            self.situation.touch_order(key)
        elif start is not None:
            self._touched.add((rule, key, start))
        else:
            self.situation.stir(rule, key)

    def _look_at_deadlines(self, at: int) -> None:
        plan, situation, touched = self.plan, self.situation, self._touched
        for name in sorted(touched) if len(touched) > 1 else touched:
            rule, key, start = name
            family = plan.families[rule]
            deadline = situation.docket(family).find(key, start)
            self.flagging.look_at(name, deadline, at)
            ladder = plan.ladders.get(deadline.severity, ()) if deadline else ()
            self.timers.set(name, deadline.wake(at, ladder) if deadline else None)
            for flag in family.watched_by:
                situation.show(flag, rule, key, start, deadline, at)
        touched.clear()

    def _look_at_rule_flags(self, at: int) -> None:
        stirred = self.situation.stirred
        for name in sorted(stirred):
            flag = stirred[name]
            for key in sorted(flag.touched):
                answer = flag.answer(key, at)
                self.flagging.look_at_rule_flag(flag.plan, key, answer, at)
                self.timers.set((name, key, None), answer.wake)
            flag.touched = set()
        stirred.clear()


def _place(name: tuple[str, str, int | None]) -> tuple[str, str, bool, int]:
    """The order in which what an instant touches is looked at, and so the order of its events."""
    rule, key, start = name
    return rule, key, start is None, start or 0
