"""Reading the topics that agencies write to themselves: whatever there is of them, shared among the replicas."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from qorgau.brokers import Address
from qorgau.bus.connecting import ANSWER_WITHIN, FAILURES, close_consumer, milliseconds, options, within
from qorgau.bus.following import fetched
from qorgau.bus.records import Incoming, Place
from qorgau.errors import Unavailable

# An agency's new topic is found within this.
FOUND_AFTER = timedelta(seconds=5)
_TOPICS = r"^qorgau\.inbound\.(?!.*\.dlq$).+"


class InboundReader:
    """One member of a service's group on all inbound topics; reads on from what the group has committed."""

    def __init__(self, address: Address, group: str, instance: str) -> None:
        self._settings = {
            **options(address, ANSWER_WITHIN),
            "metadata_max_age_ms": milliseconds(FOUND_AFTER),
            "group_id": group,
            # Under its lasting name a replica that is started again goes on at once, not after a session timeout.
            "group_instance_id": instance,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
        }
        self._consumer: AIOKafkaConsumer | None = None

    async def fetch(self, wait: timedelta, most: int) -> list[Incoming]:
        """What came, at most so much, or nothing after the wait. Raises Unavailable, and then begins anew."""
        try:
            consumer = await self._started()
            async with asyncio.timeout(wait.total_seconds() + ANSWER_WITHIN.total_seconds()):
                return await fetched(consumer, wait, most)
        except (*FAILURES, Unavailable):
            await self.stop()
            raise Unavailable from None

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Whatever lies before these offsets is done. Raises Unavailable; it is then read again."""
        if self._consumer is None or not offsets:
            return
        try:
            async with within(ANSWER_WITHIN):
                await self._consumer.commit({TopicPartition(*place): offset for place, offset in offsets.items()})
        except Unavailable:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Leave; whoever reads on begins at what was committed."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await close_consumer(consumer)

    async def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = self._consumer = AIOKafkaConsumer(**self._settings)
            async with within(ANSWER_WITHIN * 2):
                consumer.subscribe(pattern=_TOPICS)
                await consumer.start()
        return self._consumer
