"""`qorgau up` with the servers it brings along: they are there, kept from run to run, and gone when it is stopped."""

from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient

from tests.running import eventually, fakes, running, up

pytestmark = pytest.mark.long


async def topics(address: str, *new: str) -> set[str]:
    """The topics there are, after making new ones."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1) for name in new])
        return set(await admin.list_topics())
    finally:
        await admin.close()


async def test_the_servers_keep_their_addresses_and_what_is_in_them_and_end_with_the_rest(tmp_path: Path) -> None:
    env = {name: value for name, value in fakes(tmp_path).items() if not name.startswith("QORGAU_")}
    async with up(tmp_path / "data", env=env) as run:
        first = run.line
        assert len(first["pids"]["kafka"]) == len(first["pids"]["mongo"]) == 1
        assert "kept" in await topics(first["kafka"], "kept")
        client: AsyncIOMotorClient[dict[str, str]] = AsyncIOMotorClient(first["mongo"])
        await client.kept.kept.insert_one({"_id": "kept"})
        client.close()
        assert await run.stop() == (0, "")
        assert not any(running(pid) for pid in run.pids)
    async with up(tmp_path / "data", env=env) as run:
        assert {name: run.line[name] for name in ("kafka", "mongo", "services")} == {
            name: first[name] for name in ("kafka", "mongo", "services")
        }
        assert "kept" in await topics(run.line["kafka"])
        client = AsyncIOMotorClient(run.line["mongo"])
        assert await client.kept.kept.find_one() == {"_id": "kept"}
        client.close()
        run.process.kill()
        await eventually(lambda: not any(running(pid) for pid in run.pids))
