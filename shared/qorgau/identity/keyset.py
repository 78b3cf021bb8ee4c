"""The public keys of an issuer: fetched without blocking, kept while they are fresh, and while the issuer is away.

Whoever cannot be told from an impostor now, because the issuer does not answer, is told to come again (503), not
refused (401): it may be right.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Protocol

import jwt
import orjson

from qorgau.errors import Unavailable
from qorgau.identity.sources import Source, SourceTrouble

# How long known keys are used although the issuer does not answer; a key it took back may count for so long.
KEPT = timedelta(hours=1)
# An issuer has two or three; a set with more is no set of ours.
MOST_KEYS = 50
# Smaller ones can be factored (NIST SP 800-131A).
LEAST_RSA_BITS = 2048
_log = logging.getLogger("qorgau.identity")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key by its name, with the only algorithm it is used for."""

    name: str
    algorithm: str
    public: jwt.PyJWK


class Keys(Protocol):
    """Public keys by name."""

    async def key(self, name: str) -> PublicKey | None:
        """The key, or None where the issuer has none of this name. Raises Unavailable where that is unknown now."""


class KeySet:
    """The keys of one source; a process has one. `now` is a clock that only goes forward, in seconds."""

    def __init__(self, source: Source, now: Callable[[], float] = time.monotonic, kept: timedelta = KEPT) -> None:
        self._source = source
        self._now = now
        self._kept = kept.total_seconds()
        self._keys: Mapping[str, PublicKey] = {}
        # When the keys were seen last, when that was last tried, and whether it failed then.
        self._seen: float | None = None
        self._tried: float | None = None
        self._failed = False
        self._looking: asyncio.Task[None] | None = None

    async def key(self, name: str) -> PublicKey | None:
        """The key of this name. Not more than one question goes to the issuer at a time, and not more than one in the
        pause of the source, however many ask here."""
        if self._age() > self._kept:
            await self._look()
            if self._age() > self._kept:
                raise Unavailable("The keys of the issuer cannot be had now; send the same again later.")
        elif name not in self._keys:
            await self._look()
            if name not in self._keys and self._failed:
                raise Unavailable("The issuer does not answer now; send the same again later.")
        elif self._age() > self._source.fresh.total_seconds():
            self._begin()
        return self._keys.get(name)

    def _age(self) -> float:
        return float("inf") if self._seen is None else self._now() - self._seen

    async def _look(self) -> None:
        """Look at the source, or wait for whoever does; without an effect within its pause."""
        self._begin()
        if self._looking is not None:
            # One who asks and goes away must not take the answer from the others.
            await asyncio.shield(self._looking)

    def _begin(self) -> None:
        if self._looking is not None and self._looking.done():
            self._looking = None
        pause = self._source.pause.total_seconds()
        if self._looking is None and (self._tried is None or self._now() - self._tried >= pause):
            self._tried = self._now()
            self._looking = asyncio.create_task(self._fetch(), name="keys of the issuer")

    async def _fetch(self) -> None:
        try:
            keys = read_keys(await self._source.fetch())
        except SourceTrouble as trouble:
            self._failed = True
            _log.warning("the keys of the issuer cannot be had: %s", trouble)
            return
        if keys.keys() != self._keys.keys():
            _log.info("the issuer has %d keys that can be used", len(keys))
        self._keys, self._seen, self._failed = keys, self._now(), False


def read_keys(document: bytes) -> Mapping[str, PublicKey]:
    """The usable keys of a JSON Web Key Set (RFC 7517); raises SourceTrouble where it is none or has no such key."""
    try:
        listed = orjson.loads(document)["keys"]
    except (ValueError, KeyError, TypeError):
        raise SourceTrouble("it is no key set") from None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise SourceTrouble("it is no key set of a sensible size")
    keys: dict[str, PublicKey] = {}
    for one in listed:
        key = _key(one)
        if key is not None:
            # Of two with one name the first counts, whatever the second is.
            keys.setdefault(key.name, key)
    if not keys:
        raise SourceTrouble("it has no key that can be used")
    return MappingProxyType(keys)


def _key(jwk: Any) -> PublicKey | None:
    """A public key to check signatures with; None for any other, which some issuers list as well."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or not jwk["kid"]:
        return None
    algorithm = _algorithm(jwk)
    # A private part has no business there: whoever publishes it has lost the key.
    if algorithm is None or "d" in jwk or jwk.get("use", "sig") != "sig" or not _may_verify(jwk.get("key_ops")):
        return None
    try:
        public = jwt.PyJWK(jwk, algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    if algorithm == "RS256" and public.key.key_size < LEAST_RSA_BITS:
        return None
    return PublicKey(jwk["kid"], algorithm, public)


def _algorithm(jwk: Mapping[str, Any]) -> str | None:
    """The one algorithm of a kind of key. There is none for secret keys (`oct`), which a set must never lend us."""
    match jwk.get("kty"), jwk.get("crv"):
        case "OKP", "Ed25519":
            algorithm = "EdDSA"
        case "EC", "P-256":
            algorithm = "ES256"
        case "RSA", _:
            algorithm = "RS256"
        case _:
            return None
    return algorithm if jwk.get("alg", algorithm) == algorithm else None


def _may_verify(operations: Any) -> bool:
    return operations is None or (isinstance(operations, list) and "verify" in operations)
