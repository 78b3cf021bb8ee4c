"""The bus while its broker is away, silent, or not there yet: told in time, and all well when it is back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import timedelta

import pytest

from qorgau.bus import Ends, GroupReader, Topic, read_all
from qorgau.embedded.pair import Pair, embedded_pair
from qorgau.errors import Unavailable
from qorgau.telemetry import Metrics
from tests.buses import SOON, new_topics, numbered, producing

DEADLINE = 1.0
# What closing may take on top of a deadline, on a machine that is busy.
SLACK = 4.0


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """A Kafka of these tests alone, because they take it away."""
    async with embedded_pair(tmp_path_factory.mktemp("outage"), mongo="mongodb://unused/") as started:
        yield started


@contextmanager
def silent(broker: Pair) -> Iterator[None]:
    """The broker takes connections and answers nothing, as when its machine hangs."""
    group = os.getpgid(broker.pids["kafka"])
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


async def unavailable_in_time(work: Callable[[], Awaitable[object]], deadline: float = DEADLINE) -> None:
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        await work()
    assert time.monotonic() - begun < deadline + SLACK


async def until_it_works(work: Callable[[], Awaitable[list[int]]]) -> list[int]:
    async with asyncio.timeout(SOON):
        while True:
            with suppress(Unavailable):
                return await work()


async def test_publish_to_a_killed_broker_is_refused_in_time_and_works_when_it_is_back(broker: Pair) -> None:
    (topic,) = await new_topics(broker.kafka)
    metrics, unused = Metrics(), Metrics()
    async with (
        producing(broker.kafka, metrics, DEADLINE) as producer,
        # One that begins while there is no broker connects when there is.
        producing(broker.kafka, unused, DEADLINE) as early,
    ):
        assert await producer.publish(numbered(topic, 1)) == [0]
        await broker.kill("kafka")
        await early.start()
        await unavailable_in_time(lambda: producer.publish(numbered(topic, 3)))
        await unavailable_in_time(lambda: producer.publish(numbered(topic, 3)))
        assert metrics.producer_rebuilds._value.get() == 1
        await broker.start("kafka")
        offsets = await until_it_works(lambda: producer.publish(numbered(topic, 3)))
        offsets += await until_it_works(lambda: early.publish(numbered(topic, 2)))
        assert unused.producer_rebuilds._value.get() == 0
    values = [record.value async for record in read_all(broker.kafka, topic)]
    assert values[-5:] == [b"0", b"1", b"2", b"0", b"1"]
    assert offsets == list(range(len(values) - 5, len(values)))


async def test_who_waits_beside_a_publish_that_fails_is_told_at_once_and_what_was_given_up_never_comes(
    broker: Pair,
) -> None:
    topic, other = await new_topics(broker.kafka, count=2)
    before = asyncio.all_tasks()
    async with producing(broker.kafka, seconds=DEADLINE) as producer:
        await producer.publish([*numbered(topic, 1), *numbered(other, 1)])
        with silent(broker):
            beside = asyncio.create_task(producer.publish(numbered(other, 1)))
            # The first is on its way; the second waits in the producer until the first is answered.
            await asyncio.sleep(DEADLINE / 2)
            late = asyncio.create_task(producer.publish(numbered(topic, 2)))
            begun = time.monotonic()
            with pytest.raises(Unavailable):
                await beside
            with pytest.raises(Unavailable):
                await late
            assert time.monotonic() - begun < DEADLINE
        await until_it_works(lambda: producer.publish(numbered(topic, 1)))
    assert [record.value async for record in read_all(broker.kafka, topic)] == [b"0", b"0"]
    assert asyncio.all_tasks() == before


async def test_ends_are_refused_in_time_while_the_broker_is_silent_and_known_when_it_is_back(broker: Pair) -> None:
    (topic,) = await new_topics(broker.kafka)
    ends = Ends(broker.kafka, timedelta(seconds=DEADLINE))
    assert await ends.of([(topic, 0)]) == {(topic, 0): 0}
    with silent(broker):
        await unavailable_in_time(lambda: ends.of([(topic, 0)]))
        await unavailable_in_time(lambda: ends.of([(topic, 0)]))
    assert await until_it_works(lambda: _values(ends, topic)) == [0]
    await ends.stop()


async def test_a_reader_a_follower_and_a_look_up_go_on_after_a_restart_of_the_broker(broker: Pair) -> None:
    (topic,) = await new_topics(broker.kafka)
    reader, ends = _reader(broker, topic), Ends(broker.kafka)
    follower = Topic(broker.kafka, topic, quiet=timedelta(milliseconds=100)).follow([0])
    assert await ends.of([(topic, 0)]) == {(topic, 0): 0}
    async with producing(broker.kafka, seconds=DEADLINE) as producer, aclosing(follower):
        await producer.publish(numbered(topic, 2))
        assert await _read(reader, 2) == [b"0", b"1"]
        assert [record.offset for record in await anext(follower)] == [0, 1]
        await broker.restart("kafka")
        (offset,) = await until_it_works(lambda: producer.publish(numbered(topic, 1)))
        assert await until_it_works(lambda: _values(ends, topic)) == [offset + 1]
        assert b"0" in await _read(reader, 1)
        async with asyncio.timeout(SOON):
            while not await anext(follower):
                pass
    await ends.stop()
    await reader.stop()


@pytest.mark.long
async def test_a_reader_and_a_follower_that_are_told_nothing_for_long_say_so(broker: Pair) -> None:
    (topic,) = await new_topics(broker.kafka)
    reader = _reader(broker, topic)
    follower = Topic(broker.kafka, topic, quiet=timedelta(milliseconds=100)).follow([0])
    assert await _read(reader, 0) == []
    assert await anext(follower) == []
    async with asyncio.timeout(3 * SOON), aclosing(follower):
        with silent(broker):
            await _until_unavailable(lambda: reader.fetch(timedelta(milliseconds=100), 10))
            await _until_unavailable(lambda: anext(follower))
    async with producing(broker.kafka) as producer:
        await until_it_works(lambda: producer.publish(numbered(topic, 1)))
    assert await _read(reader, 1) == [b"0"]
    await reader.stop()


async def _until_unavailable(work: Callable[[], Awaitable[object]]) -> None:
    with suppress(Unavailable):
        while True:
            await work()


async def _values(ends: Ends, topic: str) -> list[int]:
    return list((await ends.of([(topic, 0)])).values())


def _reader(broker: Pair, topic: str) -> GroupReader:
    """One that has nothing saved, as everything is read again after each assignment."""

    async def positions(_: object) -> dict[tuple[str, int], int]:
        return {}

    async def told(_: object) -> None:
        return

    return GroupReader(broker.kafka, topic, "one", [topic], positions=positions, revoked=told, assigned=told)


async def _read(reader: GroupReader, count: int) -> list[bytes | None]:
    values: list[bytes | None] = []
    async with asyncio.timeout(3 * SOON):
        while len(values) < count or reader.numbers() is None:
            with suppress(Unavailable):
                values += [record.value for record in await reader.fetch(timedelta(milliseconds=200), 100)]
    return values
