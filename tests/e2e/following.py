"""Following the feeds of a running system: the events of a stream as its reader has them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2

from tests.e2e.stack import PATIENCE, Row, Stack

Event = tuple[str, str, Row]
"""Its id, its type and its data."""


@asynccontextmanager
async def feed(
    stack: Stack,
    service: str,
    path: str,
    *,
    last: str | None = None,
    who: Mapping[str, str] | None = None,
    **query: str,
) -> AsyncIterator[AsyncIterator[Event]]:
    """A feed from now on, or after an id; what only moves the position has no type and no data."""
    headers = dict(who or {}) | ({} if last is None else {"last-event-id": last})
    url = f"{stack.url(service)}{path}"
    async with stack.http.stream("GET", url, headers=headers, params=query, timeout=PATIENCE) as answer:
        assert answer.status_code == 200, (await answer.aread()).decode()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer)


async def _events(answer: httpx2.Response) -> AsyncIterator[Event]:
    kind, data = "", Row()
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            data = json.loads(value)
        elif name == "id":
            yield value, kind, data
            kind, data = "", Row()


async def some(events: AsyncIterator[Event], count: int) -> list[Event]:
    """The next things that are told, so many."""
    found: list[Event] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            one = await anext(events)
            if one[1]:
                found.append(one)
    return found
