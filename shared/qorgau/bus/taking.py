"""Taking records out of a consumer, also those that the library cannot read: they come without what is in them.

The library fails of a header whose name is not UTF-8, and with it of everything it has taken out of its buffers:
anybody who may write to a topic could stop its readers for good.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from qorgau.bus.connecting import milliseconds
from qorgau.bus.records import Incoming, incoming
from qorgau.errors import Unavailable

UNREADABLE = "a header's name is not UTF-8"
_GLANCE = 0.02


async def taken(consumer: AIOKafkaConsumer, wait: timedelta, most: int) -> list[Incoming]:
    """What came, at most so much, or nothing after the wait.

    Raises what the library raises, or Unavailable; the consumer must not be used after either.
    """
    assignment = _assignment(consumer)
    before = _positions(assignment)
    try:
        batches = await consumer.getmany(timeout_ms=milliseconds(wait), max_records=most)
    except UnicodeDecodeError:
        if _assignment(consumer) is not assignment:
            raise Unavailable from None
        await _go_back(consumer, before)
        return await _one_of_each(consumer, wait)
    return [incoming(record) for batch in batches.values() for record in batch]


async def _go_back(consumer: AIOKafkaConsumer, before: Mapping[TopicPartition, int]) -> None:
    """Stand where it stood; a partition of which that was not known has given nothing since it was assigned."""
    for partition in consumer.assignment():
        offset = before.get(partition)
        if offset is None:
            offset = await consumer.committed(partition)
        if offset is None:
            await consumer.seek_to_beginning(partition)
        else:
            consumer.seek(partition, offset)


async def _one_of_each(consumer: AIOKafkaConsumer, wait: timedelta) -> list[Incoming]:
    """The next record of each partition that has one."""
    found: list[Incoming] = []
    for _ in range(max(1, round(wait.total_seconds() / _GLANCE))):
        for partition in consumer.assignment():
            try:
                batches = await consumer.getmany(partition, max_records=1)
            except UnicodeDecodeError:
                offset = await consumer.position(partition)
                consumer.seek(partition, offset + 1)
                found.append(_without_content(partition, offset))
            else:
                found += [incoming(record) for batch in batches.values() for record in batch]
        if found:
            break
        await asyncio.sleep(_GLANCE)
    return found


def _without_content(partition: TopicPartition, offset: int) -> Incoming:
    return Incoming(partition.topic, partition.partition, offset, None, [], None, 0, UNREADABLE)


def _assignment(consumer: AIOKafkaConsumer) -> Any:
    """The library's own note of what was assigned, another one after every assignment; None before the first."""
    subscription = consumer._subscription.subscription
    return None if subscription is None else subscription.assignment


def _positions(assignment: Any) -> dict[TopicPartition, int]:
    """Where each partition stands, without asking anybody; those of which that is not known yet are missing."""
    states = {} if assignment is None else {place: assignment.state_value(place) for place in assignment.tps}
    return {place: state.position for place, state in states.items() if state and state.has_valid_position}
