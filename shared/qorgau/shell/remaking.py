"""Making a service's database again from the log while the service runs: begin an edition, watch the service read
everything again, and throw away the edition before.

Stopped anywhere, it leaves a service that goes on by itself; doing it once more is always safe.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from qorgau.audit.noting import note
from qorgau.brokers import Address
from qorgau.bus import Topic
from qorgau.errors import NotFound, QorgauError
from qorgau.output import Bar
from qorgau.shell.edition import CHECK_EVERY, Edition, begin_next, drop_others, newest
from qorgau.shell.follower import QUIET
from qorgau.shell.mongo import collection, deadline
from qorgau.shell.progress import Place, Progress
from qorgau.store import SELECTION, connect
from qorgau.telemetry import Metrics
from qorgau.vocabulary import (
    FLAGS_TOPIC,
    INTAKE,
    NOTIFIER,
    REFERENCES_TOPIC,
    database_name,
    facts_topic,
    tracked_topics,
)

# Whoever works with an edition looks for a newer one at least so often, and may be in the middle of a batch.
MOVED_WITHIN = CHECK_EVERY + QUIET + timedelta(seconds=1)
# Nothing moves for so long: nobody is there who makes it again.
PATIENCE = timedelta(seconds=60)
_LOOK_EVERY = 0.5
# Longer than a client looks for a server.
ANSWER_WITHIN = SELECTION + timedelta(seconds=5)


class NotRead(QorgauError):
    """Nobody reads the log for the new edition."""

    title = "Nobody reads the log"


@dataclass(frozen=True, slots=True)
class Made:
    """What was done: the number of the new edition, and how many records of the log were read for it."""

    service: str
    edition: int
    records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Servers:
    """Where Kafka and the database are, and how this deployment's databases begin."""

    kafka: Address
    mongo: str
    database: str


async def check_database(service: str, servers: Servers) -> None:
    """Raises NotFound where the service has no database there, Unavailable where none answers."""
    async with database_of(service, servers) as database, deadline(ANSWER_WITHIN):
        if not await database.list_collection_names():
            raise NotFound


async def remake(service: str, servers: Servers, bar: Bar, patience: timedelta = PATIENCE) -> Made:
    """Make the database of a service again, which its audit chain tells of before; returns when all that is in the
    log now has been read, and judged.

    Raises MadeAgain where somebody else has just begun it, NotRead where the service does not run, Unavailable where
    Kafka or the database does not answer.
    """
    begun = time.monotonic()
    async with database_of(service, servers) as database:
        followed = {topic: await Topic(servers.kafka, topic).ends() for topic in _topics(service)}
        details = {"edition": str(await newest(database) + 1)}
        await note(database, servers.kafka, service, servers.database, "rebuild.beginning", details)
        number = await begin_next(database)
        await asyncio.sleep(MOVED_WITHIN.total_seconds())
        edition = Edition(database)
        await edition.begin()
        await _made(service, edition, followed, await _partitions(service, database), bar, patience)
        # Until now it was what readers were shown.
        await asyncio.sleep(_LOOK_EVERY)
        await drop_others(database, number)
        records = sum(sum(ends) for ends in followed.values())
        return Made(service, number, records, round(time.monotonic() - begun, 1))


def _topics(service: str) -> tuple[str, ...]:
    """What a service reads."""
    if service == NOTIFIER:
        return (FLAGS_TOPIC,)
    return (*tracked_topics(service), REFERENCES_TOPIC, *((FLAGS_TOPIC,) if service == INTAKE else ()))


@asynccontextmanager
async def database_of(service: str, servers: Servers) -> AsyncIterator[Any]:
    """The database of a service, with a client of its own."""
    client = connect(servers.mongo)
    try:
        yield client[database_name(servers.database, service)]
    finally:
        client.close()


async def _partitions(service: str, database: Any) -> int:
    """Over how many partitions its cases are spread (0: it keeps none)."""
    async with deadline():
        kept = await collection(database, "deployment").find_one({"_id": "partitions"})
    return 0 if service == NOTIFIER or kept is None else int(kept["count"])


async def _made(
    service: str, edition: Edition, ends: Mapping[str, list[int]], count: int, bar: Bar, patience: timedelta
) -> None:
    """Return when the service has read up to these ends and, where it keeps cases, judges all of them again."""
    total = sum(map(sum, ends.values()))
    done, since = -1, time.monotonic()
    while True:
        at = await _positions(service, edition, ends)
        read = sum(min(at.get((topic, number), 0), end) for topic, of in ends.items() for number, end in enumerate(of))
        bar(read, total)
        judged = await _judged(edition)
        if read >= total and judged >= count:
            return
        if read + judged > done:
            done, since = read + judged, time.monotonic()
        if time.monotonic() - since > patience.total_seconds():
            raise NotRead
        await asyncio.sleep(_LOOK_EVERY)


async def _positions(service: str, edition: Edition, ends: Mapping[str, list[int]]) -> dict[Place, int]:
    """How far the service is in each partition."""
    async with deadline():
        followed = await edition.collection("followed").find({}).to_list(None)
    at = {
        (document["_id"], number): offset for document in followed for number, offset in enumerate(document["offsets"])
    }
    if service != NOTIFIER:
        places = [(topic, number) for topic in tracked_topics(service) for number in range(len(ends[topic]))]
        tracked = await Progress(edition, Metrics()).positions(places)
        # Of its own facts a service makes its cases and its statistics; what one of them lacks is not read.
        twice = facts_topic(service)
        at |= {place: min(to, at.get(place, 0)) if place[0] == twice else to for place, to in tracked.items()}
    return at


async def _judged(edition: Edition) -> int:
    """How many partitions have been judged in this edition."""
    async with deadline():
        return int(await edition.collection("positions").count_documents({"judged": {"$exists": True}}))
