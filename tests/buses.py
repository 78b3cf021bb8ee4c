"""What the tests of the bus share: topics of their own, a producer that is closed in the end."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from qorgau.bus import Outgoing, Producer, TopicSpec, prepare_topics
from qorgau.telemetry import Metrics

SOON = 30.0


async def new_topics(address: str, count: int = 1, partitions: int = 1) -> list[str]:
    """Topics nobody else uses."""
    names = [f"bus-test-{uuid.uuid4().hex}" for _ in range(count)]
    await prepare_topics(address, dict.fromkeys(names, TopicSpec(partitions)))
    return names


@asynccontextmanager
async def producing(address: str, metrics: Metrics | None = None, seconds: float = 5) -> AsyncIterator[Producer]:
    """A producer, stopped in the end."""
    producer = Producer(address, metrics or Metrics(), timedelta(seconds=seconds))
    try:
        yield producer
    finally:
        await producer.stop()


def numbered(topic: str, count: int, key: bytes = b"key") -> list[Outgoing]:
    """Records of one key with their number as the value."""
    return [Outgoing(topic, key, b"%d" % number, []) for number in range(count)]
