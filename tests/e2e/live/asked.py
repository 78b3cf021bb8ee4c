"""What each route is asked with and how: whether it names an object, lists some, or does neither. A route that is in no
table here is asked by its path, and fails where it wants more."""

from collections.abc import Mapping

from qorgau.identity.sender import Role
from tests.e2e.stack import Row

HERE, ELSEWHERE = "KZ-75", "KZ-71"
# What is sent where a route wants more than an object; a route that is not here fails the test.
BODIES: Mapping[str, Row] = {
    "/v1/cases/{case}/consents": {"region": HERE, "agency": f"clinic/{HERE}", "consent": "given"},
    "/v1/cases/{case}/legal-bases": {"agency": f"clinic/{HERE}", "legal_basis": "vital_interest"},
    "/v1/cases/{case}/break-glass": {"reason": "immediate_danger", "hours": 1},
    "/v1/cases/{case}/break-glass/{grant}/review": {"verdict": "justified"},
    "/v1/cases/{case}/erase": {"reason": "survivor_request"},
    "/v1/cases/{case}/referrals": {"region": HERE, "agency": f"clinic/{HERE}"},
    "/v1/duplicates/{name}/merge": {},
    "/v1/duplicates/{name}/unmerge": {},
    "/v1/duplicates/{name}/dismiss": {},
}
LISTS = frozenset({"/v1/duplicates", "/v1/flags", "/v1/break-glass", "/v1/court-cases", "/v1/hearings"})
# They name no object that is there already, or (facts, the stream) have journeys of their own: `test_identity.py`,
# `test_reports.py`.
WITHOUT = frozenset({"/v1/reports", "/v1/facts", "/v1/flags/stream", "/v1/statistics", "/v1/parity", "/v1/rules"})
# Nor do these; whose rows they show is decided by the book of those above (`test_listbook.py`).
WITHOUT |= frozenset(
    {
        "/v1/responses",
        "/v1/orders",
        "/v1/examinations",
        "/v1/findings",
        "/v1/regradings",
        "/v1/attribution",
        "/v1/feeds",
    }
)
# Figures with small counts withheld, of which `test_access.py` says who may ask.
WITHOUT |= frozenset({"/v1/kpis", "/v1/sanctions", "/v1/capacity", "/v1/regradings/desks"})
# Nor does this, of which `test_streams.py` and the log of changes (`test_changelog.py`) decide.
WITHOUT |= frozenset({"/v1/hearings/events"})
REFERENCES = "/v1/references/{system}/{number}"
# What a kind of agency does not do whatever it reaches: support, consents, legal bases are the advocate's, merging is
# a desk's.
NEVER = {
    (Role.SUPERVISOR, "/v1/cases/{case}/person"),
    (Role.SUPERVISOR, "/v1/cases/{case}/consents"),
    (Role.SUPERVISOR, "/v1/cases/{case}/legal-bases"),
    (Role.SUPERVISOR, "/v1/duplicates/{name}/merge"),
    (Role.SUPERVISOR, "/v1/duplicates/{name}/unmerge"),
}
