"""What our side collections share: safe writes, a deadline of our own on every operation, errors without their text.

The cases themselves are `store.py`'s; the client is made there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from pymongo import InsertOne, UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError, PyMongoError

from qorgau.errors import Unavailable

# An answer that takes longer is of no use to who waits for it.
DEADLINE = timedelta(seconds=5)
_DUPLICATE_KEY = 11000


def collection(database: Any, name: str, *, flushed: bool = True) -> Any:
    """A collection whose acknowledged writes survive a crash; the address alone does not ask for that.

    Not `flushed`, a crash of the server may take the last of them: for what can be made again, or is followed by a
    `barrier`. A server may flush each document of a bulk write by itself, which takes longer than all the rest.
    """
    return database.get_collection(name, write_concern=WriteConcern(w="majority", j=True if flushed else None))


async def barrier(
    database: Any, name: str, limit: timedelta = DEADLINE, *, seen: Sequence[tuple[Any, Mapping[str, Any]]] = ()
) -> None:
    """Return when everything this process was told to be written before survives a crash: a server's journal is in
    order, so one flushed write is enough. Raises Unavailable; whether the writes survive is then unknown.

    A server that died after the writes and came back before the barrier has lost them and flushes it all the same. So
    of each command the last document is `seen` again: a collection, and a query that finds it only as it was written.
    """
    async with deadline(limit):
        await collection(database, "barriers").replace_one({"_id": name}, {"at": time.time()}, upsert=True)
        for target, query in seen:
            if await target.find_one(query, {"_id": 1}) is None:
                raise Unavailable


@asynccontextmanager
async def deadline(limit: timedelta = DEADLINE) -> AsyncIterator[None]:
    """Within it the database answers in time, or Unavailable is raised; its own words may hold what was stored."""
    try:
        async with asyncio.timeout(limit.total_seconds()):
            yield
    except (TimeoutError, PyMongoError):
        raise Unavailable from None


async def write_all(target: Any, operations: list[Any], limit: timedelta = DEADLINE) -> int:
    """An unordered bulk write in which losing a race for a key is no error: what is there is as new or newer.

    Returns how many documents were matched or inserted."""
    if not operations:
        return 0
    async with deadline(limit):
        try:
            result = (await target.bulk_write(operations, ordered=False)).bulk_api_result
        except BulkWriteError as error:
            result = only_keys_taken(error)
        return sum(int(result.get(name, 0)) for name in ("nMatched", "nUpserted", "nInserted"))


async def keep_once(target: Any, documents: Sequence[Mapping[str, Any]], name: str, limit: timedelta) -> None:
    """Write what is not there yet so that it survives a crash; what is there under its `_id` stays. `name`: of the
    writer, for its barrier."""
    if documents:
        writes = [UpdateOne({"_id": one["_id"]}, {"$setOnInsert": without_id(one)}, upsert=True) for one in documents]
        await write_all(target, writes, limit)
        await barrier(target.database, name, limit, seen=[(target, {"_id": documents[-1]["_id"]})])


def without_id(document: Mapping[str, Any]) -> dict[str, Any]:
    """What an update may set of a document."""
    return {name: value for name, value in document.items() if name != "_id"}


async def insert_all(
    target: Any, documents: Sequence[Mapping[str, Any]], limit: timedelta = DEADLINE, *, ordered: bool = False
) -> set[int]:
    """A bulk insert; the places of the documents that were not written because their key is there already, which is no
    error: `ordered`, also of all that come after the first of them."""
    async with deadline(limit):
        try:
            await target.bulk_write([InsertOne(document) for document in documents], ordered=ordered)
        except BulkWriteError as error:
            taken = {int(problem["index"]) for problem in only_keys_taken(error)["writeErrors"]}
            return set(range(min(taken), len(documents))) if ordered else taken
    return set()


def only_keys_taken(error: BulkWriteError) -> dict[str, Any]:
    """What a bulk write did that lost nothing but races for keys; raises the error where anything else went wrong."""
    result: dict[str, Any] = {"writeErrors": [], **(error.details or {})}
    if result.get("writeConcernErrors") or any(one.get("code") != _DUPLICATE_KEY for one in result["writeErrors"]):
        raise error
    return result
