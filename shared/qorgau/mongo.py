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


async def write_all(target: Any, operations: list[Any]) -> None:
    """An unordered bulk write in which losing a race for a key is no error: what is there is as new or newer."""
    if not operations:
        return
    async with deadline():
        try:
            await target.bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            details = error.details or {}
            failed = [problem for problem in details.get("writeErrors", []) if problem.get("code") != _DUPLICATE_KEY]
            if failed or details.get("writeConcernErrors"):
                raise
