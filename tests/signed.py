"""Keys and tokens of tests: what an issuer would sign, and what an attacker would rather have."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

NOW = int(time.time())
CLAIMS: Mapping[str, Any] = {
    "iss": "qorgau",
    "aud": "qorgau",
    "exp": NOW + 86_400,
    "nbf": NOW - 60,
    "sub": "cad-of-astana",
    "agency": "102/KZ-75",
    "scope": "facts:write cases:read",
    "regions": ["KZ-75"],
}
ED25519, ANOTHER = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
P256 = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_ALGORITHMS: Mapping[str, jwt.algorithms.Algorithm] = jwt.algorithms.get_default_algorithms()


def public(key: Any, name: str, algorithm: str, **changes: Any) -> dict[str, Any]:
    """The public half of a key as a JSON Web Key."""
    jwk = json.loads(type(_ALGORITHMS[algorithm]).to_jwk(key.public_key()))
    return {name: value for name, value in {**jwk, "kid": name, "use": "sig", **changes}.items() if value is not None}


def key_set(*keys: Mapping[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


PUBLIC = key_set(public(ED25519, "ed", "EdDSA"), public(P256, "ec", "ES256"), public(RSA, "rsa", "RS256"))


def token(
    key: Any = ED25519,
    algorithm: str = "EdDSA",
    headers: Mapping[str, Any] | None = None,
    kid: str | None = "ed",
    **changes: Any,
) -> str:
    """A token; a claim that is changed to None is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    named = {} if kid is None else {"kid": kid}
    # Below the library's own checks of what it is asked to sign.
    return jwt.PyJWS().encode(
        json.dumps(claims).encode(), key, algorithm=algorithm, headers={"typ": "JWT", **named, **(headers or {})}
    )


def pasted(header: Any, claims: Any = CLAIMS, signature: bytes = b"") -> str:
    """A token put together by hand, of whatever parts."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims, signature)]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts).decode()
