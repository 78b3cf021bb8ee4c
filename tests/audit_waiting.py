"""Entries that wait for the audit chain, one a document; run as a program it relays them and dies where it is told."""

import asyncio
import sys
from collections.abc import Collection, Sequence
from typing import Any

from qorgau.audit.book import AuditBook
from qorgau.audit.chain import Actor, Entry
from qorgau.audit.relay import Audit
from qorgau.shell import crash
from qorgau.store import connect
from qorgau.vocabulary import INTAKE


def entry(number: int) -> Entry:
    return Entry(f"e{number}", 1_776_000_000_000_000 + number, "person.read", Actor("102/KZ-75", "desk-3"), "c1")


class Waiting:
    """A `Pending`."""

    def __init__(self, database: Any) -> None:
        self._waiting = database.waiting
        self.emptied = asyncio.Event()

    async def add(self, count: int, first: int = 0) -> None:
        await self._waiting.insert_many([{"_id": number} for number in range(first, first + count)])

    async def left(self) -> int:
        return int(await self._waiting.count_documents({}))

    async def pending(self, numbers: Collection[int], limit: int) -> Sequence[Entry]:
        found = await self._waiting.find({}).sort("_id", 1).limit(limit).to_list(None)
        return [entry(document["_id"]) for document in found]

    async def clear(self, entries: Sequence[Entry]) -> None:
        await self._waiting.delete_many({"_id": {"$in": [int(one.entry_id[1:]) for one in entries]}})
        self.emptied.set()


async def main(mongo: str, name: str, deployment: str, point: str) -> None:
    """Relay once; it ends at the point."""
    database = connect(mongo)[name]
    nowhere: Any = None
    audit = Audit(AuditBook(database, INTAKE, deployment), nowhere, lambda: (0,), [Waiting(database)])
    crash.arm(point)
    await audit.relay()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
