"""What the rows of court-tracker have besides what all rows have, for the description of the service."""

from collections.abc import Mapping

from qorgau.front.answers import TEXT, array
from qorgau.state.items import (
    COUNT,
    EVERY_ROW,
    FINDING,
    MAYBE_COUNT,
    MAYBE_INSTANT,
    MAYBE_REFERENCE,
    MAYBE_TEXT,
    MAYBE_YES,
    Item,
    steps,
    words,
)

COURT_CASE: Item = {
    **EVERY_ROW,
    "protocol_id": MAYBE_REFERENCE,
    "drawn_up_at": MAYBE_INSTANT,
    "article": words("protocol.drawn_up", "article"),
    "occurred_at": MAYBE_INSTANT,
    "registered_at": MAYBE_INSTANT,
    "arrest_eligible": MAYBE_YES,
    "term_suspensions": steps(legal_basis=words("court.term_suspended", "legal_basis"), resumed_at=MAYBE_INSTANT),
    "extended_days": COUNT,
    "hearings": COUNT,
    "limitation_due": MAYBE_INSTANT,
    "decided_at": MAYBE_INSTANT,
    "sanction": words("court.decision_issued", "sanction"),
    "sanction_days": MAYBE_COUNT,
    "sanction_hours": MAYBE_COUNT,
    "requirements": steps(months=MAYBE_COUNT),
}
HEARING: Item = {
    **EVERY_ROW,
    "protocol_id": MAYBE_REFERENCE,
    "hearing_id": MAYBE_REFERENCE,
    "scheduled_for": MAYBE_INSTANT | {"description": "The last date it was given"},
    "listed_at": MAYBE_INSTANT | {"description": "When it was given that date"},
    "mode": words("court.hearing_scheduled", "mode"),
    "earlier_dates": array(MAYBE_INSTANT),
    "suspensions": steps(
        fact_id=TEXT,
        source=MAYBE_TEXT,
        tolls_term=MAYBE_YES,
        legal_basis=words("court.hearing_suspended", "legal_basis"),
        scheduled_for=MAYBE_INSTANT | {"description": "The date it hit"},
        resumed_at=MAYBE_INSTANT,
        next_date=MAYBE_INSTANT | {"description": "The first date given after it to any hearing of the protocol"},
    ),
    "next_date": MAYBE_INSTANT | {"description": "That of the last suspension"},
    "postponed": steps(reason=words("court.hearing_postponed", "reason")),
    "held_at": MAYBE_INSTANT,
    "cancelled_at": MAYBE_INSTANT,
    "cancel_reason": words("court.hearing_cancelled", "reason"),
    "order_ends": MAYBE_INSTANT
    | {"description": "Until when an order that was not revoked protects; null: there is none"},
    "limitation_due": MAYBE_INSTANT | {"description": "While nobody has decided"},
    "decided_at": MAYBE_INSTANT,
}
ITEMS: Mapping[str, Item] = {"court-cases": COURT_CASE, "hearings": HEARING, "findings": FINDING}
