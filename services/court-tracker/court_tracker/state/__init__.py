"""What court-tracker lists of its cases: court cases, hearings, and what cannot have been so. Pure."""

from collections.abc import Iterator, Sequence

from court_tracker.state.cases import court_case_rows
from court_tracker.state.findings import CHECKS
from qorgau.hearings.listing import hearing_rows, hearings_of
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import Judged
from qorgau.state.checks import finding_rows
from qorgau.state.rows import Listed, Projection
from qorgau.state.view import CaseView

__all__ = ["projection"]


def projection(plan: Plan) -> Projection:
    """The rows of a case under a policy: from its record and its deadlines at the record's `as_of`."""

    def project(record: CaseRecord, judged: Sequence[Judged]) -> Iterator[Listed]:
        view = CaseView(record, [one.row for one in judged], plan)
        known = hearings_of(view)
        yield from court_case_rows(view, known)
        yield from hearing_rows(view, known)
        yield from finding_rows(view, CHECKS)

    return project
