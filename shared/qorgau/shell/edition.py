"""Which edition of a service's projections is in force: what is made again from the log is made in new collections.

Their names carry the number of the edition, so nothing that a late writer of the edition before still writes can get
into the new one. `qorgau rebuild` begins an edition; whoever works with one notices by itself and moves on.
"""

import asyncio
import logging
import time
from datetime import timedelta
from typing import Any

from qorgau.errors import QorgauError
from qorgau.pausing import pause
from qorgau.shell.mongo import collection, deadline

# Everything that is in the log. What is not listed here (facts that wait for a reference, the number of partitions,
# the policies that were in force) is kept when the rest is made again.
PROJECTIONS = (
    *("cases", "context", "parked", "positions", "references", "flags", "followed", "shared", "waiting"),
    *("counted", "delays", "listed", "measured", "changed", "feeds", "heard"),
)
# How often those who write look whether another edition has begun.
CHECK_EVERY = timedelta(seconds=1)
# Those who only read need not ask in between.
_FOLLOW_EVERY = timedelta(seconds=1)
_NAME = "edition"
_log = logging.getLogger("qorgau")


class MadeAgain(QorgauError):
    """The edition this was done for is over; nothing that is known of it counts any more."""

    title = "The database is being made again"


class Edition:
    """The edition one user of a database works with. It stays the same until that user moves on."""

    def __init__(self, database: Any, number: int = 0) -> None:
        self.database = database
        self.number = number
        self._newest = number
        self._looked = float("-inf")
        self._collections: dict[tuple[str, bool], Any] = {}

    def collection(self, name: str, *, flushed: bool = False) -> Any:
        """One of PROJECTIONS in this edition. All of it can be made again; whoever goes on as if a write were safe
        writes `flushed`, or a barrier, before."""
        named = name_in(name, self.number), flushed
        if named not in self._collections:
            self._collections[named] = collection(self.database, named[0], flushed=flushed)
        return self._collections[named]

    async def is_over(self, as_of: timedelta = CHECK_EVERY) -> bool:
        """Whether a newer one has begun; the answer may be so old. Raises Unavailable."""
        begun = time.monotonic()
        if begun - self._looked >= as_of.total_seconds():
            self._newest = await newest(self.database)
            self._looked = begun
        return self._newest != self.number

    async def check(self) -> None:
        """Raises MadeAgain if a newer one has begun (as of CHECK_EVERY ago)."""
        if await self.is_over():
            raise MadeAgain

    def move(self, number: int | None = None) -> None:
        """Work with this edition from now on; without a number with the newest that was seen."""
        self.number = self._newest if number is None else number

    async def begin(self) -> None:
        """Look which is the newest and work with it. Safe to repeat."""
        if await self.is_over(timedelta()):
            self.move()

    def former(self) -> "Edition | None":
        """The edition before, which nobody moves; None before there was one."""
        return Edition(self.database, self.number - 1) if self.number else None

    async def follow(self, stopping: asyncio.Event) -> None:
        """Move on whenever a newer one begins, until it is time to stop."""
        while not stopping.is_set():
            try:
                if await self.is_over(_FOLLOW_EVERY):
                    self.move()
            except QorgauError as error:
                _log.debug("not seen which edition is in force: %s", error.title)
            await pause(stopping, _FOLLOW_EVERY)


def name_in(name: str, number: int) -> str:
    """How a projection is called in an edition; in the first one it has its own name."""
    return f"{name}_{number}" if number else name


async def newest(database: Any) -> int:
    """The number of the edition in force."""
    async with deadline():
        document = await collection(database, "deployment").find_one({"_id": _NAME})
    return int(document["number"]) if document else 0


async def begin_next(database: Any) -> int:
    """Put a new, empty edition with the same indexes in force; returns its number. Raises MadeAgain where somebody else
    has just done so."""
    number = await newest(database) + 1
    async with deadline():
        there = set(await database.list_collection_names())
    for name in PROJECTIONS:
        before = name_in(name, number - 1)
        if before in there:
            await _copy_indexes(database, before, name_in(name, number))
    deployment = collection(database, "deployment")
    async with deadline():
        await deployment.update_one({"_id": _NAME}, {"$setOnInsert": {"number": number - 1}}, upsert=True)
        put = await deployment.update_one({"_id": _NAME, "number": number - 1}, {"$set": {"number": number}})
        # Which cases were judged anew under a policy is said of cases that are judged from the beginning now.
        await deployment.delete_many({"_id": {"$regex": "^swept "}})
    if put.matched_count != 1:
        raise MadeAgain
    return number


async def drop_others(database: Any, number: int) -> None:
    """Throw away every edition but this one."""
    async with deadline():
        there = await database.list_collection_names()
    for name in there:
        base, _, suffix = name.partition("_")
        if base in PROJECTIONS and (not suffix or suffix.isdigit()) and name != name_in(base, number):
            async with deadline():
                await database.drop_collection(name)


async def _copy_indexes(database: Any, before: str, after: str) -> None:
    async with deadline():
        indexes = await database[before].index_information()
        for name, index in indexes.items():
            if name != "_id_":
                await database[after].create_index(index["key"], name=name)
