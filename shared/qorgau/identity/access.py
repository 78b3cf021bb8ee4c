"""The way in: one dependency for every route. Who sends is read from the token, what it reaches from the table."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Annotated

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from qorgau.errors import Forbidden
from qorgau.front.limits import Limiter
from qorgau.identity.claims import Reason, Refused
from qorgau.identity.sender import Sender
from qorgau.identity.table import TABLE
from qorgau.identity.tokens import Tokens
from qorgau.telemetry import Metrics

_BEARER = HTTPBearer(auto_error=False, bearerFormat="JWT", scheme_name="token")
_log = logging.getLogger("qorgau.identity")


@dataclass(frozen=True, slots=True)
class Lasting:
    """Who reads an answer that goes on; `check` raises Refused once the token no longer counts."""

    sender: Sender
    check: Callable[[], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Access:
    """Who may use the routes of one process. `Depends(access)` is the sender of a request."""

    tokens: Tokens
    limiter: Limiter
    metrics: Metrics
    now: Callable[[], float] = time.monotonic
    _told: dict[Reason, int] = field(default_factory=dict)

    async def __call__(
        self, request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
    ) -> Sender:
        """The sender, with what it reaches on this route. Raises Unauthenticated, Forbidden, TooManyRequests, or
        Unavailable where the keys of the issuer cannot be had."""
        sender = await self._read(credentials)
        request.state.headers = self.limiter.take(sender.agency)
        row = TABLE.get((request.method, request.scope["route"].path))
        if row is None:
            raise Forbidden("No rule opens this route.")
        return replace(sender, reach=row.admit(sender))

    async def lasting(
        self, request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
    ) -> Lasting:
        """The same for an answer that goes on: a token expires, and an agency is revoked, while somebody reads."""
        sender = await self(request, credentials)

        async def check() -> None:
            await self._read(credentials)

        return Lasting(sender, check)

    async def _read(self, credentials: HTTPAuthorizationCredentials | None) -> Sender:
        try:
            if credentials is None:
                raise Refused(Reason.MISSING)
            return await self.tokens.read(credentials.credentials)
        except Refused as refused:
            self._tell(refused.reason)
            raise

    def _tell(self, reason: Reason) -> None:
        """Count it, and tell the log once a second of each reason: who floods us must not fill the disk as well."""
        self.metrics.tokens_refused.labels(reason.value).inc()
        second = int(self.now())
        if self._told.get(reason) != second:
            self._told[reason] = second
            _log.warning("a token was refused: %s", reason.value)
