"""What the rows of police-dispatch have besides what all rows have, for the description of the service."""

from collections.abc import Mapping

from police_dispatch.regrading import FINDINGS
from qorgau.front.answers import INSTANT, MAYBE_LENGTH, array, structure
from qorgau.measures.phases import AGAINST
from qorgau.state.items import (
    COUNT,
    EVERY_ROW,
    FINDING,
    MAYBE_INSTANT,
    MAYBE_REFERENCE,
    MAYBE_TEXT,
    MAYBE_YES,
    YES_OR_NO,
    Item,
    steps,
    words,
)

RESPONSE: Item = {
    **EVERY_ROW,
    "begun_by": {"enum": ["call", "order_violation", None]},
    "report_id": MAYBE_REFERENCE,
    "order_id": MAYBE_REFERENCE,
    "priority": words("police.incident_registered", "priority"),
    "area": words("police.incident_registered", "area"),
    "registered_at": MAYBE_INSTANT,
    "reprioritised": steps(priority=words("police.reprioritised", "priority")),
    "dispatched_at": MAYBE_INSTANT,
    "arrived_at": MAYBE_INSTANT,
    "response": words("police.arrived", "response"),
    "cancelled_at": MAYBE_INSTANT,
    "cancel_reason": words("police.call_cancelled", "reason"),
    "outcome": words("police.outcome_recorded", "outcome"),
    "outcomes": steps(outcome=words("police.outcome_recorded", "outcome")),
    "protocols": steps(protocol_id=MAYBE_REFERENCE),
    "offender": {"enum": ["detained", "released", None]},
    "detained_at": MAYBE_INSTANT,
    "released_at": MAYBE_INSTANT,
    "risk": words("risk.assessed", "level"),
    "risk_tool": words("risk.assessed", "tool"),
    "risk_assessed_at": MAYBE_INSTANT,
}
ORDER: Item = {
    **EVERY_ROW,
    "order_id": MAYBE_REFERENCE,
    "issued_at": MAYBE_INSTANT,
    "service_failed": steps(reason=words("order.service_failed", "reason")),
    "served_at": MAYBE_INSTANT,
    "prosecutor_notified_at": MAYBE_INSTANT,
    "acknowledged_at": MAYBE_INSTANT,
    "checks": COUNT,
    "last_checked_at": MAYBE_INSTANT,
    "last_complied": MAYBE_YES,
    "violations_reported": COUNT,
    "violations": COUNT,
    "last_violated_at": MAYBE_INSTANT,
    "extended_days": COUNT,
    "ends": MAYBE_INSTANT | {"description": "When it ended or will end by itself; null: nobody was served"},
    "end_derived": YES_OR_NO,
    "revoked_reason": words("order.revoked", "reason"),
    "refused_at": MAYBE_INSTANT,
    "refusal": words("order.refused", "reason"),
}
EXAMINATION: Item = {
    **EVERY_ROW,
    "exam_id": MAYBE_REFERENCE,
    "requested_at": MAYBE_INSTANT,
    "scheduled_at": MAYBE_INSTANT,
    "scheduled_for": MAYBE_INSTANT,
    "blocked": steps(reason=words("exam.blocked", "reason")),
    "evidence_at": MAYBE_INSTANT,
    "completed_at": MAYBE_INSTANT,
    "declined_at": MAYBE_INSTANT,
    "documented_at": MAYBE_INSTANT,
    "reported_at": MAYBE_INSTANT,
}
_JUDGED = structure(
    **dict.fromkeys(("priority", "desk", "rule", "state"), MAYBE_TEXT),
    **dict.fromkeys(("start_at", "due_at"), MAYBE_INSTANT),
    late_by=MAYBE_LENGTH,
)
_GRADE = structure(
    at=INSTANT,
    **dict.fromkeys(("desk", "priority", "rule"), MAYBE_TEXT),
    due_at=MAYBE_INSTANT,
    original_due_at=MAYBE_INSTANT | {"description": "The due that the first grade gave; it never moves"},
)
_LOWERED = structure(finding={"enum": list(FINDINGS)}, at=INSTANT, desk=MAYBE_TEXT, against={"enum": [*AGAINST, None]})
CALL_OUT: Item = {
    "registered": YES_OR_NO,
    "begun_at": INSTANT,
    "ended_at": MAYBE_INSTANT,
    "ended_by": MAYBE_TEXT,
    "original": _JUDGED | {"description": "As if there had been no later grade"},
    "current": _JUDGED,
    "grades": array(_GRADE),
    "findings": array(_LOWERED),
}
ITEMS: Mapping[str, Item] = {
    "responses": RESPONSE,
    "orders": ORDER,
    "examinations": EXAMINATION,
    "findings": FINDING,
    "regradings": {**EVERY_ROW, **CALL_OUT},
}
