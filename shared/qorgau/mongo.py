"""What our side collections share: safe writes, a deadline of our own on every operation, errors without their text.

The cases themselves are `store.py`'s; the client is made there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from pymongo import WriteConcern
from pymongo.errors import BulkWriteError, PyMongoError

from qorgau.errors import Unavailable

# An answer that takes longer is of no use to who waits for it.
DEADLINE = timedelta(seconds=5)
_DUPLICATE_KEY = 11000


def collection(database: Any, name: str) -> Any:
    """A collection whose acknowledged writes survive a crash; the address alone does not ask for that."""
    return database.get_collection(name, write_concern=WriteConcern(w="majority", j=True))


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
            result = error.details or {}
            failed = [problem for problem in result.get("writeErrors", []) if problem.get("code") != _DUPLICATE_KEY]
            if failed or result.get("writeConcernErrors"):
                raise
        return int(result.get("nMatched", 0)) + int(result.get("nUpserted", 0))
