"""The vault in the database: one document a case, outside the editions, because nothing else can make it again.

Reports that come at the same time are written together and flushed once; each is answered when it is safe. Kafka may be
away: a report then waits in its document until it is told.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne

from qorgau.errors import QorgauError, Unavailable
from qorgau.facts import Fact
from qorgau.front.posting import FactLog
from qorgau.shell.documents import fact_document, fact_of_document
from qorgau.shell.mongo import barrier, collection, deadline, insert_all, write_all

# As many as are told at once; what is left comes with the next look.
AT_ONCE = 500
# So many may wait for their turn to be written; more are refused, and come again.
WAITING = 2_000


class VaultBook:
    """Opens cases, and is the `Reported` of the tracker. `number_of`: the partition of a case."""

    def __init__(self, database: Any, number_of: Callable[[str], int], log: FactLog) -> None:
        self._database = database
        self._cases = collection(database, "vault", flushed=False)
        self._number_of = number_of
        self._log = log
        self._queue: list[tuple[dict[str, Any], asyncio.Future[bool]]] = []
        self._working: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Create the index; safe to repeat."""
        async with deadline():
            await self._cases.create_index([("pending", 1)])

    async def open_case(self, fact: Fact) -> Fact:
        """Write the case with this fact; return the fact as stored, an older one where the case has it already. Raises
        Unavailable where it cannot be made durable, or too many wait."""
        case = str(fact.case)
        document = {"_id": case, "p": self._number_of(case), "facts": [fact_document(fact)], "pending": 1}
        if await self._insert(document):
            return fact
        known = [one for one in await self.of_case(case) if one.identity == fact.identity]
        if not known:
            raise Unavailable
        return known[0]

    async def _insert(self, document: dict[str, Any]) -> bool:
        """Whether it is written; False where the case is there."""
        if len(self._queue) >= WAITING:
            raise Unavailable("Too many reports at once; send this one again in a moment.")
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.append((document, written))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._write())
        return await written

    async def _write(self) -> None:
        """Write what waits, and what comes meanwhile, until nothing does."""
        while self._queue:
            batch, self._queue = self._queue[:AT_ONCE], self._queue[AT_ONCE:]
            documents = [document for document, _ in batch]
            try:
                known = await insert_all(self._cases, documents)
                await barrier(self._database, "vault")
            except QorgauError as error:
                _fail([written for _, written in batch], error)
                continue
            for place, (_, written) in enumerate(batch):
                if not written.done():
                    written.set_result(place not in known)
            self._tell_soon([document for place, document in enumerate(documents) if place not in known])

    def _tell_soon(self, documents: Sequence[Mapping[str, Any]]) -> None:
        # Not part of the answer: the reports are safe, and Kafka may take its time.
        if documents:
            task = asyncio.create_task(self._tell_quietly(documents))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell_quietly(self, documents: Sequence[Mapping[str, Any]]) -> None:
        try:
            await self._tell(documents)
        except QorgauError:
            # The next look of the tracker finds them.
            return

    async def _tell(self, documents: Sequence[Mapping[str, Any]]) -> None:
        await self._log.append([fact_of_document(fact) for document in documents for fact in document["facts"]])
        told = [UpdateOne({"_id": document["_id"]}, {"$set": {"pending": 0}}) for document in documents]
        await write_all(self._cases, told)

    async def reporting(self, numbers: Collection[int]) -> Collection[str]:
        """The cases of these partitions with a report that may not be in the log yet."""
        async with deadline():
            found = self._cases.find({"pending": 1, "p": {"$in": sorted(numbers)}}, {"_id": 1})
            return {document["_id"] for document in await found.to_list(None)}

    async def tell(self, numbers: Collection[int]) -> None:
        """Write what waits for these partitions into the log, then forget that it waits. Repeating it is safe."""
        while True:
            async with deadline():
                found = self._cases.find({"pending": 1, "p": {"$in": sorted(numbers)}}).limit(AT_ONCE)
                documents = await found.to_list(None)
            if documents:
                await self._tell(documents)
            if len(documents) < AT_ONCE:
                return

    async def of_case(self, case: str) -> Sequence[Fact]:
        """Every fact of a case that came this way, in the log or not."""
        async with deadline():
            document = await self._cases.find_one({"_id": case}, {"facts": 1})
        return [] if document is None else [fact_of_document(fact) for fact in document["facts"]]

    async def close(self) -> None:
        """Wait for what is being written and told; what could not be told is told by the tracker."""
        if self._working is not None:
            await asyncio.wait({self._working})
        if self._telling:
            await asyncio.wait(self._telling)


def _fail(waiting: Sequence[asyncio.Future[bool]], error: QorgauError) -> None:
    for written in waiting:
        if not written.done():
            written.set_exception(error)
