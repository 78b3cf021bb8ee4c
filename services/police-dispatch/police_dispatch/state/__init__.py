"""What police-dispatch lists of its cases: responses, orders, examinations, and what cannot have been so. Pure."""

from collections.abc import Iterator, Sequence

from police_dispatch.state.examinations import examinations
from police_dispatch.state.findings import CHECKS
from police_dispatch.state.orders import orders
from police_dispatch.state.responses import responses
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import DeadlineRow
from qorgau.state.checks import findings
from qorgau.state.protection import protections
from qorgau.state.rows import Listed, Projection
from qorgau.state.view import CaseView

__all__ = ["projection"]


def projection(plan: Plan) -> Projection:
    """The rows of a case under a policy: from its record and its deadlines at the record's `as_of`."""

    def project(record: CaseRecord, deadlines: Sequence[DeadlineRow]) -> Iterator[Listed]:
        view = CaseView(record, deadlines, plan)
        protecting = protections(view)
        yield from responses(view)
        yield from orders(view, protecting)
        yield from examinations(view)
        ended = [one.ended_by for one in protecting.values() if one.derived and one.ended_by is not None]
        yield from findings(view, CHECKS, ended)

    return project
