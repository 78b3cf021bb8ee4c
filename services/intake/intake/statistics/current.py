"""Whether the reports that count are all there: nothing is judged, and no table published, ahead of the log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from qorgau.errors import Unavailable
from qorgau.shell.follower import Follower

# What was in the log a moment ago is usually handled within some milliseconds.
PATIENCE = timedelta(seconds=5)
_GLANCE = timedelta(milliseconds=20)
_NOT_YET = "Not all reports have been counted yet; ask again in a moment."
_ANEW = "The counts are made again from the log; ask again later."


@dataclass(frozen=True, slots=True)
class Current:
    """The follower that counts, and who knows of reports that are safe and not yet in the log."""

    follower: Follower
    reporting: Callable[[], Awaitable[Collection[str]]]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Callable[[], None]]:
        """Within it everything that was in the log when it began has been counted. Raises Unavailable where that is not
        so in time; and what it gives raises it where the counts were begun anew meanwhile, so that nothing that was
        read may be used. It is called at the end as well."""
        if not self.follower.caught_up or await self.reporting():
            raise Unavailable(_NOT_YET)
        edition, ends = self.follower.edition.number, await self.follower.log.ends()
        until = asyncio.get_running_loop().time() + PATIENCE.total_seconds()
        while not self._has_read(ends):
            if not self.follower.alive or asyncio.get_running_loop().time() > until:
                raise Unavailable(_NOT_YET)
            await asyncio.sleep(_GLANCE.total_seconds())

        def check() -> None:
            if self.follower.edition.number != edition or not self.follower.caught_up:
                raise Unavailable(_ANEW)

        yield check
        check()

    def _has_read(self, ends: Sequence[int]) -> bool:
        at = self.follower.at
        return len(at) == len(ends) and all(mine >= end for mine, end in zip(at, ends, strict=True))
