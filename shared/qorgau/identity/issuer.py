"""The tiny issuer of a run on one machine: it makes and keeps Ed25519 keys in a folder, writes their public halves as a
key set, and signs tokens. For real agencies there is an identity provider (docs/identity.md)."""

import base64
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qorgau.files import write_whole
from qorgau.identity.claims import new_claims
from qorgau.identity.tokens import LEEWAY
from qorgau.starting import StartRefused

_KEYS, _PUBLIC, _LOCK = "signing-keys.json", "jwks.json", "issuer.lock"


@dataclass(frozen=True, slots=True)
class _Key:
    """A private key and when the last token it signed expires (seconds since 1970)."""

    private: str
    expires: int = 0

    @property
    def signing(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(self.private))

    @property
    def jwk(self) -> dict[str, str]:
        """Its public half; the name is the thumbprint of RFC 7638, so that it says nothing and never comes twice."""
        needed = {"crv": "Ed25519", "kty": "OKP", "x": _text(self.signing.public_key().public_bytes_raw())}
        canonical = json.dumps(needed, separators=(",", ":"), sort_keys=True)
        name = _text(hashlib.sha256(canonical.encode()).digest())
        return {**needed, "kid": name, "alg": "EdDSA", "use": "sig"}


class Issuer:
    """The issuer of one folder; several processes may use it at the same time. `now` is in seconds since 1970."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._now = now

    @property
    def jwks(self) -> Path:
        """The public key set, for `QORGAU_JWKS`."""
        return self._folder / _PUBLIC

    @property
    def exists(self) -> bool:
        """Whether there is an issuer in this folder."""
        return (self._folder / _KEYS).is_file()

    def prepare(self) -> None:
        """Make the first key where there is none, and write the key set anew. Raises StartRefused where the keys are
        damaged."""
        with self._keys() as keys:
            self._write(keys or [_new_key()])

    def token(self, **claims: Any) -> str:
        """A signed token with these claims (`new_claims`). What it takes to check it is on the disk before it is given
        out. Raises ValueError."""
        made = new_claims(**claims)
        with self._keys() as keys:
            first, *others = keys or [_new_key()]
            self._write([replace(first, expires=max(first.expires, made["exp"])), *others])
        headers = {"kid": first.jwk["kid"], "typ": "JWT"}
        return jwt.encode(made, first.signing, algorithm="EdDSA", headers=headers)

    def rotate(self) -> None:
        """Sign with a new key from now on. The former ones stay in the key set until their tokens have expired."""
        with self._keys() as keys:
            self._write([_new_key(), *keys])

    def withdraw(self) -> None:
        """Sign with a new key from now on, and let no token count that was made before."""
        with self._keys():
            self._write([_new_key()])

    @contextmanager
    def _keys(self) -> Iterator[list[_Key]]:
        """The keys of now, the one that signs first, while nobody else writes them."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield self._read()
        finally:
            os.close(handle)

    def _read(self) -> list[_Key]:
        file = self._folder / _KEYS
        try:
            keys = [_Key(**one) for one in json.loads(file.read_text(encoding="ascii"))]
            # Whether they can sign shows now, and not with the first token.
            return keys if all(key.jwk for key in keys) else []
        except FileNotFoundError:
            return []
        except (ValueError, TypeError):
            raise StartRefused(f"{file} is damaged. Delete it, and make new tokens: the old ones are lost.") from None

    def _write(self, keys: Sequence[_Key]) -> None:
        """The public halves first: a token must never be there before what it is checked with."""
        over = self._now() - LEEWAY / timedelta(seconds=1)
        kept = [key for place, key in enumerate(keys) if place == 0 or key.expires > over]
        write_whole(self.jwks, json.dumps({"keys": [key.jwk for key in kept]}).encode())
        write_whole(self._folder / _KEYS, json.dumps([asdict(key) for key in kept]).encode())


def _new_key() -> _Key:
    return _Key(base64.urlsafe_b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode())


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
