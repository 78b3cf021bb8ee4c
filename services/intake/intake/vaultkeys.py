"""`python -m intake.vaultkeys FILE`: the keys in a vault's key file, what each of them wraps, and how they turn.

A service reads the file again by itself, so nothing is restarted. Never shows a key.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qorgau.arguments import add_mongo, deployment, mongo_of
from qorgau.output import write_rows

if TYPE_CHECKING:
    from intake.vault.keys import Keyring

OK, REFUSED = 0, 2
# Longer than a report that was sealed before a rotation takes until it is written.
SETTLED = timedelta(seconds=90)
_WORDS = (
    "Lists the keys of a vault's key file with the number of cases whose data key each of them wraps, a row a key. "
    "After --rotate intake wraps all cases under the new key within seconds; a key that wraps none can be retired."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Does what is asked for; returns 0, or 2 where it cannot be."""
    from qorgau.errors import QorgauError
    from qorgau.starting import StartRefused

    arguments = _parser().parse_args(argv)
    try:
        return _run(arguments.file, arguments.rotate, arguments.retire, mongo_of(arguments))
    except StartRefused as error:
        sys.stderr.write(f"{error}\n")
    except QorgauError as error:
        sys.stderr.write(f"The database does not say what each key wraps: {error.title}.\n")
    return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m intake.vaultkeys", description=_WORDS)
    parser.add_argument("file", metavar="FILE", type=Path, help="the file of QORGAU_VAULT_KEY_FILE")
    add_mongo(parser)
    turn = parser.add_mutually_exclusive_group()
    turn.add_argument("--rotate", action="store_true", help="make a new key and let it be the current one")
    turn.add_argument("--retire", metavar="ID", help="take a key that wraps nothing any more out of the file")
    return parser


def _run(file: Path, rotate: bool, retire: str | None, mongo: str | None) -> int:
    from intake.vault.keyfile import read_keyfile, retire_key, rotate_keyfile
    from qorgau.starting import StartRefused

    wraps = asyncio.run(_wrapped(mongo, read_keyfile(file)))
    if rotate:
        wraps[rotate_keyfile(file)] = 0 if mongo else None
    if retire is not None:
        if retire not in wraps:
            raise StartRefused("The file has no such key.")
        if not mongo:
            raise StartRefused("Say where the database is, to see what the key wraps: --mongo, or QORGAU_MONGO.")
        if wraps[retire]:
            raise StartRefused(f"The key wraps {wraps[retire]} cases; intake wraps them anew. Ask again in a moment.")
        if time.time() - file.stat().st_mtime < SETTLED.total_seconds():
            raise StartRefused("The keys turned a moment ago; a report may be on its way under the old one. Ask again.")
        retire_key(file, retire)
    ring = read_keyfile(file)
    write_rows({"key": name, "current": name == ring.current, "cases": wraps.get(name)} for name in ring.keys)
    return OK


async def _wrapped(mongo: str | None, ring: "Keyring") -> dict[str, int | None]:
    """How many cases each key wraps; nobody knows without the database. Raises StartRefused, Unavailable."""
    from pymongo.errors import ConfigurationError

    from intake.settings import Settings
    from intake.vault.book import COLLECTION
    from qorgau.shell.mongo import collection, deadline
    from qorgau.starting import StartRefused
    from qorgau.store import connect
    from qorgau.vocabulary import database_name

    if not mongo:
        return dict.fromkeys(ring.keys)
    try:
        client = connect(mongo)
    except (ConfigurationError, ValueError):
        raise StartRefused("The address of the database is none; see --mongo and QORGAU_MONGO.") from None
    try:
        database = client[database_name(deployment(), Settings.service)]
        async with deadline():
            # An empty database of another name would say that no key wraps anything.
            if COLLECTION not in await database.list_collection_names():
                raise StartRefused("There is no vault; is QORGAU_DATABASE what it is for intake?")
            vault = collection(database, COLLECTION)
            wraps: dict[str, int | None] = {name: int(await vault.count_documents({"kek": name})) for name in ring.keys}
            await _check_file(vault, ring, [name for name, cases in wraps.items() if cases])
            return wraps
    finally:
        client.close()


async def _check_file(vault: Any, ring: "Keyring", wrapping: Sequence[str]) -> None:
    """Raises StartRefused where these are not the keys of the vault: the file of index secrets looks alike, and its
    keys wrap nothing."""
    from intake.vault.sealing import Unsealable, unwrap_key
    from qorgau.starting import StartRefused

    try:
        for name in wrapping:
            case = await vault.find_one({"kek": name}, {"key": 1})
            if case is not None:
                unwrap_key(bytes(case["key"]["value"]), ring.keys[name], name, case["_id"])
        if wrapping or await vault.find_one({"kek": {"$gt": ""}}, {"_id": 1}) is None:
            return
    except Unsealable:
        pass
    raise StartRefused("The keys of this file are not those of this vault; is it that of QORGAU_VAULT_KEY_FILE?")


if __name__ == "__main__":
    sys.exit(main())
