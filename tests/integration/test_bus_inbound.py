"""Topics that agencies write to, on the real broker: found when they come, read on after a restart, not to be stopped
by what no library of ours would write."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from qorgau.bus import GroupReader, InboundReader, Incoming, Topic, TopicSpec, prepare_topics
from qorgau.bus.taking import UNREADABLE
from qorgau.embedded.pair import Pair
from qorgau.vocabulary import inbound_topic
from tests.buses import SOON, new_topics, numbered, producing

WAIT = timedelta(milliseconds=300)


class NotUtf8(str):
    """A name of a header as only a foreign producer writes it."""

    def encode(self, encoding: str = "", errors: str = "") -> bytes:
        return b"\xff\xfe"


async def write_unreadable(address: str, topic: str) -> None:
    """One record with a header whose name is not UTF-8."""
    producer = AIOKafkaProducer(bootstrap_servers=address)
    await producer.start()
    try:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 10_000)
        batch.append(key=b"key", value=b"bad", timestamp=None, headers=[(NotUtf8("name"), b"x")])
        batch.close()
        await (await producer.send_batch(batch, topic, partition=0))
    finally:
        await producer.stop()


Readers = Callable[[str], InboundReader]


@pytest.fixture
async def readers(pair: Pair) -> AsyncIterator[Readers]:
    """Readers of one group by their lasting names."""
    made: list[InboundReader] = []
    group = f"inbound-test-{uuid.uuid4().hex}"

    def reader(instance: str) -> InboundReader:
        made.append(InboundReader(pair.kafka, group, instance))
        return made[-1]

    yield reader
    for one in made:
        await one.stop()


async def read(reader: InboundReader, topic: str, count: int) -> list[Incoming]:
    """So many records of one topic."""
    found: list[Incoming] = []
    async with asyncio.timeout(SOON):
        while len(found) < count:
            found += [record for record in await reader.fetch(WAIT, 100) if record.topic == topic]
    return found


async def inbound(pair: Pair) -> str:
    """A topic of an agency nobody else is."""
    topic = inbound_topic(f"102/{uuid.uuid4().hex}")
    await prepare_topics(pair.kafka, {topic: TopicSpec(1)})
    return topic


async def test_a_reader_waits_for_a_topic_and_finds_it_within_seconds(pair: Pair, readers: Readers) -> None:
    reader = readers("one")
    await reader.fetch(WAIT, 100)
    topic = await inbound(pair)
    async with producing(pair.kafka) as producer:
        await producer.publish(numbered(topic, 2))
    assert [record.value for record in await read(reader, topic, 2)] == [b"0", b"1"]


async def test_a_restarted_reader_goes_on_behind_what_was_committed_and_at_once(pair: Pair, readers: Readers) -> None:
    topic, first = await inbound(pair), readers("one")
    async with producing(pair.kafka) as producer:
        await producer.publish(numbered(topic, 3))
    await read(first, topic, 3)
    await first.commit({(topic, 0): 2})
    await first.stop()
    async with asyncio.timeout(8):
        assert [record.offset for record in await read(readers("one"), topic, 1)] == [2]


async def test_dead_letters_of_inbound_topics_are_no_inbound_topics(pair: Pair, readers: Readers) -> None:
    topic = await inbound(pair)
    await prepare_topics(pair.kafka, {f"{topic}.dlq": TopicSpec(1)})
    async with producing(pair.kafka) as producer:
        await producer.publish([*numbered(f"{topic}.dlq", 1), *numbered(topic, 1)])
    reader = readers("one")
    await read(reader, topic, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await read(reader, f"{topic}.dlq", 1)


@pytest.mark.parametrize("kind", ["gzip", "snappy", "lz4", "zstd"])
async def test_whatever_an_agency_compresses_by_is_read(pair: Pair, readers: Readers, kind: str) -> None:
    topic = await inbound(pair)
    producer = AIOKafkaProducer(bootstrap_servers=pair.kafka, compression_type=kind)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"one " * 100)
    finally:
        await producer.stop()
    assert (await read(readers("one"), topic, 1))[0].value == b"one " * 100


async def test_a_record_the_library_cannot_read_comes_without_content_and_hides_no_other(
    pair: Pair, readers: Readers
) -> None:
    topic = await inbound(pair)
    async with producing(pair.kafka) as producer:
        await producer.publish(numbered(topic, 2))
        await write_unreadable(pair.kafka, topic)
        await write_unreadable(pair.kafka, topic)
        await producer.publish(numbered(topic, 1))
    found = await read(readers("one"), topic, 5)
    assert [(record.offset, record.value, record.trouble) for record in found] == [
        (0, b"0", ""),
        (1, b"1", ""),
        (2, None, UNREADABLE),
        (3, None, UNREADABLE),
        (4, b"0", ""),
    ]


async def test_a_follower_passes_what_the_library_cannot_read(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka)
    async with producing(pair.kafka) as producer:
        await write_unreadable(pair.kafka, topic)
        await producer.publish(numbered(topic, 1))
    found = []
    async with asyncio.timeout(SOON):
        async for batch in Topic(pair.kafka, topic).follow([0]):
            found += [(record.offset, record.value) for record in batch]
            if len(found) == 2:
                break
    assert found == [(0, None), (1, b"0")]


async def test_a_reader_of_a_group_loses_nothing_of_its_other_partitions_to_an_unreadable_record(pair: Pair) -> None:
    topics = await new_topics(pair.kafka, 2, partitions=3)
    async with producing(pair.kafka) as producer:
        for topic in topics:
            await producer.publish([record for key in b"abcdefgh" for record in numbered(topic, 2, bytes([key]))])
        await write_unreadable(pair.kafka, topics[0])
        await producer.publish(numbered(topics[0], 6, b"a"))

    async def nothing(*_: object) -> dict[tuple[str, int], int]:
        return {}

    async def ignore(*_: object) -> None:
        return

    reader = GroupReader(
        pair.kafka, f"g-{uuid.uuid4().hex}", "one", topics, positions=nothing, revoked=ignore, assigned=ignore
    )
    found: list[Incoming] = []
    try:
        async with asyncio.timeout(SOON):
            while len(found) < 39:
                found += await reader.fetch(WAIT, 100)
    finally:
        await reader.stop()
    places = {(record.topic, record.partition, record.offset) for record in found}
    assert (len(found), len(places)) == (39, 39)
    assert [record.trouble for record in found if record.trouble] == [UNREADABLE]
