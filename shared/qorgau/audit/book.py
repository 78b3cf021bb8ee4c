"""A service's audit chain in its database: only added to, and outside the editions, because nothing makes it again.
What is over goes at its beginning, up to where a checkpoint says so.

An entry is stored under its number, so of two replicas that add one at the same time the second one fails, looks where
the chain ends now, and links its own anew. An entry that is there already, by its id, is not added again.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING
from pymongo.errors import BulkWriteError

from qorgau.audit.chain import Entry, Head, Linked, append, code, digest, genesis, head_of
from qorgau.audit.checking import Stored
from qorgau.audit.checkpoint import CHECKPOINT, Checkpoint, complaint, read_checkpoint
from qorgau.errors import Unavailable
from qorgau.instants import parse_instant
from qorgau.shell.crash import crash_point
from qorgau.shell.mongo import barrier, collection, deadline, only_keys_taken
from qorgau.telemetry import Metrics

# As many as are linked and written at once.
AT_ONCE = 500
# So often others may be faster in a row; each time one of them has got on.
ATTEMPTS = 100
# A batch of the largest size where a server is slowest, or counting a long chain.
LIMIT = timedelta(seconds=20)
# A bounded range of an indexed field is fast on every server; of an open one, or of `_id`, some look at everything.
_WINDOW = 1_000


class AuditBook:
    """The chain of one service; the tasks of a process can use the same one at once."""

    def __init__(self, database: Any, service: str, deployment: str, metrics: Metrics | None = None) -> None:
        self._database = database
        self._entries = collection(database, "audit", flushed=False)
        self._metrics = metrics
        self._one_by_one = asyncio.Lock()
        # The last entry this process knows to survive a crash, and the last one that it has added itself.
        self._beginning = self._safe = genesis(service, deployment)
        self.added: Head | None = None

    async def prepare(self) -> None:
        """Create the index; safe to repeat."""
        async with deadline(LIMIT):
            await self._entries.create_index([("entry_id", 1)], unique=True)
            await self._entries.create_index([("seq", 1)])
            await self._entries.create_index([("case", 1)])

    async def append(self, entries: Sequence[Entry]) -> Head:
        """Add those that are not there yet; return the end of the chain when all of them survive a crash.

        Raises Unavailable: any of them may be there or not, and repeating it is safe.
        """
        async with self._one_by_one:
            for first in range(0, len(entries), AT_ONCE):
                await self._add(entries[first : first + AT_ONCE])
            return self._safe

    async def head(self) -> Head:
        """The end of the chain, of whichever replica, when it survives a crash. Raises Unavailable."""
        async with self._one_by_one:
            await self._look()
            return self._safe

    async def stored(self) -> AsyncIterator[Stored]:
        """Everything that is stored, in the order of its numbers, and at the end what has none. Raises Unavailable."""
        async with deadline(LIMIT):
            count = await self._entries.count_documents({})
        first, end, seen = await self._beginning_now(), await self.last_number(), 0
        async for document in self._numbered(first, end):
            seen += 1
            yield document.pop("_id"), document
        # What went meanwhile, a checkpoint lets go that came meanwhile.
        later = await self.last_number()
        async for document in self._numbered(end + 1, later):
            yield document.pop("_id"), document
        if seen < count:
            async for document in self._strays(later + _WINDOW):
                yield document.pop("_id"), document

    async def checkpoint(self) -> Checkpoint | None:
        """The checkpoint that lets go of most, of those that can be true by their own words. Raises Unavailable."""
        ids = {"$gte": f"{CHECKPOINT}.", "$lt": f"{CHECKPOINT}/"}
        async with deadline(LIMIT):
            found = await self._entries.find({"entry_id": ids}).to_list(None)
        bodies = [{name: document[name] for name in document.keys() - {"_id"}} for document in filter(_is_entry, found)]
        said = [read_checkpoint(body) for body in bodies if body.get("hash") and digest(body) == body["hash"]]
        return max((one for one in said if one and not complaint(one)), key=lambda one: one.last, default=None)

    async def written(self, first: int) -> int | None:
        """When the entry of this number was written, or the next one that is there; None where none is near."""
        for document in await self._window(first, first + _WINDOW):
            with suppress(ValueError):
                return parse_instant(document.get("at"))
        return None

    async def remove(self, first: int, end: int) -> int:
        """Take out the entries from the first number on and before the end, a portion of them that is quickly done;
        how many that were. Raises Unavailable, and repeating it is safe."""
        async with deadline(LIMIT):
            done = await self._entries.delete_many({"seq": {"$gte": first, "$lt": end}})
            return int(done.deleted_count)

    async def are_gone(self, first: int, last: int) -> bool:
        """Whether none of these entries is there, and none comes back by a crash. Raises Unavailable."""
        await barrier(self._database, "audit", LIMIT)
        return not await self._count(first, last)

    async def around(self, number: int) -> tuple[str | None, str | None]:
        """The hash of this entry, and what the one after it follows; None for what is not there."""
        async with deadline(LIMIT):
            found = await self._entries.find({"_id": {"$in": [number, number + 1]}}, {"hash": 1, "prev": 1}).to_list(
                None
            )
        there = {document["_id"]: document for document in found}
        last, following = there.get(number), there.get(number + 1)
        return last and str(last.get("hash")), following and str(following.get("prev"))

    async def of_case(self, case: str) -> list[Linked]:
        """What the chain has of a case, in its order. Raises Unavailable."""
        async with deadline(LIMIT):
            found = self._entries.find({"case": code(case)}, {"_id": 0}).sort("seq", ASCENDING)
            return list(await found.to_list(None))

    async def hashes(self, numbers: Collection[int]) -> dict[int, str]:
        """The hashes of these entries, as they are stored; of what is not there, none."""
        async with deadline(LIMIT):
            found = self._entries.find({"_id": {"$in": sorted(numbers)}}, {"hash": 1})
            return {document["_id"]: str(document.get("hash")) for document in await found.to_list(None)}

    async def last_number(self) -> int:
        """The number of the last entry as it is stored; 0 where there is none. Raises Unavailable."""
        last = await self._last_after(await self._somewhere())
        return last.seq

    async def _add(self, entries: Sequence[Entry]) -> None:
        for _ in range(ATTEMPTS):
            missing = await self._missing(entries)
            await self._look()
            if not missing:
                return
            linked = append(self._safe, missing)
            if await self._insert(linked):
                crash_point("after-audit-write")
                await self._make_safe(head_of(linked[-1]))
                self.added = self._safe
                return
        raise Unavailable

    async def _missing(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those that are not there yet, each once."""
        wanted = {code(entry.entry_id): entry for entry in entries}
        async with deadline(LIMIT):
            found = await self._entries.find({"entry_id": {"$in": list(wanted)}}, {"entry_id": 1}).to_list(None)
        there = {document["entry_id"] for document in found}
        return [entry for name, entry in wanted.items() if name not in there]

    async def _look(self) -> None:
        """Go on from where the chain ends now. It never goes back: what this process knows to be safe was there, and if
        it is gone the gap shall show."""
        start = self._safe if self._safe.seq else await self._somewhere()
        last = await self._last_after(start)
        if last.seq > self._safe.seq:
            # Whoever wrote it may have died before it was flushed, and what follows it must not outlive it.
            await self._make_safe(last)

    async def _make_safe(self, head: Head) -> None:
        """Return when this entry, and with it everything before it, survives a crash. Raises Unavailable."""
        await barrier(self._database, "audit", LIMIT)
        # A server that died and came back meanwhile has flushed the barrier and lost the entry.
        if (await self.hashes([head.seq])).get(head.seq) != head.hash:
            raise Unavailable
        self._safe = head
        if self._metrics is not None:
            self._metrics.audit_entries.set(head.seq)

    async def _last_after(self, start: Head) -> Head:
        """The last entry there is, from one on that is there."""
        while True:
            window = await self._window(start.seq + 1, start.seq + _WINDOW)
            numbered = [document for document in window if _is_entry(document)]
            if not numbered:
                return start
            start = Head(start.service, numbered[-1]["seq"], str(numbered[-1].get("hash")))

    async def _beginning_now(self) -> int:
        """The first number that can be there."""
        known = await self.checkpoint()
        return 1 if known is None or await self._count(1, known.last) else known.last + 1

    async def _count(self, first: int, last: int) -> int:
        async with deadline(LIMIT):
            return int(await self._entries.count_documents({"seq": {"$gte": first, "$lt": last + 1}}))

    async def _numbered(self, first: int, last: int) -> AsyncIterator[dict[str, Any]]:
        for start in range(first, last + 1, _WINDOW):
            for document in await self._window(start, min(start + _WINDOW, last + 1)):
                yield document

    async def _window(self, first: int, end: int) -> list[dict[str, Any]]:
        """What has a number from the first one on and before the end."""
        async with deadline(LIMIT):
            found = self._entries.find({"seq": {"$gte": first, "$lt": end}}).sort("seq", ASCENDING)
            return [document async for document in found]

    async def _strays(self, end: int) -> AsyncIterator[dict[str, Any]]:
        """What no window shows, because it has no number, or one beyond the end."""
        cursor = self._entries.find({})
        while True:
            async with deadline(LIMIT):
                documents = await cursor.to_list(AT_ONCE)
            for document in documents:
                seq = document.get("seq")
                numbered = isinstance(seq, int | float) and not isinstance(seq, bool)
                if not numbered or not 1 <= seq < end:
                    yield document
            if len(documents) < AT_ONCE:
                return

    async def _somewhere(self) -> Head:
        """An entry near the end, in few steps: the last one, where none is missing."""
        known = await self.checkpoint()
        low = self._beginning if known is None else await self._at(known.seq) or self._beginning
        high, step = low.seq + 1, 1
        while (entry := await self._at(high)) is not None:
            step *= 2
            low, high = entry, entry.seq + step
        while high - low.seq > 1:
            middle = (low.seq + high) // 2
            entry = await self._at(middle)
            if entry is None:
                high = middle
            else:
                low = entry
        return low

    async def _at(self, number: int) -> Head | None:
        found = (await self.hashes([number])).get(number)
        return None if found is None else Head(self._beginning.service, number, found)

    async def _insert(self, linked: Sequence[Linked]) -> bool:
        """Whether all were added. In order, and none after one whose number somebody else took: what stands there is
        not what they follow."""
        documents = [{"_id": body["seq"], **body} for body in linked]
        async with deadline(LIMIT):
            try:
                await self._entries.insert_many(documents, ordered=True)
            except BulkWriteError as error:
                only_keys_taken(error)
                return False
        return True


def _is_entry(document: dict[str, Any]) -> bool:
    """Whether it stands under its own number, and is not something that somebody else has put there."""
    return isinstance(document["_id"], int) and document["_id"] == document.get("seq")
