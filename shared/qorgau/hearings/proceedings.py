"""What of a protocol both lists of court-tracker look at: its court, its decisions, its dates. Pure."""

from collections.abc import Sequence

from qorgau.facts import Fact
from qorgau.state.values import reference
from qorgau.state.view import CaseView

REGISTERED, DECIDED, LISTED = "court.case_registered", "court.decision_issued", "court.hearing_scheduled"
LIMITATION = ("P27",)


def of_protocol(view: CaseView, type: str, protocol: str) -> list[Fact]:
    """The facts of a type about a protocol, in fact order."""
    return view.grouped((type,), ("protocol_id",)).get(protocol, [])


def court_of(view: CaseView, protocol: str) -> str | None:
    """The court that registered the protocol last."""
    known = reversed(of_protocol(view, REGISTERED, protocol))
    return next((code for fact in known if (code := reference(fact, "court"))), None)


def limitation_due(view: CaseView, protocol: str) -> int | None:
    """When the offence can no longer be punished, while nobody has decided."""
    return min((row.due_at for row in view.keyed(LIMITATION, protocol) if row.due_at is not None), default=None)


def first_id(facts: Sequence[Fact], name: str) -> str | None:
    """The reference that the facts of one key share."""
    return next((code for fact in facts if (code := reference(fact, name))), None)
