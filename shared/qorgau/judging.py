"""What the pure heart says of a stored case, for those who read it (the `Judge` of reading.py)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from qorgau import assess
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import DeadlineRow


@dataclass(frozen=True, slots=True)
class PlanJudge:
    """Judges by the plan of one service."""

    plan: Plan

    def deadlines(self, record: CaseRecord) -> Iterable[DeadlineRow]:
        """Every deadline at the instant the record was judged last."""
        return assess.deadlines(record, self.plan)

    def closed(self, record: CaseRecord) -> bool:
        """Whether the case is closed."""
        return assess.is_closed(record, self.plan)

    def explain(self, record: CaseRecord, flag_id: str) -> dict[str, Any]:
        """Rule, facts and arithmetic behind one flag; KeyError if no such flag was ever up."""
        from qorgau.explain import explain

        return explain(record, flag_id, self.plan)
