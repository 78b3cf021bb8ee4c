"""Who speaks: an agency with its scopes and regions, and the role that follows. Values only; no token is read here."""

from dataclasses import dataclass
from enum import Enum

from qorgau.front.posted import is_agency

# Any agency, and all regions: for a development machine, and regions also for supervision of the whole country.
EVERY = "*"
# No kind of agency (facts.md), so that nobody who watches can be the source of a fact.
WATCHDOG = "watchdog"
# The source of what the system derives; nobody has a token for it.
_SYSTEM = "system"
# They look after every case of their regions.
_SUPERVISORS = frozenset({"coordinator", "prosecutor"})

WRITE, BACKFILL, REPORTS_WRITE = "facts:write", "facts:backfill", "reports:write"
CASES_READ, FLAGS_READ, FLAGS_ACK = "cases:read", "flags:read", "flags:ack"
PII_READ, ADMIN = "pii:read", "admin"
SCOPES = frozenset({WRITE, BACKFILL, REPORTS_WRITE, CASES_READ, FLAGS_READ, FLAGS_ACK, PII_READ, ADMIN})


class Role(Enum):
    """What kind of sender it is; it follows from the claims `agency` and `scope` alone."""

    DESK = "desk"
    SUPERVISOR = "supervisor"
    WATCHDOG = "watchdog"
    ADMIN = "admin"
    DEVELOPMENT = "development"


class Reach(Enum):
    """Which objects of a route somebody reaches."""

    # Not one: the route is closed to this role.
    NOTHING = "nothing"
    # The cases it is part of, and the flags of its own lateness.
    OWN = "own"
    # These, and everything of its regions.
    REGION = "region"
    # Everything of its regions, without what points at a person or a pair.
    CODES = "codes"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who posts or reads: an agency code (`*`: any, on a development machine), its scopes, its regions (`*`: all), what
    it reaches on the route it came by, and the subject of its token (the account of the agency's system or desk)."""

    agency: str
    scopes: frozenset[str]
    regions: frozenset[str]
    reach: Reach = Reach.OWN
    subject: str = ""

    @property
    def kind(self) -> str:
        """The kind of agency: the part before the `/`."""
        return self.agency.partition("/")[0]

    @property
    def role(self) -> Role:
        """What kind of sender it is. Who watches does nothing else, whatever its scopes say."""
        if self.agency == EVERY:
            return Role.DEVELOPMENT
        if self.kind == WATCHDOG:
            return Role.WATCHDOG
        if ADMIN in self.scopes:
            return Role.ADMIN
        return Role.SUPERVISOR if self.kind in _SUPERVISORS else Role.DESK

    def is_agency(self, source: str) -> bool:
        """Whether it may speak as this source."""
        return self.agency in (EVERY, source)

    def has_region(self, region: str | None) -> bool:
        """Whether this is one of its regions; what has none is everybody's who has all."""
        return EVERY in self.regions or region in self.regions

    def supervises(self, region: str | None) -> bool:
        """Whether it looks after everything in a region, on the route it came by."""
        return self.reach in (Reach.REGION, Reach.CODES) and self.has_region(region)


def can_speak(agency: str) -> bool:
    """Whether a token may be for this: an agency of a kind that facts.md knows, who watches, or (`*`) anybody."""
    kind, _, unit = agency.partition("/")
    if kind == WATCHDOG:
        # Its units are named as those of agencies are.
        return is_agency(f"clinic/{unit}") if "/" in agency else True
    return agency == EVERY or (is_agency(agency) and kind != _SYSTEM)
