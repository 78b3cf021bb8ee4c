"""A thread that watches the event loop: a loop that does not turn can neither say so nor be asked."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from datetime import timedelta

from qorgau.telemetry import Metrics

TICK = timedelta(milliseconds=100)
# Heartbeats of a consumer have seconds; a loop that stands this long has a slice of work that is too big.
LOUD_AFTER = timedelta(seconds=2)
_log = logging.getLogger("qorgau.watchdog")


class Watchdog:
    """Watches the loop it was made in: `with Watchdog(metrics):`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._of_loop = threading.get_ident()
        self._done = threading.Event()
        self._turned = threading.Event()

    def __enter__(self) -> "Watchdog":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._turned.set()
        self._thread.join(TICK.total_seconds() * 5)

    def _watch(self) -> None:
        longest, shown = 0.0, time.monotonic()
        while not self._done.wait(TICK.total_seconds()):
            asked = time.monotonic()
            self._turned.clear()
            try:
                self._loop.call_soon_threadsafe(self._turned.set)
            except RuntimeError:
                return  # the loop is closed: nothing is left to watch
            if not self._turned.wait(LOUD_AFTER.total_seconds()):
                self._tell()
                self._turned.wait()
            longest = max(longest, time.monotonic() - asked)
            if time.monotonic() - shown >= 1:
                self._metrics.loop_stall.set(longest)
                longest, shown = 0.0, time.monotonic()

    def _tell(self) -> None:
        frame = sys._current_frames().get(self._of_loop)
        place = traceback.extract_stack(frame)[-1] if frame is not None else None
        where = f"{place.filename}:{place.lineno}" if place else "an unknown place"
        _log.error("the event loop has not turned for %.1f s; it is at %s", LOUD_AFTER.total_seconds(), where)
