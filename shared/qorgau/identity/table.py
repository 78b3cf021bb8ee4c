"""The one table of who may do what on which route. A route without a row does not exist for anybody; a test compares
the rows with the routes of every service, and asks each route as every role."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from qorgau.errors import Forbidden
from qorgau.identity.sender import (
    CASES_READ,
    FLAGS_READ,
    PII_READ,
    REPORTS_WRITE,
    WRITE,
    Reach,
    Role,
    Sender,
)

Reaches = Mapping[Role, Reach]


@dataclass(frozen=True, slots=True)
class Row:
    """A route by method and path template; the scopes of which the token needs one; what each role reaches there."""

    method: str
    path: str
    scopes: frozenset[str]
    reaches: Reaches

    def admit(self, sender: Sender) -> Reach:
        """What the sender reaches; raises Forbidden where it may not use the route at all."""
        if not self.scopes & sender.scopes:
            raise Forbidden(f"The token lacks the scope {' or '.join(sorted(self.scopes))}.")
        reach = self.reaches[sender.role]
        if reach is Reach.NOTHING:
            raise Forbidden("This role does not use this route.")
        return reach


def _reaches(desk: Reach, supervisor: Reach, watchdog: Reach, admin: Reach, development: Reach) -> Reaches:
    by_role = dict(zip(Role, (desk, supervisor, watchdog, admin, development), strict=True))
    return MappingProxyType(by_role)


_NOTHING, _OWN, _REGION, _CODES = Reach.NOTHING, Reach.OWN, Reach.REGION, Reach.CODES
# Columns: desk, supervisor, watchdog, admin, development. Each agency writes in its own name and in cases it is part of
# (`membership.py`); which kind may post which type stands with the type (`posted_by`, facts.md).
_WRITES = _reaches(_OWN, _OWN, _NOTHING, _OWN, _REGION)
_READS = _reaches(_OWN, _REGION, _CODES, _REGION, _REGION)
# Who watches sees no person anywhere, and who administers has no business with one.
_PERSONS = _reaches(_OWN, _REGION, _NOTHING, _NOTHING, _REGION)
_REVIEWS = _reaches(_NOTHING, _REGION, _NOTHING, _NOTHING, _REGION)


def _row(route: str, scopes: Iterable[str], reaches: Reaches) -> Row:
    method, path = route.split()
    return Row(method, path, frozenset(scopes), reaches)


ROWS: tuple[Row, ...] = (
    _row("POST /v1/reports", {REPORTS_WRITE}, _WRITES),
    _row("GET /v1/cases/{case}/person", {PII_READ}, _PERSONS),
    _row("GET /v1/cases/{case}/accesses", {CASES_READ}, _PERSONS),
    _row("POST /v1/cases/{case}/consents", {WRITE}, _PERSONS),
    _row("POST /v1/cases/{case}/legal-bases", {WRITE}, _PERSONS),
    _row("POST /v1/cases/{case}/break-glass", {PII_READ}, _PERSONS),
    _row("POST /v1/cases/{case}/break-glass/{grant}/review", {CASES_READ}, _REVIEWS),
    _row("GET /v1/break-glass", {CASES_READ}, _REVIEWS),
    _row("POST /v1/cases/{case}/referrals", {WRITE}, _PERSONS),
    _row("POST /v1/cases/{case}/erase", {WRITE}, _PERSONS),
    _row("GET /v1/duplicates", {REPORTS_WRITE, CASES_READ}, _PERSONS),
    _row("POST /v1/duplicates/{name}/merge", {WRITE}, _PERSONS),
    _row("POST /v1/duplicates/{name}/unmerge", {WRITE}, _PERSONS),
    _row("POST /v1/duplicates/{name}/dismiss", {WRITE}, _PERSONS),
    _row("POST /v1/facts", {WRITE}, _WRITES),
    _row("PUT /v1/references/{system}/{number}", {WRITE}, _WRITES),
    _row("GET /v1/cases/{case}", {CASES_READ}, _READS),
    _row("GET /v1/cases/{case}/facts", {CASES_READ}, _READS),
    # A person is in the file only for who may use the route to her.
    _row("GET /v1/cases/{case}/export", {CASES_READ}, _READS),
    _row("GET /v1/cases/{case}/flags", {CASES_READ}, _READS),
    _row("GET /v1/cases/{case}/regrading", {CASES_READ}, _READS),
    _row("GET /v1/cases/{case}/events", {CASES_READ}, _READS),
    _row("GET /v1/cases/{case}/attribution", {CASES_READ}, _READS),
    _row("GET /v1/flags/{flag}/explanation", {CASES_READ, FLAGS_READ}, _READS),
    _row("GET /v1/flags", {FLAGS_READ}, _READS),
    _row("GET /v1/flags/stream", {FLAGS_READ}, _READS),
    _row("GET /v1/feeds", {FLAGS_READ, CASES_READ}, _READS),
    # Nobody is in a rule or in a table: the same ones for all.
    _row("GET /v1/rules", {FLAGS_READ, CASES_READ}, _READS),
    _row("GET /v1/statistics", {FLAGS_READ, CASES_READ}, _READS),
    _row("GET /v1/kpis", {FLAGS_READ, CASES_READ}, _READS),
    _row("GET /v1/sanctions", {FLAGS_READ, CASES_READ}, _READS),
    _row("GET /v1/capacity", {FLAGS_READ, CASES_READ}, _READS),
    _row("GET /v1/regradings/desks", {FLAGS_READ, CASES_READ}, _READS),
    _row("GET /v1/attribution", {FLAGS_READ, CASES_READ}, _READS),
    *(_row(f"GET /v1/{kind}", {CASES_READ}, _READS) for kind in ("responses", "orders", "examinations", "regradings")),
    *(_row(f"GET /v1/{kind}", {CASES_READ}, _READS) for kind in ("court-cases", "hearings", "findings")),
    _row("GET /v1/hearings/events", {CASES_READ}, _READS),
    _row("GET /v1/courts/{court}", {CASES_READ}, _READS),
    _row("GET /v1/courts/{court}/impact", {CASES_READ}, _READS),
    # Nor in a comparison of delays; a desk has that of its own unit.
    _row("GET /v1/parity", {FLAGS_READ, CASES_READ}, _READS),
)
TABLE: Mapping[tuple[str, str], Row] = MappingProxyType({(row.method, row.path): row for row in ROWS})
# Without a token: they say how the process does and how its interface is, and nothing about any case.
OPEN = frozenset({("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/openapi.json")})
