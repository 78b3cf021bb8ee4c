"""The vault in the database: one document a case, outside the editions, because nothing else can make it again.

Reports that come at the same time are written together and flushed once; each is answered when it is safe. Kafka may be
away: a report then waits in its document until it is told. Every later change is one compare-and-swap on the version.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from pymongo import UpdateMany

from intake.vault.records import VaultRecord
from intake.vault.storing import from_document, to_document
from intake.vault.together import Together
from qorgau.errors import NotFound, QorgauError, Unavailable
from qorgau.facts import Fact
from qorgau.front.posting import FactLog
from qorgau.shell.crash import crash_point
from qorgau.shell.documents import fact_of_document
from qorgau.shell.mongo import barrier, collection, deadline, insert_all, write_all

# As many as are written, or told, at once; what is left comes with the next look.
AT_ONCE = 500
# So few are flushed one by one, which takes one journey to the database instead of three.
FLUSHED_EACH = 2
# A batch of the largest size on a server that has much else to do; who waits for longer has gone.
WRITTEN_WITHIN = timedelta(seconds=20)
# So many may wait for their turn to be written; more are refused, and come again.
WAITING = 2_000
# Two changes of one case at one instant are rare; more than a few rounds of losing mean that something is wrong.
TRIES = 5
COLLECTION = "vault"
_Result = TypeVar("_Result")
After = Callable[[Sequence[VaultRecord]], Awaitable[None]]


class VaultBook:
    """The records of the vault, and the `Reported` of the tracker. `number_of`: the partition of a case."""

    def __init__(self, database: Any, number_of: Callable[[str], int], log: FactLog) -> None:
        # What is done with records before they count as told, at least once; set by who puts the vault together.
        self.after: After = _nothing
        self._database = database
        self._opening = collection(database, COLLECTION, flushed=False)
        self._records = collection(database, COLLECTION)
        self._number_of = number_of
        self._log = log
        self._token = secrets.token_hex(6)
        self._together: Together[VaultRecord, bool] = Together(self._write, AT_ONCE)
        # What is being told just now, and the cases it is about.
        self._telling: dict[asyncio.Task[None], list[str]] = {}

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline():
            for name in ("pending", "unchained", "unreviewed", "indexes", "due", "kek"):
                await self._records.create_index([(name, 1)])

    async def open(self, record: VaultRecord) -> bool:
        """Write a new case; whether it was new. Raises Unavailable where it cannot be made safe, or too many wait."""
        if self._together.waiting >= WAITING:
            raise Unavailable("Too many reports at once; send this one again in a moment.")
        return await self._together.do(record)

    async def find(self, case: str) -> VaultRecord | None:
        """The record of a case, or None."""
        async with deadline():
            document = await self._records.find_one({"_id": case})
        return None if document is None else from_document(document)

    async def change(self, case: str, change: Callable[[VaultRecord], tuple[VaultRecord, _Result]]) -> _Result:
        """Change a record in one write, again and again until nobody has been in between; what `change` gave besides,
        once the record is written. Raises NotFound, Unavailable, and what `change` raises."""
        for _ in range(TRIES):
            record = await self.find(case)
            if record is None:
                raise NotFound
            changed, result = change(record)
            if changed == record:
                return result
            if await self._replace(record, changed):
                if changed.pending:
                    self._tell_soon([changed])
                return result
        raise Unavailable

    async def _replace(self, before: VaultRecord, after: VaultRecord) -> bool:
        document = to_document(after, self._number_of(after.case), self._next(before.version))
        async with deadline():
            put = await self._records.replace_one({"_id": after.case, "v": before.version}, document)
        return bool(put.matched_count)

    def _next(self, version: str) -> str:
        return f"{int(version.partition('.')[0] or 0) + 1}.{self._token}"

    async def _write(self, records: Sequence[VaultRecord]) -> list[bool]:
        """Write new cases so that they survive a crash, and let them be told; of each, whether it was new."""
        documents = [to_document(record, self._number_of(record.case), self._next("")) for record in records]
        few = len(documents) <= FLUSHED_EACH
        crash_point("before-vault-write")
        known = await insert_all(self._records if few else self._opening, documents, WRITTEN_WITHIN)
        crash_point("after-vault-write")
        # What was there already may be another batch's, and not be flushed yet.
        if known or not few:
            await barrier(self._database, COLLECTION, WRITTEN_WITHIN, seen=[(self._records, {"_id": records[-1].case})])
        crash_point("after-vault-flush")
        new = [place not in known for place in range(len(records))]
        self._tell_soon([record for record, is_new in zip(records, new, strict=True) if is_new])
        return new

    def _tell_soon(self, records: Sequence[VaultRecord]) -> None:
        # Not part of the answer: the reports are safe, and Kafka may take its time.
        if records:
            task = asyncio.create_task(self._tell_quietly(records))
            self._telling[task] = [record.case for record in records]
            task.add_done_callback(self._telling.pop)

    async def _tell_quietly(self, records: Sequence[VaultRecord]) -> None:
        try:
            await self._tell(records)
        except QorgauError:
            # The next look of the tracker finds them.
            return

    async def _tell(self, records: Sequence[VaultRecord]) -> None:
        crash_point("before-vault-publish")
        await self._log.append([fact for record in records for fact in record.facts])
        crash_point("after-vault-publish")
        await self.after(records)
        crash_point("before-vault-clear")
        # With the number of facts that were told: one that was added meanwhile still waits.
        by_size: dict[int, list[str]] = {}
        for record in records:
            by_size.setdefault(len(record.facts), []).append(record.case)
        told = [
            UpdateMany({"_id": {"$in": cases}, "facts": {"$size": size}}, {"$set": {"pending": 0}})
            for size, cases in by_size.items()
        ]
        await write_all(self._opening, told)
        crash_point("after-vault-clear")

    async def reporting(self, numbers: Collection[int]) -> Collection[str]:
        """The cases of these partitions with a report that may not be in the log yet."""
        async with deadline():
            found = self._records.find({"pending": 1, "p": {"$in": sorted(numbers)}}, {"_id": 1})
            return {document["_id"] for document in await found.to_list(None)}

    async def tell(self, numbers: Collection[int]) -> None:
        """Write what waits for these partitions into the log, then forget that it waits; not what this process is
        telling anyway. Repeating it is safe."""
        while True:
            under_way = sorted({case for cases in self._telling.values() for case in cases})
            query = {"pending": 1, "p": {"$in": sorted(numbers)}, "_id": {"$nin": under_way}}
            async with deadline():
                documents = await self._records.find(query).limit(AT_ONCE).to_list(None)
            if documents:
                await self._tell([from_document(document) for document in documents])
            if len(documents) < AT_ONCE:
                return

    async def unchained(self, numbers: Collection[int], limit: int) -> list[VaultRecord]:
        """Records of these partitions with lines that are not in the audit chain."""
        return await self._some({"unchained": 1, "p": {"$in": sorted(numbers)}}, limit)

    async def unreviewed(self, after: str, limit: int) -> list[VaultRecord]:
        """Records with broken glass that nobody has looked at yet, those after a case, by case."""
        return await self._some({"unreviewed": 1, "_id": {"$gt": after}}, limit, "_id")

    async def over(self, numbers: Collection[int], until: int, limit: int) -> list[VaultRecord]:
        """Records of these partitions of which something has to go, the longest overdue first."""
        return await self._some({"due": {"$gt": 0, "$lte": until}, "p": {"$in": sorted(numbers)}}, limit, "due")

    async def wrapped_otherwise(self, numbers: Collection[int], current: str, limit: int) -> list[VaultRecord]:
        """Records of these partitions whose key is wrapped by another key than the current one."""
        ours = {"p": {"$in": sorted(numbers)}}
        # Bounded: to ask for all but one makes some servers look at everything. The ids of keys are printable ASCII.
        spans: tuple[dict[str, str], ...] = ({"$gt": "", "$lt": current}, {"$gt": current, "$lt": "\x7f"})
        return [record for span in spans for record in await self._some({"kek": span, **ours}, limit)]

    async def sharing(self, indexes: Collection[str], besides: Collection[str], limit: int) -> list[VaultRecord]:
        """Records in which one of these blind indexes stands, but for those of some cases."""
        return await self._some({"indexes": {"$in": sorted(indexes)}, "_id": {"$nin": sorted(besides)}}, limit)

    async def _some(self, query: Mapping[str, Any], limit: int, order: str = "") -> list[VaultRecord]:
        async with deadline():
            found = self._records.find(query).limit(limit)
            return [from_document(each) for each in await (found.sort(order, 1) if order else found).to_list(None)]

    async def of_case(self, case: str) -> Sequence[Fact]:
        """Every fact of a case that came this way, in the log or not."""
        async with deadline():
            document = await self._records.find_one({"_id": case}, {"facts": 1})
        return [] if document is None else [fact_of_document(fact) for fact in document["facts"]]

    async def close(self) -> None:
        """Wait for what is being written and told; what could not be told is told by the tracker."""
        await self._together.close()
        if self._telling:
            await asyncio.wait(set(self._telling))


async def _nothing(_: Sequence[VaultRecord]) -> None:
    return
