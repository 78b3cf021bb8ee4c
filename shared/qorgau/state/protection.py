"""How long the protective orders of a case last: since when each protects, until when, and what ended it; pure."""

from dataclasses import dataclass

from qorgau.facts import Fact
from qorgau.heart.orders import Order, Orders
from qorgau.heart.reactions import OrderTerms
from qorgau.instants import DAY
from qorgau.state.view import CaseView

REVOKED = "order.revoked"


@dataclass(frozen=True, slots=True)
class Protection:
    """One order that was served. `ends`: when it ended or will end by itself, microseconds; `ended_by` what ended it
    (None: it is in force), `derived` whether that is the end nobody posted; `days` that were granted in time."""

    served: Fact
    ends: int
    ended_by: Fact | None
    derived: bool
    days: int


def protections(view: CaseView) -> dict[str, Protection]:
    """The orders of the case that were served, by reference (deadlines.md 1.6)."""
    terms, at = view.plan.orders, view.at
    if terms is None or at is None:
        return {}
    orders = Orders(terms, view.of(*terms.types))
    orders.settle(at)
    found = {key: orders.find(key) for key in orders.references()}
    return {
        key: _protection(order, order.term_end, terms) for key, order in found.items() if order.term_end is not None
    }


def last_end(protecting: dict[str, Protection]) -> int | None:
    """Until when somebody is or was protected by an order that was left to run; None where none was."""
    left = [one.ends for one in protecting.values() if one.ended_by is None or one.ended_by.type != REVOKED]
    return max(left, default=None)


def _protection(order: Order, until: int, terms: OrderTerms) -> Protection:
    served, ended = order.services[0], order.ended_by or order.derived
    days = (until - served.time - terms.lasts) // DAY
    return Protection(served, until if ended is None else ended.time, ended, order.derived is not None, days)
