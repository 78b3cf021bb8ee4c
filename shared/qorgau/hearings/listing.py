"""The list `hearings`: one row a hearing, with every date it had and every suspension it stood through. Pure.

A new date can come under the same hearing or under a new one of the same protocol; both are looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from qorgau.facts import Fact
from qorgau.hearings.proceedings import DECIDED, LISTED, court_of, first_id, limitation_due, of_protocol
from qorgau.heart.matching import key_part
from qorgau.state.index import first_after
from qorgau.state.protection import last_end, protections
from qorgau.state.rows import Listed
from qorgau.state.values import at, flag, instant, source, word, written
from qorgau.state.view import CaseView

POSTPONED, SUSPENDED, RESUMED = "court.hearing_postponed", "court.hearing_suspended", "court.hearing_resumed"
HELD, CANCELLED = "court.hearing_held", "court.hearing_cancelled"
# How the last fact leaves a hearing; of several at one instant the later one here is the last.
STATES = {
    LISTED: "listed",
    POSTPONED: "awaiting_date",
    SUSPENDED: "suspended",
    RESUMED: "awaiting_date",
    HELD: "held",
    CANCELLED: "cancelled",
}
_RANK = {type: place for place, type in enumerate(STATES)}
# Somebody still has to hold it or to give it a date.
PENDING = frozenset({"listed", "suspended", "awaiting_date"})


@dataclass(frozen=True, slots=True)
class Hearing:
    """One hearing: its key within the case, its protocol's, how it stands, and its facts, the last one last."""

    key: str
    protocol: str
    state: str
    facts: tuple[Fact, ...]


def hearings_of(view: CaseView) -> list[Hearing]:
    """The hearings of the case in the order of their first facts."""
    found = []
    for key, facts in view.grouped(STATES, ("protocol_id", "hearing_id")).items():
        protocol = key_part(facts[0].data, "protocol_id")
        ordered = tuple(sorted(facts, key=lambda fact: (fact.time, _RANK[fact.type], fact.order)))
        found.append(Hearing(key, protocol, _state(view, protocol, ordered), ordered))
    return found


def hearing_rows(view: CaseView, known: Sequence[Hearing]) -> Iterator[Listed]:
    """A row for each hearing; what is due is holding it (P17) and, of one suspended, a new date (P19)."""
    protected_until = written(last_end(protections(view))) if known else None
    for one in known:
        court = court_of(view, one.protocol)
        suspended = {fact.time for fact in one.facts if fact.type == SUSPENDED}
        due = view.keyed(("P17",), one.protocol)
        due += [row for row in view.keyed(("P19",), one.protocol) if row.start_at in suspended]
        item = _item(view, one) | {"order_ends": protected_until}
        yield view.row("hearings", one.key, one.state, one.facts, item, due if one.state in PENDING else (), court)


def _state(view: CaseView, protocol: str, facts: Sequence[Fact]) -> str:
    last = facts[-1]
    state = STATES[last.type]
    if state not in PENDING:
        return state
    decisions = of_protocol(view, DECIDED, protocol)
    if decisions and decisions[-1].time >= last.time:
        return "decided"
    stopped = next((fact for fact in reversed(facts) if fact.type in (SUSPENDED, POSTPONED)), None)
    if state == "listed" or stopped is None or _next_listing(view, protocol, stopped) is None:
        return state
    return "postponed" if stopped.type == POSTPONED else "relisted"


def _next_listing(view: CaseView, protocol: str, after: Fact) -> Fact | None:
    """The first date given after a fact to any hearing of the protocol."""
    return first_after(of_protocol(view, LISTED, protocol), after.time)


def _item(view: CaseView, one: Hearing) -> dict[str, Any]:
    def last(type: str) -> Fact | None:
        return next((fact for fact in reversed(one.facts) if fact.type == type), None)

    dates = [fact for fact in one.facts if fact.type == LISTED]
    stops = [_suspension(view, one, fact) for fact in one.facts if fact.type == SUSPENDED]
    listed = dates[-1] if dates else None
    decisions = of_protocol(view, DECIDED, one.protocol)
    return {
        "protocol_id": first_id(one.facts, "protocol_id"),
        "hearing_id": first_id(one.facts, "hearing_id"),
        "scheduled_for": written(instant(listed, "scheduled_for")),
        "listed_at": at(listed),
        "mode": word(listed, "mode"),
        "earlier_dates": [written(instant(fact, "scheduled_for")) for fact in dates[:-1]],
        "suspensions": stops,
        "next_date": stops[-1]["next_date"] if stops else None,
        "postponed": [{"at": at(fact), "reason": word(fact, "reason")} for fact in one.facts if fact.type == POSTPONED],
        "held_at": at(last(HELD)),
        "cancelled_at": at(last(CANCELLED)),
        "cancel_reason": word(last(CANCELLED), "reason"),
        "limitation_due": written(limitation_due(view, one.protocol)),
        "decided_at": at(decisions[0] if decisions else None),
    }


def _suspension(view: CaseView, one: Hearing, fact: Fact) -> dict[str, Any]:
    place = one.facts.index(fact)
    hit = next((known for known in reversed(one.facts[:place]) if known.type == LISTED), None)
    ended = next((known for known in one.facts[place:] if known.type == RESUMED), None)
    following = _next_listing(view, one.protocol, fact)
    return {
        "fact_id": fact.id,
        "source": source(fact),
        "at": at(fact),
        "tolls_term": flag(fact, "tolls_term"),
        "legal_basis": word(fact, "legal_basis"),
        "scheduled_for": written(instant(hit, "scheduled_for")),
        "resumed_at": at(ended),
        "next_date": written(instant(following, "scheduled_for")),
    }
