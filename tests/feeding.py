"""Feeds on a real database: replicas that follow a log in memory, with a clock that stands."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from qorgau.embedded.data import default_feeds, default_policy
from qorgau.facts import Fact
from qorgau.feeds.book import FeedBook
from qorgau.feeds.certainty import stoppers
from qorgau.feeds.expecting import Expectations, load_expectations
from qorgau.feeds.following import Feeds
from qorgau.instants import DAY, HOUR
from qorgau.policy import load_policy
from qorgau.shell.edition import Edition
from qorgau.store import connect
from tests.surging import Log, StandingClock

POLICY = load_policy(default_policy())
REGIONS = frozenset(POLICY.policy.zones.regions)
EXPECTED = load_expectations(default_feeds())
# A Monday.
BEGIN = 22_002 * DAY
AGENCY, REGION = "shelter/KZ-75-1", "KZ-75"


@dataclass
class Fed:
    """A database, a log, and replicas that follow it."""

    database: Any
    log: Log = field(default_factory=Log)
    clock: StandingClock = field(default_factory=lambda: StandingClock(BEGIN))
    running: list[tuple[asyncio.Event, asyncio.Task[None]]] = field(default_factory=list)

    async def replica(self, expectations: Expectations = EXPECTED) -> Feeds:
        book = FeedBook(Edition(self.database), expectations.learned.days)
        feeds = Feeds(expectations, stoppers(POLICY), REGIONS, book, self.clock.now)
        await book.prepare()
        stopping = asyncio.Event()
        self.running.append((stopping, asyncio.create_task(feeds.follow(self.log).run(stopping))))
        await self.caught_up(feeds)
        return feeds

    async def caught_up(self, feeds: Feeds) -> None:
        async with asyncio.timeout(20):
            while not (feeds.caught_up and feeds.follower.at == [len(self.log.records)]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def post(self, facts: Iterable[Fact]) -> None:
        self.log.post(list(facts))

    async def stop(self) -> None:
        for stopping, _ in self.running:
            stopping.set()
        self.log.more.set()
        for _, task in self.running:
            await task


@asynccontextmanager
async def fed(mongo: str) -> AsyncIterator[Fed]:
    """A database of its own, gone afterwards as its replicas are."""
    client = connect(mongo)
    name = f"feeds_{uuid.uuid4().hex}"
    made = Fed(client[name])
    yield made
    await made.stop()
    await client.drop_database(name)
    client.close()


def post(at: int, agency: str = AGENCY, region: str = REGION) -> Fact:
    """A sign of life."""
    data = {"region": region}
    return Fact(str(at), agency, "shelter.declined", at - HOUR, at, "c1", data)


def days_of_posts(days: int, agency: str = AGENCY, begin: int = BEGIN) -> list[Fact]:
    """Every four hours, of so many days."""
    return [post(begin + number * 4 * HOUR, agency) for number in range(6 * days)]
