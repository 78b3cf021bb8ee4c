"""The explanation of a flag, asked of the service whose rule it is, with the token of the reader.

A redirect would not do: clients do not send their token on to another origin, and the services need not be reached
from where the reader is.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx2
from fastapi import Request, Response

from qorgau import telemetry
from qorgau.errors import NotFound, Unavailable

# Explaining is arithmetic of one case; a service that takes longer is as good as away.
ANSWER_WITHIN = timedelta(seconds=5)
# An answer about one flag has kilobytes.
MOST_BYTES = 4 * 1024 * 1024
# What the other service decides, and what is none of the reader's business.
_PASSED_ON = frozenset({200, 401, 403, 404, 422, 429})
_ANSWERED_WITH = ("content-type", "etag", "as-of", "as_of", "cache-control", "retry-after", "www-authenticate")


@dataclass(frozen=True, slots=True)
class Owners:
    """Where the services are that explain flags, by name, and the client they are asked with."""

    urls: Mapping[str, str]
    client: httpx2.AsyncClient

    async def explanation(self, service: str, flag: str, request: Request) -> Response:
        """What the service answers to this reader. Raises NotFound for a service whose address is not known, and
        Unavailable where it does not answer."""
        if service not in self.urls:
            raise NotFound
        url = f"{self.urls[service].rstrip('/')}/v1/flags/{flag}/explanation"
        headers = {"authorization": request.headers["authorization"]}
        if (trace := telemetry.traceparent()) is not None:
            headers["traceparent"] = trace
        try:
            async with (
                asyncio.timeout(ANSWER_WITHIN.total_seconds()),
                self.client.stream("GET", url, headers=headers) as told,
            ):
                if told.status_code in _PASSED_ON:
                    passed = {name: told.headers[name] for name in _ANSWERED_WITH if name in told.headers}
                    return Response(await _within(MOST_BYTES, told), told.status_code, passed)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError):
            pass
        raise Unavailable("The service that explains this flag does not answer now; ask again later.")


async def _within(most: int, told: httpx2.Response) -> bytes:
    content = bytearray()
    async for piece in told.aiter_bytes():
        content += piece
        if len(content) > most:
            raise httpx2.DecodingError("it is too large")
    return bytes(content)


@asynccontextmanager
async def owners_of(
    urls: Mapping[str, str], transport: httpx2.AsyncBaseTransport | None = None
) -> AsyncIterator[Owners]:
    """The owners at these addresses; the client is closed in the end. `transport` is for tests."""
    # No redirect and no proxy of the environment: the token goes to these addresses and nowhere else.
    async with httpx2.AsyncClient(
        timeout=ANSWER_WITHIN.total_seconds(), follow_redirects=False, trust_env=False, transport=transport
    ) as client:
        yield Owners(urls, client)
