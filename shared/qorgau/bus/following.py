"""Reading topics without a group: from given offsets on, up to the end, or one record at its place."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from qorgau.brokers import Address
from qorgau.bus.connecting import (
    ANSWER_WITHIN,
    close_client,
    close_consumer,
    milliseconds,
    open_client,
    options,
    within,
)
from qorgau.bus.ends import ends_of, partitions_of
from qorgau.bus.records import Incoming, Place
from qorgau.bus.taking import taken
from qorgau.errors import Unavailable
from qorgau.shell.follower import QUIET, LogRecord

# For how long the broker holds its answer while there is nothing new; it answers at once when something comes.
HELD = timedelta(milliseconds=500)
# Many times longer than answers are held.
SILENT = timedelta(seconds=10)
# Who reads up to an end looks that often whether it is reached without another record.
_GLANCE = timedelta(milliseconds=200)
_AT_ONCE = 500
_FETCH_BYTES = 256 * 1024


class Topic:
    """The `TopicLog` of follower.py, of one topic, or of several with as many partitions each, read by one consumer:
    then partition p of the n-th of N topics has the number p N + n. The longer the broker's answers are `held`, the
    less an idle topic costs, and the later a record can come that follows another one closely."""

    def __init__(
        self,
        address: Address,
        *topics: str,
        quiet: timedelta = QUIET,
        timeout: timedelta = ANSWER_WITHIN,
        held: timedelta = HELD,
    ) -> None:
        self._address = address
        self._topics = topics
        self._quiet = quiet
        self._timeout = timeout
        self._held = held

    async def ends(self) -> list[int]:
        """The next offset of every partition, by number; raises Unavailable."""
        found = await ends(self._address, *self._topics, patience=self._timeout)
        return [found[place] for place in self._places(len(found))]

    async def follow(self, offsets: Sequence[int]) -> AsyncGenerator[Sequence[LogRecord], None]:
        """Records from these offsets on, as they come; an empty batch where nothing came for a while.

        An offset that is no longer kept means the oldest that is. Raises Unavailable, also when Kafka falls silent.
        """
        starts = dict(zip(self._places(len(offsets)), offsets, strict=True))
        numbers = {place: number for number, place in enumerate(starts)}
        async with reading(self._address, starts, self._timeout, self._held) as consumer:
            begun = time.time()
            while True:
                batch = await fetched(consumer, self._quiet)
                if not batch:
                    check_heard(consumer, begun)
                yield [LogRecord(numbers[r.place], r.offset, r.key, r.headers, r.value) for r in batch]

    def _places(self, count: int) -> list[Place]:
        return [(topic, number) for number in range(count // len(self._topics)) for topic in self._topics]


async def ends(address: Address, *topics: str, patience: timedelta = ANSWER_WITHIN) -> dict[Place, int]:
    """The next offset of every partition of these topics, in order of their numbers; all of them, or Unavailable."""
    async with within(patience):
        client = await open_client(address, patience)
    try:
        async with within(patience):
            partitions = [place for topic in topics for place in await partitions_of(client, topic)]
        found = await ends_of(client, partitions, patience)
    finally:
        await close_client(client)
    if len(found) < len(partitions):
        raise Unavailable
    return {place: found[place] for place in partitions}


async def read_all(
    address: Address, topic: str, patience: timedelta = ANSWER_WITHIN, *, first: int = 0
) -> AsyncGenerator[Incoming, None]:
    """Every record from the oldest to what is the end now, each partition in order; from the offset `first` on in
    each that goes so far. Raises Unavailable."""
    open_ends = {place: end for place, end in (await ends(address, topic, patience=patience)).items() if end > 0}
    if not open_ends:
        return
    starts = {place: first if first < end else 0 for place, end in open_ends.items()}
    async with reading(address, starts, patience) as consumer:
        begun = time.time()
        while open_ends:
            batch = await fetched(consumer, _GLANCE)
            for record in batch:
                if record.offset < open_ends.get(record.place, 0):
                    yield record
            if not batch:
                check_heard(consumer, begun)
            for place in list(open_ends):
                if await _position(consumer, place, patience) >= open_ends[place]:
                    del open_ends[place]


async def read_at(
    address: Address, topic: str, partition: int, offset: int, patience: timedelta = ANSWER_WITHIN
) -> Incoming | None:
    """The record at a place, None where it is no longer kept or never was. Raises Unavailable."""
    place = topic, partition
    if not 0 <= offset < (await ends(address, topic, patience=patience)).get(place, 0):
        return None
    async with reading(address, {place: offset}, patience) as consumer, within(patience):
        while True:
            batch = await fetched(consumer, _GLANCE, max_records=1)
            if batch:
                return batch[0] if batch[0].offset == offset else None
            if await _position(consumer, place, patience) > offset:
                return None


@asynccontextmanager
async def reading(
    address: Address, starts: Mapping[Place, int], patience: timedelta = ANSWER_WITHIN, held: timedelta = HELD
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of these partitions from these offsets on, closed in the end."""
    consumer = AIOKafkaConsumer(
        **options(address, patience),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=milliseconds(held),
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    try:
        async with within(patience):
            consumer.assign([TopicPartition(*place) for place in starts])
            await consumer.start()
            for place, offset in starts.items():
                consumer.seek(TopicPartition(*place), offset)
        yield consumer
    finally:
        await close_consumer(consumer)


async def fetched(consumer: AIOKafkaConsumer, wait: timedelta, max_records: int = _AT_ONCE) -> list[Incoming]:
    """What came, at most so much, or nothing after the wait.

    Raises Unavailable. After that the consumer must not be used: it may have dropped what it had already taken.
    """
    async with within(wait + ANSWER_WITHIN):
        return await taken(consumer, wait, max_records)


def check_heard(consumer: AIOKafkaConsumer, since: float) -> None:
    """Raise Unavailable where a partition has had no answer for long: such a consumer looks alive and is not.

    `since` (seconds since 1970) is when it began to have nothing to give.
    """
    oldest = (time.time() - SILENT.total_seconds()) * 1000
    for partition in consumer.assignment():
        if (consumer.last_poll_timestamp(partition) or since * 1000) < oldest:
            raise Unavailable


async def _position(consumer: AIOKafkaConsumer, place: Place, patience: timedelta) -> int:
    async with within(patience):
        return int(await consumer.position(TopicPartition(*place)))
