"""Rows of lists asked for in the words of the tests: what was posted, and what a service then lists of the case."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import court_tracker.state.findings
import police_dispatch.state.findings
from police_dispatch.regrading import FINDINGS
from qorgau.assess import judged
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.instants import parse_instant
from qorgau.plan import Plan, compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord, learn
from qorgau.state.rows import Listed
from qorgau.vocabulary import COURT, POLICE

SERVICES = (POLICE, COURT)
PROJECTIONS = {POLICE: police_dispatch.state.projection, COURT: court_tracker.state.projection}
_SOURCES = {
    "police": "102/KZ-75",
    "order": "police-unit/KZ-75",
    "risk": "police-unit/KZ-75",
    "offender": "police-unit/KZ-75",
    "protocol": "police-unit/KZ-75",
    "exam": "forensic/KZ-75",
    "court": "court/KZ-75-01",
    "case": "coordinator/KZ-75",
    "report": "102/KZ-75",
}
CHECKS = {POLICE: police_dispatch.state.findings.CHECKS, COURT: court_tracker.state.findings.CHECKS}
LATER = "12-31T00:00"


@cache
def plan_of(service: str) -> Plan:
    """The default policy as a service compiles it."""
    return compile_policy(load_policy(default_policy()), service)


def moment(text: str) -> int:
    """`03-02T10:05`, or with seconds, in Almaty in 2026."""
    return parse_instant(f"2026-{text if len(text) > 11 else text + ':00'}+05:00")


def post(type: str, time: str, *, id: str = "", source: str = "", recorded: str = "", **data: Any) -> Fact:
    """A fact of the case; named after its type and time if nothing else is said."""
    at = moment(time)
    return Fact(
        id or f"{type}-{time.replace(':', '.')}",
        source or _SOURCES[type.partition(".")[0]],
        type,
        at,
        moment(recorded) if recorded else at,
        "c1",
        {"region": "KZ-75", **data},
    )


def withdrawn(fact: Fact, time: str) -> Fact:
    """That a fact is taken back."""
    return post("fact.withdrawn", time, source=fact.source, fact_id=fact.id, reason="wrong_data")


def listed(service: str, facts: Iterable[Fact], as_of: int) -> list[Listed]:
    """All rows of a case at an instant."""
    record = replace(learn(CaseRecord("c1"), facts), as_of=as_of)
    plan = plan_of(service)
    return list(PROJECTIONS[service](plan)(record, judged(record, plan)))


def of_kind(kind: str, facts: Sequence[Fact], as_of: str = LATER) -> list[Listed]:
    """The rows of one list."""
    service = COURT if kind in ("court-cases", "hearings") else POLICE
    return [row for row in listed(service, facts, moment(as_of)) if row.kind == kind]


def only(kind: str, facts: Sequence[Fact], as_of: str = LATER) -> Listed:
    """The one row of a list."""
    [row] = of_kind(kind, facts, as_of)
    return row


# Every word by which a row can stand; docs/state.md says what each means.
WORDS = {
    "responses": {"registered", "dispatched", "arrived", "closed", "cancelled", "unregistered"},
    "orders": {"issued", "in_force", "expired", "revoked", "refused"},
    "examinations": {
        *("not_requested", "requested", "scheduled", "blocked", "evidence_collected", "completed", "reported"),
        *("declined", "documented"),
    },
    "regradings": {"regraded", "lowered", *FINDINGS},
    "court-cases": {
        *("awaiting_registration", "awaiting_date", "listed", "suspended", "held", "decided", "requirements_set"),
    },
    "hearings": {
        *("listed", "suspended", "awaiting_date", "postponed", "relisted", "held", "cancelled", "decided"),
    },
}
