"""What the heart says of a stored case under one plan, as `reading.py` asks it (its protocol `Judge`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from qorgau.assess import deadlines, is_closed, judged
from qorgau.explain import explain
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import DeadlineRow, Judged


@dataclass(frozen=True, slots=True)
class PlanJudge:
    """Judges by a plan."""

    plan: Plan

    def deadlines(self, record: CaseRecord) -> Iterable[DeadlineRow]:
        """Every deadline at the instant the record was judged last."""
        return deadlines(record, self.plan)

    def judged(self, record: CaseRecord) -> Iterable[Judged]:
        """The same with what each was made of."""
        return judged(record, self.plan)

    def closed(self, record: CaseRecord) -> bool:
        """Whether the case is closed (deadlines.md 3.3)."""
        return is_closed(record, self.plan)

    def explain(self, record: CaseRecord, flag_id: str) -> dict[str, Any]:
        """Rule, facts and arithmetic behind one flag; KeyError if no such flag was ever up."""
        return explain(record, flag_id, self.plan)
