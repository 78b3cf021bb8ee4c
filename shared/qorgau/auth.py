"""Tokens (JWT, one HMAC development key), the scopes they carry, and who may see what of a case."""

import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Annotated

import jwt
from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from qorgau.errors import Forbidden, NotFound, Unauthenticated
from qorgau.facts import Fact
from qorgau.front.door import BACKFILL, EVERY, WRITE, Sender
from qorgau.front.posted import is_agency

REPORTS_WRITE, CASES_READ, FLAGS_READ, FLAGS_ACK = "reports:write", "cases:read", "flags:read", "flags:ack"
PII_READ, ADMIN = "pii:read", "admin"
SCOPES = frozenset({WRITE, BACKFILL, REPORTS_WRITE, CASES_READ, FLAGS_READ, FLAGS_ACK, PII_READ, ADMIN})
ISSUER = AUDIENCE = "qorgau"
# A working day and its handover; a lost token is of no use the next morning.
LIFETIME = timedelta(hours=12)
# HS256 is as strong as its key; RFC 7518 asks for the length of the hash.
KEY_BYTES = 32

_ALGORITHM, _TYPE = "HS256", "JWT"
_CLAIMS = ["iss", "aud", "exp", "nbf", "sub"]
_LONGEST = 4096
# They look after every case of their region; other agencies see the cases they have a fact in.
_SUPERVISORS = frozenset({"coordinator", "prosecutor"})


def make_token(
    key: str,
    *,
    agency: str = EVERY,
    scopes: Iterable[str] = SCOPES,
    regions: Iterable[str] = (EVERY,),
    subject: str = "development",
    lifetime: timedelta = LIFETIME,
) -> str:
    """A token valid from now on. `agency` is `KIND` or `KIND/UNIT`, or `*` for any; `regions` codes, or `*` for all.

    Raises ValueError for an unknown scope, an agency that is none, or a key that is too short.
    """
    if not SCOPES.issuperset(scopes := sorted(scopes)):
        raise ValueError("a scope that does not exist")
    if agency != EVERY and not is_agency(agency):
        raise ValueError("an agency is KIND or KIND/UNIT")
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "nbf": now,
        "exp": now + int(lifetime.total_seconds()),
        "agency": agency,
        "scope": " ".join(scopes),
        "regions": sorted(regions),
    }
    return jwt.encode(claims, _long_enough(key), algorithm=_ALGORITHM, headers={"typ": _TYPE})


def read_token(key: str, token: str) -> Sender:
    """Who a token speaks for; raises Unauthenticated, without saying which check failed."""
    try:
        if len(token) > _LONGEST or jwt.get_unverified_header(token).get("typ") != _TYPE:
            raise Unauthenticated
        claims = jwt.decode(
            token, key, algorithms=[_ALGORITHM], issuer=ISSUER, audience=AUDIENCE, options={"require": _CLAIMS}
        )
    except jwt.PyJWTError:
        raise Unauthenticated from None
    agency, scope, regions = claims.get("agency"), claims.get("scope"), claims.get("regions")
    if not isinstance(agency, str) or not isinstance(scope, str) or not isinstance(regions, list):
        raise Unauthenticated
    if (agency != EVERY and not is_agency(agency)) or not all(isinstance(region, str) for region in regions):
        raise Unauthenticated
    return Sender(agency, frozenset(scope.split()), frozenset(regions))


def require(key: str, *scopes: str) -> Callable[..., Awaitable[Sender]]:
    """A FastAPI dependency: the sender of a request, which must have one of the scopes (none given: any token)."""
    bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", scheme_name="token")
    _long_enough(key)

    async def sender(credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]) -> Sender:
        if credentials is None or credentials.scheme.lower() != "bearer":
            raise Unauthenticated
        known = read_token(key, credentials.credentials)
        if scopes and not known.scopes.intersection(scopes):
            raise Forbidden(f"The token lacks the scope {' or '.join(scopes)}.")
        return known

    return sender


def is_supervisor(sender: Sender) -> bool:
    """Whether the sender looks after every case of its regions."""
    kind = sender.agency.partition("/")[0]
    return kind in _SUPERVISORS or sender.agency == EVERY or ADMIN in sender.scopes


def supervises(sender: Sender, region: str | None) -> bool:
    """Whether the sender looks after everything in a region."""
    return is_supervisor(sender) and sender.has_region(region)


def may_read(sender: Sender, facts: Iterable[Fact]) -> bool:
    """Reading a case needs a fact of one's own in it, or a supervisor's region."""
    return any(fact.source == sender.agency or supervises(sender, fact.data.get("region")) for fact in facts)


def check_may_read(sender: Sender, facts: Iterable[Fact]) -> None:
    """Raises NotFound, so that a case of others and a case that does not exist look the same."""
    if not may_read(sender, facts):
        raise NotFound


def _long_enough(key: str) -> str:
    if len(key.encode()) < KEY_BYTES:
        raise ValueError(f"the token key needs at least {KEY_BYTES} bytes")
    return key
