"""`qorgau up` with the servers it brings along: they are there, kept from run to run, and gone when it is stopped."""

import asyncio
import os
import signal
from pathlib import Path

import httpx2
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


async def answers(url: str) -> bool:
    """Whether the service says that it does its work now."""
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
        try:
            return (await client.get(f"{url}/readyz")).status_code == 200
        except httpx2.TransportError:
            return False


async def until_ready(url: str) -> None:
    for _ in range(450):
        if await answers(url):
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"{url} did not come back")


async def test_the_services_are_ready_come_back_after_a_kill_and_stop_in_order(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with up(data, "--replicas", "police-dispatch=2", env={}) as run:
        assert all([await answers(url) for url in run.line["services"].values()])
        (pid,) = run.line["pids"]["court-tracker"]
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: not running(pid))
        await until_ready(run.line["services"]["court-tracker"])
        assert await run.stop() == (0, "")
        assert not any(running(pid) for pid in run.pids)
    for log in sorted((data / "logs").glob("*-1.log")):
        said = log.read_text(encoding="utf-8")
        assert "cut off" not in said, said
        assert "ended by" not in said, said
