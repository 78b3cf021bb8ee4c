"""Reading as one of a group on the real broker: who reads what, from where on, and what a rebalance must not lose."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest

from qorgau.bus import GroupReader, Incoming, Outgoing, Place, partition_of
from qorgau.embedded.pair import Pair
from qorgau.errors import Unavailable
from tests.buses import SOON, new_topics, numbered, producing

WAIT = timedelta(milliseconds=200)
# The shortest a broker allows; a rebalance is noticed at a fifth of it.
SESSION = timedelta(seconds=6)


@dataclass
class Member:
    """A reader with a database in memory, shared with the others of its group, that files what it reads."""

    reader: GroupReader = field(init=False)
    saved: dict[Place, int] = field(default_factory=dict)
    told: list[tuple[str, tuple[Place, ...]]] = field(default_factory=list)
    filed: list[Incoming] = field(default_factory=list)
    working: asyncio.Lock = field(default_factory=asyncio.Lock)
    down: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def positions(self, places: Collection[Place]) -> Mapping[Place, int]:
        self.asked.set()
        if self.down:
            raise Unavailable
        return {place: self.saved[place] for place in places if place in self.saved}

    async def revoked(self, places: Collection[Place]) -> None:
        async with self.working:
            self.told.append(("revoked", tuple(places)))

    async def assigned(self, places: Collection[Place]) -> None:
        async with self.working:
            self.told.append(("assigned", tuple(places)))

    async def turn(self) -> list[Incoming]:
        """Fetch, file, save, commit, as a tracker does."""
        async with self.working:
            records = await self.reader.fetch(WAIT, 100)
            self.filed += records
            self.saved.update({record.place: record.offset + 1 for record in records})
            await self.reader.commit({record.place: record.offset + 1 for record in records})
            return records

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            while not reached():
                await self.turn()

    @property
    def offsets(self) -> list[int]:
        return [record.offset for record in self.filed]


class Group:
    """The members of one group on topics of its own."""

    def __init__(self, address: str, topics: list[str]) -> None:
        self.address = address
        self.topics = topics
        self.name = f"bus-test-{uuid.uuid4().hex}"
        self.saved: dict[Place, int] = {}
        self.members: list[Member] = []

    def member(self, instance: str, saved: dict[Place, int] | None = None) -> Member:
        made = Member(saved=self.saved if saved is None else saved)
        made.reader = GroupReader(
            self.address,
            self.name,
            instance,
            self.topics,
            positions=made.positions,
            revoked=made.revoked,
            assigned=made.assigned,
            session_timeout=SESSION,
        )
        self.members.append(made)
        return made


@pytest.fixture
async def groups(pair: Pair) -> AsyncIterator[Callable[[list[str]], Group]]:
    made: list[Group] = []

    def group(topics: list[str]) -> Group:
        made.append(Group(pair.kafka, topics))
        return made[-1]

    yield group
    for member in [member for one in made for member in one.members]:
        await member.reader.stop()


Groups = Callable[[list[str]], Group]


async def test_two_readers_share_the_numbers_alike_on_every_topic_and_one_comes_back_unnoticed(
    pair: Pair, groups: Groups
) -> None:
    topics = await new_topics(pair.kafka, count=3, partitions=5)
    group = groups(topics)
    one, two = group.member("one"), group.member("two")
    await one.reader.start()
    await one.until(lambda: one.reader.numbers() == frozenset(range(5)))
    joining = asyncio.create_task(two.reader.start())
    await one.until(joining.done)
    await joining
    await two.until(lambda: two.reader.numbers() is not None)
    await one.until(lambda: one.reader.numbers() is not None)
    shares = one.reader.numbers(), two.reader.numbers()
    assert sorted(map(len, filter(None, shares))) == [2, 3]
    assert shares[0] | shares[1] == frozenset(range(5))  # type: ignore[operator]
    assert one.reader.owned() == {(topic, number) for topic in topics for number in shares[0] or ()}

    # Whoever goes and comes back within its session (the leader too) has its old share, and nobody else is told.
    for gone, stays, share, other in ((two, one, shares[1], shares[0]), (one, two, shares[0], shares[1])):
        told = list(stays.told)
        await gone.reader.stop()
        assert gone.reader.numbers() is None
        await gone.until(lambda gone=gone: gone.reader.numbers() is not None)  # type: ignore[misc]
        one.filed, two.filed = [], []
        async with producing(pair.kafka) as producer:
            await producer.publish([Outgoing(topics[0], b"key %d" % n, b"", []) for n in range(50)])
        await gone.until(lambda gone=gone, share=share: _numbers_of(gone.filed) == share)  # type: ignore[misc]
        await stays.until(lambda stays=stays, other=other: _numbers_of(stays.filed) == other)  # type: ignore[misc]
        assert (gone.reader.numbers(), stays.reader.numbers()) == (share, other)
        assert stays.told == told


async def test_a_reader_is_not_ready_while_its_numbers_differ_between_topics(pair: Pair, groups: Groups) -> None:
    group = groups([*await new_topics(pair.kafka, partitions=2), *await new_topics(pair.kafka, partitions=3)])
    reader = group.member("one")
    await reader.reader.start()
    async with asyncio.timeout(SOON):
        while not reader.reader.owned():
            await reader.turn()
    assert reader.reader.numbers() is None


@pytest.mark.parametrize(
    ("committed", "saved", "begins"),
    [(3, 2, 2), (3, 4, 3), (3, None, 0), (None, 4, 0), (None, None, 0), (3, 0, 0)],
)
async def test_reading_begins_at_the_smaller_of_what_is_committed_and_what_is_saved(
    pair: Pair, groups: Groups, committed: int | None, saved: int | None, begins: int
) -> None:
    (topic,) = await new_topics(pair.kafka)
    group = groups([topic])
    async with producing(pair.kafka) as producer:
        await producer.publish(numbered(topic, 6))
    if committed is not None:
        before = group.member("before")
        await before.until(lambda: len(before.filed) == 6)
        await before.reader.commit({(topic, 0): committed})
        await before.reader.stop()
    reader = group.member("before", saved={} if saved is None else {(topic, 0): saved})
    assert reader.reader.position((topic, 0)) is None
    await reader.until(lambda: len(reader.filed) >= 6 - begins)
    assert reader.offsets == list(range(begins, 6))
    assert reader.reader.position((topic, 0)) == 6


async def test_nothing_is_given_out_before_the_saved_positions_are_known(pair: Pair, groups: Groups) -> None:
    (topic,) = await new_topics(pair.kafka)
    group = groups([topic])
    async with producing(pair.kafka) as producer:
        await producer.publish(numbered(topic, 6))
    before = group.member("one")
    await before.until(lambda: len(before.filed) == 6)
    await before.reader.commit({(topic, 0): 3})
    await before.reader.stop()
    reader = group.member("one", saved={(topic, 0): 1})
    reader.down = True
    await reader.reader.start()
    async with asyncio.timeout(SOON):
        await reader.asked.wait()
        reader.asked.clear()
        # Asked a second time, long after the first records are there to be taken from the committed position on.
        while not reader.asked.is_set():
            assert await reader.turn() == []
    assert reader.reader.owned() == frozenset()
    reader.down = False
    await reader.until(lambda: len(reader.filed) >= 5)
    assert reader.offsets == [1, 2, 3, 4, 5]


async def test_no_record_is_lost_while_readers_come_and_go(pair: Pair, groups: Groups) -> None:
    topics = await new_topics(pair.kafka, count=2, partitions=4)
    group = groups(topics)
    stopping = asyncio.Event()
    expected: set[tuple[str, bytes]] = set()

    async def produce() -> None:
        async with producing(pair.kafka) as producer:
            turn = 0
            while not stopping.is_set():
                records = [Outgoing(topic, b"%d" % turn, b"%d" % turn, []) for topic in topics]
                await producer.publish(records)
                expected.update((record.topic, record.key) for record in records)
                turn += 1
                await asyncio.sleep(0.005)

    async def work(member: Member) -> None:
        while True:
            with suppress(Unavailable):
                await member.turn()

    one, two = group.member("one"), group.member("two")
    tasks = [asyncio.create_task(work(one))]
    producing_task = asyncio.create_task(produce())
    try:
        await _until(lambda: len(one.filed) > 50)
        tasks.append(asyncio.create_task(work(two)))
        await _until(lambda: len(two.filed) > 50)
        await two.reader.rebuild()
        seen = len(two.filed)
        await _until(lambda: len(two.filed) > seen + 50)
        stopping.set()
        await producing_task
        await _until(lambda: {(r.topic, r.key) for m in group.members for r in m.filed} == expected)
    finally:
        for task in (*tasks, producing_task):
            task.cancel()
        await asyncio.wait((*tasks, producing_task))
    for member in group.members:
        for number in range(4):
            assert _rising_again(member.filed, (topics[0], number))


async def test_a_fetch_is_bounded_and_keeps_the_order_of_a_partition(pair: Pair, groups: Groups) -> None:
    (topic,) = await new_topics(pair.kafka, partitions=2)
    member = groups([topic]).member("one")
    async with producing(pair.kafka) as producer:
        await producer.publish([Outgoing(topic, b"%d" % number, b"x" * 100, []) for number in range(1_000)])
    await member.until(lambda: len(member.filed) > 0)
    while len(member.filed) < 1_000:
        records = await member.reader.fetch(timedelta(seconds=SOON), 7)
        assert 0 < len(records) <= 7
        member.filed += records
    for number in (0, 1):
        offsets = [record.offset for record in member.filed if record.partition == number]
        assert offsets == list(range(len(offsets)))
    assert all(record.partition == partition_of(record.key or b"", 2) for record in member.filed)


async def test_a_position_that_cannot_be_committed_is_no_error(pair: Pair, groups: Groups) -> None:
    topic, other = await new_topics(pair.kafka, count=2)
    member = groups([topic]).member("one")
    await member.reader.commit({(topic, 0): 1})
    await member.until(lambda: member.reader.numbers() is not None)
    await member.reader.commit({(other, 0): 1, (topic, 7): 1})
    await member.reader.commit({})


async def test_a_reader_without_kafka_says_so_and_leaves_nothing_running() -> None:
    before = asyncio.all_tasks()
    member = Group("127.0.0.1:1", ["topic"]).member("one")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await member.reader.fetch(WAIT, 1)
    assert member.reader.numbers() is None
    assert asyncio.all_tasks() == before


async def test_a_stopped_reader_leaves_nothing_running(pair: Pair, groups: Groups) -> None:
    before = asyncio.all_tasks()
    member = groups(await new_topics(pair.kafka)).member("one")
    await member.until(lambda: member.reader.numbers() is not None)
    await member.reader.rebuild()
    await member.reader.stop()
    assert asyncio.all_tasks() == before


def _numbers_of(records: list[Incoming]) -> frozenset[int]:
    return frozenset(record.partition for record in records)


def _rising_again(records: list[Incoming], place: Place) -> bool:
    """Within one assignment offsets rise by one; a new one may begin before, and never after, what was filed."""
    offsets = [record.offset for record in records if record.place == place]
    return all(later <= sooner + 1 for sooner, later in pairwise(offsets))


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not reached():  # noqa: ASYNC110  # what is awaited is told by no event
            await asyncio.sleep(0.02)
