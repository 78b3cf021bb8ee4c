"""A fact as it waits in the database: sealed by AES-256-GCM under a key that HKDF derives from the service's secret.

Readable are only what it waits for (a keyed digest, or a case), since when, and a keyed name by which it is kept once.
What is sealed counts for that name and that reference alone, so that nobody can move it to another case.
"""

import hmac
import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from qorgau.errors import QorgauError
from qorgau.facts import Fact
from qorgau.front.door import Admitted

_INFO = b"qorgau parked facts 1"
_KEY_BYTES, _NONCE_BYTES = 32, 12
_FIELDS = ("id", "source", "type", "time", "recorded", "data")
Draw = Callable[[int], bytes]


class Unreadable(QorgauError):
    """What waits cannot be opened: changed, moved, or sealed under another secret."""

    slug, title, status = "unreadable", "A parked fact cannot be opened", 500


class Seal:
    """The seal of one service. `draw` gives the nonces: random ones, safe for 2^32 facts (NIST SP 800-38D, 8.3)."""

    def __init__(self, secret: str, draw: Draw = os.urandom) -> None:
        derived = HKDF(SHA256(), 2 * _KEY_BYTES, salt=None, info=_INFO).derive(secret.encode())
        self._cipher, self._names = AESGCM(derived[:_KEY_BYTES]), derived[_KEY_BYTES:]
        self._draw = draw

    def name(self, waiting: Admitted) -> str:
        """The same fact waiting for the same reference is kept once."""
        parts = _bound(str(waiting.reference), waiting.fact.source, waiting.fact.id)
        return hmac.new(self._names, parts, sha256).hexdigest()

    def document(self, waiting: Admitted, parked: int) -> dict[str, Any]:
        """What is stored of a fact that waits since an instant."""
        name = self.name(waiting)
        return {"_id": name, "parked": parked, **self.sealed(name, waiting)}

    def sealed(self, name: str, waiting: Admitted) -> dict[str, Any]:
        """The reference of a fact, and the fact sealed for it."""
        reference, nonce = str(waiting.reference), self._draw(_NONCE_BYTES)
        fact = {field: getattr(waiting.fact, field) for field in _FIELDS} | {"data": dict(waiting.fact.data)}
        told = orjson.dumps({**fact, "own_recorded": waiting.own_recorded, "trusted": waiting.trusted})
        return {"reference": reference, "sealed": nonce + self._cipher.encrypt(nonce, told, _bound(reference, name))}

    def opened(self, document: Mapping[str, Any]) -> Admitted:
        """The fact of a document; raises Unreadable."""
        if "sealed" not in document:
            # It waits since before there was a seal.
            return _admitted(document, document["reference"])
        reference, sealed = document["reference"], bytes(document["sealed"])
        try:
            bound = _bound(reference, document["_id"])
            told = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
        except (InvalidTag, ValueError):
            raise Unreadable from None
        return _admitted(orjson.loads(told), reference)


def _bound(*parts: str) -> bytes:
    """Parts that no others are alike, wherever one ends and the next begins."""
    texts = [part.encode() for part in parts]
    return b"".join(len(text).to_bytes(4, "big") + text for text in (_INFO, *texts))


def _admitted(told: Mapping[str, Any], reference: str) -> Admitted:
    fact = Fact(case=None, **{field: told[field] for field in _FIELDS})
    # What waits since before there was a gate was let in then.
    return Admitted(fact, reference, told["own_recorded"], told.get("trusted", True))
