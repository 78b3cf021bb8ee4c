"""The claims of a token: which there must be, and whom they name. Why a token is refused is told to the log by a word
of this list and to nobody else."""

import re
import secrets
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

from qorgau.errors import Unauthenticated
from qorgau.identity.sender import EVERY, SCOPES, Sender, can_speak

# What our own issuer says and, unless told otherwise, what every service expects.
ISSUER = AUDIENCE = "qorgau"
# A working day and its handover; a lost token is of no use the next morning.
LIFETIME = timedelta(hours=12)
# `nbf` is checked as well where it is there; some issuers say only when they made it (`iat`).
REQUIRED = ("iss", "aud", "exp", "sub")
# It stands in records of who read what.
_SUBJECT = re.compile(r"[!-~]{1,128}")


class Reason(Enum):
    """Why a token is refused; the values are what the log and the metric say."""

    MISSING = "missing"
    MALFORMED = "malformed"
    TYPE = "type"
    HEADER = "header"
    ALGORITHM = "algorithm"
    KEY = "key"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    EARLY = "early"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    CLAIMS = "claims"
    REVOKED = "revoked"


class Refused(Unauthenticated):
    """A token that does not count. The sender is told no more than that; `reason` is for the log."""

    def __init__(self, reason: Reason) -> None:
        super().__init__()
        self.reason = reason


def sender_of(claims: Mapping[str, Any]) -> Sender:
    """Whom verified claims name; raises Refused."""
    agency, scope, regions = claims.get("agency"), claims.get("scope"), claims.get("regions")
    if not isinstance(agency, str) or not isinstance(scope, str) or not isinstance(regions, list):
        raise Refused(Reason.CLAIMS)
    if not can_speak(agency) or not all(isinstance(region, str) for region in regions):
        raise Refused(Reason.CLAIMS)
    subject = claims["sub"]
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise Refused(Reason.CLAIMS)
    if claims.get("nbf") is None and claims.get("iat") is None:
        raise Refused(Reason.CLAIMS)
    return Sender(agency, frozenset(scope.split()), frozenset(regions), subject=subject)


def new_claims(
    *,
    agency: str = EVERY,
    scopes: Iterable[str] = SCOPES,
    regions: Iterable[str] = (EVERY,),
    subject: str = "development",
    lifetime: timedelta = LIFETIME,
) -> dict[str, Any]:
    """The claims of a token that is valid from now on. `agency` is `KIND` or `KIND/UNIT`, `watchdog`, or `*` for any;
    `regions` are codes, or `*` for all. Raises ValueError for what no service would accept."""
    if not SCOPES.issuperset(scopes := sorted(scopes)):
        raise ValueError("a scope that does not exist")
    if not can_speak(agency):
        raise ValueError("an agency is KIND or KIND/UNIT, or watchdog")
    if not _SUBJECT.fullmatch(subject):
        raise ValueError("a subject is 1 to 128 visible ASCII characters")
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "jti": secrets.token_hex(8),
        "iat": now,
        "nbf": now,
        "exp": now + int(lifetime.total_seconds()),
        "agency": agency,
        "scope": " ".join(scopes),
        "regions": sorted(regions),
    }
