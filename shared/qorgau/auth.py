"""Tokens of a development machine: signed with the one secret key (`QORGAU_TOKEN_KEY`), which whoever checks them has
as well. Tokens of agencies are signed by an issuer (`identity/`)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

import jwt
from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from qorgau.errors import Forbidden
from qorgau.identity.claims import AUDIENCE as AUDIENCE
from qorgau.identity.claims import ISSUER as ISSUER
from qorgau.identity.claims import Reason, Refused, new_claims
from qorgau.identity.sender import ADMIN as ADMIN
from qorgau.identity.sender import CASES_READ as CASES_READ
from qorgau.identity.sender import FLAGS_ACK as FLAGS_ACK
from qorgau.identity.sender import FLAGS_READ as FLAGS_READ
from qorgau.identity.sender import PII_READ as PII_READ
from qorgau.identity.sender import REPORTS_WRITE as REPORTS_WRITE
from qorgau.identity.sender import SCOPES as SCOPES
from qorgau.identity.sender import Role, Sender
from qorgau.identity.table import TABLE
from qorgau.identity.tokens import KEY_BYTES as KEY_BYTES
from qorgau.identity.tokens import SHARED_ALGORITHM, SharedKeyTokens, long_enough


def make_token(key: str, **claims: Any) -> str:
    """A token with these claims (`new_claims`), valid from now on. Raises ValueError for what no service would accept,
    and for a key that is too short."""
    made = new_claims(**claims)
    return jwt.encode(made, long_enough(key), algorithm=SHARED_ALGORITHM, headers={"typ": "JWT"})


def read_token(key: str, token: str) -> Sender:
    """Who a token speaks for; raises Unauthenticated, without saying which check failed."""
    return SharedKeyTokens(key).read_now(token)


def is_supervisor(sender: Sender) -> bool:
    """Whether the sender looks after every case of its regions."""
    return sender.role in (Role.SUPERVISOR, Role.ADMIN, Role.DEVELOPMENT)


def require(key: str, *scopes: str) -> Callable[..., Awaitable[Sender]]:
    """A FastAPI dependency: the sender of a request, which must have one of the scopes (none given: any token)."""
    bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", scheme_name="token")
    long_enough(key)

    async def sender(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
    ) -> Sender:
        if credentials is None or credentials.scheme.lower() != "bearer":
            raise Refused(Reason.MISSING)
        known = read_token(key, credentials.credentials)
        if scopes and not known.scopes.intersection(scopes):
            raise Forbidden(f"The token lacks the scope {' or '.join(scopes)}.")
        return replace(known, reach=TABLE[request.method, request.scope["route"].path].admit(known))

    return sender
