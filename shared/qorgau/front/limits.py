"""What one sender may take: the size of a request body and the number of requests a minute."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qorgau.errors import Rejected, TooLarge, TooManyRequests, Unavailable
from qorgau.front.problems import problem

# A body of a megabyte or more is refused; a batch of a thousand facts has a third of it.
MAX_BODY = 1_000_000 - 1
# Longer than a slow mobile line needs for a body of this size, short enough to free the connection.
BODY_TIMEOUT = timedelta(seconds=30)
# Of a body that is refused for its length so much is taken and thrown away, so that the sender can read the answer.
DRAINED = 8 * MAX_BODY
DRAIN_WITHIN = timedelta(seconds=5)
# No agency of the country has that many calls; it stops a loop that went wild, not a working feed.
REQUESTS_PER_MINUTE = 60_000
_WINDOW = 60


class BodyLimit:
    """Refuses a body that is too large: by its length where that is told, else as soon as it is."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        error = TooLarge(f"Send at most {self._limit} bytes; cut a batch into smaller ones.")
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and (len(told) > 18 or int(told) > self._limit):
            await _drain(receive)
            await problem(error, {"Connection": "close"})(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise error
            return message

        await self._app(scope, counted, send)


class AtOnce:
    """Refuses what comes while so many requests are being worked on, before anything of it is read or checked: so that
    those who were let in are answered in time, and those who were not know at once.

    `path`: counts only this one; `refused` is called for each that is refused.
    """

    def __init__(
        self, app: ASGIApp, most: int, path: str | None = None, refused: Callable[[], None] = lambda: None
    ) -> None:
        self._app = app
        self._refused = refused
        self._most = most
        self._path = path
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._path not in (None, scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._now >= self._most:
            self._refused()
            await problem(Unavailable("Too many at once; send the same again in a moment."))(scope, receive, send)
            return
        self._now += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._now -= 1


async def read_body(request: Request) -> bytes:
    """The whole body; raises TooLarge, or Rejected where the sender is too slow or gone."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT.total_seconds()):
            return await request.body()
    except (TimeoutError, ClientDisconnect):
        raise Rejected("The body did not come whole; send it again.") from None


@dataclass(slots=True)
class Limiter:
    """Counts the requests of each agency within a minute; forgets everybody when the minute is over."""

    per_minute: int = REQUESTS_PER_MINUTE
    clock: Callable[[], float] = time.monotonic
    _window: int = 0
    _taken: Counter[str] = field(default_factory=Counter)

    def take(self, agency: str) -> dict[str, str]:
        """The RateLimit headers of one more request; raises TooManyRequests with Retry-After."""
        now = self.clock()
        if int(now // _WINDOW) != self._window:
            self._window = int(now // _WINDOW)
            self._taken.clear()
        self._taken[agency] += 1
        left = self.per_minute - self._taken[agency]
        reset = _WINDOW - int(now % _WINDOW)
        headers = {
            "RateLimit-Policy": f'"agency";q={self.per_minute};w={_WINDOW}',
            "RateLimit": f'"agency";r={max(left, 0)};t={reset}',
        }
        if left < 0:
            raise TooManyRequests(
                "Wait until the minute is over; send facts in batches.", headers={**headers, "Retry-After": str(reset)}
            )
        return headers


async def _drain(receive: Receive) -> None:
    """Take what is on its way, within bounds: a connection that is closed before loses the answer for many clients."""
    taken = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_WITHIN.total_seconds()):
            more = True
            while more and taken < DRAINED:
                message = await receive()
                taken += len(message.get("body", b""))
                more = message["type"] == "http.request" and message.get("more_body", False)
