"""One supervised process: started, watched, started again when it dies, stopped in order; whatever it may be."""

import asyncio
import logging
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from qorgau.starting import StartRefused as StartRefused

log = logging.getLogger(__name__)

Probe = Callable[[], Awaitable[bool]]
"""Whether the process answers now; ends within a few seconds, and may raise OSError (TimeoutError too) for no."""

FIRST_PAUSE = timedelta(milliseconds=200)
LONGEST_PAUSE = timedelta(seconds=10)
# Whoever stayed up that long was healthy: its next death is a new story.
HEALTHY_AFTER = timedelta(seconds=30)
PROBE_EVERY = timedelta(milliseconds=50)
LEASH = Path(__file__).with_name("leash.py")
LOG_KEPT = 16 * 1024 * 1024


class Pauses:
    """The pause before the next start: doubles from death to death, begins anew after a healthy life."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE

    def after(self, lived: timedelta) -> timedelta:
        if lived >= HEALTHY_AFTER:
            self._next = FIRST_PAUSE
        pause = self._next
        self._next = min(pause * 2, LONGEST_PAUSE)
        return pause


class Process:
    """A command kept running from `start` to `stop`.

    It has a session of its own, so that Ctrl-C in the terminal reaches only the supervisor, which then stops things in
    order; and a leash (leash.py), so that it does not outlive a supervisor that was killed. The leash belongs to the
    thread that calls `start`: one that lives as long as the program. What the command prints is appended to `log_file`.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log_file: Path,
        probe: Probe | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        grace: timedelta = timedelta(seconds=15),
        ready_within: timedelta = timedelta(seconds=60),
    ) -> None:
        self.name = name
        self.log_file = log_file
        self.restarts = 0
        # What the next start is given.
        self.env = dict(os.environ if env is None else env)
        self._command = list(command)
        self._probe = probe
        self._cwd = cwd
        self._grace = grace
        self._ready_within = ready_within
        self._child: asyncio.subprocess.Process | None = None
        self._born = 0.0
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process id while it runs; it changes when it is started again."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    async def start(self) -> None:
        """Starts it and returns when it answers; a first start that fails is not repeated but raises StartRefused."""
        if self._keeper is not None:
            return
        await self._spawn()
        try:
            async with asyncio.timeout(self._ready_within.total_seconds()):
                answered = await self._until_it_answers()
        except TimeoutError:
            await self.kill()
            raise StartRefused(
                self._words(f"did not answer within {self._ready_within.total_seconds():.0f} s")
            ) from None
        except BaseException:
            await self.kill()
            raise
        if not answered:
            raise StartRefused(self._words("ended while it was starting"))
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def wait_ready(self, within: timedelta | None = None) -> None:
        """Returns as soon as it answers (again); TimeoutError when that takes longer than `within`."""
        async with asyncio.timeout(None if within is None else within.total_seconds()):
            await self._ready.wait()

    async def stop(self) -> None:
        """Asks it to end, and after the grace makes it end. Returns when it is gone."""
        await self._let_go()
        await self._end(self._grace)

    async def kill(self) -> None:
        """kill -9; it stays down until `start` is called again."""
        await self._let_go()
        await self._end(timedelta())

    async def crash(self) -> None:
        """kill -9 as an accident: it is started again like after any unexpected death. Returns when it is dead."""
        child = self._child
        if child is not None and child.returncode is None:
            self._ready.clear()
            _kill_group(child)
            await child.wait()

    async def _keep(self) -> None:
        pauses = Pauses()
        while True:
            assert self._child is not None
            code = await self._child.wait()
            self._ready.clear()
            _kill_group(self._child)
            pause = pauses.after(timedelta(seconds=time.monotonic() - self._born))
            log.warning("%s ended with status %s; next start in %.1f s", self.name, code, pause.total_seconds())
            await asyncio.sleep(pause.total_seconds())
            self.restarts += 1
            try:
                await self._spawn()
            except OSError as error:
                log.warning("%s could not be started: %s", self.name, error.strerror)
                continue
            await self._until_it_answers()

    async def _spawn(self) -> None:
        self._ready.clear()
        self._born = time.monotonic()
        leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid())]
        with _appending(self.log_file) as output:
            self._child = await asyncio.create_subprocess_exec(
                *leash,
                *self._command,
                stdin=DEVNULL,
                stdout=output,
                stderr=STDOUT,
                env=self.env,
                cwd=self._cwd,
                start_new_session=True,
            )

    async def _until_it_answers(self) -> bool:
        """True when the probe succeeds, False when the child is dead before that."""
        assert self._child is not None
        while self._child.returncode is None:
            with suppress(OSError):
                if self._probe is None or await self._probe():
                    self._ready.set()
                    return True
            await asyncio.sleep(PROBE_EVERY.total_seconds())
        return False

    async def _let_go(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])

    async def _end(self, grace: timedelta) -> None:
        child = self._child
        self._ready.clear()
        if child is None or child.returncode is not None:
            return
        if grace:
            with suppress(ProcessLookupError):
                child.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(grace.total_seconds()):
                    await child.wait()
        if child.returncode is None:
            if grace:
                log.warning("%s did not end within %.0f s and is killed", self.name, grace.total_seconds())
            _kill_group(child)
            await child.wait()
        _kill_group(child)

    def _words(self, what: str) -> str:
        return f"{self.name} {what}. Its log is {self.log_file}; the last lines:\n{_tail(self.log_file)}"


def _kill_group(child: asyncio.subprocess.Process) -> None:
    # The child leads a session of its own: its group is itself and what it started, which may outlive it.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _appending(file: Path) -> BinaryIO:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.stat().st_size > LOG_KEPT:
        file.replace(file.with_name(file.name + ".1"))
    return file.open("ab")


def _tail(file: Path, lines: int = 15) -> str:
    try:
        text = file.read_bytes()[-8_192:].decode("utf-8", "replace")
    except FileNotFoundError:
        return "(nothing)"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "(nothing)"
