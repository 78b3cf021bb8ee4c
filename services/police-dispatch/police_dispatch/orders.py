"""The facts police-dispatch accepts about protective orders, from issue to end."""

from typing import Literal

from qorgau.front.posted import Area, Days, FactData, Reference, kinds

_UNIT = kinds("police-unit")


class OrderIssued(FactData):
    """A police unit, when it has issued an order; it protects nobody until it is served."""

    type = "order.issued"
    posted_by = _UNIT

    order_id: Reference


class OrderRefused(FactData):
    """A police unit, when it has decided against an order, also because one is in force."""

    type = "order.refused"
    posted_by = _UNIT

    reason: Literal["no_grounds", "order_in_force", "under_16", "other_measure"]


class OrderServed(FactData):
    """A police unit, when the person it binds has been told; the term begins."""

    type = "order.served"
    posted_by = _UNIT

    order_id: Reference


class ServiceFailed(FactData):
    """A police unit, when it tried to serve the order and could not; the clock goes on."""

    type = "order.service_failed"
    posted_by = _UNIT

    order_id: Reference
    reason: Literal["not_found", "refused", "no_access"]


class ProsecutorNotified(FactData):
    """A police unit, when the prosecutor has the copy."""

    type = "order.prosecutor_notified"
    posted_by = _UNIT

    order_id: Reference


class OrderAcknowledged(FactData):
    """The prosecutor, when the copy has been read."""

    type = "order.acknowledged"
    posted_by = kinds("prosecutor")

    order_id: Reference


class ComplianceChecked(FactData):
    """A police unit, when it has checked whether the order is kept; the next seven days begin."""

    type = "order.compliance_checked"
    posted_by = _UNIT

    order_id: Reference
    complied: bool


class ViolationReported(FactData):
    """102, when somebody calls because the order is being broken."""

    type = "order.violation_reported"
    posted_by = kinds("102")

    area: Area
    order_id: Reference | None = None


class OrderViolated(FactData):
    """A police unit, when it has found that the order was broken; the order stays in force."""

    type = "order.violated"
    posted_by = _UNIT

    order_id: Reference


class OrderExtended(FactData):
    """A police unit, when the order lasts longer (historic)."""

    type = "order.extended"
    posted_by = _UNIT

    order_id: Reference
    days: Days


class OrderExpired(FactData):
    """A police unit, when the term has run out; derived where nobody posts it."""

    type = "order.expired"
    posted_by = _UNIT

    order_id: Reference


class OrderRevoked(FactData):
    """A police unit, when the order no longer holds before its term."""

    type = "order.revoked"
    posted_by = _UNIT

    order_id: Reference
    reason: Literal["issued_in_error", "court_decision", "prosecutor_protest", "other"]


ORDER_FACTS: tuple[type[FactData], ...] = (
    OrderIssued,
    OrderRefused,
    OrderServed,
    ServiceFailed,
    ProsecutorNotified,
    OrderAcknowledged,
    ComplianceChecked,
    ViolationReported,
    OrderViolated,
    OrderExtended,
    OrderExpired,
    OrderRevoked,
)
