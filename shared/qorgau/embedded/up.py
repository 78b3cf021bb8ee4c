"""`qorgau up`: the whole system on one machine, each part a process of its own, from first start to last stop."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from qorgau.clock import ClockSetting, read_clock
from qorgau.embedded.kept import BEAT, KeptClock, issuer_of, season_begins, token_key
from qorgau.embedded.pair import Pair, embedded_pair
from qorgau.embedded.process import Process
from qorgau.embedded.progress import Progress
from qorgau.embedded.services import Backing, Replicas, feed, replicas
from qorgau.embedded.supervisor import Supervisor
from qorgau.identity.issuer import Issuer
from qorgau.identity.tokens import KEY_BYTES
from qorgau.starting import StartRefused

# A machine that stays up for days must not lose its token; it opens nothing beyond this machine.
TOKEN_LIFETIME = timedelta(days=30)
# The clock of a season stands still until the feed has posted the first facts ahead of it.
FEED_READY_AFTER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for: the data folder, a season played into it, and how many replicas of which service."""

    data: Path
    feed: bool = False
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Up:
    """The system, ready."""

    pair: Pair
    services: Sequence[Replicas]
    backing: Backing
    token: str
    feed: Process | None

    def line(self) -> dict[str, Any]:
        """What programs need to know to work with it; process ids are those of now."""
        pids = {name: [pid] for name, pid in self.pair.pids.items()}
        pids |= {replicas.service: replicas.pids for replicas in self.services}
        if self.feed is not None and self.feed.pid is not None:
            pids["feed"] = [self.feed.pid]
        return {
            "ready": True,
            "services": {replicas.service: replicas.url for replicas in self.services},
            "kafka": self.backing.kafka,
            "mongo": self.backing.mongo,
            "token": self.token,
            "pids": pids,
            "clock": str(self.backing.clock),
        }


@asynccontextmanager
async def up(options: Options, progress: Progress) -> AsyncIterator[Up]:
    """Starts everything, yields when all services are ready, and stops what it started. Raises StartRefused."""
    progress.say(f"the data is in {options.data}")
    kafka, mongo = (os.environ.get(name) for name in ("QORGAU_KAFKA", "QORGAU_MONGO"))
    async with embedded_pair(options.data, progress, kafka=kafka, mongo=mongo) as pair:
        folder = options.data.absolute()
        async with _clock(folder, options.feed) as (clock, release), Supervisor() as supervisor:
            key, issuer = _signing(folder)
            backing = Backing(pair.kafka, pair.mongo, key, clock, folder, issuer)
            backing.revoked.touch(mode=0o600)
            services = await replicas(backing, options.numbers)
            processes = [process for of in services for process in of.processes]
            progress.say(f"starting {', '.join(process.name for process in processes)}")
            await supervisor.start(*processes)
            token = backing.make_token(lifetime=TOKEN_LIFETIME)
            playing = _feed(backing, services, token) if options.feed else None
            if playing is not None:
                await supervisor.start(playing)
            release()
            yield Up(pair, services, backing, token, playing)


def _feed(backing: Backing, services: Sequence[Replicas], token: str) -> Process:
    from qorgau.season import BEGINS

    return feed(backing, services, token, season_begins(backing.folder, backing.clock, BEGINS))


def _signing(folder: Path) -> tuple[str, Issuer | None]:
    """The secret key, and the issuer of this folder. Whoever gives a key signs tokens with it, and needs no issuer."""
    given = os.environ.get("QORGAU_TOKEN_KEY")
    if not given:
        issuer = issuer_of(folder)
        issuer.prepare()
        return token_key(folder), issuer
    if len(given.encode()) < KEY_BYTES:
        raise StartRefused(f"QORGAU_TOKEN_KEY needs at least {KEY_BYTES} bytes. Without it a key is made.")
    return given, None


@asynccontextmanager
async def _clock(folder: Path, season: bool) -> AsyncIterator[tuple[Path, Callable[[], None]]]:
    """The clock file of this run, standing still, and what lets it run; one that was given is left alone."""
    given = _given_clock()
    if given is not None:
        yield given, lambda: None
        return
    kept = KeptClock(folder / "clock.json")
    kept.hold(_season_clock() if season else None)
    beating = asyncio.create_task(_beat(kept), name="beat of the clock")
    try:
        yield kept.file, lambda: kept.release(FEED_READY_AFTER if season else timedelta())
    finally:
        beating.cancel()
        kept.stand()


def _given_clock() -> Path | None:
    given = os.environ.get("QORGAU_CLOCK")
    if not given:
        return None
    read_clock(Path(given))
    return Path(given).absolute()


def _season_clock() -> ClockSetting:
    from qorgau.feed import PACE
    from qorgau.season import BEGINS

    return ClockSetting(BEGINS, BEGINS, PACE)


async def _beat(kept: KeptClock) -> None:
    while True:
        kept.beat()
        await asyncio.sleep(BEAT.total_seconds())
