"""What cannot have happened so in a court case or a hearing: the checks of court-tracker, as data."""

from court_tracker.state.cases import DRAWN_UP, EXTENDED, REQUIREMENTS, RESUMED, STOPPED
from qorgau.hearings.listing import CANCELLED, HELD, POSTPONED, SUSPENDED
from qorgau.hearings.listing import RESUMED as HEARING_RESUMED
from qorgau.hearings.proceedings import DECIDED, LISTED, REGISTERED
from qorgau.state.checks import Check

_CASE, _HEARING = ("protocol_id",), ("protocol_id", "hearing_id")

CHECKS: tuple[Check, ...] = (
    Check("registration_before_protocol", REGISTERED, _CASE, needs=(DRAWN_UP,)),
    Check("hearing_listed_before_registration", LISTED, _CASE, needs=(REGISTERED,)),
    Check("hearing_listed_in_the_past", LISTED, not_earlier="scheduled_for"),
    Check("hearing_held_never_listed", HELD, _HEARING, needs=(LISTED,)),
    Check("hearing_held_after_decision", HELD, _CASE, after=(DECIDED,)),
    Check("hearing_held_after_cancellation", HELD, _HEARING, after=(CANCELLED,), unless=(LISTED,)),
    Check("hearing_suspended_never_listed", SUSPENDED, _HEARING, needs=(LISTED,)),
    Check("hearing_suspended_after_decision", SUSPENDED, _CASE, after=(DECIDED,)),
    Check("hearing_suspended_after_hearing", SUSPENDED, _HEARING, after=(HELD,), unless=(LISTED,)),
    Check("hearing_resumed_without_suspension", HEARING_RESUMED, _HEARING, needs=(SUSPENDED,)),
    Check("hearing_postponed_never_listed", POSTPONED, _HEARING, needs=(LISTED,)),
    Check("hearing_postponed_after_hearing", POSTPONED, _HEARING, after=(HELD,), unless=(LISTED,)),
    Check("hearing_cancelled_never_listed", CANCELLED, _HEARING, needs=(LISTED,)),
    Check("term_suspended_before_registration", STOPPED, _CASE, needs=(REGISTERED,)),
    Check("term_suspended_after_decision", STOPPED, _CASE, after=(DECIDED,)),
    Check("term_resumed_without_suspension", RESUMED, _CASE, needs=(STOPPED,)),
    Check("term_extended_before_registration", EXTENDED, _CASE, needs=(REGISTERED,)),
    Check("term_extended_after_decision", EXTENDED, _CASE, after=(DECIDED,)),
    Check("decision_before_registration", DECIDED, _CASE, needs=(REGISTERED,)),
    Check("decided_twice", DECIDED, _CASE, after=(DECIDED,)),
    Check("requirements_before_registration", REQUIREMENTS, _CASE, needs=(REGISTERED,)),
)
