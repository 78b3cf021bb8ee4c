"""Every name on the wire: services, topics, kinds of agency, fact types with their fields. Names only; the typed
models, and who may post what, are in each service's `domain.py`; the meaning is in docs/domain/facts.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

INTAKE, POLICE, COURT, NOTIFIER = "intake", "police-dispatch", "court-tracker", "notifier"
SERVICES = (INTAKE, POLICE, COURT, NOTIFIER)
_FACTS_TOPICS = {INTAKE: "qorgau.intake.facts", POLICE: "qorgau.police.facts", COURT: "qorgau.court.facts"}
FACTS_TOPICS = tuple(_FACTS_TOPICS.values())
_COPIES_TOPICS = {INTAKE: "qorgau.intake.copies", POLICE: "qorgau.police.copies", COURT: "qorgau.court.copies"}
COPIES_TOPICS = tuple(_COPIES_TOPICS.values())
FLAGS_TOPIC = "qorgau.flags"
NOTIFICATIONS_TOPIC = "qorgau.notifications"
# Keyed digests of official numbers and the case they belong to; never the number itself.
REFERENCES_TOPIC = "qorgau.references"
# Where each service's audit chain ended, now and then.
AUDIT_TOPIC = "qorgau.audit"
# Which policy is in force from when; of one partition, so that there is one order.
POLICIES_TOPIC = "qorgau.policies"
_INBOUND = "qorgau.inbound."
# What a deployment is called that says nothing else.
DEPLOYMENT = "qorgau"

Fields = Mapping[str, frozenset[str] | None]


@dataclass(frozen=True, slots=True)
class FactType:
    """One type of fact: its owner (None: every owner of facts), whether it is about no case, and its data fields.

    `fields` maps each field to the values it can have, or None where they are not a list of words.
    """

    name: str
    service: str | None
    context: bool
    fields: Fields

    @property
    def services(self) -> tuple[str, ...]:
        """The services that accept it."""
        return tuple(_FACTS_TOPICS) if self.service is None else (self.service,)


def facts_topic(service: str) -> str:
    """The topic of a service's facts; KeyError for a service that owns none."""
    return _FACTS_TOPICS[service]


def copies_topic(service: str) -> str:
    """The topic by which the cases of a service hear of facts of others; its key is the case that hears."""
    return _COPIES_TOPICS[service]


def tracked_topics(service: str) -> tuple[str, ...]:
    """What the tracker of a service reads: the facts of all services, and its own copies."""
    return (*FACTS_TOPICS, copies_topic(service))


def owner_of(topic: str) -> str:
    """The service whose records a topic holds; intake for what several write."""
    owners = {made: service for made_by in (_FACTS_TOPICS, _COPIES_TOPICS) for service, made in made_by.items()}
    return owners.get(topic, INTAKE)


def database_name(deployment: str, service: str) -> str:
    """The database of a service; several deployments can share one server."""
    return f"{deployment}_{service.replace('-', '_')}"


def inbound_topic(agency: str) -> str:
    """The topic an agency with its own Kafka access writes to; `/` is no character of a topic name."""
    return _INBOUND + agency.replace("/", ".")


def inbound_agency(topic: str) -> str:
    """The agency an inbound topic is bound to; no kind contains a point, so the first one was the `/`."""
    return topic.removeprefix(_INBOUND).replace(".", "/", 1)


def dlq(topic: str) -> str:
    """Where what cannot be read from `topic` is told."""
    return f"{topic}.dlq"


def _of(words: str) -> frozenset[str]:
    return frozenset(words.split())


KINDS = _of(
    "102 helpline-150 helpline-111 crisis-centre clinic police-unit forensic shelter court prosecutor coordinator "
    "system"
)
_CHANNEL = _of("102 150 111 crisis_centre clinic web")
_PRIORITY = _of("immediate prompt scheduled")
_AREA = _of("urban rural")
_CATEGORY = _of("emergency_regime domestic_violence other")
_BASIS = _of("state_of_emergency force_majeure expert_examination forced_appearance other_case_first")
_GBV_TYPE = _of("rape sexual_assault physical_assault forced_marriage denial_of_resources psychological_abuse")
_OUTCOME = _of("protocol_drawn_up order_issued talk_held no_access no_offence handed_to_investigation")
_PROTOCOL: Fields = {"protocol_id": None}
_HEARING: Fields = {"protocol_id": None, "hearing_id": None}
_ORDER: Fields = {"order_id": None}
_EXAM: Fields = {"exam_id": None}

_INTAKE: Mapping[str, Fields] = {
    "report.received": {
        "report_id": None,
        "channel": _CHANNEL,
        "area": _AREA,
        "occurred_at": None,
        "gbv_type": _GBV_TYPE,
        "injury": None,
        "sexual": None,
        "pair_ref": None,
        # For statistics only; no rule uses them.
        "district": None,
        "age_band": None,
        "sex": None,
        "relation": None,
    },
    "report.triaged": {"report_id": None, "channel": _CHANNEL, "needs_police": None, "priority": _PRIORITY},
    "report.merged": {"report_id": None, "into_report_id": None},
    "survivor.contacted": {},
    "shelter.referral_requested": {},
    "shelter.declined": {"reason": _of("no_intake_quarantine full not_suitable other")},
    "shelter.quarantine_started": {},
    "shelter.quarantine_ended": {"to": _of("admitted medical left")},
    "shelter.admitted": {},
    "shelter.discharged": {},
    "shelter.survivor_withdrew": {},
    "coordination.reviewed": {},
    "case.closed": {"reason": _of("decided survivor_withdrew handed_over no_contact error")},
    "case.reopened": {"reason": _of("new_report new_facts error")},
    "case.consent_changed": {"agency": None, "consent": _of("given withdrawn")},
    "case.referred": {"referral_id": None, "agency": None},
    "case.transfer_offered": {"transfer_id": None, "to": None},
    "case.transfer_accepted": {"transfer_id": None},
    "case.transfer_declined": {"transfer_id": None, "reason": _of("not_competent no_capacity other")},
    "case.supervision_note": {"code": None},
}
_INTAKE_CONTEXT: Mapping[str, Fields] = {
    "emergency.regime_declared": {},
    "emergency.regime_lifted": {},
    "restriction.movement_imposed": {},
    "restriction.movement_lifted": {},
    "shelter.intake_limited": {},
    "shelter.intake_restored": {},
    "shelter.capacity_reported": {"places": None, "free": None, "quarantine_free": None},
}
_POLICE: Mapping[str, Fields] = {
    "police.incident_registered": {"priority": _PRIORITY, "area": _AREA, "report_id": None},
    "police.reprioritised": {"priority": _PRIORITY, "area": _AREA},
    "police.call_cancelled": {"reason": _of("duplicate false_call caller_withdrew")},
    "police.dispatched": {},
    "police.arrived": {
        "response": _of("incident order_violation"),
        "injury": None,
        "sexual": None,
        "occurred_at": None,
    },
    "police.outcome_recorded": {"outcome": _OUTCOME},
    "risk.assessed": {"level": _of("standard medium high"), "tool": _of("dash lap odara danger_assessment other")},
    "order.issued": _ORDER,
    "order.refused": {"reason": _of("no_grounds order_in_force under_16 other_measure")},
    "order.served": _ORDER,
    "order.service_failed": {**_ORDER, "reason": _of("not_found refused no_access")},
    "order.prosecutor_notified": _ORDER,
    "order.acknowledged": _ORDER,
    "order.compliance_checked": {**_ORDER, "complied": None},
    "order.violation_reported": {"area": _AREA, **_ORDER},
    "order.violated": _ORDER,
    "order.extended": {**_ORDER, "days": None},
    "order.expired": _ORDER,
    "order.revoked": {**_ORDER, "reason": _of("issued_in_error court_decision prosecutor_protest other")},
    "exam.requested": {**_EXAM, "consent": _of("given")},
    "exam.declined": _EXAM,
    "exam.scheduled": {**_EXAM, "scheduled_for": None},
    "exam.blocked": {**_EXAM, "reason": _of("movement_restrictions no_expert facility_closed transport")},
    "exam.evidence_collected": _EXAM,
    "exam.completed": _EXAM,
    "exam.alt_documented": _EXAM,
    "exam.report_issued": _EXAM,
    "offender.detained": {},
    "offender.released": {},
    "protocol.drawn_up": {
        **_PROTOCOL,
        "article": _of("73 461 other"),
        "arrest_eligible": None,
        "occurred_at": None,
    },
}
_POLICE_CONTEXT: Mapping[str, Fields] = {
    "exam.capacity_reported": {"on_duty": None, "reachable": None},
    "police.call_recorded": {
        "category": _CATEGORY,
        "priority": _PRIORITY,
        "area": _AREA,
        "registered_at": None,
        "arrived_at": None,
    },
}
_COURT: Mapping[str, Fields] = {
    "court.case_registered": {**_PROTOCOL, "court": None, "arrest_eligible": None},
    "court.hearing_scheduled": {**_HEARING, "scheduled_for": None, "mode": _of("in_person remote")},
    "court.hearing_cancelled": {**_HEARING, "reason": _of("entered_in_error case_ended other")},
    "court.hearing_held": _HEARING,
    "court.hearing_postponed": {**_HEARING, "reason": _of("docket_priority party_absent evidence_missing other")},
    "court.hearing_suspended": {**_HEARING, "tolls_term": None, "legal_basis": _BASIS},
    "court.hearing_resumed": _HEARING,
    "court.term_suspended": {**_PROTOCOL, "legal_basis": _BASIS},
    "court.term_resumed": _PROTOCOL,
    "court.term_extended": {**_PROTOCOL, "days": None},
    "court.decision_issued": {
        **_PROTOCOL,
        "sanction": _of("warning community_service arrest fine terminated reclassified_criminal"),
        "days": None,
        "hours": None,
    },
    "court.special_requirements_set": {"months": None, **_PROTOCOL},
}
_COURT_CONTEXT: Mapping[str, Fields] = {
    "court.docket_item_decided": {"court": None, "category": _CATEGORY, "registered_at": None},
    "court.operations_limited": {"legal_basis": _BASIS, "tolls_term": None, "court": None, "from": None, "until": None},
    "court.operations_restored": {"court": None},
}
_EVERYWHERE: Mapping[str, Fields] = {
    "fact.withdrawn": {"fact_id": None, "reason": _of("entered_in_error wrong_case wrong_data")},
}


def _types(service: str | None, context: bool, table: Mapping[str, Fields]) -> dict[str, FactType]:
    return {
        name: FactType(name, service, context, MappingProxyType({"region": None, **fields}))
        for name, fields in table.items()
    }


FACT_TYPES: Mapping[str, FactType] = MappingProxyType(
    _types(INTAKE, False, _INTAKE)
    | _types(INTAKE, True, _INTAKE_CONTEXT)
    | _types(POLICE, False, _POLICE)
    | _types(POLICE, True, _POLICE_CONTEXT)
    | _types(COURT, False, _COURT)
    | _types(COURT, True, _COURT_CONTEXT)
    | _types(None, False, _EVERYWHERE)
)
