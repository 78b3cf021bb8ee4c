"""What the heart says of a stored case under one plan, as `reading.py` asks it (its protocol `Judge`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from qorgau.assess import is_closed, judged
from qorgau.explain import explain
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import Judged


@dataclass(frozen=True, slots=True)
class PlanJudge:
    """Judges by a plan."""

    plan: Plan

    def judged(self, record: CaseRecord) -> Iterable[Judged]:
        """Every deadline at the instant the record was judged last, with what it was made of."""
        return judged(record, self.plan)

    def closed(self, record: CaseRecord) -> bool:
        """Whether the case is closed (deadlines.md 3.3)."""
        return is_closed(record, self.plan)

    def explain(self, record: CaseRecord, flag_id: str) -> dict[str, Any]:
        """Rule, facts and arithmetic behind one flag; KeyError if no such flag was ever up."""
        return explain(record, flag_id, self.plan)
