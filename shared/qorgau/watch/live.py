"""Asks the services again and again and shows the view, on stderr: a screen on a terminal, now and then a line else."""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

import httpx2
from rich.console import Console
from rich.live import Live

from qorgau.clock import ClockSetting, read_clock, wall_ticks
from qorgau.embedded.data import default_policy
from qorgau.instants import DAY, MINUTE, format_instant
from qorgau.policy import load_policy
from qorgau.starting import StartRefused
from qorgau.vocabulary import NOTIFIER
from qorgau.watch.readings import read_metrics
from qorgau.watch.screen import line, screen
from qorgau.watch.view import AWAY, NOT_READY, READY, Look, ServiceLook, view_of

LOOK_EVERY = timedelta(seconds=1)
LINE_EVERY = timedelta(seconds=10)
ANSWER_WITHIN = timedelta(seconds=2)
# Rates and lags over this many looks: long enough to be steady, short enough to see a change.
LOOKS = 10
# As many flags as a large terminal shows.
FLAGS = 60
_MOST_FLAGS = 500


class Watcher:
    """Looks at the services; remembers the last readings of one that is away, and how far back to ask for flags."""

    def __init__(
        self, client: httpx2.AsyncClient, services: Mapping[str, str], token: str, clock_file: Path | None = None
    ) -> None:
        self._client = client
        self._services = {name: url.rstrip("/") for name, url in services.items()}
        self._headers = {"authorization": f"Bearer {token}"}
        self._clock_file = clock_file
        self._setting: ClockSetting | None = None
        self._known: dict[str, ServiceLook] = {name: ServiceLook(AWAY) for name in services}
        self._flags: list[Mapping[str, Any]] = []
        self._reach = 7 * DAY

    async def look(self) -> Look:
        """One look at everything, side by side; never fails."""
        names = list(self._services)
        flags, *looks = await asyncio.gather(self._newest_flags(), *(self._service(name) for name in names))
        if flags is not None:
            self._flags = flags
        self._known.update(zip(names, looks, strict=True))
        setting = self._clock()
        wall = wall_ticks()
        now, pace = (wall, 1.0) if setting is None else (setting.instant(wall), setting.factor)
        if setting is not None and setting.wall > wall:
            pace = 0.0
        return Look(time.monotonic(), now, pace, dict(self._known), tuple(self._flags))

    def _clock(self) -> ClockSetting | None:
        if self._clock_file is not None:
            # Where somebody is writing it just now, it goes on as before.
            with suppress(StartRefused):
                self._setting = read_clock(self._clock_file)
        return self._setting

    async def _service(self, name: str) -> ServiceLook:
        known = self._known[name]
        ready = await self._get(f"{self._services[name]}/readyz")
        if ready is None:
            return replace(known, state=AWAY, trouble="does not answer")
        metrics = await self._get(f"{self._services[name]}/metrics")
        readings = known.readings
        if metrics is not None and metrics.status_code == 200:
            with suppress(ValueError, KeyError):
                readings = read_metrics(metrics.text)
        if ready.status_code == 200:
            return ServiceLook(READY, "", readings)
        return ServiceLook(NOT_READY, _trouble(ready), readings)

    async def _newest_flags(self) -> list[Mapping[str, Any]] | None:
        """The newest flags. The list begins with the oldest, so we ask from some time back, and adjust that."""
        if NOTIFIER not in self._services:
            return None
        setting = self._clock()
        now = wall_ticks() if setting is None else setting.instant(wall_ticks())
        query = {"since": format_instant(max(0, now - self._reach)), "limit": str(_MOST_FLAGS)}
        answer = await self._get(f"{self._services[NOTIFIER]}/v1/flags", query)
        if answer is None or answer.status_code != 200:
            return None
        try:
            items = list(answer.json()["items"])
            more = answer.json()["next"] is not None
            if not all(isinstance(item["raised_at"], str) for item in items):
                return None
        except (ValueError, KeyError, TypeError):
            return None
        if more:
            self._reach = max(self._reach // 4, MINUTE)
            # The newest are beyond this page; those of the last look are nearer to them.
            return None if self._flags else items
        if len(items) < FLAGS and self._reach < 400 * DAY:
            self._reach *= 2
        return items

    async def _get(self, url: str, query: Mapping[str, str] | None = None) -> httpx2.Response | None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
                return await self._client.get(url, params=query, headers=self._headers)
        except (httpx2.HTTPError, OSError, TimeoutError):
            return None


async def watch(
    services: Mapping[str, str],
    token: str,
    clock_file: Path | None = None,
    *,
    titles: Mapping[str, str] | None = None,
    out: TextIO | None = None,
    every: timedelta | None = None,
) -> None:
    """Show the system until cancelled. `titles` by rule (default: those of the bundled policy); `out`: stderr."""
    console = Console(file=out or sys.stderr, highlight=False)
    titles = titles_of(default_policy()) if titles is None else titles
    looks: deque[Look] = deque(maxlen=LOOKS)
    # Services of this machine: a proxy from the environment would only be in the way.
    async with httpx2.AsyncClient(timeout=ANSWER_WITHIN.total_seconds(), trust_env=False) as client:
        watcher = Watcher(client, services, token, clock_file)
        if not console.is_terminal:
            while True:
                looks.append(await watcher.look())
                console.file.write(line(view_of(list(looks), titles)) + "\n")
                console.file.flush()
                await asyncio.sleep((every or LINE_EVERY).total_seconds())
        with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False) as live:
            while True:
                looks.append(await watcher.look())
                live.update(screen(view_of(list(looks), titles), console.width, console.height), refresh=True)
                await asyncio.sleep((every or LOOK_EVERY).total_seconds())


def _trouble(ready: httpx2.Response) -> str:
    """The first check that is not well, in the words of the service."""
    try:
        checks = ready.json()["checks"]
        return next((f"{name} {state}" for name, state in checks.items() if state != "ok"), NOT_READY)
    except (ValueError, KeyError, TypeError, AttributeError):
        return NOT_READY


def titles_of(file: Path) -> Mapping[str, str]:
    """The titles of a policy's rules; raises what loading it raises."""
    policy = load_policy(file)
    return {row.id: row.title for row in (*policy.rules, *policy.flags)}
