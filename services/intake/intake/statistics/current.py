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
        edition = self.follower.edition.number
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                await self._read_up()
        except TimeoutError:
            raise Unavailable(_NOT_YET) from None

        def check() -> None:
            if self.follower.edition.number != edition or not self.follower.caught_up:
                raise Unavailable(_ANEW)

        yield check
        check()

    async def _read_up(self) -> None:
        """Wait until what is safe is in the log, and what is in the log is counted."""
        if not self.follower.caught_up:
            raise Unavailable(_NOT_YET)
        noted = set(await self.reporting())
        while noted and not noted.isdisjoint(await self.reporting()):  # noqa: ASYNC110  # it is asked in the database
            await asyncio.sleep(_GLANCE.total_seconds())
        ends = await self.follower.log.ends()
        while not self._has_read(ends):
            if not self.follower.alive:
                raise Unavailable(_NOT_YET)
            await asyncio.sleep(_GLANCE.total_seconds())

    def _has_read(self, ends: Sequence[int]) -> bool:
        at = self.follower.at
        return len(at) == len(ends) and all(mine >= end for mine, end in zip(at, ends, strict=True))
