"""Which kinds of agency may post each type of fact, for those who judge facts of other services.

The word on it is `posted_by` in each service's `domain.py`, which nothing here may import; a test compares them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from qorgau.front.posted import ANY_AGENCY

_HELPLINES = "helpline-111 helpline-150"
# Kinds, and the types that exactly these may post.
_TABLE: tuple[tuple[str, str], ...] = (
    (f"102 clinic crisis-centre {_HELPLINES}", "report.received"),
    (f"102 crisis-centre {_HELPLINES}", "report.triaged report.merged"),
    (f"crisis-centre {_HELPLINES}", "survivor.contacted case.consent_changed"),
    (f"crisis-centre police-unit {_HELPLINES}", "shelter.referral_requested"),
    (
        "coordinator",
        "coordination.reviewed case.closed case.reopened emergency.regime_declared emergency.regime_lifted"
        " restriction.movement_imposed restriction.movement_lifted",
    ),
    ("prosecutor", "case.supervision_note order.acknowledged"),
    (
        "shelter",
        "shelter.declined shelter.quarantine_started shelter.quarantine_ended shelter.admitted shelter.discharged"
        " shelter.intake_limited shelter.intake_restored shelter.capacity_reported",
    ),
    ("crisis-centre shelter", "shelter.survivor_withdrew"),
    (
        "102",
        "police.incident_registered police.reprioritised police.call_cancelled police.dispatched police.arrived"
        " police.outcome_recorded police.call_recorded order.violation_reported",
    ),
    (
        "police-unit",
        "risk.assessed offender.detained offender.released protocol.drawn_up order.issued order.refused order.served"
        " order.service_failed order.prosecutor_notified order.compliance_checked order.violated order.extended"
        " order.expired order.revoked",
    ),
    ("crisis-centre police-unit", "exam.requested"),
    ("clinic crisis-centre police-unit", "exam.declined"),
    ("clinic forensic", "exam.scheduled exam.blocked exam.evidence_collected exam.completed exam.capacity_reported"),
    ("clinic forensic shelter", "exam.alt_documented"),
    ("forensic", "exam.report_issued"),
    (
        "court",
        "court.case_registered court.hearing_scheduled court.hearing_cancelled court.hearing_held"
        " court.hearing_postponed court.hearing_suspended court.hearing_resumed court.term_suspended court.term_resumed"
        " court.term_extended court.decision_issued court.special_requirements_set court.docket_item_decided"
        " court.operations_limited court.operations_restored",
    ),
    (
        " ".join(sorted(ANY_AGENCY)),
        "case.referred case.transfer_offered case.transfer_accepted case.transfer_declined fact.withdrawn",
    ),
)
POSTERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {type: frozenset(kinds.split()) for kinds, types in _TABLE for type in types.split()}
)
