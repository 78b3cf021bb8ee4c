"""How one field of one case is encrypted: AES-256-GCM under the case's data key, with a header that says which. Pure,
but for the nonce, which is drawn anew for each seal.

The form, version 1: `0x01 | length of the key id (1 byte) | key id | nonce (12 bytes) | ciphertext and tag`. Sealed is
the plaintext's length (4 bytes), the plaintext, and zeros up to the next of a few lengths. Authenticated with it, each
preceded by its length in 4 bytes: `qorgau-field-1`, case, field, key id. All lengths are big-endian.

The key id names the case's data key, not the key that wraps it: wrapping it anew leaves what is sealed as it is.
"""

import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from qorgau.errors import QorgauError

# AES-256; and the nonce length for which GCM is specified without a detour (NIST SP 800-38D, 8.2).
KEY_BYTES, NONCE_BYTES, _TAG_BYTES = 32, 12, 16

Draw = Callable[[int], bytes]

_FORMAT = 1
_LABEL = b"qorgau-field-1"
_LENGTH_BYTES = 4
# Lengths tell who somebody is: a name, a number, "yes" and "no" are all as long as one another.
_SHORT = (64, 128, 256, 512)
_STEP = 1024


class Unsealable(QorgauError):
    """What is sealed cannot be opened: changed, cut, moved from another place, or under another key. Which of these it
    was is not told to anybody."""

    slug, title, status = "unsealable", "A sealed field cannot be opened", 500


def seal(case: str, field: str, plaintext: bytes, data_key: bytes, key_id: str, draw: Draw = os.urandom) -> bytes:
    """A field of a case, sealed under its data key (32 bytes), which has an id of 1 to 255 bytes.

    A data key seals the fields of one case, some dozens; random nonces are safe for 2^32 (NIST SP 800-38D, 8.3).
    """
    name = key_id.encode()
    if not 1 <= len(name) <= 255:
        raise ValueError("a key id has 1 to 255 bytes")
    header = bytes([_FORMAT, len(name)]) + name
    nonce = draw(NONCE_BYTES)
    return header + nonce + _cipher(data_key).encrypt(nonce, _padded(plaintext), _bound(_LABEL, case, field, key_id))


def unseal(case: str, field: str, sealed: bytes, data_key: bytes, key_id: str) -> bytes:
    """The plaintext of a field. Raises Unsealable unless it was sealed for this case and field, with this key."""
    name = key_id.encode()
    header = bytes([_FORMAT, len(name) & 0xFF]) + name
    body = sealed[len(header) :]
    if not sealed.startswith(header) or len(body) < NONCE_BYTES + _LENGTH_BYTES + _TAG_BYTES:
        raise Unsealable
    try:
        padded = _cipher(data_key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], _bound(_LABEL, case, field, key_id))
    except InvalidTag:
        raise Unsealable from None
    return _unpadded(padded)


def wrap_key(data_key: bytes, kek: bytes, kek_id: str, context: str, draw: Draw = os.urandom) -> bytes:
    """A data key under a key-encryption key that this process holds, bound to its id and to a context (the case)."""
    nonce = draw(NONCE_BYTES)
    return nonce + _cipher(kek).encrypt(nonce, data_key, _bound(b"qorgau-wrap-1", kek_id, context))


def unwrap_key(wrapped: bytes, kek: bytes, kek_id: str, context: str) -> bytes:
    """The data key; raises Unsealable."""
    if len(wrapped) != NONCE_BYTES + KEY_BYTES + _TAG_BYTES:
        raise Unsealable
    try:
        return _cipher(kek).decrypt(
            wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _bound(b"qorgau-wrap-1", kek_id, context)
        )
    except InvalidTag:
        raise Unsealable from None


def _cipher(key: bytes) -> AESGCM:
    # The library would take a shorter key for AES-128 without a word.
    if len(key) != KEY_BYTES:
        raise Unsealable
    return AESGCM(key)


def _bound(label: bytes, *parts: str) -> bytes:
    """Texts as bytes that no other texts give: each with its length before it."""
    pieces = [label, *(part.encode() for part in parts)]
    return b"".join(len(piece).to_bytes(_LENGTH_BYTES, "big") + piece for piece in pieces)


def _padded(plaintext: bytes) -> bytes:
    told = len(plaintext).to_bytes(_LENGTH_BYTES, "big") + plaintext
    length = next((short for short in _SHORT if len(told) <= short), -(-len(told) // _STEP) * _STEP)
    return told.ljust(length, b"\0")


def _unpadded(padded: bytes) -> bytes:
    # Authenticated, so only a program with another idea of the form could have written it wrongly.
    length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
    if len(padded) < _LENGTH_BYTES + length:
        raise Unsealable
    return padded[_LENGTH_BYTES : _LENGTH_BYTES + length]
