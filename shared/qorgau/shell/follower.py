"""Following a topic without a group: every record in order, positions kept beside what was made of them.

For projections whose writes are idempotent (flags, references): each replica may follow the whole topic, and a database
that is made again or restored goes on from where its own content stands.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, TypeVar

from qorgau.errors import DeadLettered, QorgauError
from qorgau.facts import Fact
from qorgau.front.envelope import Headers
from qorgau.pausing import pause
from qorgau.shell.edition import Edition
from qorgau.shell.logged import read_logged
from qorgau.shell.mongo import deadline

# Long enough for a broker to come back a little, short enough that nobody notices when it is back.
PAUSE = timedelta(seconds=1)
# An empty batch comes that often where nothing else does.
QUIET = timedelta(seconds=2)
_log = logging.getLogger("qorgau")
Batch = TypeVar("Batch")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record of a topic and where it stands."""

    partition: int
    offset: int
    key: bytes | None
    headers: Headers
    value: bytes | None


def facts_in(records: Iterable[LogRecord]) -> Iterator[Fact]:
    """The facts in records of a facts topic. What cannot be read is the tracker's to tell."""
    for record in records:
        with suppress(DeadLettered):
            yield read_logged(record.headers, record.value)


class TopicLog(Protocol):
    """One topic, read without a group."""

    async def ends(self) -> Sequence[int]:
        """The next offset of every partition, by number; raises Unavailable."""

    def follow(self, offsets: Sequence[int]) -> AsyncGenerator[Sequence[LogRecord], None]:
        """Records from these offsets on, as they come; an empty batch every few seconds in which nothing comes.
        An offset that is no longer kept means the oldest that is. Raises Unavailable."""


Handle = Callable[[Sequence[LogRecord]], Awaitable[None]]


@dataclass(slots=True)
class Follower:
    """Hands every record of a topic to `handle`, at least once and in order, and remembers how far it is.

    `edition` is the one `handle` writes to; when it is over, everything is handled again for the next one. Whoever only
    reads may have another view of it (`readers`), which moves on when all is handled. `name` is what its position is
    kept under, where several follow one topic.
    """

    topic: str
    log: TopicLog
    handle: Handle
    edition: Edition
    readers: Edition | None = None
    name: str = ""
    at: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    alive: bool = False

    @property
    def caught_up(self) -> bool:
        """Whether everything that was in the topic when it began, or went on after a failure, has been handled."""
        return self.alive and all(at >= end for at, end in zip(self.at, self.ends, strict=True))

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow until it is time to stop; what fails is tried again after a pause, from the saved positions."""
        while not stopping.is_set():
            try:
                await self._follow(stopping)
            except QorgauError as error:
                self.alive = False
                _log.warning("%s cannot be followed: %s; trying again", self.topic, error.title)
                await pause(stopping, PAUSE)

    async def _follow(self, stopping: asyncio.Event) -> None:
        await self.edition.begin()
        # From here on only what comes is read: what was made of it, written before its position, must not be lost.
        positions = self.edition.collection("followed", flushed=True)
        self.ends = list(await self.log.ends())
        async with deadline():
            saved = await positions.find_one({"_id": self.name or self.topic})
        known = saved["offsets"] if saved else []
        self.at = known + [0] * (len(self.ends) - len(known))
        self.alive = True
        async with aclosing(until(stopping, self.log.follow(tuple(self.at)))) as batches:
            async for batch in batches:
                if await self.edition.is_over():
                    self.alive = False
                    return
                if batch:
                    await self.handle(batch)
                    for record in batch:
                        self.at[record.partition] = record.offset + 1
                    async with deadline():
                        await positions.replace_one({"_id": self.name or self.topic}, {"offsets": self.at}, upsert=True)
                if self.readers is not None and self.caught_up:
                    self.readers.move(self.edition.number)


async def until(stopping: asyncio.Event, batches: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
    """The batches until it is time to stop, also in the middle of waiting for one."""
    end = asyncio.ensure_future(stopping.wait())
    step: asyncio.Future[Batch] | None = None
    try:
        while not stopping.is_set():
            step = asyncio.ensure_future(_next(batches))
            await asyncio.wait({step, end}, return_when=asyncio.FIRST_COMPLETED)
            if not step.done():
                return
            yield step.result()
    except StopAsyncIteration:
        return
    finally:
        end.cancel()
        if step is not None and not step.done():
            step.cancel()
            await asyncio.wait({step})
        await batches.aclose()


async def _next(batches: AsyncGenerator[Batch, None]) -> Batch:
    return await batches.__anext__()
