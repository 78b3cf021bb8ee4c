"""What court-tracker writes down of a case for figures: its phases. Pure."""

from collections.abc import Iterator, Sequence

from qorgau.measures.phases import Measured, Row, phases
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import Judged


def measured_of(plan: Plan) -> Measured:
    """The rows of a case, for the rules of the plan."""

    def measured(record: CaseRecord, deadlines: Sequence[Judged]) -> Iterator[Row]:
        yield from phases(record, deadlines, plan.calendar)

    return measured
