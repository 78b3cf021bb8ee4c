"""Several processes as one: started in order, stopped in the reverse order, and an end on SIGINT or SIGTERM."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from types import TracebackType
from typing import Any

from qorgau.embedded.process import Process, StartRefused


class Supervisor:
    """Stops every process it started, and no other, when it is left: `async with Supervisor() as supervisor`."""

    def __init__(self) -> None:
        self._groups: list[tuple[Process, ...]] = []

    def __iter__(self) -> Iterator[Process]:
        return (process for group in self._groups for process in group)

    async def start(self, *processes: Process) -> None:
        """Starts these side by side and returns when all answer; a later call is a later group. Raises StartRefused."""
        self._groups.append(processes)
        try:
            async with asyncio.TaskGroup() as group:
                for process in processes:
                    group.create_task(process.start())
        except* StartRefused as refused:
            first: BaseException = refused
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            reason = str(first)
        else:
            return
        raise StartRefused(reason)

    async def stop(self) -> None:
        """Stops the groups in reverse order; whoever is in one group is stopped side by side."""
        while self._groups:
            await asyncio.gather(*(process.stop() for process in self._groups[-1]))
            self._groups.pop()

    async def __aenter__(self) -> "Supervisor":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Runs `work` until it ends, or SIGINT or SIGTERM comes: then it is cancelled, once, and may clean up.

    Further signals are ignored: what is being stopped has a bounded grace, an interrupted stop would leave processes.
    """
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    asked = asyncio.Event()

    def stop() -> None:
        if not asked.is_set():
            asked.set()
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not asked.is_set():
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
