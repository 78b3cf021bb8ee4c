"""What court-tracker lists of its cases: court cases, hearings, and what cannot have been so. Pure."""

from collections.abc import Iterator, Sequence

from court_tracker.state.cases import court_cases
from court_tracker.state.findings import CHECKS
from court_tracker.state.hearings import hearing_rows, hearings
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import DeadlineRow
from qorgau.state.checks import findings
from qorgau.state.rows import Listed, Projection
from qorgau.state.view import CaseView

__all__ = ["projection"]


def projection(plan: Plan) -> Projection:
    """The rows of a case under a policy: from its record and its deadlines at the record's `as_of`."""

    def project(record: CaseRecord, deadlines: Sequence[DeadlineRow]) -> Iterator[Listed]:
        view = CaseView(record, deadlines, plan)
        known = hearings(view)
        yield from court_cases(view, known)
        yield from hearing_rows(view, known)
        yield from findings(view, CHECKS)

    return project
