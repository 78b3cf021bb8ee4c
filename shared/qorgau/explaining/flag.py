"""Why a rule flag (F1 to F7, F9) went up and why it came down, as data and as sentences. Pure."""

from typing import Any, assert_never

from qorgau import rules
from qorgau.explaining.form import Step, dated
from qorgau.explaining.scene import Scene, fact_item, flag_of
from qorgau.explaining.wording import LocalTime, called, length, listed, plural
from qorgau.facts import Fact
from qorgau.heart.gaps import ProtectionGapFlag, Standing
from qorgau.heart.matching import key_part
from qorgau.heart.ruleflags import CountFlag
from qorgau.instants import format_duration
from qorgau.rows import FlagRow


class FlagStory:
    """One entry of a rule flag: `raised` is the scene in which it went up, `ended` the one in which it came down, or
    the last one there is."""

    def __init__(self, row: FlagRow, raised: Scene, ended: Scene) -> None:
        self.row, self.raised, self.ended = row, raised, ended
        self.rule = flag_of(raised.plan, row.rule)
        answer = raised.rule_flag(raised.plan.flags[row.rule]).answer(row.key, row.raised_at)
        self.by: Fact | None = answer.by
        region = self.by.data.get("region") if self.by is not None else row.region
        self.local = LocalTime(raised.plan.calendar.zone(region), row.raised_at)

    def facts(self) -> dict[str, Any]:
        """The fact that raised it, and those that became known when it was cleared."""
        cleared = self._told_at_clearing()
        return {
            "start": None if self.by is None else fact_item(self.by),
            "end": fact_item(cleared[-1]) if cleared else None,
        }

    def steps(self) -> list[Step]:
        """Why, since when, whom it was told, and how it ended."""
        zone = self.local.zone.key
        why = {"step": "condition", "kind": self.rule.kind, **self._data(), "sentence": self._why()}
        at = self.row.raised_at
        steps = [why, self._step("raised", at, f"The flag was raised on {self.local(at)} ({zone}).", zone=zone)]
        if self.by is not None and at > self.by.known_at and isinstance(self.rule, rules.Instant | rules.Count):
            steps.insert(1, self._held(self.by))
        cleared = self._cleared()
        return [*steps, *([cleared] if cleared else [])]

    def _data(self) -> dict[str, Any]:
        facts = [fact_item(fact) for fact in self._decisive()]
        return {"key": self.row.key, "facts": facts}

    def _decisive(self) -> list[Fact]:
        """The facts of the case that make it up."""
        flag = self.raised.rule_flag(self.raised.plan.flags[self.row.rule])
        if isinstance(flag, CountFlag) and isinstance(self.rule, rules.Count):
            begun, first = flag.since_end(self.row.key)
            return begun[first : first + self.rule.at_least]
        standing = self._standing()
        if standing is not None:
            return [fact for fact in (standing.suspended, standing.dated) if fact is not None]
        return [] if self.by is None else [self.by]

    def _why(self) -> str:
        rule, by = self.rule, self.by
        what = "a fact" if by is None else f"{called(by)} of {self.local(by.time)}"
        match rule:
            case rules.Instant():
                return f"Nothing had answered {what}."
            case rules.Count():
                facts = listed([f"{called(fact)} of {self.local(fact.time)}" for fact in self._decisive()])
                return f"It takes {plural(rule.at_least, 'fact')} since the last reset: {facts}."
            case rules.Overtaken():
                return (
                    f"The term that began with {what} waited while at least {rule.at_least} later cases of the same "
                    f"{rule.same_field} were decided within {length(rule.in_last)}."
                )
            case rules.Repeat():
                often = [f"{one.at_least} within {length(one.in_last)}" for one in rule.windows]
                return f"With {what}, the reports that share its {rule.same_field} came to {' or '.join(often)}."
            case rules.OrderGap():
                return f"Every order had ended, the last one by {what}, and {self._risk()}nothing had followed it."
            case rules.ProtectionGap():
                return self._gap(what)
            case rules.Stale():
                return f"Nothing was recorded for {length(rule.after)} after {what}, and the case was open."
            case rules.Surge():
                return "It is statistics over many cases."
            case rules.Silence():
                return "It is about an agency's feed, not about a case."
            case _:
                assert_never(rule)

    def _risk(self) -> str:
        state = self.raised.plan.policy.policy.risk_state
        assessed = self.raised.risk.last(None)
        if state is None or state.field not in assessed:
            return ""
        return f"the last known risk was {key_part(assessed, state.field)}, and "

    def _gap(self, what: str) -> str:
        standing = self._standing()
        if standing is None or standing.protection is None:
            return f"The last order ended before what {what} suspended takes place."
        end = standing.protection.end
        order = f"order {standing.protection.key or 'without a reference'}"
        ends = f"{order} {'ends' if end > self.row.raised_at else 'had ended'} on {self.local(end)}"
        if standing.hearing_at is None:
            return f"What {what} suspended had no new date, and {ends}."
        date = f"the new date is {self.local(standing.hearing_at)}"
        if standing.length:
            return f"What {what} suspended takes place too late: {ends}, {date}, {length(standing.length)} later."
        return f"What {what} suspended had not taken place: {ends}, {date}."

    def _standing(self) -> Standing | None:
        flag = self.raised.rule_flag(self.raised.plan.flags[self.row.rule])
        return flag.standing(self.row.key, self.row.raised_at) if isinstance(flag, ProtectionGapFlag) else None

    def _held(self, by: Fact) -> Step:
        waited = self.row.raised_at - by.known_at
        known = f"{called(by)}, recorded on {self.local(by.recorded)}, was known"
        sentence = f"It was raised {length(waited)} after {known}, so that the rest of that batch could come."
        return self._step("recorded", by.recorded, sentence, waited=format_duration(waited))

    def _cleared(self) -> Step | None:
        at = self.row.cleared_at
        if at is None:
            return None
        known = self._told_at_clearing()
        why = f", when {listed([called(fact) for fact in known])} became known" if known else ", as time went by"
        items = [fact_item(fact) for fact in known]
        return self._step("cleared", at, f"It was cleared on {self.local(at)}{why}.", facts=items)

    def _told_at_clearing(self) -> list[Fact]:
        if self.row.cleared_at is None:
            return []
        return [fact for fact in self.ended.known if fact.known_at == self.row.cleared_at]

    def _step(self, name: str, at: int, sentence: str, **more: Any) -> Step:
        return dated(name, at, sentence, self.local, **more)
