"""Reading topics as one of a group: the same partition numbers of every topic, from the position that is safe."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.structs import TopicPartition

from qorgau.brokers import Address
from qorgau.bus.connecting import ANSWER_WITHIN, FAILURES, close_consumer, milliseconds, options, within
from qorgau.bus.following import SILENT, check_heard
from qorgau.bus.records import Incoming, Place
from qorgau.bus.taking import taken
from qorgau.errors import Unavailable

# A replica that is started again within it comes back to its partitions without disturbing the others.
SESSION_TIMEOUT = timedelta(seconds=15)
# How long the others are waited for: they notice at their next heartbeat and save what they have in hand.
REBALANCE_TIMEOUT = timedelta(seconds=20)
HEARTBEATS_A_SESSION = 5
PARTITION_BYTES = 256 * 1024
FETCH_BYTES = 8 * 1024 * 1024
# Not worth more of a round's time: the database has the positions too.
COMMITTED_WITHIN = timedelta(seconds=2)
# Between two attempts to learn where to begin.
PAUSE = timedelta(milliseconds=500)
SLACK = timedelta(milliseconds=100)
_log = logging.getLogger("qorgau")

Saved = Callable[[Collection[Place]], Awaitable[Mapping[Place, int]]]
Told = Callable[[Collection[Place]], Awaitable[None]]


class GroupReader:
    """One member of a group, by a name of its own that survives a restart.

    At every assignment each partition begins at the smaller of what the group has committed and what the database has
    saved (`positions`); what is missing on either side counts as 0. `revoked` is told before partitions go to others
    and may still commit; `assigned` when the starts are known. Both may wait for whoever is in `fetch`, which takes
    hardly longer than its wait, unless it has to join the group again.
    """

    def __init__(
        self,
        address: Address,
        group: str,
        instance: str,
        topics: Collection[str],
        *,
        positions: Saved,
        revoked: Told,
        assigned: Told,
        session_timeout: timedelta = SESSION_TIMEOUT,
        rebalance_timeout: timedelta = REBALANCE_TIMEOUT,
        max_partition_fetch_bytes: int = PARTITION_BYTES,
        fetch_max_bytes: int = FETCH_BYTES,
    ) -> None:
        self.topics = tuple(topics)
        self._saved = positions
        self._revoked = revoked
        self._assigned = assigned
        self._rebalance_timeout = rebalance_timeout
        # Joining a group is answered when the others have joined too.
        patience = rebalance_timeout + ANSWER_WITHIN
        self._settings = {
            **options(address, patience),
            "group_id": group,
            "group_instance_id": instance,
            "partition_assignment_strategy": (RangePartitionAssignor,),
            "session_timeout_ms": milliseconds(session_timeout),
            "heartbeat_interval_ms": milliseconds(session_timeout / HEARTBEATS_A_SESSION),
            "rebalance_timeout_ms": milliseconds(rebalance_timeout),
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "max_partition_fetch_bytes": max_partition_fetch_bytes,
            "fetch_max_bytes": fetch_max_bytes,
        }
        self._joined_within = patience + ANSWER_WITHIN
        self._consumer: AIOKafkaConsumer | None = None
        self._settling: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._at: dict[Place, int] = {}
        self._nothing_since = 0.0
        self._joining = asyncio.Lock()

    async def start(self) -> None:
        """Join the group; returns with an assignment. Raises Unavailable, and may be called again then."""
        async with self._joining:
            if self._consumer is None:
                await self._join()

    async def _join(self) -> None:
        consumer = self._consumer = AIOKafkaConsumer(**self._settings)
        listener = _Listener(self._on_revoked, partial(self._on_assigned, consumer))
        try:
            async with within(self._joined_within):
                consumer.subscribe(self.topics, listener=listener)
                await consumer.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop reading; the place in the group is kept for a session timeout. Nobody is told `revoked`."""
        consumer, self._consumer = self._consumer, None
        self._unsettle()
        if consumer is not None:
            await close_consumer(consumer)

    async def rebuild(self) -> None:
        """Replace a consumer that is alive and stuck. Raises Unavailable; then `fetch` goes on trying."""
        await self.stop()
        await self.start()

    async def fetch(self, wait: timedelta, max_records: int) -> list[Incoming]:
        """The next records, at most so many, each partition in order; nothing where none came or none may be read yet.

        Raises Unavailable; the next call then makes a new consumer, which begins at the saved positions again.
        """
        await self.start()
        await self._until_settled(wait)
        consumer = self._consumer
        if consumer is None:
            raise Unavailable
        try:
            records = await self._taken(consumer, wait if self._settled.is_set() else timedelta(), max_records)
            # What was taken while the starts were not known yet is read again from there.
            if not self._settled.is_set() or consumer is not self._consumer:
                return []
            if not records:
                await self._nothing_came(consumer)
        except Unavailable:
            # What the library had already taken out of its buffers is lost with the error.
            if consumer is self._consumer:
                await self.stop()
            raise
        if records:
            self._nothing_since = 0.0
        for record in records:
            self._at[record.place] = record.offset + 1
        return records

    def owned(self) -> frozenset[Place]:
        """The partitions that are read now; none while they are being handed out."""
        return frozenset(self._at) if self._settled.is_set() else frozenset()

    def numbers(self) -> frozenset[int] | None:
        """The partition numbers owned on every topic; None while that differs or nothing is settled: not ready."""
        if not self._settled.is_set():
            return None
        by_topic: dict[str, set[int]] = defaultdict(set)
        for topic, number in self._at:
            by_topic[topic].add(number)
        alike = {frozenset(by_topic[topic]) for topic in self.topics}
        return alike.pop() if len(alike) == 1 else None

    def position(self, place: Place) -> int | None:
        """The next offset that `fetch` gives of a partition; None where it is not owned."""
        return self._at.get(place) if self._settled.is_set() else None

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Tell the group how far it is. That it cannot be told is no error: the database has the positions too."""
        consumer = self._consumer
        owned = () if consumer is None else consumer.assignment()
        wanted = {TopicPartition(*place): offset for place, offset in offsets.items() if place in owned}
        if consumer is None or not wanted:
            return
        try:
            async with asyncio.timeout(COMMITTED_WITHIN.total_seconds()):
                await consumer.commit(wanted)
        except FAILURES as error:
            _log.debug("positions not committed: %s", type(error).__name__)

    async def _on_revoked(self, places: Collection[Place]) -> None:
        """Partitions go to others when this returns."""
        self._unsettle()
        if not places:
            return
        try:
            async with asyncio.timeout(self._rebalance_timeout.total_seconds() / 2):
                await self._revoked(places)
        except Exception as error:
            # It is read again by whoever gets it; nothing is lost but the work.
            _log.warning("not all was saved before partitions went to others: %s", type(error).__name__)

    def _on_assigned(self, consumer: AIOKafkaConsumer, places: Collection[Place]) -> None:
        """No heartbeat is sent before this returns, so the starts are looked up in a task of its own."""
        self._unsettle()
        if consumer is self._consumer:
            self._settling = asyncio.create_task(self._settle(consumer, places))

    def _unsettle(self) -> None:
        self._settled.clear()
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None

    async def _settle(self, consumer: AIOKafkaConsumer, places: Collection[Place]) -> None:
        """Find where each partition begins, and begin there; goes on trying until the next assignment."""
        while True:
            try:
                self._at = await self._starts(consumer, places)
                await self._assigned(places)
                break
            except Exception as error:
                _log.warning("the positions to begin at are not known yet: %s", type(error).__name__)
                await asyncio.sleep(PAUSE.total_seconds())
        # Without a pause between them: no record is given out that was taken before its partition stood at its start.
        for place, offset in self._at.items():
            consumer.seek(TopicPartition(*place), offset)
        self._settled.set()

    async def _starts(self, consumer: AIOKafkaConsumer, places: Collection[Place]) -> dict[Place, int]:
        saved = await self._saved(places)
        async with within(ANSWER_WITHIN):
            committed = await asyncio.gather(*(consumer.committed(TopicPartition(*place)) for place in places))
        return {place: min(offset or 0, saved.get(place, 0)) for place, offset in zip(places, committed, strict=True)}

    async def _until_settled(self, wait: timedelta) -> None:
        if self._settled.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                await self._settled.wait()

    async def _taken(self, consumer: AIOKafkaConsumer, wait: timedelta, max_records: int) -> list[Incoming]:
        try:
            # While partitions are handed out anew the library waits without an end; nothing is taken then.
            async with asyncio.timeout((wait + SLACK).total_seconds()):
                return await taken(consumer, wait, max_records)
        except TimeoutError:
            return []
        except FAILURES:
            raise Unavailable from None

    async def _nothing_came(self, consumer: AIOKafkaConsumer) -> None:
        """Positions may move all the same, past what is no longer kept; and a consumer may look alive and not be."""
        at = self._at
        with suppress(*FAILURES):
            async with asyncio.timeout(SLACK.total_seconds()):
                for place in at:
                    at[place] = await consumer.position(TopicPartition(*place))
        now = time.time()
        self._nothing_since = self._nothing_since or now
        if now - self._nothing_since > SILENT.total_seconds():
            check_heard(consumer, self._nothing_since)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the library ships no types
    """Hears of rebalances for one consumer of the reader."""

    def __init__(self, revoked: Callable[[list[Place]], Awaitable[None]], assigned: Callable[[list[Place]], None]):
        self._revoked = revoked
        self._assigned = assigned

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        await self._revoked(_places(revoked))

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._assigned(_places(assigned))


def _places(partitions: Collection[TopicPartition]) -> list[Place]:
    return sorted((partition.topic, partition.partition) for partition in partitions)
