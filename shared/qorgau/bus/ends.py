"""Where partitions end: asked on a connection of its own, because on a reader's it would wait behind its long poll."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import timedelta

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.offset import OffsetRequest, OffsetResetStrategy
from aiokafka.structs import TopicPartition

from qorgau.brokers import Address
from qorgau.bus.connecting import FAILURES, RETRY_AFTER, close_client, open_client, within
from qorgau.bus.records import Place
from qorgau.errors import Unavailable

# A round that waits longer for one broker keeps the cases of all others waiting.
LOOK_UP_WITHIN = timedelta(seconds=2)
_ANY_REPLICA, _READ_UNCOMMITTED = -1, 0


class Ends:
    """Looks up the next offset of partitions; one a process, safe for several tasks at once."""

    def __init__(self, address: Address, timeout: timedelta = LOOK_UP_WITHIN) -> None:
        self._address = address
        self._timeout = timeout
        self._client: AIOKafkaClient | None = None
        self._connecting = asyncio.Lock()

    async def of(self, partitions: Collection[Place]) -> dict[Place, int]:
        """The next offset of each; what could not be looked up in time is missing. Raises Unavailable for nothing."""
        if not partitions:
            return {}
        async with within(self._timeout):
            client = await self._connected({topic for topic, _ in partitions})
        found = await ends_of(client, partitions, self._timeout)
        if len(found) < len(set(partitions)):
            client.force_metadata_update()
        if not found:
            await self.stop()
            raise Unavailable
        return found

    async def stop(self) -> None:
        """Close the connections; the next look-up makes new ones."""
        client, self._client = self._client, None
        if client is not None:
            await close_client(client)

    async def _connected(self, topics: Collection[str]) -> AIOKafkaClient:
        async with self._connecting:
            if self._client is None:
                self._client = await open_client(self._address, self._timeout)
            for topic in topics:
                await self._client.add_topic(topic)
            return self._client


async def partitions_of(client: AIOKafkaClient, topic: str) -> list[Place]:
    """All partitions of a topic, by number; waits for a topic that is just being made, bounded by the caller."""
    await client.add_topic(topic)
    while not (numbers := client.cluster.partitions_for_topic(topic)):
        await asyncio.sleep(RETRY_AFTER.total_seconds())
        await client.force_metadata_update()
    return [(topic, number) for number in sorted(numbers)]


async def ends_of(client: AIOKafkaClient, partitions: Collection[Place], patience: timedelta) -> dict[Place, int]:
    """The ends that the leaders of these partitions tell in time; the others are missing."""
    asked: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for topic, number in partitions:
        leader = client.cluster.leader_for_partition(TopicPartition(topic, number))
        if leader is not None and leader >= 0:
            asked[leader][topic].append((number, OffsetResetStrategy.LATEST))
    tasks = [asyncio.create_task(_ask(client, leader, topics)) for leader, topics in asked.items()]
    if not tasks:
        return {}
    try:
        await asyncio.wait(tasks, timeout=patience.total_seconds())
    finally:
        for task in tasks:
            task.cancel()
    return {place: end for task in tasks if task.done() for place, end in task.result().items()}


async def _ask(client: AIOKafkaClient, leader: int, topics: Mapping[str, list[tuple[int, int]]]) -> dict[Place, int]:
    try:
        answer = await client.send(leader, OffsetRequest(_ANY_REPLICA, _READ_UNCOMMITTED, list(topics.items())))
    except FAILURES:
        return {}
    return {
        (topic, number): offset
        for topic, partitions in answer.topics
        for number, error, _, offset in partitions
        if error == 0
    }
