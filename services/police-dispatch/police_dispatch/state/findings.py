"""What cannot have happened so in a response, an order or an examination: the checks of police-dispatch, as data."""

from police_dispatch.state.callouts import ARRIVAL, BEGIN, CANCELLATION, DETENTION, OUTCOME
from qorgau.state.checks import Check

_ORDER, _EXAM = ("order_id",), ("exam_id",)
_ENDED = ("order.expired", "order.revoked")
_DONE = ("exam.completed",)

CHECKS: tuple[Check, ...] = (
    Check("arrival_before_registration", ARRIVAL, needs=BEGIN),
    Check("dispatch_before_registration", "police.dispatched", needs=BEGIN),
    Check("dispatch_after_arrival", "police.dispatched", after=(ARRIVAL,), unless=BEGIN),
    Check("regrading_before_registration", "police.reprioritised", needs=BEGIN),
    Check("regrading_after_arrival", "police.reprioritised", after=(ARRIVAL,), unless=BEGIN),
    Check("cancellation_before_registration", CANCELLATION, needs=BEGIN),
    Check("cancellation_after_arrival", CANCELLATION, after=(ARRIVAL,), unless=BEGIN),
    Check("arrival_after_cancellation", ARRIVAL, after=(CANCELLATION,), unless=BEGIN),
    Check("outcome_without_arrival", OUTCOME, needs=(ARRIVAL,)),
    Check("incident_after_arrival", ARRIVAL, not_later="occurred_at"),
    Check("offence_after_protocol", "protocol.drawn_up", not_later="occurred_at"),
    Check("release_without_detention", "offender.released", needs=(DETENTION,)),
    Check("order_served_before_issue", "order.served", _ORDER, needs=("order.issued",)),
    Check("order_service_failed_before_issue", "order.service_failed", _ORDER, needs=("order.issued",)),
    Check("order_service_failed_after_service", "order.service_failed", _ORDER, after=("order.served",)),
    Check("order_notified_before_issue", "order.prosecutor_notified", _ORDER, needs=("order.issued",)),
    Check("order_acknowledged_before_notice", "order.acknowledged", _ORDER, needs=("order.prosecutor_notified",)),
    Check("order_checked_before_service", "order.compliance_checked", _ORDER, needs=("order.served",)),
    Check("order_checked_after_end", "order.compliance_checked", _ORDER, after=_ENDED),
    Check("order_violation_reported_before_service", "order.violation_reported", _ORDER, needs=("order.served",)),
    Check("order_violated_before_service", "order.violated", _ORDER, needs=("order.served",)),
    Check("order_violated_after_end", "order.violated", _ORDER, after=_ENDED),
    Check("order_extended_before_service", "order.extended", _ORDER, needs=("order.served",)),
    Check("order_extended_after_end", "order.extended", _ORDER, after=_ENDED),
    Check("order_served_after_end", "order.served", _ORDER, after=_ENDED),
    Check("order_expired_before_service", "order.expired", _ORDER, needs=("order.served",)),
    Check("order_revoked_before_issue", "order.revoked", _ORDER, needs=("order.issued",)),
    Check("exam_requested_after_completion", "exam.requested", _EXAM, after=_DONE),
    Check("exam_scheduled_after_completion", "exam.scheduled", _EXAM, after=_DONE),
    Check("exam_blocked_after_completion", "exam.blocked", _EXAM, after=_DONE),
    Check("exam_declined_after_completion", "exam.declined", _EXAM, after=_DONE),
    Check("exam_scheduled_in_the_past", "exam.scheduled", not_earlier="scheduled_for"),
    Check("exam_report_before_completion", "exam.report_issued", _EXAM, needs=_DONE),
)
