"""From where something was done into the chain: an entry waits in the document that was changed, in the same write, and
is forgotten there when the chain has it. A crash at any step repeats a step and changes nothing."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from qorgau.audit.anchor import Anchoring
from qorgau.audit.book import AT_ONCE, AuditBook
from qorgau.audit.chain import Entry, Head
from qorgau.errors import QorgauError
from qorgau.pausing import pause
from qorgau.shell.crash import crash_point

# Nobody waits for it: what was done is safe in its document.
EVERY = timedelta(seconds=1)
# For what is still there when it is time to stop; what is left is found at the next start.
LAST_WITHIN = timedelta(seconds=3)
_log = logging.getLogger("qorgau")


class Pending(Protocol):
    """Documents in which entries wait."""

    async def pending(self, numbers: Collection[int], limit: int) -> Sequence[Entry]:
        """Entries that wait in documents of these partitions, about so many at most; those of one document in order,
        always with the same ids. Raises Unavailable."""

    async def clear(self, entries: Sequence[Entry]) -> None:
        """Forget that these wait; the chain has them. Repeating it is safe. Raises Unavailable."""


@dataclass(slots=True)
class Audit:
    """The chain of one service as its other parts use it. `numbers`: the partitions whose documents this replica looks
    after; `sources`: where entries wait."""

    book: AuditBook
    anchoring: Anchoring
    numbers: Callable[[], Collection[int]]
    sources: list[Pending] = field(default_factory=list)

    async def append(self, entries: Sequence[Entry]) -> Head:
        """Add entries of something that has no document of its own, before it is done. When this returns they are
        safe. Raises Unavailable, and repeating it is safe."""
        return await self.book.append(entries)

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay and anchor until it is time to stop, and once more then."""
        await asyncio.gather(self._relaying(stopping), self.anchoring.run(stopping))
        try:
            async with asyncio.timeout(LAST_WITHIN.total_seconds()):
                await self.relay()
                await self.anchoring.anchor()
        except (QorgauError, TimeoutError):
            _log.warning("the audit chain is finished at the next start")

    async def relay(self) -> int:
        """Move what waits now, up to a batch of each source; returns how many entries that were. Raises Unavailable."""
        moved, numbers = 0, self.numbers()
        for source in self.sources if numbers else ():
            entries = await source.pending(numbers, AT_ONCE)
            if entries:
                await self.book.append(entries)
                crash_point("after-audit-append")
                await source.clear(entries)
                crash_point("after-audit-clear")
                moved += len(entries)
        return moved

    async def _relaying(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            moved = 0
            try:
                moved = await self.relay()
            except QorgauError as error:
                _log.warning("entries wait for the audit chain: %s; trying again", error.title)
            if moved < AT_ONCE:
                await pause(stopping, EVERY)
