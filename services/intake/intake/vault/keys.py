"""Keys that wrap the data keys of cases: what a provider of them must do, one that holds them itself, and a cache.

A data key is made here, wrapped once by the provider, and kept only wrapped. Rotation makes another key-encryption key
the current one; cases are wrapped anew one by one while the old one still opens the rest.
"""

import binascii
import os
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from intake.vault.sealing import KEY_BYTES, Draw, Unsealable, unwrap_key, wrap_key
from qorgau.starting import StartRefused

# How long an unwrapped key may stay in memory: one that was destroyed elsewhere is gone here after that at the latest.
KEPT_FOR = timedelta(minutes=5)
KEPT_KEYS = 1_000

_KEY_ID_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key as it is stored: which key-encryption key wraps it, and the wrapped bytes."""

    kek: str
    value: bytes = field(repr=False)


class KeyProvider(Protocol):
    """Who holds the key-encryption keys. `context` (the case) is bound to what is wrapped.

    All raise Unavailable where the provider cannot be asked now, Unsealable where a wrapped key is not its own, was
    changed, or its key-encryption key is gone.
    """

    async def wrap(self, data_key: bytes, context: str) -> Wrapped:
        """Wrap a data key under the current key-encryption key."""

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """The data key in it."""

    async def rewrap(self, wrapped: Wrapped, context: str) -> Wrapped:
        """The same data key under the current key-encryption key; what is under it already is returned as it is."""

    async def current(self) -> str:
        """The id of the key-encryption key that wraps new data keys."""

    async def health(self) -> bool:
        """Whether it can be asked, and what it was told is whole; never raises."""


def new_data_key(draw: Draw = os.urandom) -> bytes:
    """A data key for one case."""
    return draw(KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Keyring:
    """Key-encryption keys by their ids, and which of them is current."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError("the current key is none of the keys")
        for name, key in self.keys.items():
            if not 1 <= len(name) <= _KEY_ID_LENGTH or not name.isascii() or not name.isprintable():
                raise ValueError("a key id is 1 to 64 printable ASCII characters")
            if len(key) != KEY_BYTES:
                raise ValueError(f"a key has {KEY_BYTES} bytes")


def keyring_from_text(text: str) -> Keyring:
    """A ring from a secret such as an environment variable: `ID:KEY,ID:KEY`, keys in base64, the first is current.

    Raises StartRefused, which repeats nothing of it.
    """
    keys: dict[str, bytes] = {}
    for entry in text.strip().split(","):
        name, _, encoded = entry.strip().partition(":")
        if name in keys:
            raise StartRefused("The vault's keys name an id twice.")
        keys[name] = key_from_base64(encoded)
    try:
        return Keyring(next(iter(keys)), keys)
    except ValueError as error:
        raise StartRefused(f"The vault's keys: {error}.") from None


def key_from_base64(text: str) -> bytes:
    """A key from its text; raises StartRefused."""
    try:
        key = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise StartRefused("A key of the vault is not base64; `openssl rand -base64 32` makes one.") from None
    if len(key) != KEY_BYTES:
        raise StartRefused(f"A key of the vault needs {KEY_BYTES} bytes; `openssl rand -base64 32` makes one.")
    return key


class HeldKeys:
    """The provider that holds the keys itself. `ring` is asked each time, so that another ring may take its place."""

    def __init__(self, ring: Callable[[], Keyring], healthy: Callable[[], bool] = lambda: True) -> None:
        self._ring = ring
        self._healthy = healthy

    async def wrap(self, data_key: bytes, context: str) -> Wrapped:
        ring = self._ring()
        return Wrapped(ring.current, wrap_key(data_key, ring.keys[ring.current], ring.current, context))

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        key = self._ring().keys.get(wrapped.kek)
        if key is None:
            raise Unsealable
        return unwrap_key(wrapped.value, key, wrapped.kek, context)

    async def rewrap(self, wrapped: Wrapped, context: str) -> Wrapped:
        if wrapped.kek == self._ring().current:
            return wrapped
        return await self.wrap(await self.unwrap(wrapped, context), context)

    async def current(self) -> str:
        return self._ring().current

    async def health(self) -> bool:
        return self._healthy()


class DataKeys:
    """Unwrapped data keys for a while, so that a case that is read does not ask the provider for each field.

    Bounded in number and in time. Python cannot wipe memory; the bounds are what there is.
    """

    def __init__(
        self,
        provider: KeyProvider,
        clock: Callable[[], float],
        *,
        kept_for: timedelta = KEPT_FOR,
        kept_keys: int = KEPT_KEYS,
    ) -> None:
        self._provider = provider
        self._clock = clock
        self._kept_for = kept_for.total_seconds()
        self._kept_keys = kept_keys
        self._kept: OrderedDict[tuple[str, bytes], tuple[float, bytes]] = OrderedDict()

    async def unwrapped(self, case: str, wrapped: Wrapped) -> bytes:
        """The data key of a case; raises what the provider raises."""
        name = case, wrapped.value
        until, key = self._kept.get(name, (0.0, b""))
        if not key or until <= self._clock():
            key = await self._provider.unwrap(wrapped, case)
            self._keep(name, key)
        else:
            self._kept.move_to_end(name)
        return key

    def forget(self, case: str) -> None:
        """Let go of a case's keys: they were destroyed, or wrapped anew."""
        for name in [name for name in self._kept if name[0] == case]:
            del self._kept[name]

    def __len__(self) -> int:
        return len(self._kept)

    def _keep(self, name: tuple[str, bytes], key: bytes) -> None:
        now = self._clock()
        for old in [old for old, (until, _) in self._kept.items() if until <= now]:
            del self._kept[old]
        self._kept[name] = (now + self._kept_for, key)
        self._kept.move_to_end(name)
        while len(self._kept) > self._kept_keys:
            self._kept.popitem(last=False)
