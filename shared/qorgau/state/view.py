"""A case as the lists of a service look at it: what counts at the record's `as_of`, and what somebody still has to do.

Pure. Which rows come of it is each service's `state` package.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qorgau.facts import Fact
from qorgau.heart.circumstances import Closings
from qorgau.heart.flagging import Duty
from qorgau.heart.known import KnownFacts
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import DeadlineRow
from qorgau.state.index import FactIndex
from qorgau.state.rows import UNENDED, Listed, earliest_due
from qorgau.state.values import reference, source, written


class CaseView(FactIndex):
    """The facts that count (deadlines.md 1): not those withdrawn, nor those not known yet. `unended` are the deadlines
    for which somebody still has to do something, `closed` whether the case is closed (3.3)."""

    def __init__(self, record: CaseRecord, deadlines: Iterable[DeadlineRow], plan: Plan) -> None:
        super().__init__(KnownFacts(record.facts, record.as_of))
        self.unended = [row for row in deadlines if row.state in UNENDED]
        self.at, self.plan = record.as_of, plan
        self._duty = Duty(plan, lambda: self.facts)
        closings = Closings()
        closings.closed = [fact.time for fact in self.of(plan.closed_by)]
        closings.reopened = [fact.time for fact in self.of(plan.reopened_by)]
        self.closed = closings.case_is_closed

    def keyed(self, rules: Iterable[str], key: str) -> list[DeadlineRow]:
        """The unended deadlines of some rules with a key."""
        return [row for row in self.unended if row.key == key and row.rule in rules]

    def row(
        self,
        kind: str,
        key: str,
        state: str,
        facts: Sequence[Fact],
        item: Mapping[str, Any],
        deadlines: Sequence[DeadlineRow] = (),
        court: str | None = None,
    ) -> Listed:
        """A row made of some facts, the last one last, and the unended deadlines that belong to it."""
        region = next((code for fact in reversed(facts) if (code := reference(fact, "region"))), None)
        waits = [{"rule": row.rule, "due_at": written(row.due_at)} for row in sorted(deadlines, key=_by_due)]
        return Listed(
            kind=kind,
            key=key,
            state=state,
            region=region,
            agency=self._agency(deadlines, region) or (source(facts[-1]) if facts else None),
            due=earliest_due(deadlines),
            court=court,
            item={**item, "deadlines": waits, "case_closed": self.closed},
        )

    def _agency(self, deadlines: Sequence[DeadlineRow], region: str | None) -> str | None:
        """Whose duty it is that comes first (policy.yaml, `duty_kinds`), if the policy names kinds of agency."""
        rule = min(deadlines, key=_by_due).rule if deadlines else None
        family = self.plan.families.get(rule) if rule is not None else None
        kinds = family.versions[0].duty_kinds if family is not None else ()
        named = not kinds or any(kind.partition(".")[0] == "start" for kind in kinds)
        return None if named else self._duty.of_kinds(kinds, region)


def _by_due(row: DeadlineRow) -> tuple[bool, int, str, int]:
    return row.due_at is None, row.due_at or 0, row.rule, row.start_at
