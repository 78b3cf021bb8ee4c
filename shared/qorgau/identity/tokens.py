"""From a token to a sender. Two ways, and a process knows one of them: by a key set, where a token names a public key
and only that key's own algorithm counts; or by one secret key, for development, where only HMAC counts. So no key is
ever used for the other kind of signature."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import jwt

from qorgau.identity.claims import AUDIENCE, ISSUER, REQUIRED, Reason, Refused, sender_of
from qorgau.identity.keyset import Keys
from qorgau.identity.sender import Sender

# HS256 is as strong as its key; RFC 7518 asks for the length of the hash.
KEY_BYTES = 32
# What the clocks of an issuer and of a service may differ by. A secret key is shared by one machine, which has one.
LEEWAY = timedelta(seconds=10)
# A token of an issuer with many roles has two thousand; beyond this it is no token.
LONGEST = 8192
SHARED_ALGORITHM = "HS256"
# RFC 7519 and RFC 9068; compared without case, as media types are.
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
# They name or bring a key, or ask for something we do not do. None of our issuers sends them; we never follow one.
_NEVER = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "enc", "zip"})
_LONGEST_KID = 256
# What the library raises, and what slips through it when a claim or a header is no value a claim can have.
_BROKEN = (jwt.PyJWTError, RecursionError, ValueError, TypeError, OverflowError)
_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (jwt.ExpiredSignatureError, Reason.EXPIRED),
    (jwt.ImmatureSignatureError, Reason.EARLY),
    (jwt.InvalidIssuerError, Reason.ISSUER),
    (jwt.InvalidAudienceError, Reason.AUDIENCE),
    (jwt.InvalidSignatureError, Reason.SIGNATURE),
    (jwt.InvalidAlgorithmError, Reason.ALGORITHM),
    (jwt.DecodeError, Reason.MALFORMED),
)


class Tokens(Protocol):
    """What says whom a token speaks for."""

    async def read(self, token: str) -> Sender:
        """The sender; raises Refused, or Unavailable where it cannot be known now."""


def nobody(_: str) -> bool:
    """That no agency is revoked."""
    return False


@dataclass(frozen=True, slots=True)
class SignedTokens:
    """Tokens signed by an issuer whose public keys are known by their names. `revoked`: whether an agency's tokens no
    longer count."""

    keys: Keys
    issuer: str = ISSUER
    audience: str = AUDIENCE
    revoked: Callable[[str], bool] = nobody

    async def read(self, token: str) -> Sender:
        header = _header(token)
        name = header.get("kid")
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_KID:
            raise Refused(Reason.HEADER)
        if str(header.get("alg")).startswith("HS") or header.get("alg") == "none":
            # No key of ours can be meant; whoever sends this tries something.
            raise Refused(Reason.ALGORITHM)
        key = await self.keys.key(name)
        if key is None:
            raise Refused(Reason.KEY)
        claims = _claims(token, key.public, key.algorithm, self.issuer, self.audience, LEEWAY)
        return _unless_revoked(sender_of(claims), self.revoked)


@dataclass(frozen=True, slots=True)
class SharedKeyTokens:
    """Tokens signed with one secret key, which whoever can check them can also make. Raises ValueError for a key that
    is too short."""

    key: str = field(repr=False)
    issuer: str = ISSUER
    audience: str = AUDIENCE
    revoked: Callable[[str], bool] = nobody

    def __post_init__(self) -> None:
        long_enough(self.key)

    async def read(self, token: str) -> Sender:
        _header(token)
        claims = _claims(token, self.key, SHARED_ALGORITHM, self.issuer, self.audience, timedelta())
        return _unless_revoked(sender_of(claims), self.revoked)


def long_enough(key: str) -> str:
    """The key itself; ValueError where it is too short to sign with."""
    if len(key.encode()) < KEY_BYTES:
        raise ValueError(f"the token key needs at least {KEY_BYTES} bytes")
    return key


def _header(token: str) -> Mapping[str, Any]:
    """The header, not yet to be believed; only what may be in a token of ours is in it."""
    if len(token) > LONGEST:
        raise Refused(Reason.MALFORMED)
    try:
        header = jwt.get_unverified_header(token)
    except _BROKEN:
        raise Refused(Reason.MALFORMED) from None
    if not _NEVER.isdisjoint(header):
        raise Refused(Reason.HEADER)
    if str(header.get("typ")).lower() not in _TYPES:
        raise Refused(Reason.TYPE)
    return header


def _claims(token: str, key: Any, algorithm: str, issuer: str, audience: str, leeway: timedelta) -> Mapping[str, Any]:
    """The claims of a token with this very signature, for us, and valid now."""
    try:
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=audience,
            leeway=leeway,
            options={"require": list(REQUIRED)},
        )
    except _BROKEN as error:
        # Without the text of the error, which may hold what was sent.
        raise Refused(_reason(error)) from None


def _reason(error: Exception) -> Reason:
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), Reason.CLAIMS)


def _unless_revoked(sender: Sender, revoked: Callable[[str], bool]) -> Sender:
    if revoked(sender.agency):
        raise Refused(Reason.REVOKED)
    return sender
