"""The facts intake accepts about reports, contact and the case itself, and the table of all it accepts.

Those about shelters and states of emergency are in `shelter.py`.
"""

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from intake.shelter import SHELTER_FACTS
from qorgau.front.posted import (
    ANY_AGENCY,
    AgencyCode,
    Area,
    Code,
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

Channel = Literal["102", "150", "111", "crisis_centre", "clinic", "web"]
GbvType = Literal[
    "rape", "sexual_assault", "physical_assault", "forced_marriage", "denial_of_resources", "psychological_abuse"
]
_DESKS = kinds("102", "helpline-150", "helpline-111", "crisis-centre")


class ReportReceived(FactData):
    """A desk (102, helpline, crisis centre, clinic), when it has taken a report."""

    type = "report.received"
    posted_by = _DESKS | kinds("clinic")

    report_id: Reference
    channel: Channel
    area: Area
    occurred_at: Timestamp | None = None
    gbv_type: GbvType | None = None
    injury: bool = False
    sexual: bool = False
    pair_ref: Reference | None = None
    # Statistics only. Short codes: too short for an identification number, without space for a name.
    district: str | None = Field(None, pattern=r"^[A-Z0-9-]{1,11}$")
    age_band: str | None = Field(None, pattern=r"^[0-9]{1,2}(-[0-9]{1,2}|\+)$")
    sex: Literal["female", "male", "other", "unknown"] | None = None
    relation: str | None = Field(None, pattern=r"^[a-z_]{1,20}$")

    @model_validator(mode="after")
    def _occurred(self) -> Self:
        occurred_when_hurt(self.injury, self.sexual, self.occurred_at)
        return self


class ReportTriaged(FactData):
    """The desk that took the report, when it has decided whether police must come and how fast."""

    type = "report.triaged"
    posted_by = _DESKS

    report_id: Reference
    channel: Channel
    needs_police: bool
    priority: Priority | None = None

    @model_validator(mode="after")
    def _priority(self) -> Self:
        if self.needs_police and self.priority is None:
            raise PydanticCustomError("priority", "priority is required when needs_police is true")
        return self


class ReportMerged(FactData):
    """A desk, when it finds that a report is about the same incident as another one."""

    type = "report.merged"
    posted_by = _DESKS

    report_id: Reference
    into_report_id: Reference


class SurvivorContacted(FactData):
    """A helpline or crisis centre, when a conversation took place; attempts are not posted."""

    type = "survivor.contacted"
    posted_by = kinds("helpline-150", "helpline-111", "crisis-centre")


class CoordinationReviewed(FactData):
    """The coordinator, when the agencies have gone through the case together."""

    type = "coordination.reviewed"
    posted_by = kinds("coordinator")


class CaseClosed(FactData):
    """The coordinator, when nothing more is to be done in the case."""

    type = "case.closed"
    posted_by = kinds("coordinator")

    reason: Literal["decided", "survivor_withdrew", "handed_over", "no_contact", "error"]


class CaseReopened(FactData):
    """The coordinator, when a closed case goes on."""

    type = "case.reopened"
    posted_by = kinds("coordinator")

    reason: Literal["new_report", "new_facts", "error"]


class ConsentChanged(FactData):
    """A helpline or crisis centre, when the survivor gives or withdraws consent to sharing with an agency."""

    type = "case.consent_changed"
    posted_by = kinds("helpline-150", "helpline-111", "crisis-centre")

    agency: AgencyCode
    consent: Literal["given", "withdrawn"]


class CaseReferred(FactData):
    """Any agency of the case, when it asks another one to act in it too; that one is part of the case from then on."""

    type = "case.referred"
    posted_by = ANY_AGENCY

    referral_id: Reference
    agency: AgencyCode


class TransferOffered(FactData):
    """Any agency of the case, when it asks another one to take it over."""

    type = "case.transfer_offered"
    posted_by = ANY_AGENCY

    transfer_id: Reference
    to: AgencyCode


class TransferAccepted(FactData):
    """The agency the case was offered to, when it takes it; from then on it is part of the case."""

    type = "case.transfer_accepted"
    posted_by = ANY_AGENCY

    transfer_id: Reference


class TransferDeclined(FactData):
    """The agency the case was offered to, when it does not take it."""

    type = "case.transfer_declined"
    posted_by = ANY_AGENCY

    transfer_id: Reference
    reason: Literal["not_competent", "no_capacity", "other"] | None = None


class SupervisionNote(FactData):
    """The prosecutor, when supervision has found something, by its code."""

    type = "case.supervision_note"
    posted_by = kinds("prosecutor")

    code: Code


FACTS: Models = table(
    ReportReceived,
    ReportTriaged,
    ReportMerged,
    SurvivorContacted,
    CoordinationReviewed,
    CaseClosed,
    CaseReopened,
    ConsentChanged,
    CaseReferred,
    TransferOffered,
    TransferAccepted,
    TransferDeclined,
    SupervisionNote,
    *SHELTER_FACTS,
    FactWithdrawn,
)
