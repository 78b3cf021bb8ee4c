"""One service process from its start to its end: signals, the HTTP server, an orderly stop in bounded time, its status.

A stop is an event that everything gets and ends by itself on: streams, the round of the tracker, requests in flight.
Clients (database, Kafka) belong to the composition root, which closes them when all of that is over.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp

from qorgau.front.limits import AtOnce
from qorgau.heart.collecting import collect_seldom
from qorgau.settings import Settings
from qorgau.shell import crash
from qorgau.shell.policies import PolicyChanged
from qorgau.starting import StartRefused

# Longer than a round with its commit; an orchestrator waits longer than this and the last resort together.
GRACE = timedelta(seconds=10)
# For what has to be cancelled. After it the process ends whatever still hangs.
LAST = timedelta(seconds=3)
# For answers in flight: the longest a store or a broker may take for one of them.
ANSWERS_WITHIN = timedelta(seconds=6)
# Bounds the memory that bodies of requests can take; a service has tens of agencies, each with a few connections.
MOST_REQUESTS = 1_000
# The server itself answers beyond this, and not in our words: for connections that say nothing.
MOST_CONNECTIONS = 4 * MOST_REQUESTS
BACKLOG = 1_024
DONE, FAILED, REFUSED = 0, 1, 2
_log = logging.getLogger("qorgau")

SomeSettings = TypeVar("SomeSettings", bound=Settings)
Work = Callable[[asyncio.Event], Awaitable[None]]
"""What a process does until the event is set; it ends soon after that, having saved what it has accepted."""


def main(settings: type[SomeSettings], work: Callable[[SomeSettings, asyncio.Event], Awaitable[None]]) -> int:
    """Read the settings and do the work of a service; returns the exit status."""
    try:
        loaded = settings.load(sys.argv[1:])
    except StartRefused as error:
        sys.stderr.write(f"{settings.service}: {error}\n")
        return REFUSED
    crash.arm(loaded.crash_at)
    while True:
        try:
            return run(partial(work, loaded))
        except PolicyChanged as changed:
            # Everything is built anew under it, in the same process: nothing of the old policy is left anywhere.
            loaded = loaded.under(changed.in_force)


def run(work: Work, *, grace: timedelta = GRACE, last: timedelta = LAST) -> int:
    """Do this work until SIGINT or SIGTERM, then give it the grace to end.

    Returns 0 if it ended in time, 1 if it failed or had to be cut off, 2 if it could not start. Raises PolicyChanged
    where it is to be done again under another policy.
    """
    _log_to_stderr()
    collect_seldom()
    # From a thread, in case that the loop hangs, or something cannot be cancelled, or a thread does not end.
    last_resort = threading.Timer((grace + last).total_seconds(), os._exit, [FAILED])
    last_resort.daemon = True
    try:
        return DONE if asyncio.run(_until_asked(work, grace, last_resort.start)) else FAILED
    except StartRefused as error:
        _log.error("cannot start: %s", error)
        return REFUSED
    except PolicyChanged:
        raise
    except Exception as error:
        _log.error("ended by %s", described(error))
        return FAILED
    finally:
        last_resort.cancel()


async def together(stopping: asyncio.Event, *parts: Coroutine[Any, Any, None]) -> None:
    """The parts of a process side by side, until all have ended.

    When one ends although nobody asked it to, the others are asked to stop. Raises what the first one failed of.
    """
    tasks = [asyncio.create_task(part, name=getattr(part, "__qualname__", "a part")) for part in parts]
    try:
        first, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        asked = stopping.is_set()
        stopping.set()
        await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in (*first, *tasks):
        task.result()
    if not asked:
        raise RuntimeError(f"{', '.join(task.get_name() for task in first)} ended although nobody asked")


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on this address, on a free port for 0; raises StartRefused where somebody else has it."""
    # Named, or asyncio does not know that it is TCP, and an answer in two parts waits for the acknowledgement of its
    # first, 40 ms.
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, proto=socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        words = f"Port {port} of {host} cannot be used ({error.strerror}). Choose another one with QORGAU_PORT."
        raise StartRefused(words) from None
    return bound


async def serve(
    app: ASGIApp, bound: socket.socket, stopping: asyncio.Event, *, answers_within: timedelta = ANSWERS_WITHIN
) -> None:
    """Answer requests until it is time to stop, then finish those that have begun; takes the socket over.

    Raises StartRefused where the application's own start fails.
    """
    server = _Server(
        uvicorn.Config(
            AtOnce(app, MOST_REQUESTS),
            lifespan="on",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            backlog=BACKLOG,
            timeout_graceful_shutdown=max(1, round(answers_within.total_seconds())),
        )
    )

    async def stop() -> None:
        await stopping.wait()
        server.should_exit = True

    stopper = asyncio.create_task(stop())
    try:
        await server.serve([bound])
    except SystemExit:
        raise StartRefused("The application did not start; the lines above say why.") from None
    finally:
        stopper.cancel()
        bound.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's: more than the HTTP server has to end."""
        yield


async def _until_asked(work: Work, grace: timedelta, asked: Callable[[], None]) -> bool:
    """Whether the work ended within its grace; `asked` is called when that begins."""
    stopping, signalled = asyncio.Event(), asyncio.Event()

    def end() -> None:
        signalled.set()
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    task = asyncio.ensure_future(work(stopping))
    waiting = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    asked()
    await asyncio.wait({task}, timeout=grace.total_seconds())
    in_time = task.done()
    if not in_time:
        _log.error("did not end within %.0f s and is cut off", grace.total_seconds())
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        try:
            task.result()
        except PolicyChanged:
            # Whoever was asked to end does not begin again.
            if not signalled.is_set():
                raise
    return in_time


def described(error: BaseException) -> str:
    """An error as its class and where it was raised: its text may hold what somebody sent."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"
    return f"{type(error).__name__} at {place}"


class _Scrubbed(logging.Formatter):
    """Keeps the text of errors out of the log, also of those that libraries report."""

    def formatException(self, info: Any) -> str:
        raised: tuple[type[BaseException], BaseException, TracebackType | None] = info
        return described(raised[1])


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_Scrubbed("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("qorgau").setLevel(logging.INFO)
