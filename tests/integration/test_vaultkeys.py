"""The command that turns the keys of a vault, as an operator types it."""

import asyncio
import json
import os
import sys
import time
import uuid
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from intake.vault.keyfile import KeyFile, ensure_keyfile, read_keyfile, rotate_keyfile
from intake.vaultkeys import SETTLED
from qorgau.embedded.pair import Pair
from qorgau.store import connect
from qorgau.vocabulary import INTAKE, database_name


@dataclass(frozen=True, slots=True)
class Operator:
    """A key file, a vault with cases under its keys, and the command."""

    file: Path
    mongo: str
    deployment: str
    vault: Any

    async def types(
        self, *arguments: str, mongo: str | None = None, deployment: str = ""
    ) -> tuple[int | None, list[dict[str, Any]], str]:
        """Status, rows and what is said on stderr."""
        address, name = self.mongo if mongo is None else mongo, deployment or self.deployment
        where = {"QORGAU_MONGO": address, "QORGAU_DATABASE": name}
        command = (sys.executable, "-m", "intake.vaultkeys", str(self.file), *arguments)
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, env={**os.environ, **where})
        out, err = await process.communicate()
        return process.returncode, [json.loads(line) for line in out.splitlines()], err.decode()

    async def wrap(self) -> None:
        """What intake does: the keys of three cases are under the current key."""
        provider = KeyFile(self.file).provider()
        await self.vault.delete_many({})
        for case in ("c0", "c1", "c2"):
            wrapped = await provider.wrap(bytes(32), case)
            await self.vault.insert_one({"_id": case, "kek": wrapped.kek, "key": {"value": wrapped.value}})

    def settled(self) -> None:
        """The keys turned a while ago."""
        then = time.time() - 2 * SETTLED.total_seconds()
        os.utime(self.file, (then, then))


@pytest.fixture
async def operator(pair: Pair, tmp_path: Path) -> AsyncIterator[Operator]:
    name, client = f"keys_{uuid.uuid4().hex[:8]}", connect(pair.mongo)
    database = client[database_name(name, INTAKE)]
    ensure_keyfile(tmp_path / "keys.json")
    made = Operator(tmp_path / "keys.json", pair.mongo, name, database["vault"])
    await made.wrap()
    yield made
    await client.drop_database(database.name)
    client.close()


async def test_keys_are_listed_with_what_they_wrap_and_never_shown(operator: Operator) -> None:
    status, rows, said = await operator.types()
    assert (status, rows, said) == (0, [{"key": "k1", "current": True, "cases": 3}], "")
    assert (await operator.types(mongo=""))[1] == [{"key": "k1", "current": True, "cases": None}]


async def test_a_key_is_retired_when_nothing_is_under_it_and_nothing_can_be_on_its_way(operator: Operator) -> None:
    old = read_keyfile(operator.file).keys["k1"]
    status, rows, _ = await operator.types("--rotate")
    assert status == 0
    # They are counted before it turns.
    assert rows == [{"key": "k1", "current": False, "cases": 3}, {"key": "k2", "current": True, "cases": 0}]
    operator.settled()
    status, rows, said = await operator.types("--retire", "k1")
    assert (status, rows, "wraps 3 cases" in said) == (2, [], True)
    await operator.wrap()
    os.utime(operator.file)
    assert "a moment ago" in (await operator.types("--retire", "k1"))[2]
    assert read_keyfile(operator.file).keys["k1"] == old
    operator.settled()
    assert (await operator.types("--retire", "k1"))[:2] == (0, [{"key": "k2", "current": True, "cases": 3}])
    assert list(read_keyfile(operator.file).keys) == ["k2"]


@pytest.mark.parametrize(
    ("arguments", "mongo", "says"),
    [
        (("--retire", "k7"), None, "no such key"),
        (("--retire", "k1"), None, "wraps 3 cases"),
        (("--retire", "k1"), "", "--mongo"),
        (("--rotate", "--retire", "k1"), None, "not allowed with"),
        (("--rotate",), "mongodb://127.0.0.1:1/?directConnection=true", "does not say"),
        (("--rotate",), "mongodb://[", "is none"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    operator: Operator, arguments: tuple[str, ...], mongo: str | None, says: str
) -> None:
    before = operator.file.read_bytes()
    operator.settled()
    status, rows, said = await operator.types(*arguments, mongo=mongo)
    assert (status, rows, says in said) == (2, [], True), said
    assert operator.file.read_bytes() == before


async def test_where_there_is_no_vault_nothing_is_retired(operator: Operator) -> None:
    await operator.types("--rotate")
    operator.settled()
    status, _, said = await operator.types("--retire", "k1", deployment="another")
    assert (status, "QORGAU_DATABASE" in said) == (2, True), said
    assert list(read_keyfile(operator.file).keys) == ["k1", "k2"]


async def test_the_file_of_index_secrets_is_not_taken_for_that_of_the_keys(operator: Operator, tmp_path: Path) -> None:
    secrets = replace(operator, file=tmp_path / "secrets.json")
    ensure_keyfile(secrets.file)
    for arguments in ((), ("--rotate",), ("--retire", "k1")):
        status, _, said = await secrets.types(*arguments)
        assert (status, "not those of this vault" in said) == (2, True), said
    for _ in range(2):
        rotate_keyfile(operator.file)
    await operator.wrap()
    status, _, said = await secrets.types("--rotate")
    assert (status, "not those of this vault" in said) == (2, True), said
    assert list(read_keyfile(secrets.file).keys) == ["k1"]
