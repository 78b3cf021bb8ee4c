"""Notices that something in the database has changed, for as many streams as wait for that, with one query a look."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from qorgau.errors import QorgauError
from qorgau.pausing import pause

# A person does not notice it, and a database is asked twice a second however many wait.
LOOK_EVERY = timedelta(milliseconds=500)
# Who waits for something that does not change is told that it does not: also so that a dead connection is found.
QUIET = timedelta(seconds=5)
_log = logging.getLogger("qorgau")

Look = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
"""The versions of these things by name, of those that are there; raises Unavailable."""


class Lookout:
    """The lookout of one process. Nobody is asked while nobody waits."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._seen: dict[str, str | None] = {}

    @contextmanager
    def watching(self, name: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the thing may have changed. Who watches first and reads then misses nothing."""
        changed = asyncio.Event()
        self._waiting.setdefault(name, set()).add(changed)
        try:
            yield changed
        finally:
            self._waiting[name].remove(changed)
            if not self._waiting[name]:
                del self._waiting[name]
                self._seen.pop(name, None)

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until it is time to stop."""
        while not stopping.is_set():
            try:
                await self.look()
            except QorgauError as error:
                _log.debug("not seen what has changed: %s", error.title)
            await pause(stopping, LOOK_EVERY)

    async def look(self) -> None:
        """One look at all that somebody waits for; raises Unavailable."""
        asked = list(self._waiting)
        if not asked:
            return
        found = await self._look(asked)
        for name in asked:
            version = found.get(name)
            # What is seen for the first time may have changed before.
            if name in self._waiting and (name not in self._seen or self._seen[name] != version):
                self._seen[name] = version
                for changed in self._waiting[name]:
                    changed.set()


async def changed_or_quiet(changed: asyncio.Event) -> None:
    """Return when something may have changed, or nothing has for a while; what is told by then is not told again."""
    await pause(changed, QUIET)
    changed.clear()
