"""Letting go of lines of an audit chain whose period is over: a checkpoint is written and told to Kafka, then they are
taken out in portions. A process that dies at any step leaves what the next look goes on with."""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

from qorgau.audit.anchor import Anchoring, read_anchor
from qorgau.audit.book import AT_ONCE
from qorgau.audit.checkpoint import Anchor, Checkpoint, Period, checkpoint_entry
from qorgau.brokers import Address
from qorgau.bus import read_all
from qorgau.errors import QorgauError
from qorgau.instants import DAY
from qorgau.pausing import pause
from qorgau.retention import AUDIT, Retention
from qorgau.shell.crash import crash_point
from qorgau.vocabulary import AUDIT_TOPIC

EVERY = timedelta(minutes=10)
# A checkpoint is a line as well: not one for each line that is over.
STEP = DAY
# Whoever looks after it answers for the chain: one replica, wherever partitions go.
ANSWERS = 0
_log = logging.getLogger("qorgau")


@dataclass(slots=True)
class LettingGo:
    """For one replica; `numbers` are its partitions. `done`: the checkpoint whose lines are known to be gone."""

    anchoring: Anchoring
    kafka: Address
    period: Period
    numbers: Callable[[], Collection[int]]
    done: int = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Look from time to time until it is time to stop; what fails is tried again."""
        while not stopping.is_set():
            try:
                if ANSWERS in self.numbers():
                    await self.let_go()
            except QorgauError as error:
                _log.warning("lines of the audit chain that are over stay: %s; trying again", error.title)
            await pause(stopping, EVERY)

    async def let_go(self) -> int:
        """Take out what is over now; how many lines that were. Raises Unavailable, and repeating it is safe."""
        # One after the other: that lines of a checkpoint are gone for good is seen before there is another one.
        if gone := await self._finish():
            return gone
        return await self._finish() if await self._begin() else 0

    async def _begin(self) -> bool:
        """Whether there is a new checkpoint."""
        book, now = self.anchoring.book, self.anchoring.now()
        known, before = await book.checkpoint(), now - self.period.after
        first = 1 if known is None else known.last + 1
        oldest = await book.written(first)
        if oldest is None or oldest >= before - STEP:
            return False
        found = await self._anchored(first, before, 0 if known is None else known.offset)
        if found is None:
            return False
        last, offset = found
        # Kafka alone could say that everything is old.
        written = await book.written(last.seq)
        if written is None or written >= before:
            return False
        if (await book.hashes([last.seq])).get(last.seq) != last.hash:
            _log.warning("lines of the audit chain that are over stay: they are not what was anchored")
            return False
        await book.append([checkpoint_entry(first, last, offset, self.period, now)])
        crash_point("after-checkpoint")
        return True

    async def _finish(self) -> int:
        """Take out what the newest checkpoint lets go."""
        book = self.anchoring.book
        # In this order: up to its end the chain survives a crash.
        end = await book.head()
        said = await book.checkpoint()
        if said is None or not self.done < said.seq <= end.seq:
            return 0
        if await book.are_gone(said.first, said.last):
            self.done = said.seq
            return 0
        if self.anchoring.anchored < said.seq:
            await self.anchoring.tell(end)
        crash_point("after-checkpoint-anchor")
        return await self._take_out(said)

    async def _take_out(self, said: Checkpoint) -> int:
        gone = 0
        for first in range(said.first, said.last + 1, AT_ONCE):
            gone += await self.anchoring.book.remove(first, min(first + AT_ONCE, said.last + 1))
            crash_point("after-letting-go")
        _log.info("retention by %s: %s lines of the audit chain, the last is number %s", said.by, gone, said.last)
        return gone

    async def _anchored(self, first: int, before: int, offset: int) -> tuple[Anchor, int] | None:
        """The last anchor from before then that names the first entry or a later one, and its offset; looked for from
        an offset on. What stands behind a later anchor is no older than that."""
        found, service = None, (await self.anchoring.book.head()).service
        async with aclosing(read_all(self.kafka, AUDIT_TOPIC, first=offset)) as records:
            async for record in records:
                anchor = read_anchor(record.value, self.anchoring.deployment)
                if anchor is None or anchor.at is None:
                    continue
                if anchor.at >= before:
                    break
                if anchor.service == service and anchor.seq >= first:
                    found = anchor, record.offset
        return found


def audit_period(policy: Retention) -> Period:
    """How long a policy keeps lines of an audit chain."""
    (line,) = policy.classes[AUDIT].lines
    return Period(line.after, f"{AUDIT}/0", policy.head.id, policy.head.version)
