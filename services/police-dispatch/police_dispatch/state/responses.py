"""The list `responses`: one row a call-out, from its registration to what came of it, with offender and risk. Pure."""

from collections.abc import Iterator
from typing import Any

from police_dispatch.state.callouts import (
    ARRIVAL,
    CALL,
    CANCELLATION,
    DETENTION,
    OUTCOME,
    TYPES,
    CallOut,
    call_outs,
)
from qorgau.facts import Fact
from qorgau.state.rows import Listed
from qorgau.state.values import at, name_of, reference, word
from qorgau.state.view import CaseView

RULES = ("P03", "P04", "P05", "P06", "P07", "P08", "P13")


def response_rows(view: CaseView) -> Iterator[Listed]:
    """A row for each call-out; its key is the fact that began it, empty for what nobody registered."""
    for one in call_outs(view.of(*TYPES)):
        instants = {fact.time for fact in one.facts}
        due = [row for row in view.unended if row.rule in RULES and row.start_at in instants]
        key = "" if one.begun is None else name_of(one.begun)
        yield view.row("responses", key, _state(one), one.facts, _item(one), due)


def _state(one: CallOut) -> str:
    if one.has_outcome or (one.is_of_violation and one.arrival is None and one.first(DETENTION) is not None):
        return "closed"
    if one.arrival is not None:
        return "arrived"
    if one.first(CANCELLATION) is not None:
        return "cancelled"
    if one.first("police.dispatched") is not None:
        return "dispatched"
    return "registered" if one.begun is not None else "unregistered"


def _item(one: CallOut) -> dict[str, Any]:
    begun = one.begun
    graded = [fact for fact in (begun, *one.all("police.reprioritised")) if fact is not None]
    arrived, cancelled = one.first(ARRIVAL), one.first(CANCELLATION)
    outcomes, risk = one.all(OUTCOME), one.last("risk.assessed")
    return {
        "begun_by": None if begun is None else "call" if begun.type == CALL else "order_violation",
        "report_id": reference(begun, "report_id"),
        "order_id": reference(begun, "order_id"),
        "priority": _last_word(graded, "priority"),
        "area": _last_word(graded, "area"),
        "registered_at": at(begun),
        "reprioritised": [{"at": at(fact), "priority": word(fact, "priority")} for fact in graded if fact is not begun],
        "dispatched_at": at(one.first("police.dispatched")),
        "arrived_at": at(arrived),
        "response": word(arrived, "response"),
        "cancelled_at": at(cancelled),
        "cancel_reason": word(cancelled, "reason"),
        "outcome": _last_word(outcomes, "outcome"),
        "outcomes": [{"at": at(fact), "outcome": word(fact, "outcome")} for fact in outcomes],
        "protocols": [
            {"at": at(fact), "protocol_id": reference(fact, "protocol_id")} for fact in one.all("protocol.drawn_up")
        ],
        **_offender(one),
        "risk": word(risk, "level"),
        "risk_tool": word(risk, "tool"),
        "risk_assessed_at": at(risk),
    }


def _offender(one: CallOut) -> dict[str, Any]:
    detained, released = one.last(DETENTION), one.last("offender.released")
    last = one.last(DETENTION, "offender.released")
    return {
        "offender": None if last is None else last.type.removeprefix("offender."),
        "detained_at": at(detained),
        "released_at": at(released),
    }


def _last_word(facts: list[Fact], name: str) -> str | None:
    """The last that says it in a word that there is."""
    return next((said for fact in reversed(facts) if (said := word(fact, name))), None)
