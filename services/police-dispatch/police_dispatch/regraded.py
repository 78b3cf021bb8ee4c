"""What becomes of a ledger of grades: an answer, rows of the list, rows for figures, counts by desk. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from police_dispatch.regrading import FINDINGS, CallOut, Grade, call_outs, graded_rules
from qorgau.facts import region_of
from qorgau.instants import format_duration, format_instant
from qorgau.measures.capacity import EXAMS, refusals
from qorgau.measures.figures import UNKNOWN
from qorgau.measures.phases import Measured, Row, month_of, phases
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import Judged
from qorgau.state.rows import UNENDED, Listed
from qorgau.state.values import written
from qorgau.state.view import CaseView
from qorgau.surge.suppression import BELOW

KIND = "regradings"
# A desk that lowers so many call-outs in a month is looked at; fewer would point at single cases.
REPEATED = BELOW


def measured_of(plan: Plan) -> Measured:
    """What police-dispatch writes down of a case: its phases, those of grades also against the first one, and a row of
    kind `regradings` for each desk of a call-out, and examinations that were blocked."""
    graded = frozenset(graded_rules(plan))

    def measured(record: CaseRecord, deadlines: Sequence[Judged]) -> Iterator[Row]:
        yield from phases(record, deadlines, plan.calendar)
        outs = call_outs(record, plan, deadlines)
        originals = {id(out.original): out.original for out in outs if out.original is not None}
        # Two call-outs registered at the same instant share one deadline, as they do in the heart.
        firsts = [one for one in originals.values() if one.row.rule in graded]
        yield from phases(record, firsts, plan.calendar, "original")
        for out in outs:
            yield from _desks_of(out, plan)
        yield from refusals(record, EXAMS, plan)

    return measured


def regrading_rows(view: CaseView, outs: Iterable[CallOut]) -> Iterator[Listed]:
    """The rows of `GET /v1/regradings`: call-outs with more than one grade, or with a finding."""
    for place, out in enumerate(outs):
        if len(out.grades) > 1 or out.findings:
            last = out.grades[-1].deadline
            waits = [last.row] if last is not None and last.row.state in UNENDED else []
            row = view.row(KIND, str(place), _state(out), [out.grades[0].fact], ledger_item(out), waits)
            # Not whose duty it is to come, but who graded.
            yield replace(row, agency=_last_desk(out))


def ledger_item(out: CallOut) -> dict[str, Any]:
    """One call-out: every grade with its due, and beside each the due of the first one."""
    original = out.original.row.due_at if out.original else None
    return {
        "registered": out.registered,
        "begun_at": format_instant(out.grades[0].fact.time),
        "ended_at": format_instant(out.end.time) if out.end else None,
        "ended_by": out.end.type if out.end else None,
        "original": _deadline(out.grades[0], out.original),
        "current": _deadline(out.grades[-1], out.grades[-1].deadline),
        "grades": [
            {
                "at": format_instant(grade.fact.time),
                "desk": grade.desk,
                "priority": grade.priority,
                "rule": grade.deadline.row.rule if grade.deadline else None,
                "due_at": written(grade.due_at),
                "original_due_at": written(original),
            }
            for grade in out.grades
        ],
        "findings": [
            {"finding": one.kind, "at": format_instant(one.at), "desk": one.desk, "against": one.against}
            for one in out.findings
        ],
    }


def desks(rows: Iterable[Row], below: int = BELOW) -> list[dict[str, Any]]:
    """The desks of a month by how often they lowered: counts below `below` are None, and as no sum is told nothing
    gives them away. `repeated`: REPEATED call-outs or more were lowered there."""
    by_desk: dict[str, Counter[str]] = {}
    for row in rows:
        counts = by_desk.setdefault(row["desk"] or UNKNOWN, Counter())
        counts.update({name: int(row[name]) for name in ("call_outs", "lowered", *FINDINGS)})
    found = [
        {
            "desk": desk,
            **{name: counts[name] if counts[name] >= below else None for name in counts},
            "repeated": counts["lowered"] >= max(REPEATED, below),
        }
        for desk, counts in by_desk.items()
        if counts["call_outs"] >= below
    ]
    return sorted(found, key=lambda row: (-(row["lowered"] or 0), row["desk"]))


def _desks_of(out: CallOut, plan: Plan) -> Iterator[Row]:
    """A row for each desk that graded a call-out: whether it lowered it, and what was found of it."""
    first = out.grades[0].fact
    region = region_of(first)
    for desk in dict.fromkeys(grade.desk for grade in out.grades):
        found = {one.kind for one in out.findings if one.desk == desk}
        yield {
            "kind": KIND,
            "region": region,
            "month": month_of(first.time, region, plan.calendar),
            "desk": desk,
            "call_outs": 1,
            "lowered": int(any(grade.desk == desk for grade in out.lowered)),
            **{name: int(name in found) for name in FINDINGS},
        }


def _state(out: CallOut) -> str:
    found: Sequence[str] = [one.kind for one in out.findings]
    for name in FINDINGS:
        if name in found:
            return name
    return "lowered" if out.lowered else "regraded"


def _last_desk(out: CallOut) -> str | None:
    return out.findings[-1].desk if out.findings else out.grades[-1].desk


def _deadline(grade: Grade, deadline: Judged | None) -> Mapping[str, Any]:
    row = deadline.row if deadline else None
    return {
        "priority": grade.priority,
        "desk": grade.desk,
        "rule": row.rule if row else None,
        "start_at": format_instant(row.start_at) if row else None,
        "due_at": written(row.due_at) if row else None,
        "state": row.state if row else None,
        "late_by": format_duration(row.late_by) if row and row.late_by is not None else None,
    }
