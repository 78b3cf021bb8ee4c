"""Official numbers that facts may name instead of a case: their grammar and their keyed digest, which is all we keep.

An official number has little entropy, so only a digest under a secret key may be stored or sent to another service.
"""

import hashlib
import hmac
import re

SYSTEM, NUMBER = r"[a-z0-9][a-z0-9-]{0,31}", r"[^\s/\x00-\x1f\x7f]{1,64}"
_REFERENCE = re.compile(f"(?P<system>{SYSTEM})/(?P<number>{NUMBER})")
PREFIX = "ref:"


def reference(text: str) -> tuple[str, str] | None:
    """`<system>/<number>` taken apart, or None where it is not one."""
    match = _REFERENCE.fullmatch(text)
    return (match["system"], match["number"]) if match else None


def digest(key: str, system: str, number: str) -> str:
    """The name under which a reference is known: HMAC-SHA-256 of system and number, in hex."""
    secret = hashlib.sha256(f"qorgau reference {key}".encode()).digest()
    return hmac.new(secret, f"{system}/{number}".encode(), hashlib.sha256).hexdigest()
