"""Putting records into Kafka: one producer a process, whose acknowledgements are waited for and not for ever."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaProducer

from qorgau import telemetry, vocabulary
from qorgau.brokers import Address
from qorgau.bus.connecting import FAILURES, RETRY_AFTER, close_producer, options, within
from qorgau.bus.records import TRACEPARENT, Outgoing
from qorgau.errors import TooLarge, Unavailable
from qorgau.facts import Fact
from qorgau.front.envelope import Headers, to_kafka
from qorgau.telemetry import Metrics

# Whoever posted waits for it; longer than this and they rather send again.
SEND_WITHIN = timedelta(seconds=5)
# A little less than what a broker takes by default (1 MiB and some bytes), so that none of a batch is refused there.
MAX_RECORD = 1_040_000
_BATCH = 128 * 1024
_log = logging.getLogger("qorgau")


class Producer:
    """The one producer of a process; safe for many tasks at once, records of one key keep their order."""

    def __init__(self, address: Address, metrics: Metrics, timeout: timedelta = SEND_WITHIN) -> None:
        self._address = address
        self._metrics = metrics
        self._timeout = timeout
        self._line: _Line | None = None
        self._connecting = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect where Kafka is there; where it is not, `publish` will."""
        try:
            async with within(self._timeout):
                await self._connected()
        except Unavailable:
            _log.warning("Kafka does not answer yet; the producer connects when it does")

    async def stop(self) -> None:
        """Close; what still waits for an acknowledgement is Unavailable."""
        self._drop(self._line)
        if self._closing:
            await asyncio.wait(self._closing)

    async def publish(self, records: Sequence[Outgoing]) -> list[int]:
        """Send all, return their offsets in order when every one is acknowledged by all replicas.

        Raises Unavailable when that does not happen in time: then any of them may be in the log or not, and the caller
        repeats all. Raises TooLarge, before anything is sent, where one does not fit.
        """
        if not records:
            return []
        if any(record.size > MAX_RECORD for record in records):
            raise TooLarge("Send facts with less data.")
        line: _Line | None = None
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                line = await self._connected()
                return await line.send(records)
        except FAILURES as error:
            if line is not None and line is self._line:
                self._metrics.producer_rebuilds.inc()
                _log.warning("the producer is replaced: %s", type(error).__name__)
                self._drop(line)
            raise Unavailable from None

    async def _connected(self) -> "_Line":
        """The line there is, or a new one as soon as Kafka answers; the caller's deadline bounds it."""
        async with self._connecting:
            if self._closing:
                # What the old one had under way must not come out after what the new one repeats.
                await asyncio.wait(self._closing)
            while self._line is None:
                line = _Line(self._address, self._timeout)
                try:
                    await line.open()
                except FAILURES:
                    await asyncio.sleep(RETRY_AFTER.total_seconds())
                else:
                    self._line = line
            return self._line

    def _drop(self, line: "_Line | None") -> None:
        if line is None:
            return
        if line is self._line:
            self._line = None
        closing = asyncio.create_task(line.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


class _Line:
    """One connection of the producer, from its opening to its end; it is never mended."""

    def __init__(self, address: Address, timeout: timedelta) -> None:
        self._producer = AIOKafkaProducer(
            **options(address, timeout),
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=_BATCH,
            max_request_size=2 * MAX_RECORD,
        )
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        try:
            await self._producer.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End it at once, also for those who wait for an acknowledgement."""
        if not self._ended.done():
            self._ended.set_result(None)
        await close_producer(self._producer)

    async def send(self, records: Sequence[Outgoing]) -> list[int]:
        """The offsets of all, when all are acknowledged; raises one of FAILURES."""
        trace = telemetry.traceparent()
        acks: list[asyncio.Future[Any]] = []
        try:
            for record in records:
                headers = _traced(record.headers, trace)
                acks.append(await self._producer.send(record.topic, record.value, record.key, headers=headers))
            return [await self._offset(ack) for ack in acks]
        finally:
            _forget(acks)

    async def _offset(self, ack: "asyncio.Future[Any]") -> int:
        # Acknowledged in bunches: most are done when it is their turn.
        if not ack.done():
            await asyncio.wait({ack, self._ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ack.done():
            raise ConnectionAbortedError
        offset = int(ack.result().offset)
        if offset < 0:
            # Known to be in the log already, and not where.
            raise ConnectionAbortedError
        return offset


def _forget(acks: Sequence["asyncio.Future[Any]"]) -> None:
    for ack in acks:
        if not ack.cancel() and not ack.cancelled():
            ack.exception()


def _traced(headers: Headers, trace: str | None) -> Headers:
    if trace is None or any(name == TRACEPARENT for name, _ in headers):
        return headers
    return [*headers, (TRACEPARENT, trace.encode())]


class FactsLog:
    """The `FactLog` of posting.py: the facts topic of one service."""

    def __init__(self, producer: Producer, service: str) -> None:
        self._producer = producer
        self._topic = vocabulary.facts_topic(service)

    async def append(self, facts: Sequence[Fact]) -> None:
        """Return when every fact is in Kafka; raises Unavailable otherwise."""
        await self._producer.publish([Outgoing(self._topic, *to_kafka(fact)) for fact in facts])


class References:
    """The `ReferenceLog` of registering.py: the topic from which every service learns references."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    async def announce(self, digest: str, value: bytes) -> int:
        """Write a record with the digest as its key; return its offset when it is safe. Raises Unavailable."""
        record = Outgoing(vocabulary.REFERENCES_TOPIC, digest.encode(), value, [])
        return (await self._producer.publish([record]))[0]
