"""A bare loop: fetch, find, constant bulk write, produce, commit, with the shell's batches, clients and durability, and
nothing in between. It is what the shell is compared with; no fact is read, nothing is judged."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord
from pymongo import InsertOne, ReplaceOne

from benchmarks.rig import Rig
from benchmarks.typical import BATCH, Typical
from qorgau.bus import Outgoing
from qorgau.bus.group import FETCH_BYTES, PARTITION_BYTES
from qorgau.shell.inflow import AT_ONCE
from qorgau.shell.mongo import barrier, collection
from qorgau.vocabulary import FACTS_TOPICS, dlq

# A topic that nobody reads, so that the events of the loop are nobody's flags.
_EVENTS = dlq(FACTS_TOPICS[0])
_DATABASE = "bare"
PATIENCE = 30.0


@dataclass(slots=True)
class Bare:
    """One such loop."""

    rig: Rig
    consumer: AIOKafkaConsumer
    typical: Typical
    commands: int = 0
    _owed: float = 0.0
    _cases: Any = field(init=False)

    def __post_init__(self) -> None:
        self._cases = collection(self.rig.client[_DATABASE], "cases", flushed=False)

    async def run(self, facts: int) -> tuple[float, float]:
        """So many facts; seconds of the wall and of this process."""
        begun, spent, done = time.perf_counter(), time.process_time(), 0
        heard = begun
        while done < facts:
            records = await self._batch(min(BATCH, facts - done))
            if records:
                await self._apply(records)
                done, heard = done + len(records), time.perf_counter()
            elif time.perf_counter() - heard > PATIENCE:
                raise TimeoutError("the log gives nothing although there is more")
        return time.perf_counter() - begun, time.process_time() - spent

    async def _batch(self, most: int) -> list[ConsumerRecord]:
        records: list[ConsumerRecord] = []
        while len(records) < most:
            batches = await self.consumer.getmany(timeout_ms=1_000, max_records=min(AT_ONCE, most - len(records)))
            if not batches:
                break
            records += [record for batch in batches.values() for record in batch]
        return records

    async def _apply(self, records: Sequence[ConsumerRecord]) -> None:
        keys = list(dict.fromkeys(record.key.decode() for record in records))
        found = {document["_id"] for document in await self._cases.find({"_id": {"$in": keys}}).to_list(None)}
        writes = [self._write(key, key in found) for key in keys]
        await self._cases.bulk_write(writes, ordered=False)
        await barrier(self.rig.client[_DATABASE], "bare")
        await self.rig.producer.publish(self._events(len(records)))
        await self.consumer.commit()
        # The driver sends new documents and others apart.
        self.commands += 2 + len({type(write) for write in writes})

    def _write(self, key: str, known: bool) -> Any:
        document = {**self.typical.document, "_id": key}
        return ReplaceOne({"_id": key, "v": document["v"]}, document) if known else InsertOne(document)

    def _events(self, facts: int) -> list[Outgoing]:
        self._owed += facts * self.typical.events_of_a_fact
        number = math.floor(self._owed)
        self._owed -= number
        event = self.typical.event
        headers = event.headers("bare", "0")
        return [Outgoing(_EVENTS, b"%d" % place, event.value.encode(), headers) for place in range(number)]


@asynccontextmanager
async def bare_loop(rig: Rig, typical: Typical) -> AsyncIterator[Bare]:
    """The loop, which reads from the end of the log as it is now."""
    consumer = AIOKafkaConsumer(
        *FACTS_TOPICS,
        bootstrap_servers=rig.pair.kafka,
        group_id="bare",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=PARTITION_BYTES,
        fetch_max_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        # The library has no event for it.
        while not consumer.assignment():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        yield Bare(rig, consumer, typical)
    finally:
        await consumer.stop()
