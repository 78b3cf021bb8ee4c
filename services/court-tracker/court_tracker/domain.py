"""The facts court-tracker accepts: court cases, hearings, suspensions, terms and decisions; all posted by a court."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from qorgau.front.posted import (
    Category,
    Code,
    Count,
    Days,
    FactData,
    FactWithdrawn,
    Models,
    Reference,
    Timestamp,
    kinds,
    table,
)

LegalBasis = Literal[
    "state_of_emergency", "force_majeure", "expert_examination", "forced_appearance", "other_case_first"
]
_COURT = kinds("court")


class CaseRegistered(FactData):
    """A court, when the protocol has reached it and has become a court case."""

    type = "court.case_registered"
    posted_by = _COURT

    protocol_id: Reference
    court: Code
    arrest_eligible: bool


class HearingScheduled(FactData):
    """A court, when a hearing has a date."""

    type = "court.hearing_scheduled"
    posted_by = _COURT

    protocol_id: Reference
    hearing_id: Reference
    scheduled_for: Timestamp
    mode: Literal["in_person", "remote"] | None = None


class HearingCancelled(FactData):
    """A court, when a hearing will not take place."""

    type = "court.hearing_cancelled"
    posted_by = _COURT

    protocol_id: Reference
    hearing_id: Reference
    reason: Literal["entered_in_error", "case_ended", "other"]


class HearingHeld(FactData):
    """A court, when a hearing has taken place."""

    type = "court.hearing_held"
    posted_by = _COURT

    protocol_id: Reference
    hearing_id: Reference


class HearingPostponed(FactData):
    """A court, when a hearing is put off; no deadline moves."""

    type = "court.hearing_postponed"
    posted_by = _COURT

    protocol_id: Reference
    hearing_id: Reference
    reason: Literal["docket_priority", "party_absent", "evidence_missing", "other"]


class HearingSuspended(FactData):
    """A court, when a hearing stands still; only with a legal basis does the term stand still too."""

    type = "court.hearing_suspended"
    posted_by = _COURT

    protocol_id: Reference
    hearing_id: Reference
    tolls_term: bool
    legal_basis: LegalBasis | None = None

    @model_validator(mode="after")
    def _basis(self) -> Self:
        if self.tolls_term and self.legal_basis is None:
            raise PydanticCustomError("legal_basis", "legal_basis is required when tolls_term is true")
        return self


class HearingResumed(FactData):
    """A court, when a suspended hearing goes on."""

    type = "court.hearing_resumed"
    posted_by = _COURT

    protocol_id: Reference
    hearing_id: Reference


class TermSuspended(FactData):
    """A court, when the term of the case stands still."""

    type = "court.term_suspended"
    posted_by = _COURT

    protocol_id: Reference
    legal_basis: LegalBasis


class TermResumed(FactData):
    """A court, when the term of the case runs again."""

    type = "court.term_resumed"
    posted_by = _COURT

    protocol_id: Reference


class TermExtended(FactData):
    """A court, when it gives itself more days."""

    type = "court.term_extended"
    posted_by = _COURT

    protocol_id: Reference
    days: Days


class DecisionIssued(FactData):
    """A court, when the case is decided; `days` of arrest, `hours` of community service."""

    type = "court.decision_issued"
    posted_by = _COURT

    protocol_id: Reference
    sanction: Literal["warning", "community_service", "arrest", "fine", "terminated", "reclassified_criminal"]
    days: Count | None = None
    hours: Count | None = None


class SpecialRequirementsSet(FactData):
    """A court, when it has forbidden contact for some months."""

    type = "court.special_requirements_set"
    posted_by = _COURT

    months: Annotated[int, Field(ge=3, le=12)]
    protocol_id: Reference | None = None


class DocketItemDecided(FactData):
    """A court, for any item of its docket and without a case: what is decided while other cases wait."""

    type = "court.docket_item_decided"
    posted_by = _COURT
    context = True

    court: Code
    category: Category
    registered_at: Timestamp


class OperationsLimited(FactData):
    """A court, when it or (without `court`) every court of the region works less."""

    type = "court.operations_limited"
    posted_by = _COURT
    context = True

    legal_basis: LegalBasis
    tolls_term: bool
    court: Code | None = None
    from_: Annotated[Timestamp | None, Field(alias="from")] = None
    until: Timestamp | None = None


class OperationsRestored(FactData):
    """A court, when it or every court of the region works as before."""

    type = "court.operations_restored"
    posted_by = _COURT
    context = True

    court: Code | None = None


FACTS: Models = table(
    CaseRegistered,
    HearingScheduled,
    HearingCancelled,
    HearingHeld,
    HearingPostponed,
    HearingSuspended,
    HearingResumed,
    TermSuspended,
    TermResumed,
    TermExtended,
    DecisionIssued,
    SpecialRequirementsSet,
    DocketItemDecided,
    OperationsLimited,
    OperationsRestored,
    FactWithdrawn,
)
