"""The facts police-dispatch accepts about calls, risk, detention and protocols, and the table of all it accepts.

Those about protective orders are in `orders.py`, those about forensic examinations in `exams.py`.
"""

from typing import Literal, Self

from pydantic import model_validator

from police_dispatch.exams import EXAM_FACTS
from police_dispatch.orders import ORDER_FACTS
from qorgau.front.posted import (
    Area,
    Category,
    FactData,
    FactWithdrawn,
    Models,
    Priority,
    Reference,
    Timestamp,
    kinds,
    occurred_when_hurt,
    table,
)

_DISPATCH = kinds("102")
_UNIT = kinds("police-unit")


class IncidentRegistered(FactData):
    """102, when a call has become an incident with a priority."""

    type = "police.incident_registered"
    posted_by = _DISPATCH

    priority: Priority
    area: Area
    report_id: Reference | None = None


class Reprioritised(FactData):
    """102, when the incident gets another priority."""

    type = "police.reprioritised"
    posted_by = _DISPATCH

    priority: Priority
    area: Area


class CallCancelled(FactData):
    """102, when nobody needs to come any more."""

    type = "police.call_cancelled"
    posted_by = _DISPATCH

    reason: Literal["duplicate", "false_call", "caller_withdrew"]


class Dispatched(FactData):
    """102, when a unit is on its way."""

    type = "police.dispatched"
    posted_by = _DISPATCH


class Arrived(FactData):
    """102, when a unit is there: to an incident, or to a reported violation of an order."""

    type = "police.arrived"
    posted_by = _DISPATCH

    response: Literal["incident", "order_violation"]
    injury: bool
    sexual: bool
    occurred_at: Timestamp | None = None

    @model_validator(mode="after")
    def _occurred(self) -> Self:
        occurred_when_hurt(self.injury, self.sexual, self.occurred_at)
        return self


class OutcomeRecorded(FactData):
    """102, when the unit has said what came of the visit."""

    type = "police.outcome_recorded"
    posted_by = _DISPATCH

    outcome: Literal[
        "protocol_drawn_up", "order_issued", "talk_held", "no_access", "no_offence", "handed_to_investigation"
    ]


class RiskAssessed(FactData):
    """A police unit, when the risk form is filled in: its level and which form, never its answers."""

    type = "risk.assessed"
    posted_by = _UNIT

    level: Literal["standard", "medium", "high"]
    tool: Literal["dash", "lap", "odara", "danger_assessment", "other"]


class OffenderDetained(FactData):
    """A police unit, when it has detained the person; 24 hours run."""

    type = "offender.detained"
    posted_by = _UNIT


class OffenderReleased(FactData):
    """A police unit, when it has let the person go."""

    type = "offender.released"
    posted_by = _UNIT


class ProtocolDrawnUp(FactData):
    """A police unit, when it has drawn up the protocol of an offence."""

    type = "protocol.drawn_up"
    posted_by = _UNIT

    protocol_id: Reference
    article: Literal["73", "461", "other"]
    arrest_eligible: bool
    occurred_at: Timestamp


class CallRecorded(FactData):
    """102, for any call of any category and without a case: how fast police come to other calls."""

    type = "police.call_recorded"
    posted_by = _DISPATCH
    context = True

    category: Category
    priority: Priority
    area: Area
    registered_at: Timestamp
    arrived_at: Timestamp | None = None


FACTS: Models = table(
    IncidentRegistered,
    Reprioritised,
    CallCancelled,
    Dispatched,
    Arrived,
    OutcomeRecorded,
    RiskAssessed,
    OffenderDetained,
    OffenderReleased,
    ProtocolDrawnUp,
    CallRecorded,
    *ORDER_FACTS,
    *EXAM_FACTS,
    FactWithdrawn,
)
