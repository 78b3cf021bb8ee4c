"""Making a service's database again from the log while the service runs: begin an edition, keep what is not in the log
yet, throw away the edition before, and watch the service read everything again.

Stopped anywhere, it leaves a service that goes on by itself; doing it once more is always safe.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from qorgau.bus import Producer, Topic, partition_of
from qorgau.errors import NotFound, QorgauError
from qorgau.output import Bar
from qorgau.shell.edition import CHECK_EVERY, Edition, begin_next, drop_others
from qorgau.shell.follower import QUIET
from qorgau.shell.mongo import collection, deadline
from qorgau.shell.progress import Place, Progress
from qorgau.shell.relay import Relay
from qorgau.store import SELECTION, Store, connect
from qorgau.telemetry import Metrics
from qorgau.vocabulary import FACTS_TOPICS, FLAGS_TOPIC, INTAKE, NOTIFIER, REFERENCES_TOPIC

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

    kafka: str
    mongo: str
    database: str


async def check_database(service: str, servers: Servers) -> None:
    """Raises NotFound where the service has no database there, Unavailable where none answers."""
    async with _database(service, servers) as database, deadline(ANSWER_WITHIN):
        if not await database.list_collection_names():
            raise NotFound


async def remake(service: str, servers: Servers, bar: Bar, patience: timedelta = PATIENCE) -> Made:
    """Make the database of a service again; returns when all that is in the log now has been read, and judged.

    Raises MadeAgain where somebody else has just begun it, NotRead where the service does not run, Unavailable where
    Kafka or the database does not answer.
    """
    begun = time.monotonic()
    async with _relay(service, servers) as (relay, count):
        database = relay.store.edition.database
        followed = {topic: await Topic(servers.kafka, topic).ends() for topic in _topics(service)}
        # Also what a command that was interrupted has left behind.
        await relay.rescue(range(count))
        await relay.tell_reports(range(count))
        number = await begin_next(database)
        await relay.store.edition.begin()
        await asyncio.sleep(MOVED_WITHIN.total_seconds())
        # Nobody writes there any more.
        await relay.rescue(range(count))
        await _made(service, relay.store.edition, followed, count, bar, patience)
        # Until now it was what readers were shown.
        await asyncio.sleep(_LOOK_EVERY)
        await drop_others(database, number)
        records = sum(sum(ends) for ends in followed.values())
        return Made(service, number, records, round(time.monotonic() - begun, 1))


def _topics(service: str) -> tuple[str, ...]:
    """What a service reads."""
    if service == NOTIFIER:
        return (FLAGS_TOPIC,)
    return (*FACTS_TOPICS, REFERENCES_TOPIC, *((FLAGS_TOPIC,) if service == INTAKE else ()))


@asynccontextmanager
async def _database(service: str, servers: Servers) -> AsyncIterator[Any]:
    client = connect(servers.mongo)
    try:
        yield client[f"{servers.database}_{service.replace('-', '_')}"]
    finally:
        client.close()


@asynccontextmanager
async def _relay(service: str, servers: Servers) -> AsyncIterator[tuple[Relay, int]]:
    """The outboxes of a service, and over how many partitions its cases are spread (0: it keeps none)."""
    metrics = Metrics()
    producer = Producer(servers.kafka, metrics)
    try:
        async with _database(service, servers) as database:
            async with deadline():
                kept = await collection(database, "deployment").find_one({"_id": "partitions"})
            count = 0 if service == NOTIFIER or kept is None else int(kept["count"])
            edition = Edition(database)
            await edition.begin()
            store = Store(edition, partial(_number_of, max(count, 1)), metrics)
            yield Relay(service, store, producer, metrics), count
    finally:
        await producer.stop()


def _number_of(partitions: int, case: str) -> int:
    return partition_of(case.encode(), partitions)


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
        places = [(topic, number) for topic in FACTS_TOPICS for number in range(len(ends[topic]))]
        at |= await Progress(edition, Metrics()).positions(places)
    return at


async def _judged(edition: Edition) -> int:
    """How many partitions have been judged in this edition."""
    async with deadline():
        return int(await edition.collection("positions").count_documents({"judged": {"$exists": True}}))
