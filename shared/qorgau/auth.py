"""Tokens of a development machine: signed with the one secret key (`QORGAU_TOKEN_KEY`), which whoever checks them has
as well. Tokens of agencies are signed by an issuer (`identity/`)."""

from typing import Any

import jwt

from qorgau.identity.claims import new_claims
from qorgau.identity.tokens import SHARED_ALGORITHM, long_enough


def make_token(key: str, **claims: Any) -> str:
    """A token with these claims (`new_claims`), valid from now on. Raises ValueError for what no service would accept,
    and for a key that is too short."""
    made = new_claims(**claims)
    return jwt.encode(made, long_enough(key), algorithm=SHARED_ALGORITHM, headers={"typ": "JWT"})
