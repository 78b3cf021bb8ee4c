"""What police-dispatch lists of its cases: responses, orders, examinations, re-gradings, and what cannot have been
so. Pure."""

from collections.abc import Iterator, Sequence

from police_dispatch.regraded import regrading_rows
from police_dispatch.regrading import call_outs
from police_dispatch.state.examinations import examination_rows
from police_dispatch.state.findings import CHECKS
from police_dispatch.state.orders import order_rows
from police_dispatch.state.responses import response_rows
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import Judged
from qorgau.state.checks import finding_rows
from qorgau.state.protection import protections
from qorgau.state.rows import Listed, Projection
from qorgau.state.view import CaseView

__all__ = ["projection"]


def projection(plan: Plan) -> Projection:
    """The rows of a case under a policy: from its record and its deadlines at the record's `as_of`."""

    def project(record: CaseRecord, judged: Sequence[Judged]) -> Iterator[Listed]:
        view = CaseView(record, [one.row for one in judged], plan)
        protecting = protections(view)
        yield from response_rows(view)
        yield from order_rows(view, protecting)
        yield from examination_rows(view)
        ended = [one.ended_by for one in protecting.values() if one.derived and one.ended_by is not None]
        yield from finding_rows(view, CHECKS, ended)
        yield from regrading_rows(view, call_outs(record, plan, judged))

    return project
