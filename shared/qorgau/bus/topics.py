"""Making the topics a deployment needs, and refusing one that is not as it must be."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient

from qorgau.brokers import Address
from qorgau.bus.connecting import ANSWER_WITHIN, FAILURES, RETRY_AFTER, close_client, milliseconds, options, within
from qorgau.bus.ends import ends_of, partitions_of
from qorgau.errors import QorgauError

# A broker that was just started elects leaders one after the other.
READY_WITHIN = timedelta(seconds=60)
REPLICATION = 3
_FOR_EVER = -1


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How a topic must be: its partitions, and how long a record is kept (None: for ever)."""

    partitions: int
    retention: timedelta | None = None


class TopicMismatch(QorgauError):
    """A topic is there and is not as this deployment needs it; going on would break what depends on it."""

    slug, title = "topic-mismatch", "A topic is not as this deployment needs it"


async def prepare_topics(
    address: Address,
    topics: Mapping[str, TopicSpec],
    *,
    replication: int = REPLICATION,
    patience: timedelta = READY_WITHIN,
) -> None:
    """Make what is missing and return when the leader of every partition answers; several services may do it at once.

    There are as many replicas as asked for, or as there are brokers. Raises TopicMismatch where a topic has another
    number of partitions, Unavailable where it takes too long.
    """
    async with within(patience):
        while True:
            # Another service may be faster, a broker may not be there yet: what counts is what is seen next.
            with suppress(*FAILURES):
                async with _admin(address) as admin:
                    if await _prepared(admin, topics, replication) and await _answer(admin._client, topics):
                        return
            await asyncio.sleep(RETRY_AFTER.total_seconds())


async def _prepared(admin: AIOKafkaAdminClient, topics: Mapping[str, TopicSpec], replication: int) -> bool:
    """Whether all is as it must be; makes what is missing."""
    # All topics are listed: asking for one by name could make the broker create it with its own settings.
    found = {topic["topic"]: topic for topic in await admin.describe_topics() if topic["error_code"] == 0}
    for name, spec in topics.items():
        _check(name, spec, found.get(name))
    missing = {name: spec for name, spec in topics.items() if name not in found}
    if missing:
        brokers = len((await admin.describe_cluster())["brokers"])
        replicas = max(1, min(replication, brokers))
        await admin.create_topics([_new(name, spec, replicas) for name, spec in missing.items()])
    return not missing and all(_led(found[name]) for name in topics)


async def topic_names(address: Address, patience: timedelta = ANSWER_WITHIN) -> list[str]:
    """The names of all topics, sorted. Raises Unavailable."""
    async with within(patience), _admin(address) as admin:
        return sorted(topic["topic"] for topic in await admin.describe_topics() if not topic["is_internal"])


@asynccontextmanager
async def _admin(address: Address) -> AsyncIterator[AIOKafkaAdminClient]:
    settings = options(address, ANSWER_WITHIN)
    admin = AIOKafkaAdminClient(**settings)
    try:
        await admin.start()
        yield admin
    finally:
        await close_client(admin._client)


def _check(name: str, spec: TopicSpec, found: Mapping[str, Any] | None) -> None:
    count = spec.partitions if found is None else len(found["partitions"])
    if count != spec.partitions:
        raise TopicMismatch(
            f"The topic {name} has {count} partitions and this deployment is set to {spec.partitions}. The number is "
            f"fixed when a deployment begins: set it to {count} again, or begin a new one with empty topics."
        )


def _led(found: Mapping[str, Any]) -> bool:
    return all(partition["leader"] >= 0 for partition in found["partitions"])


async def _answer(client: AIOKafkaClient, topics: Collection[str]) -> bool:
    """Whether every leader knows that it is one; it is told later than those who ask who it is."""
    places = [place for topic in topics for place in await partitions_of(client, topic)]
    return len(await ends_of(client, places, ANSWER_WITHIN)) == len(places)


def _new(name: str, spec: TopicSpec, replicas: int) -> NewTopic:
    kept = _FOR_EVER if spec.retention is None else milliseconds(spec.retention)
    configs = {
        "cleanup.policy": "delete",
        "retention.ms": str(kept),
        "retention.bytes": str(_FOR_EVER),
        # Acknowledged means: in more than one place, and still possible while one broker is being restarted.
        "min.insync.replicas": str(max(1, replicas - 1)),
    }
    if spec.retention is not None:
        # Only whole segments are deleted: with a new one every quarter nothing stays much longer than it may.
        configs["segment.ms"] = str(max(60_000, kept // 4))
    return NewTopic(name, spec.partitions, replicas, topic_configs=configs)
