"""What intake writes down of a case for figures: its phases, what came of it, places that
were declined, and whose time it was. Pure."""

from collections.abc import Iterator, Sequence

from intake.sanctions import outcomes
from qorgau.attribution.sums import measured as accounted
from qorgau.measures.capacity import SHELTERS, refusals
from qorgau.measures.phases import Measured, Row, phases
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import Judged


def measured_of(plan: Plan) -> Measured:
    """The rows of a case, for the rules of the plan."""
    came_of = outcomes(plan)

    def measured(record: CaseRecord, deadlines: Sequence[Judged]) -> Iterator[Row]:
        yield from phases(record, deadlines, plan.calendar)
        yield from came_of(record)
        yield from refusals(record, SHELTERS, plan)
        if record.as_of is not None:
            yield from accounted(record.facts, record.as_of, plan.calendar)

    return measured
