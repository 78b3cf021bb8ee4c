"""Server-sent streams: how many may be open, how long each goes on, how an event looks, and when a stream ends.

What a stream tells, and where its reader goes on, is each source's. A source gives batches of events as they come, and
an empty one every few seconds in which nothing does.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Query
from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

from qorgau.errors import QorgauError, TooManyRequests
from qorgau.identity.access import Lasting
from qorgau.identity.sender import Sender
from qorgau.shell.follower import until
from qorgau.telemetry import Metrics

MEDIA = "text/event-stream"
# Of one process. Each takes a connection, and those of flags one to Kafka; more are better served by the topics.
MOST_STREAMS = 100
# Of one account: a desk with a window for each of its cases, not a program that forgets to close them.
MOST_OF_ONE = 20
# Then the reader comes back with the id of its last event, maybe to another replica: load spreads out again.
LASTS = timedelta(hours=1)
# A reader that takes nothing for so long is gone or too slow; coming back, it has lost nothing.
TAKEN_WITHIN = timedelta(seconds=30)
Source = AsyncGenerator[Sequence[bytes], None]


@dataclass(slots=True)
class Streams:
    """The open streams of one process; `stopping` ends them, so that a stop need not wait for readers."""

    metrics: Metrics
    most: int = MOST_STREAMS
    most_of_one: int = MOST_OF_ONE
    lasts: timedelta = LASTS
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    now: Callable[[], float] = time.monotonic
    _open: Counter[tuple[str, str]] = field(default_factory=Counter)

    def check_room(self, sender: Sender) -> None:
        """Raises TooManyRequests where this process, or this account in it, has as many streams open as it may."""
        if self._open.total() >= self.most:
            raise TooManyRequests(
                "Too many streams are open; read the list, or the topic.", headers={"Retry-After": "30"}
            )
        if self._open[_account(sender)] >= self.most_of_one:
            raise TooManyRequests("Close one of your streams first.", headers={"Retry-After": "30"})

    def answer(self, reader: Lasting, source: Source) -> StreamingResponse:
        """The answer that goes on as long as the stream does."""
        # Without the last header a proxy collects a while before it passes anything on.
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return _Taken(self.events(reader, source), media_type=MEDIA, headers=headers)

    async def events(self, reader: Lasting, source: Source) -> AsyncGenerator[bytes, None]:
        """The stream itself. It ends after a whole batch: when the process stops, when the token no longer counts,
        when it has gone on for long enough, and when its source ends or fails."""
        end = self.now() + self.lasts.total_seconds()
        with self._counted(reader.sender):
            try:
                async with aclosing(until(self.stopping, source)) as batches:
                    async for batch in batches:
                        await reader.check()
                        for event in batch:
                            yield event
                        if self.now() >= end:
                            return
            except QorgauError:
                # The answer has begun, so it can only end; whoever comes back is told why.
                return

    @contextmanager
    def _counted(self, sender: Sender) -> Iterator[None]:
        account = _account(sender)
        self._open[account] += 1
        self.metrics.stream_clients.set(self._open.total())
        try:
            yield
        finally:
            self._open[account] -= 1
            if not self._open[account]:
                del self._open[account]
            self.metrics.stream_clients.set(self._open.total())


class _Taken(StreamingResponse):
    """Ends where its reader takes nothing for long. Nothing collects for a reader beyond the batch it is given."""

    async def stream_response(self, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(TAKEN_WITHIN.total_seconds()):
                await send(message)

        body = self.body_iterator
        assert isinstance(body, AsyncGenerator)
        async with aclosing(body):
            with suppress(TimeoutError):
                await super().stream_response(in_time)


async def last_id(
    last_event_id: Annotated[str | None, Header(description="0: all that is kept; absent: from now on")] = None,
    after: Annotated[
        str | None, Query(description="The same for who cannot set a header; a header that is there counts")
    ] = None,
) -> str | None:
    """The dependency of every stream: the id of the last event its reader has had. A browser that comes back by itself
    sends the header with the address it began with, so the header is the newer of the two."""
    return after if last_event_id is None else last_event_id


LastId = Annotated[str | None, Depends(last_id)]


def event(kind: str, id: str, data: Mapping[str, Any] | None = None) -> bytes:
    """One event; without data it moves the reader's position and wakes nobody."""
    lines = [f"event: {kind}", f"data: {json.dumps(data, separators=(',', ':'))}"] if data is not None else [": here"]
    return "\n".join([*lines, f"id: {id}", "", ""]).encode()


def _account(sender: Sender) -> tuple[str, str]:
    return sender.agency, sender.subject
