"""The clock, one small object that is handed in: logical time for stamps and rounds, from the system or from a file.

Time-outs, tokens and the guard are wall time and none of its business.
"""

import asyncio
import json
import logging
import math
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from qorgau.instants import SECOND, format_instant, parse_instant
from qorgau.pausing import pause
from qorgau.starting import StartRefused

# The way of a stamp from the door into the log, and the difference between two clocks; beyond it a fact is filed late.
GUARD = timedelta(milliseconds=100)
# A changed file is seen within 50 ms, also when one look is a little late.
LOOK_EVERY = timedelta(milliseconds=20)
# Somewhat more than a day a second; faster than that no service can keep up anyway.
FASTEST = 100_000
_MICROSECOND = timedelta(microseconds=1)
_log = logging.getLogger("qorgau.clock")

Ticks = Callable[[], int]
"""Microseconds of a clock of the machine."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the clock. `until` is the last instant that may be judged, None where nothing may be judged yet."""

    now: int
    until: int | None


class Clock(Protocol):
    """Logical time in microseconds since 1970."""

    def now(self) -> int:
        """The instant for a stamp."""

    def read(self) -> Reading:
        """One consistent look, for a round."""

    def wait_for(self, instant: int) -> float:
        """Wall seconds until `instant` may be judged, infinite while the clock stands still before it."""

    def since(self, instant: int) -> float:
        """Wall seconds since it was `instant`; 0 where it is not yet that late."""

    def span(self, wall: timedelta) -> int:
        """How much time passes in so much wall time, and never less than that: how far to look ahead."""

    def changed(self) -> asyncio.Event:
        """Set when the clock is set to another time or pace; take it before what is computed from the clock."""

    async def follow(self, stopping: asyncio.Event) -> None:
        """Notice changes from outside, until it is time to stop."""


def wall_ticks() -> int:
    """The system's clock, UTC."""
    return time.time_ns() // 1_000


def steady_ticks() -> int:
    """A clock that nobody sets."""
    return time.monotonic_ns() // 1_000


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """What a clock file says: logical time was `at` when the wall showed `wall`, and runs `factor` times as fast."""

    at: int
    wall: int
    factor: float

    def instant(self, wall: int) -> int:
        """Logical time when the wall shows `wall`; it stands still before the setting's own wall time."""
        numerator, denominator = self._ratio()
        return self.at + max(0, wall - self.wall) * numerator // denominator

    def elapsed(self, instant: int) -> int | None:
        """The least wall time from `wall` on after which it is `instant`; None if that never comes."""
        if instant <= self.at:
            return 0
        numerator, denominator = self._ratio()
        return -((self.at - instant) * denominator // numerator) if numerator else None

    def _ratio(self) -> tuple[int, int]:
        # The decimal as it was written: a binary 0.3 would lose a microsecond in ten seconds.
        return Decimal(str(self.factor)).as_integer_ratio()

    def content(self) -> dict[str, str | int | float]:
        """What a clock file holds."""
        factor = int(self.factor) if self.factor == int(self.factor) else self.factor
        return {"at": format_instant(self.at), "wall": format_instant(self.wall), "factor": factor}

    def text(self) -> str:
        """The same as JSON."""
        return json.dumps(self.content())


class SystemClock:
    """The system's clock; what is younger than the guard is not judged."""

    def __init__(self, guard: timedelta = GUARD, wall: Ticks = wall_ticks) -> None:
        self._guard = guard // _MICROSECOND
        self._wall = wall
        self._never = asyncio.Event()

    def now(self) -> int:
        return self._wall()

    def read(self) -> Reading:
        now = self._wall()
        return Reading(now, now - self._guard)

    def wait_for(self, instant: int) -> float:
        return max(0, instant + self._guard - self._wall()) / SECOND

    def since(self, instant: int) -> float:
        return max(0, self._wall() - instant) / SECOND

    def span(self, wall: timedelta) -> int:
        return wall // _MICROSECOND

    def changed(self) -> asyncio.Event:
        return self._never

    async def follow(self, stopping: asyncio.Event) -> None:
        await stopping.wait()


class FileClock:
    """Logical time computed from a file that several processes share and that somebody may change at any moment.

    Raises StartRefused where the file cannot be read at the start; later the last good content counts.
    """

    def __init__(
        self, path: Path, guard: timedelta = GUARD, wall: Ticks = wall_ticks, steady: Ticks = steady_ticks
    ) -> None:
        self._path = path
        self._guard = guard // _MICROSECOND
        self._wall = wall
        self._steady = steady
        self._changed = asyncio.Event()
        self._failed = 0
        self._text, self._setting = _read(path)
        self._seen_at = self._looked_at = steady()

    def now(self) -> int:
        self._look()
        return self._setting.instant(self._wall())

    def read(self) -> Reading:
        self._look()
        wall = self._wall()
        until = None if self._quiet() else self._setting.instant(wall - self._guard)
        return Reading(self._setting.instant(wall), until)

    def wait_for(self, instant: int) -> float:
        self._look()
        elapsed = self._setting.elapsed(instant)
        if elapsed is None:
            return math.inf
        reached = self._setting.wall + elapsed + self._guard - self._wall() if elapsed else 0
        return max(0, reached, self._quiet()) / SECOND

    def since(self, instant: int) -> float:
        self._look()
        # What the clock was set past has happened when it was set.
        elapsed = self._setting.elapsed(instant)
        return 0.0 if elapsed is None else max(0, self._wall() - self._setting.wall - elapsed) / SECOND

    def span(self, wall: timedelta) -> int:
        self._look()
        return max(1, math.ceil(self._setting.factor)) * (wall // _MICROSECOND)

    def changed(self) -> asyncio.Event:
        return self._changed

    async def follow(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            self._look()
            await pause(stopping, LOOK_EVERY)

    def _quiet(self) -> int:
        """How long nothing may be judged yet: other processes may still stamp by what the file said before."""
        return max(0, self._seen_at + self._guard - self._steady())

    def _look(self) -> None:
        """Reads the file again if the last look is old. It is small, and its date is too coarse to compare."""
        steady = self._steady()
        if steady - self._looked_at < LOOK_EVERY // _MICROSECOND:
            return
        self._looked_at = steady
        try:
            text = self._path.read_bytes()
            if text == self._text and not self._failed:
                return
            self._take(text, parse_clock(text))
        except (OSError, ValueError) as error:
            self._failed += 1
            # The first time it may just be half written.
            if self._failed == 2:
                _log.warning("%s cannot be read (%s); the clock goes on as before", self._path, _reason(error))

    def _take(self, text: bytes, setting: ClockSetting) -> None:
        self._text, self._failed = text, 0
        if setting == self._setting:
            return
        self._setting, self._seen_at = setting, self._looked_at
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        _log.info("the clock was set: %s", setting.text())


def make_clock(path: Path | None, guard: timedelta = GUARD) -> Clock:
    """The clock of this file, or the system's where none is named; raises StartRefused."""
    return SystemClock(guard) if path is None else FileClock(path, guard)


def read_clock(path: Path) -> ClockSetting:
    """What a clock file says; raises StartRefused where it is missing or is none."""
    return _read(path)[1]


def write_clock(path: Path, at: int, factor: float, wall: int | None = None) -> ClockSetting:
    """Set a clock file, whole or not at all: logical time is `at` from now (or from `wall`) on. Raises ValueError."""
    setting = ClockSetting(at, wall_ticks() if wall is None else wall, _factor(factor))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(setting.text() + "\n")
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return setting


def parse_clock(text: str | bytes) -> ClockSetting:
    """The content of a clock file; raises ValueError, which repeats nothing of it."""
    try:
        content: Any = json.loads(text)
        at, wall, factor = content["at"], content["wall"], content["factor"]
    except (ValueError, TypeError, KeyError):
        raise ValueError('expected {"at": INSTANT, "wall": INSTANT, "factor": NUMBER}') from None
    return ClockSetting(parse_instant(at), parse_instant(wall), _factor(factor))


def _factor(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= FASTEST:
        raise ValueError(f"the factor is a number from 0 to {FASTEST}")
    return float(value)


def _read(path: Path) -> tuple[bytes, ClockSetting]:
    try:
        text = path.read_bytes()
        return text, parse_clock(text)
    except (OSError, ValueError) as error:
        raise StartRefused(
            f"The clock file {path} cannot be read ({_reason(error)}). `qorgau clock {path} --at TIME` makes one."
        ) from None


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or "unreadable" if isinstance(error, OSError) else str(error)
