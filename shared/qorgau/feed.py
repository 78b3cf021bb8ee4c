"""Plays a season against running services: each fact a little ahead of the clock, in order, until it is safe.

A service that is away or full is asked again for ever; nothing is skipped. What was posted before may be posted
again, because a fact's source and id are its key, so a feed can be stopped anywhere and go on later.
`python -m qorgau.feed` is the same as a process; `main` says what it takes.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx2
import orjson

from qorgau.clock import FileClock, SystemClock, read_clock, write_clock
from qorgau.embedded.supervisor import until_signal
from qorgau.facts import Fact, event_type
from qorgau.front.envelope import BATCH
from qorgau.instants import format_instant, parse_instant
from qorgau.season import BEGINS, CALLS_A_DAY, SEED, WEEKS, Planned, season
from qorgau.starting import StartRefused

# So many times faster than the wall a season of eight weeks takes eight minutes.
PACE = 10_000
# Wall time before the clock reaches a fact: a batch's way through a busy door, and a first try that failed.
LEAD = timedelta(seconds=3)
# One request for what becomes due within it; the shorter it is, the smaller the batches.
TICK = timedelta(milliseconds=200)
# A sixth of what a body may hold, and short enough for a door that is busy.
MOST = 500
REQUEST_TIMEOUT = timedelta(seconds=15)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(milliseconds=200), timedelta(seconds=10)
REPORT_EVERY = timedelta(seconds=30)
_AGAIN = frozenset({408, 425, 429})
_log = logging.getLogger("qorgau.feed")


class FeedRefused(Exception):
    """A service will not take these facts, however often they are sent; the message says what to look at."""


class Pace(Protocol):
    """What the feed asks of a clock."""

    def wait_for(self, instant: int) -> float:
        """Wall seconds until the instant is judged; infinite while the clock stands still before it."""


@dataclass(slots=True)
class Position:
    """Up to where each service has everything; kept in a file, if there is one, so that a restart goes on there."""

    path: Path | None = None
    passed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is None or not self.path.exists():
            return
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            self.passed = {service: parse_instant(at) for service, at in content.items()}
        except (OSError, ValueError, AttributeError):
            # Posting from the beginning changes nothing; losing a fact would.
            _log.warning("%s cannot be read; the season is posted from its beginning", self.path)

    def move(self, service: str, at: int) -> None:
        """Everything up to this instant is safe at the service; what has the very instant is posted again."""
        self.passed[service] = at
        if self.path is not None:
            text = json.dumps({service: format_instant(at) for service, at in sorted(self.passed.items())})
            draft = self.path.with_name(f".{self.path.name}.draft")
            draft.write_text(text + "\n", encoding="utf-8")
            draft.replace(self.path)


@dataclass(slots=True)
class Counts:
    """What became of the facts so far."""

    planned: int = 0
    skipped: int = 0
    accepted: int = 0
    rejected: int = 0
    repeats: int = 0


class Feed:
    """One season on its way to the services. Cancelling `run` stops it; a later one goes on from the position."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        services: Mapping[str, str],
        token: str,
        clock: Pace,
        planned: Iterable[Planned],
        *,
        position: Position | None = None,
        lead: timedelta = LEAD,
        tick: timedelta = TICK,
        most: int = MOST,
        first_pause: timedelta = FIRST_PAUSE,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._services = services
        self._headers = {"authorization": f"Bearer {token}", "content-type": BATCH}
        self._clock = clock
        self._planned = tuple(planned)
        self._position = position or Position()
        self._lead, self._tick, self._most, self._first_pause = lead, tick, most, first_pause
        self._sleep = sleep
        self.counts = Counts(planned=len(self._planned))

    async def run(self) -> None:
        """Post the season to its end, to all services side by side; raises FeedRefused."""
        try:
            async with asyncio.TaskGroup() as group:
                for service in sorted({one.service for one in self._planned}):
                    group.create_task(self._play(service))
        except* FeedRefused as refused:
            raise FeedRefused(str(refused.exceptions[0])) from None

    async def _play(self, service: str) -> None:
        """One service's part of the season, one batch at a time, so that the order is that of the season."""
        own = [one for one in self._planned if one.service == service]
        passed = self._position.passed.get(service)
        at = 0 if passed is None else sum(one.at < passed for one in own)
        self.counts.skipped += at
        while at < len(own):
            batch = self._due(own[at : at + self._most])
            if batch:
                await self._until_safe(service, [one.fact for one in batch])
                at += len(batch)
                self._position.move(service, batch[-1].at)
            if len(batch) < self._most:
                await self._sleep(self._tick.total_seconds())

    def _due(self, coming: Sequence[Planned]) -> Sequence[Planned]:
        """Those the clock reaches within the lead; they are in order, so the first one that is not ends it."""
        lead = self._lead.total_seconds()
        if coming and self._clock.wait_for(coming[-1].at) <= lead:
            return coming
        for place, one in enumerate(coming):
            if self._clock.wait_for(one.at) > lead:
                return coming[:place]
        return coming

    async def _until_safe(self, service: str, facts: Sequence[Fact]) -> None:
        """Post a batch until the service has answered for each fact, with a growing pause; raises FeedRefused."""
        body = orjson.dumps([as_event(fact) for fact in facts])
        pause = self._first_pause
        while True:
            wait = await self._post(service, body, len(facts))
            if wait is None:
                return
            self.counts.repeats += 1
            _log.debug("%s did not take a batch; it is sent again", service)
            await self._sleep(max(wait, pause).total_seconds())
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _post(self, service: str, body: bytes, count: int) -> timedelta | None:
        """One request. None: all of it is answered for; otherwise how long to wait at least before the next."""
        url = f"{self._services[service].rstrip('/')}/v1/facts"
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT.total_seconds()):
                response = await self._client.post(url, content=body, headers=self._headers)
        except (httpx2.HTTPError, OSError, TimeoutError):
            return timedelta(0)
        if response.status_code == 207:
            return self._count(response, count)
        if 400 <= response.status_code < 500 and response.status_code not in _AGAIN:
            raise FeedRefused(f"{service} answers {response.status_code}; check its address, the token and its scopes")
        return _retry_after(response)

    def _count(self, response: httpx2.Response, count: int) -> timedelta | None:
        try:
            results = orjson.loads(response.content)["results"]
            states = [result["status"] for result in results]
        except (ValueError, KeyError, TypeError):
            states = []
        if len(states) != count:
            return timedelta(0)
        rejected = states.count("rejected")
        self.counts.accepted += count - rejected
        self.counts.rejected += rejected
        if rejected:
            first = next(result for result in results if result["status"] == "rejected")
            # The problem says where and why, and repeats nothing that was sent.
            _log.warning("%d of %d facts were refused: %s", rejected, count, first.get("problem"))
        return None


def as_event(fact: Fact) -> dict[str, Any]:
    """A fact as a structured CloudEvent with its own `recordedtime`, as `POST /v1/facts` takes it."""
    event = {
        "specversion": "1.0",
        "id": fact.id,
        "source": fact.source,
        "type": event_type(fact.type),
        "time": format_instant(fact.time),
        "recordedtime": format_instant(fact.recorded),
        "data": dict(fact.data),
    }
    return event if fact.case is None else event | {"subject": fact.case}


def _retry_after(response: httpx2.Response) -> timedelta:
    told = response.headers.get("retry-after", "")
    return min(timedelta(seconds=int(told)), LONGEST_PAUSE) if told.isdigit() and len(told) < 6 else timedelta(0)


async def _play_and_stay(options: argparse.Namespace, token: str, clock_file: Path | None) -> None:
    """The process: the season, a line now and then, the pace of the clock afterwards; stays until it is stopped."""
    clock = SystemClock() if clock_file is None else FileClock(clock_file)
    planned = list(season(options.seed, options.begins, options.weeks, options.calls_a_day))
    position = Position(options.position)
    limits = httpx2.Limits(max_connections=8)
    # Services of this machine: a proxy from the environment would only be in the way.
    async with httpx2.AsyncClient(timeout=REQUEST_TIMEOUT.total_seconds(), limits=limits, trust_env=False) as client:
        feed = Feed(client, options.services, token, clock, planned, position=position, lead=options.lead)
        telling = asyncio.create_task(_tell(feed))
        try:
            await feed.run()
        finally:
            telling.cancel()
    _log.info("the season is over: %s", _line(feed.counts))
    if clock_file is not None and options.then_pace is not None:
        await set_pace_after(planned[-1].at, clock_file, options.then_pace)
    # A supervisor would start anew what ends.
    await asyncio.Event().wait()


async def set_pace_after(instant: int, clock_file: Path, pace: float) -> None:
    """Let the clock go on at another pace once it shows the instant, also if somebody sets it meanwhile.

    At the pace of the season every case that is open at its end would be months late within minutes.
    """
    clock = FileClock(clock_file)
    wait = clock.wait_for(instant)
    while wait > 0:
        await asyncio.sleep(min(wait, 1.0))
        wait = clock.wait_for(instant)
    if read_clock(clock_file).factor != pace:
        write_clock(clock_file, clock.now(), pace)


async def _tell(feed: Feed) -> None:
    while True:
        await asyncio.sleep(REPORT_EVERY.total_seconds())
        _log.info("%s", _line(feed.counts))


def _line(counts: Counts) -> str:
    done = counts.skipped + counts.accepted + counts.rejected
    return f"{done} of {counts.planned} facts posted, {counts.rejected} refused, {counts.repeats} batches sent again"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("qorgau.feed", description="Play a season of calls against running services.")
    parser.add_argument("--services", type=json.loads, required=True, help="addresses by service name, as JSON")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--begins", type=parse_instant, default=BEGINS, help="midnight of its first day, ISO 8601")
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--calls-a-day", type=float, default=CALLS_A_DAY)
    parser.add_argument("--position", type=Path, help="file that remembers what is posted")
    parser.add_argument("--lead", type=lambda text: timedelta(seconds=float(text)), default=LEAD, help="wall seconds")
    parser.add_argument("--then-pace", type=float, help="pace of the clock file when the season is over")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m qorgau.feed --services JSON …`; the token is in QORGAU_TOKEN, the clock file in QORGAU_CLOCK."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    token, clock = os.environ.get("QORGAU_TOKEN"), os.environ.get("QORGAU_CLOCK")
    if not token:
        _log.error("QORGAU_TOKEN is not set; `qorgau token` makes one")
        return 2
    try:
        asyncio.run(until_signal(_play_and_stay(options, token, Path(clock) if clock else None)))
    except (FeedRefused, StartRefused) as error:
        _log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
