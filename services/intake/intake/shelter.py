"""The facts intake accepts about shelter places, quarantine, and the states of emergency that close shelters."""

from typing import Literal

from qorgau.front.posted import Count, FactData, kinds

_SHELTER = kinds("shelter")
_COORDINATOR = kinds("coordinator")


class ReferralRequested(FactData):
    """A helpline, crisis centre or police unit, when it asks for a shelter place."""

    type = "shelter.referral_requested"
    posted_by = kinds("helpline-150", "helpline-111", "crisis-centre", "police-unit")


class ShelterDeclined(FactData):
    """The shelter, when it cannot take the survivor; the search goes on."""

    type = "shelter.declined"
    posted_by = _SHELTER

    reason: Literal["no_intake_quarantine", "full", "not_suitable", "other"]


class QuarantineStarted(FactData):
    """The shelter, when the survivor is in its quarantine place."""

    type = "shelter.quarantine_started"
    posted_by = _SHELTER


class QuarantineEnded(FactData):
    """The shelter, when quarantine is over."""

    type = "shelter.quarantine_ended"
    posted_by = _SHELTER

    to: Literal["admitted", "medical", "left"]


class ShelterAdmitted(FactData):
    """The shelter, when the survivor has a place."""

    type = "shelter.admitted"
    posted_by = _SHELTER


class ShelterDischarged(FactData):
    """The shelter, when the survivor has left."""

    type = "shelter.discharged"
    posted_by = _SHELTER


class SurvivorWithdrew(FactData):
    """The shelter or crisis centre, when the survivor no longer wants a place."""

    type = "shelter.survivor_withdrew"
    posted_by = kinds("shelter", "crisis-centre")


class RegimeDeclared(FactData):
    """The coordinator, when a state of emergency begins in the region."""

    type = "emergency.regime_declared"
    posted_by = _COORDINATOR
    context = True


class RegimeLifted(FactData):
    """The coordinator, when the state of emergency ends."""

    type = "emergency.regime_lifted"
    posted_by = _COORDINATOR
    context = True


class MovementImposed(FactData):
    """The coordinator, when limits on movement begin in the region."""

    type = "restriction.movement_imposed"
    posted_by = _COORDINATOR
    context = True


class MovementLifted(FactData):
    """The coordinator, when the limits on movement end."""

    type = "restriction.movement_lifted"
    posted_by = _COORDINATOR
    context = True


class IntakeLimited(FactData):
    """A shelter, when it takes nobody or fewer than it has places for."""

    type = "shelter.intake_limited"
    posted_by = _SHELTER
    context = True


class IntakeRestored(FactData):
    """A shelter, when it takes people as before."""

    type = "shelter.intake_restored"
    posted_by = _SHELTER
    context = True


class CapacityReported(FactData):
    """A shelter, when it counts its places."""

    type = "shelter.capacity_reported"
    posted_by = _SHELTER
    context = True

    places: Count
    free: Count
    quarantine_free: Count


SHELTER_FACTS: tuple[type[FactData], ...] = (
    ReferralRequested,
    ShelterDeclined,
    QuarantineStarted,
    QuarantineEnded,
    ShelterAdmitted,
    ShelterDischarged,
    SurvivorWithdrew,
    RegimeDeclared,
    RegimeLifted,
    MovementImposed,
    MovementLifted,
    IntakeLimited,
    IntakeRestored,
    CapacityReported,
)
