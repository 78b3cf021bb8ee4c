"""What is known of one case, and everything that looks at it: dockets, rule flags, closings, risk, orders; pure.

Each is made when it is first asked for, from the facts known by then; a change of the facts says whom it touches.
"""

from collections.abc import Iterable, Iterator, Mapping

from qorgau.facts import Fact
from qorgau.heart.circumstances import Closings, Risk
from qorgau.heart.crosscase import OvertakenFlag, RepeatFlag
from qorgau.heart.deadlines import Deadline
from qorgau.heart.docket import Docket
from qorgau.heart.kinds import ONE_CASE
from qorgau.heart.known import KnownFacts
from qorgau.heart.orders import Orders
from qorgau.heart.others import Others
from qorgau.heart.reactions import Family, FlagPlan
from qorgau.heart.ruleflags import RuleFlag, StaleFlag
from qorgau.plan import Plan


class Situation:
    """A case as known at `at` (None: before its first fact). `up` are the keys with which rule flags are up; `judged`
    counts the deadlines that were worked out; `stirred` are the rule flags that may have been touched."""

    def __init__(
        self,
        case: str,
        facts: tuple[Fact, ...],
        plan: Plan,
        at: int | None,
        up: Mapping[str, set[str]],
        others: Others,
    ) -> None:
        self.plan, self.judged = plan, 0
        self.closings, self.risk = Closings(), Risk()
        self.known = KnownFacts(facts, at)
        self.stirred: dict[str, RuleFlag] = {}
        self._up, self._others = up, others
        self._dockets: dict[str, Docket] = {}
        self._dirty: dict[str, Docket] = {}
        self.orders = Orders(plan.orders, self.known.of_any(plan.orders.types)) if plan.orders else None
        self.stale = [StaleFlag(flag, self, self.known) for flag in plan.flags.values() if flag.kind == "stale"]
        self._rule_flags: dict[str, RuleFlag] = {stale.plan.id: stale for stale in self.stale}
        if at is not None:
            self._resume(at)
        for flag in plan.flags.values():
            if flag.repeat is not None and any(fact.type in flag.repeat.counts for fact in facts):
                repeat = RepeatFlag(flag, self, self.known.of_any(flag.roles))
                repeat.file(case, facts, others, at)
                self._rule_flags[flag.id] = repeat
            if flag.overtaken is not None and (others.has_items(flag.id) or up.get(flag.id)):
                self._watch(flag, at)

    def _resume(self, at: int) -> None:
        """Find again what was known when the case was judged last."""
        plan, known = self.plan, self.known
        if self.orders is not None:
            for _, _, derived in self.orders.settle(at):
                if derived is not None:
                    known.add(derived)
        for fact in known.of(plan.closed_by):
            self.closings.change(self.closings.closed, fact.time, True)
        for fact in known.of(plan.reopened_by):
            self.closings.change(self.closings.reopened, fact.time, True)
        for fact in known.of(plan.risk_fact) if plan.risk_fact else ():
            self.risk.change(fact, True)

    def _watch(self, plan: FlagPlan, at: int | None) -> None:
        """Show an overtaken flag the deadlines that it watches."""
        self._rule_flags[plan.id] = self.stirred[plan.id] = overtaken = OvertakenFlag(plan, self, self._others)
        for family in self.plan.families.values() if at is not None else ():
            if plan.id in family.watched_by and self.known.has_any(family.start_types):
                docket = self.docket(family)
                for key, start in docket.names():
                    overtaken.watch(family.rule, key, start, docket.find(key, start), at or 0)

    def open_keys(self, flag: str) -> Iterable[str]:
        """The keys with which a rule flag is up."""
        return self._up.get(flag, ())

    def docket(self, family: Family) -> Docket:
        """The deadlines of a rule."""
        docket = self._dockets.get(family.rule)
        if docket is None:
            docket = self._dockets[family.rule] = Docket(family, self, self.known.of_any(family.roles))
        return docket

    def dockets(self) -> Iterator[tuple[str, Docket]]:
        """The rules that may have a deadline, each with its docket: without a fact that starts one there is none."""
        for rule, family in self.plan.families.items():
            if rule in self._dockets or self.known.has_any(family.start_types):
                yield rule, self.docket(family)

    def rule_flag(self, plan: FlagPlan) -> RuleFlag:
        """A rule flag."""
        flag = self._rule_flags.get(plan.id)
        if flag is None:
            known = self.known.of_any(plan.roles)
            if plan.kind == "overtaken":
                flag = OvertakenFlag(plan, self, self._others)
            elif plan.kind == "repeat":
                flag = RepeatFlag(plan, self, known)
            else:
                flag = ONE_CASE[plan.kind](plan, self, known)
            self._rule_flags[plan.id] = flag
        return flag

    def stir(self, flag: str, key: str) -> None:
        """A rule flag has to be asked about a key."""
        self.stirred[flag] = rule_flag = self.rule_flag(self.plan.flags[flag])
        rule_flag.touched.add(key)

    def show(self, flag: str, rule: str, key: str, start: int, deadline: Deadline | None, at: int) -> None:
        """Show a deadline to an overtaken flag, if there is anything that may overtake the case."""
        overtaken = self._rule_flags.get(flag)
        if isinstance(overtaken, OvertakenFlag):
            overtaken.watch(rule, key, start, deadline, at)
            self.stirred[flag] = overtaken

    def crossing(self, at: int | None) -> Iterator[tuple[str, str, int | None]]:
        """When the flags that look beyond the case have to be asked: flag, key and instant."""
        for name, flag in self._rule_flags.items():
            if isinstance(flag, RepeatFlag):
                yield from ((name, key, flag.wake(key)) for key in flag.reported())
            elif isinstance(flag, OvertakenFlag) and at is not None:
                yield from ((name, key, flag.answer(key, at).wake) for key in flag.waiting())

    def post(self, fact: Fact, adding: bool) -> None:
        """A posted fact comes to count or ceases to."""
        self.change(fact, adding)
        for stale in self.stale if adding else ():
            stale.posted(fact)
            if stale.touched:
                self.stirred[stale.plan.id] = stale
        if self.orders is not None:
            self.orders.apply(fact, adding)

    def change(self, fact: Fact, adding: bool) -> None:
        """A posted or derived fact comes to count or ceases to. Whoever looks at it is filled before it is filed."""
        plan, type = self.plan, fact.type
        for family in plan.reactions.get(type, ()):
            docket = self._dockets.get(family.rule)
            if docket is None:
                if type not in family.start_types and not self.known.has_any(family.start_types):
                    continue
                docket = self.docket(family)
            docket.apply(fact, adding)
            if docket.is_touched:
                self._dirty[family.rule] = docket
        for flag in plan.flag_reactions.get(type, ()):
            self.stirred[flag.id] = rule_flag = self.rule_flag(flag)
            rule_flag.apply(fact, adding)
        if type == plan.closed_by:
            self._close(self.closings.closed, fact, adding)
        if type == plan.reopened_by:
            self._close(self.closings.reopened, fact, adding)
        if type == plan.risk_fact:
            self._assess_risk(fact, adding)
        if adding:
            self.known.add(fact)
        else:
            self.known.remove(fact)

    def _close(self, times: list[int], fact: Fact, adding: bool) -> None:
        dockets = dict(self.dockets())
        for plan in self.plan.flags.values():
            if plan.kind in ONE_CASE:
                self.rule_flag(plan)
        for since, until, continuing_only in self.closings.change(times, fact.time, adding):
            for docket in dockets.values():
                docket.touch(since, until, continuing_only)
        self._dirty.update(dockets)
        for flag in self._rule_flags.values():
            flag.closings_changed(only_added=adding and times is self.closings.closed)
        self.stirred.update(self._rule_flags)

    def _assess_risk(self, fact: Fact, adding: bool) -> None:
        """The term of other deadlines follows the risk only where a condition on it now comes out differently."""
        before, after = self.risk.change(fact, adding)
        was = before.data if before is not None else {}
        if all(holds(was) == holds(fact.data) for holds in self.plan.risk_classes):
            return
        for family in self.plan.families.values():
            if family.by_risk and (family.rule in self._dockets or self.known.has_any(family.start_types)):
                self._dirty[family.rule] = docket = self.docket(family)
                docket.touch_by_risk(fact.time, after)

    def touch_order(self, key: str) -> None:
        """The derived end of an order may have come."""
        if self.orders is not None:
            self.orders.touch(key)

    def pending_orders(self) -> Iterator[tuple[str, int | None]]:
        """When each order will end by itself."""
        orders = self.orders
        return ((key, orders.pending(key)) for key in orders.references()) if orders is not None else iter(())

    def settle_orders(self, at: int) -> list[tuple[str, int | None]]:
        """Add and take out derived ends (1.6); returns for each order touched when it will end by itself."""
        orders, pending = self.orders, list[tuple[str, int | None]]()
        if orders is None or not orders.is_touched:
            return pending
        for key, before, derived in orders.settle(at):
            pending.append((key, orders.pending(key)))
            if before is derived:
                continue
            if before is not None:
                self.change(before, False)
            if derived is not None:
                self.change(derived, True)
        return pending

    def settle(self) -> set[tuple[str, str, int]]:
        """Work out the deadlines touched; returns rule, key and start of each, also of one that is gone."""
        touched: set[tuple[str, str, int]] = set()
        for rule, docket in self._dirty.items():
            touched.update([(rule, key, start) for key, start in docket.settle()])
        self._dirty.clear()
        return touched

    def touch_everything(self) -> None:
        """Have everything looked at anew."""
        for family in self.plan.families.values():
            self.docket(family).touch_everything()
        self._dirty.update(self._dockets)
        for flag in self.plan.flags.values():
            self.stirred[flag.id] = rule_flag = self.rule_flag(flag)
            rule_flag.touch_everything()
