"""Protective orders that end by themselves: the end nobody has to post, as a derived fact (deadlines.md 1.6); pure."""

from collections.abc import Iterable
from typing import NamedTuple

from qorgau.facts import Fact
from qorgau.heart.circumstances import first_since, put, take
from qorgau.heart.matching import days_granted
from qorgau.heart.reactions import OrderTerms


class Protection(NamedTuple):
    """When an order ends or ended, as known, and since when it was served."""

    end: int
    key: str
    served: int


class Order:
    """What is known of one order: its services, extensions and posted ends, and the end derived last."""

    __slots__ = ("derived", "end", "ended_by", "ends", "extensions", "services", "term_end")

    def __init__(self) -> None:
        self.services: list[Fact] = []
        self.extensions: list[Fact] = []
        self.ends: list[Fact] = []
        self.term_end: int | None = None
        """When its term is over, None if it never began."""
        self.ended_by: Fact | None = None
        """The posted fact that ended it by then."""
        self.end: int | None = None
        """When it ends by itself, None if a posted fact ended it or it never began."""
        self.derived: Fact | None = None
        """The fact added for that, if the end has come."""


class Orders:
    """The orders of a case by their reference."""

    def __init__(self, terms: OrderTerms, known: Iterable[Fact]) -> None:
        self._terms = terms
        self._orders: dict[str, Order] = {}
        self._touched: set[str] = set()
        for fact in known:
            self.apply(fact, True)

    def apply(self, fact: Fact, adding: bool) -> None:
        """File a posted fact or take it out."""
        terms = self._terms
        if fact.type not in terms.types:
            return
        key = terms.key(fact.data)
        order = self._orders.setdefault(key, Order())
        act = put if adding else take
        if fact.type == terms.begins:
            act(order.services, fact)
        if fact.type == terms.extended_by:
            act(order.extensions, fact)
        if fact.type in terms.ended_by:
            act(order.ends, fact)
        self._touched.add(key)

    def touch(self, key: str) -> None:
        """The derived end of an order may have come."""
        self._touched.add(key)

    def settle(self, at: int) -> list[tuple[str, Fact | None, Fact | None]]:
        """Work out the touched orders: the key, the derived fact of before and of now; `ends` tells the instants."""
        changes = []
        for key in sorted(self._touched):
            order = self._orders[key]
            self._find_end(order)
            before, order.derived = order.derived, self._derived(order, at)
            changes.append((key, before, order.derived))
        self._touched.clear()
        return changes

    @property
    def is_touched(self) -> bool:
        """Whether there is anything to settle."""
        return bool(self._touched)

    def pending(self, key: str) -> int | None:
        """When an order will end by itself, if it has not yet."""
        order = self._orders[key]
        return order.end if order.derived is None else None

    def references(self) -> list[str]:
        """The references of all orders."""
        return list(self._orders)

    def find(self, key: str) -> Order:
        """One order as it was settled last."""
        return self._orders[key]

    def last_protection(self, lapsed_by: str) -> Protection | None:
        """The order that ends last (ties: largest key), without those that a fact of another type than this ended."""
        found: list[Protection] = []
        for key, order in self._orders.items():
            if order.term_end is None or (order.ended_by is not None and order.ended_by.type != lapsed_by):
                continue
            end = order.term_end if order.ended_by is None else order.ended_by.time
            found.append(Protection(end, key, order.services[0].time))
        return max(found, default=None)

    def _find_end(self, order: Order) -> None:
        order.term_end = order.ended_by = order.end = None
        if not order.services:
            return
        served, terms = order.services[0].time, self._terms
        end, left = served + terms.lasts, terms.most_granted
        for fact in order.extensions:
            if fact.time > end or not left:
                break
            if fact.time >= served:
                granted = min(left, days_granted(fact, terms.days_field))
                end, left = end + granted, left - granted
        posted = first_since(order.ends, served)
        order.term_end = end
        if posted is not None and posted.time <= end:
            order.ended_by = posted
        else:
            order.end = end

    def _derived(self, order: Order, at: int) -> Fact | None:
        end, terms = order.end, self._terms
        if end is None or at < end:
            return None
        service = order.services[0]
        data = {name: service.data[name] for name in ("region", terms.key_field) if name in service.data}
        known = order.derived
        if known is not None and known.time == end and known.data == data and known.case == service.case:
            return known
        return Fact("", "", terms.derived, end, end, service.case, data)
