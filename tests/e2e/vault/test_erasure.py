"""What was erased is gone from the bytes of a compacted database, and what an old copy holds opens nothing.

Shown are three things. Destroyed in the document, the case's wrapped key and its sealed fields are in no document, log
of writes or journal any more as soon as these have run out. Free blocks of the files hold them until the database is
written anew (rewriting.py), and then nothing does. And once the key-encryption key was rotated and the old one retired,
a copy that somebody kept of the old files opens nothing: not even the sealed fields and the wrapped key together.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from intake.vault.keyfile import KeyFile
from intake.vault.keys import Wrapped
from intake.vault.sealing import Unsealable
from qorgau.embedded.process import Process
from qorgau.vocabulary import INTAKE
from tests.e2e.live.test_persons import CENTRE, opened, read, told
from tests.e2e.live.world import databases
from tests.e2e.stack import Row, Stack, eventually
from tests.e2e.vault.rewriting import rewritten
from tests.e2e.vault.rotating import rotated_and_retired

_SHORT_MEMORY = "[oplog]\nretention_seconds = 0\nmax_entries = 1\n"


async def test_what_is_erased_is_in_no_byte_of_the_compacted_database(stack: Stack) -> None:
    folder, server = stack.system.backing.folder / "mongo", stack.system.pair.processes["mongo"]
    erased, kept = [await opened(stack, f"erasure-{number}") for number in range(2)]
    await eventually(lambda: is_told(stack, erased))
    before = await documents(stack, erased, kept)
    mine, other = secrets_of(before[erased]), secrets_of(before[kept])
    ring = KeyFile(stack.system.backing.folder / "vault-keys.json")
    wrapped = Wrapped(before[erased]["key"]["kek"], bytes(before[erased]["key"]["value"]))
    assert await ring.provider().unwrap(wrapped, erased)
    await written(stack)
    assert found(folder, mine) == set(mine)

    answer = await told(stack, f"/cases/{erased}/erase", CENTRE, {"reason": "survivor_request"}, "erasure")
    assert answer.status_code == 200, answer.text
    after = (await documents(stack, erased))[erased]
    assert (after["key"], after["indexes"], [report["fields"] for report in after["reports"]]) == (None, [], [[]])
    await forgotten(stack, folder, server)
    # A folder that was compacted by cutting and moving, as it is, still shows what this test is about.
    old = folder / "db-before"
    (folder / "db").rename(old)
    assert await rewritten(old, folder / "db") > 10
    assert found(old, mine) != set()
    assert found(folder / "db", mine) == set()
    assert found(folder / "db", other) == set(other)
    shutil.rmtree(old)

    await server.start()
    await eventually(lambda: answers(stack, erased, 410))
    await eventually(lambda: answers(stack, kept, 200))
    await written(stack)
    assert found(folder / "db", mine) == set()
    await rotated_and_retired(stack)
    with pytest.raises(Unsealable):
        await ring.provider().unwrap(wrapped, erased)
    await eventually(lambda: answers(stack, kept, 200))


async def is_told(stack: Stack, case: str) -> None:
    assert (await documents(stack, case))[case]["pending"] == 0


async def answers(stack: Stack, case: str, status: int) -> None:
    answer = await read(stack, case, CENTRE, "support")
    assert answer.status_code == status, answer.text


async def documents(stack: Stack, *cases: str) -> dict[str, Row]:
    async with databases(stack) as by_service:
        found: list[Row] = await by_service[INTAKE]["vault"].find({"_id": {"$in": cases}}).to_list(None)
    return {document["_id"]: document for document in found}


def secrets_of(document: Row) -> dict[str, bytes]:
    """The bytes that must go: the case's wrapped key, and each sealed field by its name."""
    sealed = {name: bytes(value) for report in document["reports"] for name, value in report["fields"]}
    return {"key": bytes(document["key"]["value"]), **sealed}


def found(folder: Path, secrets: dict[str, bytes]) -> set[str]:
    """Which of these bytes are in which files, whatever their server thinks of them."""
    contents = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    return {name for name, value in secrets.items() if any(value in content for content in contents)}


async def written(stack: Stack) -> None:
    """Have the server write what it has in memory."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(stack.system.backing.mongo)
    try:
        await client.admin.command("fsync")
    finally:
        client.close()


async def forgotten(stack: Stack, folder: Path, server: Process) -> None:
    """Let the server's log of writes run out, as it does by itself after an hour, and stop it."""
    await server.stop()
    (folder / "server.toml").write_text(_SHORT_MEMORY, encoding="utf-8")
    await server.start()
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(stack.system.backing.mongo)
    try:
        await client.admin.command("secantusAdmin.pruneOplog")
    finally:
        client.close()
    await server.stop()
    (folder / "server.toml").write_text("", encoding="utf-8")
