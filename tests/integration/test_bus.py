"""Topics, the producer, ends, followers and dead letters on the real broker."""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import timedelta

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from qorgau.bus import (
    Ends,
    Outgoing,
    Topic,
    TopicMismatch,
    TopicSpec,
    partition_of,
    prepare_topics,
    read_all,
    read_at,
    topic_names,
)
from qorgau.embedded.pair import Pair
from qorgau.errors import TooLarge, Unavailable
from qorgau.shell.follower import LogRecord
from tests.buses import SOON, new_topics, numbered, producing

NOBODY = "127.0.0.1:1"


async def test_publish_keeps_the_order_of_a_key_and_returns_the_offsets(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka)
    async with producing(pair.kafka) as producer:
        assert await producer.publish(numbered(topic, 500)) == list(range(500))
        assert await producer.publish([]) == []
        assert await producer.publish(numbered(topic, 2)) == [500, 501]
    values = [record.value async for record in read_all(pair.kafka, topic)]
    assert values == [b"%d" % number for number in (*range(500), 0, 1)]


async def test_a_record_stands_on_the_partition_its_key_belongs_to(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka, partitions=7)
    keys = [b"", b"k", b"key", *(str(uuid.uuid4()).encode() for _ in range(100)), "қорғау".encode()]
    async with producing(pair.kafka) as producer:
        await producer.publish([Outgoing(topic, key, b"", []) for key in keys])
    found = {record.key: record.partition async for record in read_all(pair.kafka, topic)}
    assert found == {key: partition_of(key, 7) for key in keys}


async def test_a_record_carries_the_trace_it_was_sent_in_unless_it_has_one(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka)
    own = ("traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01")
    span = NonRecordingSpan(SpanContext(0xC, 0xD, is_remote=False, trace_flags=TraceFlags(1)))
    async with producing(pair.kafka) as producer:
        with trace.use_span(span):
            await producer.publish([Outgoing(topic, b"k", b"", []), Outgoing(topic, b"k", b"", [own])])
        await producer.publish([Outgoing(topic, b"k", None, [("other", b"")])])
    headers = [record.headers async for record in read_all(pair.kafka, topic)]
    assert headers == [[("traceparent", b"00-%032x-%016x-01" % (0xC, 0xD))], [own], [("other", b"")]]


async def test_what_does_not_fit_is_refused_before_anything_is_sent(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka)
    async with producing(pair.kafka) as producer:
        with pytest.raises(TooLarge):
            await producer.publish([Outgoing(topic, b"k", b"small", []), Outgoing(topic, b"k", b"x" * 1_040_000, [])])
        assert await producer.publish([Outgoing(topic, b"k", b"x" * 1_039_000, [])]) == [0]


async def test_ends_see_what_was_just_acknowledged(pair: Pair) -> None:
    topics = await new_topics(pair.kafka, count=2, partitions=3)
    places = [(topic, number) for topic in topics for number in range(3)]
    ends = Ends(pair.kafka)
    async with producing(pair.kafka) as producer:
        expected = dict.fromkeys(places, 0)
        for turn in range(20):
            key = b"key %d" % turn
            await producer.publish(numbered(topics[turn % 2], turn, key))
            expected[topics[turn % 2], partition_of(key, 3)] += turn
            assert await ends.of(places) == expected
    await ends.stop()


async def test_ends_leave_out_what_cannot_be_looked_up_and_fail_when_nothing_can(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka)
    missing = (f"bus-test-{uuid.uuid4().hex}", 0)
    ends = Ends(pair.kafka)
    assert await ends.of([(topic, 0), missing, (topic, 7)]) == {(topic, 0): 0}
    with pytest.raises(Unavailable):
        await ends.of([missing])
    assert await ends.of([(topic, 0)]) == {(topic, 0): 0}
    assert await ends.of([]) == {}
    await ends.stop()


async def test_who_asks_where_nobody_answers_is_told_in_time() -> None:
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        await Ends(NOBODY).of([("topic", 0)])
    with pytest.raises(Unavailable):
        await Topic(NOBODY, "topic").ends()
    with pytest.raises(Unavailable):
        await anext(Topic(NOBODY, "topic").follow([0]))
    with pytest.raises(Unavailable):
        await prepare_topics(NOBODY, {"topic": TopicSpec(1)}, patience=timedelta(seconds=1))
    assert time.monotonic() - begun < SOON


async def test_four_services_prepare_the_same_topics_at_the_same_time(pair: Pair) -> None:
    names = [f"bus-test-{uuid.uuid4().hex}" for _ in range(5)]
    wanted = {name: TopicSpec(3, retention=timedelta(hours=24) if name == names[0] else None) for name in names}
    async with asyncio.timeout(SOON):
        await asyncio.gather(*(prepare_topics(pair.kafka, wanted, replication=3) for _ in range(4)))
    assert set(names) <= set(await topic_names(pair.kafka))
    assert await Ends(pair.kafka).of([(name, 2) for name in names]) == {(name, 2): 0 for name in names}
    await prepare_topics(pair.kafka, wanted)


async def test_a_topic_with_another_number_of_partitions_is_refused(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka, partitions=2)
    with pytest.raises(TopicMismatch, match=f"{topic} has 2 partitions and this deployment is set to 3"):
        await prepare_topics(pair.kafka, {topic: TopicSpec(3), f"{topic}-other": TopicSpec(3)})
    assert f"{topic}-other" not in await topic_names(pair.kafka)


async def test_a_follower_gets_every_record_from_its_offsets_on_and_hears_when_nothing_comes(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka, partitions=2)
    log = Topic(pair.kafka, topic, quiet=timedelta(milliseconds=200))
    key = next(b"%d" % number for number in range(100) if partition_of(b"%d" % number, 2) == 1)
    async with producing(pair.kafka) as producer:
        await producer.publish(numbered(topic, 10, key))
        assert await log.ends() == [0, 10]
        async with asyncio.timeout(SOON), aclosing(log.follow([0, 4])) as batches:
            assert await _gathered(batches, 6) == list(range(4, 10))
            assert await anext(batches) == []
            await producer.publish(numbered(topic, 3, key))
            assert await _gathered(batches, 3) == [10, 11, 12]


async def test_several_topics_are_followed_as_one_log_in_which_each_partition_has_its_number(pair: Pair) -> None:
    topics = await new_topics(pair.kafka, 3, partitions=2)
    log = Topic(pair.kafka, *topics, held=timedelta(seconds=1))
    key = next(b"%d" % number for number in range(100) if partition_of(b"%d" % number, 2) == 1)
    async with producing(pair.kafka) as producer:
        for count, topic in enumerate(topics, 2):
            await producer.publish(numbered(topic, count, key))
        assert await log.ends() == [0, 0, 0, 2, 3, 4]
        found: list[tuple[int, int]] = []
        async with asyncio.timeout(SOON), aclosing(log.follow([0, 0, 0, 1, 3, 0])) as batches:
            while len(found) < 5:
                found += [(record.partition, record.offset) for record in await anext(batches)]
            await producer.publish(numbered(topics[1], 1, key))
            while len(found) < 6:
                found += [(record.partition, record.offset) for record in await anext(batches)]
    assert sorted(found) == [(3, 1), (4, 3), *((5, offset) for offset in range(4))]


async def test_a_follower_goes_on_with_the_oldest_record_that_is_kept(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka)
    async with producing(pair.kafka) as producer:
        await producer.publish(numbered(topic, 10))
    await _delete_before(pair.kafka, topic, 6)
    async with asyncio.timeout(SOON), aclosing(Topic(pair.kafka, topic).follow([2])) as batches:
        assert await _gathered(batches, 4) == [6, 7, 8, 9]
    assert [record.offset async for record in read_all(pair.kafka, topic)] == [6, 7, 8, 9]
    assert await read_at(pair.kafka, topic, 0, 5) is None
    await _delete_before(pair.kafka, topic, 10)
    assert [record async for record in read_all(pair.kafka, topic)] == []
    assert await read_at(pair.kafka, topic, 0, 9) is None


async def test_a_closed_follower_leaves_nothing_running(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka)
    before = asyncio.all_tasks()
    batches = Topic(pair.kafka, topic, quiet=timedelta(milliseconds=50)).follow([0])
    assert await anext(batches) == []
    assert asyncio.all_tasks() > before
    await batches.aclose()
    assert asyncio.all_tasks() == before


async def test_one_record_is_read_at_its_place(pair: Pair) -> None:
    (topic,) = await new_topics(pair.kafka)
    async with producing(pair.kafka) as producer:
        await producer.publish(numbered(topic, 5))
    found = await read_at(pair.kafka, topic, 0, 3)
    assert found is not None
    assert (found.place, found.offset, found.key, found.value, found.size) == ((topic, 0), 3, b"key", b"3", 4)
    assert await read_at(pair.kafka, topic, 0, 5) is None
    assert await read_at(pair.kafka, topic, 1, 0) is None


async def _gathered(batches: AsyncGenerator[Sequence[LogRecord], None], count: int) -> list[int]:
    offsets: list[int] = []
    while len(offsets) < count:
        offsets += [record.offset for record in await anext(batches)]
    return offsets


async def _delete_before(address: str, topic: str, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()
