"""How clients of aiokafka are opened and, above all, closed: bounded, and for good.

Closing reaches into the library (its version is pinned): its own `stop` flushes for ever while the broker is away, and
a client that is merely dropped goes on in the background, sends what nobody waits for and keeps its place in a group.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import ConsumerStoppedError, IllegalOperation, KafkaError

from qorgau.brokers import Address, Brokers
from qorgau.errors import Unavailable

# What a client may raise when Kafka is not as it should be; the texts can hold what was sent, and go no further.
FAILURES = (KafkaError, ConsumerStoppedError, IllegalOperation, OSError, TimeoutError)
# A look-up that takes longer is of no use to the round that waits for it.
ANSWER_WITHIN = timedelta(seconds=5)
CLOSE_WITHIN = timedelta(seconds=2)
RETRY_AFTER = timedelta(milliseconds=100)


def milliseconds(span: timedelta) -> int:
    """How aiokafka wants durations."""
    return int(span.total_seconds() * 1000)


def options(address: Address, patience: timedelta) -> dict[str, Any]:
    """What every client is given: where Kafka is and how it is spoken to, and how long one request may take."""
    brokers = Brokers(address) if isinstance(address, str) else address
    # Its debug lines repeat keys and values.
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    return {
        "bootstrap_servers": brokers.address,
        "client_id": "qorgau",
        "request_timeout_ms": milliseconds(patience),
        "retry_backoff_ms": milliseconds(RETRY_AFTER),
        # A moved leader is noticed by its answer; this is for what nobody asks.
        "metadata_max_age_ms": milliseconds(timedelta(minutes=1)),
        **_security(brokers),
    }


def _security(brokers: Brokers) -> dict[str, Any]:
    found: dict[str, Any] = {"security_protocol": brokers.protocol}
    if brokers.encrypted:
        found["ssl_context"] = _trust(brokers.ca_file)
    if (login := brokers.login) is not None:
        found["sasl_mechanism"] = login.mechanism
        found["sasl_plain_username"] = login.username
        found["sasl_plain_password"] = login.password.get_secret_value()
    return found


@lru_cache(maxsize=4)
def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates and the names in them are checked; nothing older than TLS 1.2."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@asynccontextmanager
async def within(limit: timedelta) -> AsyncIterator[None]:
    """Inside it Kafka answers in time, or Unavailable is raised."""
    try:
        async with asyncio.timeout(limit.total_seconds()):
            yield
    except FAILURES:
        raise Unavailable from None


async def open_client(address: Address, patience: timedelta = ANSWER_WITHIN) -> AIOKafkaClient:
    """A connected client without a consumer or producer, for look-ups."""
    client = AIOKafkaClient(**options(address, patience))
    try:
        await client.bootstrap()
    except BaseException:
        await close_client(client)
        raise
    return client


async def close_client(client: AIOKafkaClient) -> None:
    """Close its connections; never fails, never takes long."""
    await _end(client.close())


async def close_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer with all it does in the background; a static member keeps its place in the group."""
    await _end(consumer.stop())
    coordinator, fetcher = consumer._coordinator, consumer._fetcher
    tasks = [getattr(coordinator, name, None) for name in ("_coordination_task", "_heartbeat_task")]
    tasks += [getattr(coordinator, name, None) for name in ("_commit_refresh_task", "_reset_committed_task")]
    tasks += [getattr(fetcher, "_fetch_task", None), *getattr(fetcher, "_pending_tasks", ())]
    await _cancel(*tasks)
    await close_client(consumer._client)


async def close_producer(producer: AIOKafkaProducer) -> None:
    """Give up on whatever is not acknowledged yet: nothing of it is sent again after this."""
    sender = producer._sender.sender_task
    if sender is not None:
        # First no new request, then an end to those under way, which the sender waits for.
        sender.cancel()
        for connection in list(producer.client._conns.values()):
            connection.close()
        await asyncio.wait({sender}, timeout=CLOSE_WITHIN.total_seconds())
        await _cancel(sender)
    await close_client(producer.client)
    # It is closed, only not by its own `stop`.
    producer._closed = True


async def _end(closing: Any) -> None:
    """Await a closing that may hang, or end in the cancellation of one of its own tasks."""
    task = asyncio.ensure_future(closing)
    await asyncio.wait({task}, timeout=CLOSE_WITHIN.total_seconds())
    await _cancel(task)


async def _cancel(*tasks: "asyncio.Future[Any] | None") -> None:
    given = [task for task in tasks if task is not None]
    running = [task for task in given if task.cancel()]
    if running:
        await asyncio.wait(running, timeout=CLOSE_WITHIN.total_seconds())
    for task in given:
        if task.done():
            # Looked at, so that nobody reports it as never looked at.
            with suppress(asyncio.CancelledError):
                task.exception()
