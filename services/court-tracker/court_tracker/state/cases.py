"""The list `court-cases`: one row a protocol, from its drawing up to the decision. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from qorgau.facts import Fact
from qorgau.hearings.listing import STATES, Hearing
from qorgau.hearings.proceedings import DECIDED, REGISTERED, court_of, first_id, limitation_due
from qorgau.heart.matching import key_part
from qorgau.state.rows import Listed
from qorgau.state.values import at, flag, instant, number, word, written
from qorgau.state.view import CaseView

RULES = ("P14", "P15", "P17", "P18", "P19", "P27")
# It knows the case only: whoever is detained must be judged within the day, on whichever protocol.
DETENTION = ("P16",)
DRAWN_UP, REQUIREMENTS = "protocol.drawn_up", "court.special_requirements_set"
STOPPED, RESUMED, EXTENDED = "court.term_suspended", "court.term_resumed", "court.term_extended"
OF_ONE_PROTOCOL = (DRAWN_UP, REGISTERED, *STATES, STOPPED, RESUMED, EXTENDED, DECIDED, REQUIREMENTS)


def court_case_rows(view: CaseView, known: Sequence[Hearing]) -> Iterator[Listed]:
    """A row for each protocol. Requirements set without one stand in all rows, and are one of the empty key where there
    is no other."""
    unnamed = [fact for fact in view.of(REQUIREMENTS) if "protocol_id" not in fact.data]
    protocols = view.grouped(OF_ONE_PROTOCOL, ("protocol_id",))
    for key, facts in protocols.items():
        own = [fact for fact in facts if fact.type != REQUIREMENTS or "protocol_id" in fact.data]
        if not own and len(protocols) == 1:
            yield view.row("court-cases", key, "requirements_set", unnamed, _item([], unnamed))
        if own:
            state = _state(own, [one for one in known if one.protocol == key])
            due = view.keyed(RULES, key)
            if state != "decided":
                due += view.keyed(DETENTION, "")
            court = court_of(view, key)
            item = _item(own, unnamed, limitation_due(view, key))
            yield view.row("court-cases", key, state, own, item, due, court)


def _state(facts: Sequence[Fact], hearings: Sequence[Hearing]) -> str:
    if any(fact.type == DECIDED for fact in facts):
        return "decided"
    states = {one.state for one in hearings}
    for state in ("listed", "suspended"):
        if state in states:
            return state
    over = [one for one in hearings if one.state in ("awaiting_date", "held", "cancelled")]
    last = max(over, key=lambda one: one.facts[-1].order, default=None)
    if last is not None and last.state == "held":
        return "held"
    return "awaiting_date" if hearings or any(fact.type == REGISTERED for fact in facts) else "awaiting_registration"


def _item(facts: Sequence[Fact], unnamed: Sequence[Fact], limitation: int | None = None) -> dict[str, Any]:
    def all_of(type: str) -> list[Fact]:
        return [fact for fact in facts if fact.type == type]

    def first(type: str) -> Fact | None:
        return next(iter(all_of(type)), None)

    drawn, registered, decisions = first(DRAWN_UP), all_of(REGISTERED), all_of(DECIDED)
    eligible = registered[-1] if registered else drawn
    requirements = sorted([*all_of(REQUIREMENTS), *unnamed], key=lambda fact: fact.order)
    return {
        "protocol_id": first_id(facts, "protocol_id"),
        "drawn_up_at": at(drawn),
        "article": word(drawn, "article"),
        "occurred_at": written(instant(drawn, "occurred_at")),
        "registered_at": at(registered[0] if registered else None),
        "arrest_eligible": flag(eligible, "arrest_eligible"),
        "term_suspensions": _term_suspensions(facts),
        "extended_days": sum(number(fact, "days") or 0 for fact in all_of(EXTENDED)),
        "hearings": len({key_part(fact.data, "hearing_id") for fact in facts if fact.type in STATES}),
        "limitation_due": written(limitation),
        "decided_at": at(decisions[0] if decisions else None),
        "sanction": word(decisions[-1] if decisions else None, "sanction"),
        "sanction_days": number(decisions[-1] if decisions else None, "days"),
        "sanction_hours": number(decisions[-1] if decisions else None, "hours"),
        "requirements": [{"at": at(fact), "months": number(fact, "months")} for fact in requirements],
    }


def _term_suspensions(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """When the term stood; a further suspension while it stands is none of its own (deadlines.md 4.5)."""
    spans: list[dict[str, Any]] = []
    for fact in facts:
        stands = bool(spans) and spans[-1]["resumed_at"] is None
        if fact.type == STOPPED and not stands:
            spans.append({"at": at(fact), "legal_basis": word(fact, "legal_basis"), "resumed_at": None})
        if fact.type == RESUMED and stands:
            spans[-1]["resumed_at"] = at(fact)
    return spans
