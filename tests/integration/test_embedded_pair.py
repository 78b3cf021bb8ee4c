"""The embedded pair: what was acknowledged is there after every kind of end, on its old ports; nothing stays up."""

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern

from qorgau.embedded.pair import Pair, embedded_pair
from qorgau.embedded.process import StartRefused

BACK_WITHIN = timedelta(seconds=60)


def running(pid: int) -> bool:
    """A zombie that nobody has collected yet is not running."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@asynccontextmanager
async def documents(uri: str) -> AsyncIterator[Any]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(uri, serverSelectionTimeoutMS=10_000)
    safely = WriteConcern(w="majority", j=True)
    try:
        yield client.get_database("pair_test").get_collection("kept", write_concern=safely)
    finally:
        client.close()


async def produce(address: str, topic: str, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True) as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def read_all(address: str, topic: str) -> list[bytes]:
    async with AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while await consumer.position(partition) < end:
            batch = await consumer.getmany(partition, timeout_ms=1_000)
            values += [record.value for record in batch.get(partition, ())]
        return values


async def create_topic(address: str) -> str:
    topic = f"pair-test-{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    return topic


async def test_an_acknowledged_document_survives_kill_9_of_the_database(pair: Pair) -> None:
    case = uuid.uuid4().hex
    async with documents(pair.mongo) as kept:
        for number in range(20):
            await kept.insert_one({"case": case, "number": number})
        before = pair.pids["mongo"]
        await pair.restart("mongo")
        assert pair.pids["mongo"] != before
        assert [row["number"] async for row in kept.find({"case": case}).sort("number")] == list(range(20))


async def test_an_acknowledged_record_survives_kill_9_of_kafka(pair: Pair) -> None:
    topic = await create_topic(pair.kafka)
    values = [b"%d" % number for number in range(20)]
    await produce(pair.kafka, topic, *values)
    before = pair.pids["kafka"]
    await pair.processes["kafka"].crash()
    await pair.processes["kafka"].wait_ready(BACK_WITHIN)
    assert pair.pids["kafka"] != before
    assert await read_all(pair.kafka, topic) == values
    await produce(pair.kafka, topic, b"after")
    assert await read_all(pair.kafka, topic) == [*values, b"after"]


async def test_a_second_pair_on_the_same_folder_is_refused(pair: Pair) -> None:
    folder = pair.processes["kafka"].log_file.parents[1]
    with pytest.raises(StartRefused, match=f"in use by process {os.getpid()}"):
        async with embedded_pair(folder):
            pytest.fail("two brokers on one log")


UP = """
import asyncio, json, sys
from pathlib import Path
from qorgau.embedded.pair import embedded_pair
async def main():
    async with embedded_pair(Path(sys.argv[1])) as pair:
        print(json.dumps([pair.kafka, pair.mongo, list(pair.pids.values())]), flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


async def test_a_killed_run_leaves_nothing_and_the_next_one_finds_all_in_its_old_place(tmp_path: Path) -> None:
    data = tmp_path / "with, a comma and 'spaces'"
    first = await asyncio.create_subprocess_exec(sys.executable, "-c", UP, str(data), stdout=asyncio.subprocess.PIPE)
    try:
        assert first.stdout is not None
        kafka, mongo, pids = json.loads(await asyncio.wait_for(first.stdout.readline(), BACK_WITHIN.total_seconds()))
        topic = await create_topic(kafka)
        await produce(kafka, topic, b"kept")
        async with documents(mongo) as kept:
            await kept.insert_one({"_id": "kept"})
    finally:
        first.kill()
        await first.wait()
    async with embedded_pair(data) as again:
        assert not any(running(pid) for pid in pids)
        assert (again.kafka, again.mongo) == (kafka, mongo)
        assert await read_all(again.kafka, topic) == [b"kept"]
        async with documents(again.mongo) as kept:
            assert await kept.find_one() == {"_id": "kept"}
        pids = list(again.pids.values())
    assert len(pids) == 2
    assert not any(running(pid) for pid in pids)


async def test_servers_that_are_given_are_used_and_not_started(tmp_path: Path) -> None:
    async with embedded_pair(tmp_path, kafka="broker.example:9092", mongo="mongodb://db.example/") as pair:
        assert (pair.kafka, pair.mongo, pair.processes) == ("broker.example:9092", "mongodb://db.example/", {})
