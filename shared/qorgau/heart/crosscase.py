"""The rule flags that look beyond their case: overtaken (F3) and repeat (F5) (deadlines.md, section 8); pure."""

from bisect import bisect_right, insort
from collections.abc import Hashable, Iterable

from qorgau.facts import Fact
from qorgau.heart.circumstances import put, take
from qorgau.heart.deadlines import Deadline
from qorgau.heart.matching import key_part, same_value
from qorgau.heart.others import Merged, Others, Report, counted_spans, merged, reports, withdrawals
from qorgau.heart.reactions import FlagPlan
from qorgau.heart.ruleflags import Answer, Setting
from qorgau.heart.tolls import FOREVER


class OvertakenFlag:
    """F3: up while a watched deadline waits and enough later items of others were decided. It is shown each watched
    deadline as it changes."""

    def __init__(self, plan: FlagPlan, setting: Setting, others: Others) -> None:
        assert plan.overtaken is not None
        self.plan, self._setting, self._others = plan, setting, others
        self._row = plan.overtaken.row
        self.touched: set[str] = set()
        self._waiting: dict[str, dict[tuple[int, str], Deadline]] = {}

    def watch(self, rule: str, key: str, start: int, deadline: Deadline | None, at: int) -> None:
        """A watched deadline as it is now; None if it no longer exists."""
        waiting = self._waiting.setdefault(key, {})
        if deadline is not None and deadline.state(at) in self._row.in_states:
            waiting[start, rule] = deadline
        elif waiting.pop((start, rule), None) is None:
            return
        self.touched.add(key)

    def apply(self, fact: Fact, adding: bool) -> None:
        """It reacts to deadlines, not to facts of the case."""

    def closings_changed(self, only_added: bool) -> None:
        """It reacts to deadlines, and these to closings."""

    def touch_everything(self) -> None:
        """Touch every key that may be up."""
        self.touched.update(self._waiting, self._setting.open_keys(self.plan.id))

    def waiting(self) -> list[str]:
        """The keys of the deadlines that wait."""
        return [key for key, waiting in self._waiting.items() if waiting]

    def answer(self, key: str, at: int) -> Answer:
        """How it is with a key at an instant."""
        by: Fact | None = None
        wakes: list[int] = []
        for (start, _), deadline in sorted(self._waiting.get(key, {}).items(), key=lambda item: item[0]):
            field = self._row.same_field
            if field not in deadline.governing.data:
                continue
            queue = self._others.queue(self.plan.id, same_value(deadline.governing.data[field]))
            up, wake = queue.overtaken(start, self._row.at_least, at)
            by = by or (deadline.governing if up else None)
            wakes += [wake] if wake is not None else []
        return Answer(by is not None, by, min(wakes, default=None))


class Pair:
    """The reports that share one value, of this case and of others, as they come into the count and leave it."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, bool, Fact, str | None]] = []
        self._place = 0
        self._times: list[int] = []
        self._own: dict[str, list[Fact]] = {}

    def add(self, report: Report, spans: Iterable[tuple[int, int]], key: str | None) -> None:
        """File a report with the spans in which it counts; with its key if it is of this case."""
        for begin, end in spans:
            self._steps.append((begin, True, report.fact, key))
            if end < FOREVER:
                self._steps.append((end, False, report.fact, key))

    def ready(self) -> None:
        """All reports are filed."""
        self._steps.sort(key=lambda step: step[:2])

    def go_to(self, at: int) -> None:
        """Let everything happen up to an instant."""
        while self._place < len(self._steps) and self._steps[self._place][0] <= at:
            _, coming, fact, key = self._steps[self._place]
            self._place += 1
            if coming:
                insort(self._times, fact.time)
            else:
                self._times.remove(fact.time)
            if key is not None:
                (put if coming else take)(self._own.setdefault(key, []), fact)

    def wake(self) -> int | None:
        """When the next report comes or goes."""
        return self._steps[self._place][0] if self._place < len(self._steps) else None

    def crowded(self, key: str, after: int | None, windows: Iterable[tuple[int, int]]) -> Fact | None:
        """The last report of this case with a key, dated after an instant, that is one of too many."""
        for fact in reversed(self._own.get(key, [])):
            if after is not None and fact.time <= after:
                return None
            until = bisect_right(self._times, fact.time)
            for at_least, length in windows:
                if until >= at_least and self._times[until - at_least] > fact.time - length:
                    return fact
        return None


class RepeatFlag:
    """F5: up while a report of this case, after the last answer, is one of several that share a field."""

    def __init__(self, plan: FlagPlan, setting: Setting, known: Iterable[Fact]) -> None:
        assert plan.repeat is not None
        self.plan, self._setting = plan, setting
        self._repeat = plan.repeat
        self._windows = [(window.at_least, window.in_last) for window in plan.repeat.row.windows]
        self.touched: set[str] = set()
        self._answers: list[int] = []
        self._pairs: dict[str, list[Pair]] = {}
        for fact in known:
            self.apply(fact, True)
        self.touched.clear()

    def file(self, case: str, facts: Iterable[Fact], others: Others, at: int | None) -> None:
        """File all reports of this case, also those not yet known, with those of others that share their field."""
        repeat, name = self._repeat, self.plan.id
        own = [fact for fact in facts if fact.type in repeat.types]
        gone = withdrawals(own)
        own_merged = merged(own, repeat, gone)
        for value, own_reports in reports(own, repeat, gone).items():
            pair = Pair()
            for report in [*own_reports, *others.reports(name, value, case)]:
                taken_out = self._taken_out(report, own_merged, others, case)
                spans = counted_spans(report.fact.known_at, report.gone, taken_out)
                pair.add(report, spans, self._key(report.fact) if report.fact.case == case else None)
            pair.ready()
            if at is not None:
                pair.go_to(at)
            for key in {self._key(report.fact) for report in own_reports}:
                self._pairs.setdefault(key, []).append(pair)

    def _key(self, fact: Fact) -> str:
        return key_part(fact.data, self._repeat.row.same_field)

    def _taken_out(
        self, report: Report, own: dict[Hashable, list[Merged]], others: Others, case: str
    ) -> list[tuple[int, int]]:
        rule = self._repeat.row.not_counted
        if rule is None or rule.by not in report.fact.data:
            return []
        value = same_value(report.fact.data[rule.by])
        return [merge.span for merge in own.get(value, [])] + others.merged(self.plan.id, value, case)

    def apply(self, fact: Fact, adding: bool) -> None:
        """File an answer or take it out; reports come and go by themselves."""
        for role in self.plan.roles.get(fact.type, ()):
            if role.matches(fact.data):
                if adding:
                    insort(self._answers, fact.time)
                else:
                    self._answers.remove(fact.time)
                self.touched.update(self._pairs)
                return

    def closings_changed(self, only_added: bool) -> None:
        """A closing is an answer too."""
        self.touched.update(self._pairs)

    def touch_everything(self) -> None:
        """Touch every key that may be up."""
        self.touched.update(self._pairs, self._setting.open_keys(self.plan.id))

    def reported(self) -> list[str]:
        """The keys of all reports."""
        return list(self._pairs)

    def wake(self, key: str) -> int | None:
        """When the next report with a key comes or goes."""
        return min([at for pair in self._pairs[key] if (at := pair.wake()) is not None], default=None)

    def answer(self, key: str, at: int) -> Answer:
        """How it is with a key at an instant."""
        ended = [*self._answers[-1:]]
        closing = self._setting.closings.last(self.plan.continues)
        ended += [closing] if closing is not None else []
        by: Fact | None = None
        for pair in self._pairs.get(key, []):
            pair.go_to(at)
            by = by or pair.crowded(key, max(ended, default=None), self._windows)
        return Answer(by is not None, by, self.wake(key) if key in self._pairs else None)
