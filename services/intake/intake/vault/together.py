"""Doing together what is asked for at the same time: one journey to the database for all who wait."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

_Asked = TypeVar("_Asked")
_Given = TypeVar("_Given")


class Together(Generic[_Asked, _Given]):
    """While one batch is done, what is asked for meanwhile waits for the next; nobody waits for a timer. `do_all` gives
    an answer to each in its order; what it raises is raised to each of the batch."""

    def __init__(self, do_all: Callable[[Sequence[_Asked]], Awaitable[Sequence[_Given]]], at_once: int) -> None:
        self._do_all = do_all
        self._at_once = at_once
        self._waiting: list[tuple[_Asked, asyncio.Future[_Given]]] = []
        self._working: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    async def close(self) -> None:
        """Wait for what is being done, and for what waits."""
        if self._working is not None:
            await asyncio.wait({self._working})

    async def do(self, asked: _Asked) -> _Given:
        """The answer to one of them."""
        answered: asyncio.Future[_Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answered))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return await answered

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._at_once], self._waiting[self._at_once :]
            # Who has gone meanwhile is not worked for.
            batch = [(asked, answered) for asked, answered in batch if not answered.done()]
            try:
                given = await self._do_all([asked for asked, _ in batch]) if batch else []
            except Exception as error:
                for _, answered in batch:
                    if not answered.done():
                        answered.set_exception(error)
                continue
            for (_, answered), answer in zip(batch, given, strict=True):
                if not answered.done():
                    answered.set_result(answer)
