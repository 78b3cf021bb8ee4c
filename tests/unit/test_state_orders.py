"""The list of orders: from issue to the end that nobody posts, with checks and violations; and refusals."""

from typing import Any

import pytest

from qorgau.facts import Fact
from tests.stated import moment, of_kind, only, post, withdrawn


def of_order(type: str, time: str, **data: Any) -> Fact:
    return post(f"order.{type}", time, order_id="o1", **data)


ISSUED = of_order("issued", "05-01T08:00")
SERVED = of_order("served", "05-01T09:00")
EXTENDED = of_order("extended", "05-25T12:00", days=10)
REVOKED = of_order("revoked", "05-10T09:00", reason="court_decision")


@pytest.mark.parametrize(
    ("facts", "as_of", "state", "ends"),
    [
        ([ISSUED], "05-02T00:00", "issued", None),
        ([ISSUED, of_order("service_failed", "05-01T10:00", reason="not_found")], "05-02T00:00", "issued", None),
        ([ISSUED, SERVED], "05-02T00:00", "in_force", "2026-05-31T04:00:00Z"),
        ([ISSUED, SERVED, EXTENDED], "06-01T00:00", "in_force", "2026-06-10T04:00:00Z"),
        ([ISSUED, SERVED], "05-31T08:59", "in_force", "2026-05-31T04:00:00Z"),
        ([ISSUED, SERVED], "05-31T09:00", "expired", "2026-05-31T04:00:00Z"),
        ([ISSUED, SERVED, of_order("expired", "05-31T09:00")], "06-09T00:00", "expired", "2026-05-31T04:00:00Z"),
        ([ISSUED, SERVED, of_order("expired", "06-03T09:00")], "06-09T00:00", "expired", "2026-05-31T04:00:00Z"),
        ([ISSUED, SERVED, REVOKED], "06-09T00:00", "revoked", "2026-05-10T04:00:00Z"),
        ([ISSUED, REVOKED], "06-09T00:00", "revoked", None),
        ([ISSUED, of_order("expired", "05-31T09:00")], "06-09T00:00", "expired", None),
    ],
)
def test_an_order_is_in_force_from_its_service_to_its_end(
    facts: list[Fact], as_of: str, state: str, ends: str | None
) -> None:
    row = only("orders", facts, as_of)
    assert (row.key, row.state, row.item["ends"]) == ("o1", state, ends)


def test_an_end_that_nobody_posted_is_told_from_one_that_police_did() -> None:
    assert only("orders", [ISSUED, SERVED]).item["end_derived"] is True
    assert only("orders", [ISSUED, SERVED, of_order("expired", "05-31T08:00")]).item["end_derived"] is False
    assert only("orders", [ISSUED, SERVED], "05-20T00:00").item["end_derived"] is False


def test_only_days_granted_in_time_and_thirty_at_most_count() -> None:
    late = of_order("extended", "06-10T09:01", days=5)
    assert only("orders", [ISSUED, SERVED, EXTENDED, late]).item["extended_days"] == 10
    more = of_order("extended", "05-26T12:00", days=25)
    row = only("orders", [ISSUED, SERVED, EXTENDED, more])
    assert (row.item["extended_days"], row.item["ends"]) == (30, "2026-06-30T04:00:00Z")


def test_what_police_and_prosecutor_did_with_an_order_is_counted_and_dated() -> None:
    facts = [
        *[ISSUED, SERVED, of_order("service_failed", "05-01T08:30", reason="no_access")],
        *[of_order("prosecutor_notified", "05-01T10:00"), of_order("acknowledged", "05-01T16:00")],
        *[of_order("compliance_checked", "05-08T09:00", complied=True)],
        *[of_order("compliance_checked", "05-15T09:00", complied=False)],
        *[of_order("violation_reported", "05-15T08:00", area="urban"), of_order("violated", "05-15T10:00")],
    ]
    row = only("orders", facts, "05-16T00:00")
    expected = {
        **{"order_id": "o1", "issued_at": "2026-05-01T03:00:00Z", "served_at": "2026-05-01T04:00:00Z"},
        **{"service_failed": [{"at": "2026-05-01T03:30:00Z", "reason": "no_access"}]},
        **{"prosecutor_notified_at": "2026-05-01T05:00:00Z", "acknowledged_at": "2026-05-01T11:00:00Z"},
        **{"checks": 2, "last_checked_at": "2026-05-15T04:00:00Z", "last_complied": False},
        **{"violations_reported": 1, "violations": 1, "last_violated_at": "2026-05-15T05:00:00Z"},
        **{"extended_days": 0, "revoked_reason": None, "refusal": None},
    }
    assert {name: row.item[name] for name in expected} == expected
    assert (row.state, row.due, row.agency) == ("in_force", moment("05-22T09:00"), "police-unit/KZ-75")


def test_an_order_that_is_not_served_has_a_day_to_be() -> None:
    row = only("orders", [ISSUED], "05-01T09:00")
    assert row.due == moment("05-02T08:00")
    assert [waits["rule"] for waits in row.item["deadlines"]] == ["P09", "P10"]


def test_a_refusal_is_a_row_of_its_own() -> None:
    refused = post("order.refused", "05-01T10:00", id="f7", reason="order_in_force")
    order, refusal = of_kind("orders", [ISSUED, SERVED, refused])
    assert (order.key, refusal.key, refusal.state) == ("o1", "police-unit/KZ-75#f7", "refused")
    assert (refusal.item["refusal"], refusal.item["refused_at"]) == ("order_in_force", "2026-05-01T05:00:00Z")


def test_a_violation_reported_without_saying_of_which_order_makes_no_order() -> None:
    assert of_kind("orders", [post("order.violation_reported", "05-01T10:00", area="urban")]) == []


def test_a_service_that_is_withdrawn_protects_nobody() -> None:
    row = only("orders", [ISSUED, SERVED, withdrawn(SERVED, "05-02T12:00")])
    assert (row.state, row.item["served_at"], row.item["ends"]) == ("issued", None, None)


def test_a_closed_case_says_so_and_the_order_stands_as_it_did() -> None:
    row = only("orders", [ISSUED, SERVED, post("case.closed", "05-03T12:00", reason="decided")], "05-04T00:00")
    assert (row.state, row.due, row.item["case_closed"]) == ("in_force", None, True)
