"""A rotation of the keys that wrap the vault's keys, from a new key in the file to the old ones taken out of it."""

import json

from intake.vault.keyfile import retire_key, rotate_keyfile
from qorgau.vocabulary import INTAKE
from tests.e2e.live.world import databases
from tests.e2e.stack import Stack, eventually


async def rotated_and_retired(stack: Stack) -> str:
    """Rotate, wait until every record is wrapped by the new key, and retire the others; the id of the new one."""
    file = stack.system.backing.folder / "vault-keys.json"
    new = rotate_keyfile(file)

    async def wrapped_anew() -> None:
        async with databases(stack) as by_service:
            assert await by_service[INTAKE]["vault"].distinct("kek", {"kek": {"$ne": None}}) == [new]

    await eventually(wrapped_anew)
    for old in json.loads(file.read_text(encoding="utf-8"))["keys"].keys() - {new}:
        retire_key(file, old)
    return new
