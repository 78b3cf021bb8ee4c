"""The list `orders`: one row a protective order, from its issue to its end, and one for each refusal. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qorgau.facts import Fact
from qorgau.state.protection import REVOKED, Protection
from qorgau.state.rows import Listed
from qorgau.state.values import at, flag, name_of, reference, word, written
from qorgau.state.view import CaseView

RULES = ("P09", "P10", "P11", "P12")
EXPIRED, REPORTED = "order.expired", "order.violation_reported"
OF_ONE_ORDER = (
    "order.issued",
    "order.service_failed",
    "order.served",
    "order.prosecutor_notified",
    "order.acknowledged",
    "order.compliance_checked",
    REPORTED,
    "order.violated",
    "order.extended",
    EXPIRED,
    REVOKED,
)


def order_rows(view: CaseView, protecting: Mapping[str, Protection]) -> Iterator[Listed]:
    """A row for each order by its reference, and for each refusal by its fact."""
    for key, facts in view.grouped(OF_ONE_ORDER, ("order_id",)).items():
        # Whoever calls 102 need not know which order is being broken.
        known = [fact for fact in facts if fact.type != REPORTED or "order_id" in fact.data]
        if known:
            protection = protecting.get(key)
            item = _item(known, protection)
            yield view.row("orders", key, _state(known, protection), known, item, view.keyed(RULES, key))
    for fact in view.of("order.refused"):
        item = _item([], None) | {"refused_at": at(fact), "refusal": word(fact, "reason")}
        yield view.row("orders", name_of(fact), "refused", [fact], item)


def _state(facts: Sequence[Fact], protection: Protection | None) -> str:
    if protection is not None and protection.ended_by is None:
        return "in_force"
    ends = [protection.ended_by] if protection is not None else [fact for fact in facts if fact.type in _ENDED]
    return next((_ENDED[end.type] for end in ends if end is not None and end.type in _ENDED), "issued")


def _item(facts: Sequence[Fact], protection: Protection | None) -> dict[str, Any]:
    def all_of(type: str) -> list[Fact]:
        return [fact for fact in facts if fact.type == type]

    def first(type: str) -> Fact | None:
        return next(iter(all_of(type)), None)

    checks, violations = all_of("order.compliance_checked"), all_of("order.violated")
    return {
        "order_id": next((code for fact in facts if (code := reference(fact, "order_id"))), None),
        "issued_at": at(first("order.issued")),
        "service_failed": [{"at": at(one), "reason": word(one, "reason")} for one in all_of("order.service_failed")],
        "served_at": at(first("order.served")),
        "prosecutor_notified_at": at(first("order.prosecutor_notified")),
        "acknowledged_at": at(first("order.acknowledged")),
        "checks": len(checks),
        "last_checked_at": at(checks[-1] if checks else None),
        "last_complied": flag(checks[-1] if checks else None, "complied"),
        "violations_reported": len(all_of(REPORTED)),
        "violations": len(violations),
        "last_violated_at": at(violations[-1] if violations else None),
        "extended_days": protection.days if protection is not None else 0,
        "ends": written(protection.ends) if protection is not None else None,
        "end_derived": protection is not None and protection.derived,
        "revoked_reason": word(first(REVOKED), "reason"),
        "refused_at": None,
        "refusal": None,
    }


_ENDED = {EXPIRED: "expired", REVOKED: "revoked"}
