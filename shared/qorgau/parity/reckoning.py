"""What is reckoned of a window of time, once for all who ask within a minute, and beside the event loop."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from qorgau.calendar import Calendar
from qorgau.errors import Unavailable
from qorgau.instants import DAY
from qorgau.parity.book import DelayBook
from qorgau.parity.comparing import Gathering, Line
from qorgau.shell.follower import Follower

FRESH = timedelta(minutes=1)
DAYS, MOST_DAYS = 90, 366
"""How long a window is unless told otherwise, and at most."""
_REMEMBERED = 16
_NOT_YET = "The delays are being read from the log; ask again later."


@dataclass(frozen=True, slots=True)
class Window:
    """Registered in [since, until)."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Reckoned:
    """Every cell of a window, with what was known at an instant."""

    window: Window
    as_of: int
    lines: tuple[Line, ...]


def window(since: int | None, until: int | None, now: int) -> Window:
    """What is asked for: without an end up to now, without a beginning the 90 days before its end."""
    end = now if until is None else until
    return Window(end - DAYS * DAY if since is None else since, end)


@dataclass(slots=True)
class Reckoning:
    """Reckons windows of one service, one at a time; `wall` is what a minute is measured by."""

    book: DelayBook
    follower: Follower
    calendar: Calendar
    now: Callable[[], int]
    fresh: timedelta = FRESH
    wall: Callable[[], float] = time.monotonic
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _kept: dict[tuple[int | None, int | None, int], tuple[float, Reckoned]] = field(default_factory=dict)

    async def of(self, since: int | None, until: int | None) -> Reckoned:
        """A window as it was at most a minute ago. Raises Unavailable while the log has not been read."""
        async with self._turn:
            known = self._kept.get((since, until, self._edition()))
            if known is not None and self.wall() - known[0] < self.fresh.total_seconds():
                return known[1]
            return await self._reckon(since, until)

    async def anew(self) -> Reckoned:
        """The window that is asked for most, the last 90 days, as it is now; whoever asks next has it too. Raises
        Unavailable."""
        async with self._turn:
            return await self._reckon(None, None)

    async def _reckon(self, since: int | None, until: int | None) -> Reckoned:
        edition, at = self._edition(), self.now()
        wanted, gathering = window(since, until, at), Gathering(self.calendar)
        async for samples in self.book.between(wanted.since, wanted.until, at):
            await asyncio.to_thread(gathering.add, samples)
        made = Reckoned(wanted, at, await asyncio.to_thread(gathering.lines))
        # Read from two editions it would be neither.
        if self._edition() != edition:
            raise Unavailable(_NOT_YET)
        self._keep((since, until, edition), made)
        return made

    def _edition(self) -> int:
        if not self.follower.caught_up:
            raise Unavailable(_NOT_YET)
        return self.book.edition.number

    def _keep(self, key: tuple[int | None, int | None, int], made: Reckoned) -> None:
        self._kept[key] = self.wall(), made
        while len(self._kept) > _REMEMBERED:
            del self._kept[min(self._kept, key=lambda one: self._kept[one][0])]
