"""The working state of one case inside one `advance`, and its steps from instant to instant (deadlines.md 9.1).

Mutable and short-lived. What an instant touches, by a fact or by a timer, is worked out again; nothing else is.
"""

from collections.abc import Iterable

from qorgau.circumstances import Closings, Risk
from qorgau.crosscase import OvertakenFlag, RepeatFlag
from qorgau.docket import Docket
from qorgau.facts import Fact
from qorgau.flagging import Duty, Flagging, Name
from qorgau.known import KnownFacts
from qorgau.orders import Orders
from qorgau.others import Others
from qorgau.plan import Plan
from qorgau.reactions import Family, FlagPlan
from qorgau.rows import DeadlineRow, FlagRow
from qorgau.ruleflags import ONE_CASE, RuleFlag, StaleFlag
from qorgau.timers import Timers

_ORDER = ""
"""Stands for the rule in the name of a timer for the derived end of an order."""


class Casework:
    """One case as known at `at` (None: before its first fact), ready to step on. `judged` counts the deadlines that
    were worked out."""

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
        self.case, self.plan, self.judged = case, plan, 0
        self._others = others or Others((), plan)
        self.closings, self.risk = Closings(), Risk()
        self._known = KnownFacts(facts, at)
        self._place = 0
        self._duty = Duty(plan, lambda: self._known)
        self.flagging = Flagging(case, plan, self._duty, rows, seq)
        self.timers = Timers()
        self._dockets: dict[str, Docket] = {}
        self._dirty: dict[str, Docket] = {}
        self._touched: set[Name] = set()
        self._stirred: dict[str, RuleFlag] = {}
        self._orders = Orders(plan.orders, self._known) if plan.orders else None
        self._rule_flags: dict[str, RuleFlag] = {}
        self._stale = [StaleFlag(flag, self, self._known) for flag in plan.flags.values() if flag.kind == "stale"]
        self._rule_flags.update({stale.plan.id: stale for stale in self._stale})
        if at is not None:
            self._resume(at)
        self._look_beyond(facts, at)

    def open_keys(self, flag: str) -> Iterable[str]:
        """The keys with which a rule flag is up."""
        return self.flagging.up.get(flag, ())

    def next_instant(self) -> int | None:
        """The earliest later instant at which anything may change."""
        at = self.timers.next()
        steps = self._known.steps
        if self._place < len(steps) and (at is None or steps[self._place][0] < at):
            return steps[self._place][0]
        return at

    def step_to(self, until: int) -> None:
        """Step through every instant up to one at which anything may change."""
        while (at := self.next_instant()) is not None and at <= until:
            self.step(at)

    def step(self, at: int) -> None:
        """Assess once, with everything known at an instant, what it touches."""
        steps = self._known.steps
        while self._place < len(steps) and steps[self._place][0] <= at:
            _, fact, adding = steps[self._place]
            self._place += 1
            self._posted(fact, adding)
        for name in self.timers.due(at):
            self._wake(name)
        if self._orders is not None:
            self._settle_orders(self._orders, at)
        if self._dirty or self._touched:
            self._look_at_deadlines(at)
        if self._stirred:
            self._look_at_rule_flags(at)

    def touch_everything(self, at: int) -> None:
        """Have the next step look at everything anew, for another policy; flags of rules that it lacks are cleared."""
        for family in self.plan.families.values():
            self._docket(family).touch_everything()
        self._dirty.update(self._dockets)
        for flag in self.plan.flags.values():
            self._stirred[flag.id] = rule_flag = self._rule_flag(flag)
            rule_flag.touch_everything()
        for name in sorted(self.flagging.open, key=_place):
            if name[0] not in (self.plan.flags if name[2] is None else self.plan.families):
                self.flagging.clear_unknown(name, at)
            elif name[2] is not None:
                self._touched.add(name)

    def set_timers(self, timers: Iterable[tuple[int, str, str, int | None]]) -> None:
        """Take over the timers of a record that was judged by the same policy."""
        for at, rule, key, start in timers:
            flag = self.plan.flags.get(rule)
            if (rule in self.plan.families) if start is not None else (flag is not None and flag.kind in ONE_CASE):
                self.timers.set((rule, key, start), at)

    def get_timers(self, at: int) -> tuple[tuple[int, str, str, int | None], ...]:
        """The timers to keep in the record."""
        for stale in self._stale:
            self.timers.set((stale.plan.id, "", None), stale.answer("", at).wake)
        found = [(at, *name) for at, name in self.timers.pending() if name[0] != _ORDER]
        return tuple(sorted(found, key=lambda timer: (timer[0], _place(timer[1:]))))

    def deadline_rows(self, at: int) -> list[DeadlineRow]:
        """All deadlines as they are at the instant of the last step."""
        rows = []
        for family in self.plan.families.values():
            docket = self._docket(family)
            found = [docket.find(key, start) for key, start in docket.names()]
            rows += [deadline.row(self.case, at) for deadline in found if deadline is not None]
        return rows

    # How the state of a case that was judged before is found again, and what it needs from beyond the case.

    def _resume(self, at: int) -> None:
        plan, known = self.plan, self._known
        if self._orders is not None:
            for key, _, derived in self._orders.settle(at):
                self.timers.set((_ORDER, key, None), self._orders.pending(key))
                if derived is not None:
                    known.add(derived)
        for fact in known.of(plan.closed_by):
            self.closings.change(self.closings.closed, fact.time, True)
        for fact in known.of(plan.reopened_by):
            self.closings.change(self.closings.reopened, fact.time, True)
        for fact in known.of(plan.risk_fact) if plan.risk_fact else ():
            self.risk.change(fact, True)

    def _look_beyond(self, facts: tuple[Fact, ...], at: int | None) -> None:
        others = self._others
        for plan in self.plan.flags.values():
            if plan.repeat is not None and any(fact.type in plan.repeat.counts for fact in facts):
                repeat = RepeatFlag(plan, self, self._known.of_any(plan.roles))
                repeat.file(self.case, facts, others, at)
                for key in repeat.reported():
                    self.timers.set((plan.id, key, None), repeat.wake(key))
                self._rule_flags[plan.id] = repeat
            if plan.overtaken is not None and (others.has_items(plan.id) or self.flagging.up.get(plan.id)):
                self._watch(plan, at)

    def _watch(self, plan: FlagPlan, at: int | None) -> None:
        self._rule_flags[plan.id] = self._stirred[plan.id] = overtaken = OvertakenFlag(plan, self, self._others)
        if at is None:
            return
        for family in self.plan.families.values():
            if plan.id in family.watched_by and self._known.has_any(family.start_types):
                docket = self._docket(family)
                for key, start in docket.names():
                    overtaken.watch(family.rule, key, start, docket.find(key, start), at)
        for key in overtaken.waiting():
            self.timers.set((plan.id, key, None), overtaken.answer(key, at).wake)

    # What a change of the facts does.

    def _posted(self, fact: Fact, adding: bool) -> None:
        self._change(fact, adding)
        self._duty.note(fact, adding)
        if adding:
            for stale in self._stale:
                stale.posted(fact)
                if stale.touched:
                    self._stirred[stale.plan.id] = stale
        if self._orders is not None:
            self._orders.apply(fact, adding)

    def _change(self, fact: Fact, adding: bool) -> None:
        """A posted or derived fact comes to count or ceases to. Whoever looks at it is filled before it is filed."""
        plan, type = self.plan, fact.type
        for family in plan.reactions.get(type, ()):
            docket = self._dockets.get(family.rule) or self._docket(family)
            docket.apply(fact, adding)
            if docket.is_touched:
                self._dirty[family.rule] = docket
        for flag in plan.flag_reactions.get(type, ()):
            self._stirred[flag.id] = rule_flag = self._rule_flag(flag)
            rule_flag.apply(fact, adding)
        if type == plan.closed_by:
            self._close(self.closings.closed, fact, adding)
        if type == plan.reopened_by:
            self._close(self.closings.reopened, fact, adding)
        if type == plan.risk_fact:
            self._assess_risk(fact, adding)
        if adding:
            self._known.add(fact)
        else:
            self._known.remove(fact)

    def _docket(self, family: Family) -> Docket:
        docket = self._dockets.get(family.rule)
        if docket is None:
            docket = self._dockets[family.rule] = Docket(family, self, self._known.of_any(family.roles))
        return docket

    def _rule_flag(self, plan: FlagPlan) -> RuleFlag:
        flag = self._rule_flags.get(plan.id)
        if flag is None:
            known = self._known.of_any(plan.roles)
            if plan.kind == "overtaken":
                flag = OvertakenFlag(plan, self, self._others)
            elif plan.kind == "repeat":
                flag = RepeatFlag(plan, self, known)
            else:
                flag = ONE_CASE[plan.kind](plan, self, known)
            self._rule_flags[plan.id] = flag
        return flag

    def _close(self, times: list[int], fact: Fact, adding: bool) -> None:
        dockets = {
            family.rule: self._docket(family)
            for family in self.plan.families.values()
            if family.rule in self._dockets or self._known.has_any(family.start_types)
        }
        for plan in self.plan.flags.values():
            if plan.kind in ONE_CASE:
                self._rule_flag(plan)
        for since, until, continuing_only in self.closings.change(times, fact.time, adding):
            for docket in dockets.values():
                docket.touch(since, until, continuing_only)
        self._dirty.update(dockets)
        for flag in self._rule_flags.values():
            flag.closings_changed(only_added=adding and times is self.closings.closed)
        self._stirred.update(self._rule_flags)

    def _assess_risk(self, fact: Fact, adding: bool) -> None:
        """The term of other deadlines follows the risk only where a condition on it now comes out differently."""
        before, after = self.risk.change(fact, adding)
        was = before.data if before is not None else {}
        if all(holds(was) == holds(fact.data) for holds in self.plan.risk_classes):
            return
        for family in self.plan.families.values():
            if family.by_risk and (family.rule in self._dockets or self._known.has_any(family.start_types)):
                self._dirty[family.rule] = docket = self._docket(family)
                docket.touch_by_risk(fact.time, after)

    def _settle_orders(self, orders: Orders, at: int) -> None:
        for key, before, derived in orders.settle(at):
            self.timers.set((_ORDER, key, None), orders.pending(key))
            if before is derived:
                continue
            if before is not None:
                self._change(before, False)
            if derived is not None:
                self._change(derived, True)

    # What a touched deadline or rule flag says now.

    def _wake(self, name: Name) -> None:
        rule, key, start = name
        if rule == _ORDER and self._orders is not None:
            self._orders.touch(key)
        elif start is not None:
            self._touched.add(name)
        else:
            self._stirred[rule] = flag = self._rule_flag(self.plan.flags[rule])
            flag.touched.add(key)

    def _look_at_deadlines(self, at: int) -> None:
        touched = self._touched
        for rule, docket in self._dirty.items():
            touched.update([(rule, key, start) for key, start in docket.settle()])
        self._dirty.clear()
        for name in sorted(touched, key=_place) if len(touched) > 1 else touched:
            rule, key, start = name
            assert start is not None
            family = self.plan.families[rule]
            deadline = self._docket(family).find(key, start)
            self.flagging.look_at(name, deadline, at)
            ladder = self.plan.ladders.get(deadline.severity, ()) if deadline else ()
            self.timers.set(name, deadline.wake(at, ladder) if deadline else None)
            for flag in family.watched_by:
                overtaken = self._rule_flags.get(flag)
                if isinstance(overtaken, OvertakenFlag):
                    overtaken.watch(rule, key, start, deadline, at)
                    self._stirred[flag] = overtaken
        touched.clear()

    def _look_at_rule_flags(self, at: int) -> None:
        for name in sorted(self._stirred):
            flag = self._stirred[name]
            for key in sorted(flag.touched):
                answer = flag.answer(key, at)
                self.flagging.look_at_rule_flag(flag.plan, key, answer, at)
                self.timers.set((name, key, None), answer.wake)
            flag.touched = set()
        self._stirred.clear()


def _place(name: tuple[str, str, int | None]) -> tuple[str, str, bool, int]:
    """The order in which what an instant touches is looked at, and so the order of its events."""
    rule, key, start = name
    return rule, key, start is None, start or 0
