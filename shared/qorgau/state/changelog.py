"""The changes of the rows of one list in the order in which they were found, for whoever follows the list.

Each entry stands behind the one before, whose number is its key. So of several writers one at a time appends, nothing
comes to stand before what has been read, and a number tells who comes back what they have had.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from qorgau.identity.membership import parts
from qorgau.identity.sender import Sender
from qorgau.shell.edition import Edition
from qorgau.shell.filing import SLICE
from qorgau.shell.mongo import deadline, insert_all
from qorgau.state.book import visible_rows
from qorgau.state.changes import Change, Changing
from qorgau.state.rows import Seen
from qorgau.store import BATCH_DEADLINE

EQUAL = ("case", "region", "court", "state")
_CHANGE = ("key", "number", "at", "state", "was", "region", "court")


class ChangeLog:
    """The changes of one list of a service in one edition; also a view. `concerned`: the types of fact without which a
    case has no row of the list."""

    def __init__(self, edition: Edition, changing: Changing, concerned: frozenset[str]) -> None:
        self.edition = edition
        self._changing = changing
        self._concerned = concerned
        self._newest: int | None = None

    @property
    def _log(self) -> Any:
        return self.edition.collection("changed")

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline(BATCH_DEADLINE):
            await self._log.create_index([("case", 1)])
            await self._log.create_index([("n", 1)])
            # Two who found the same change at the same time tell it once.
            await self._log.create_index([("name", 1)], unique=True)

    async def show(self, seen: Sequence[Seen]) -> None:
        """Append what has changed in these cases; a repeat appends nothing."""
        left = [one for one in seen if any(fact.type in self._concerned for fact in one.record.facts)]
        while left:
            told = await self._told([one.record.case for one in left])
            changed = await self._changed(left, told)
            if not changed or await self._append(changed):
                return

    async def _changed(self, left: Sequence[Seen], told: Mapping[str, Mapping[str, Change]]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        turned = time.monotonic()
        for one in left:
            found += [_document(one, change) for change in self._changing(one.record, told.get(one.record.case, {}))]
            if time.monotonic() - turned > SLICE:
                await asyncio.sleep(0)
                turned = time.monotonic()
        return found

    async def _told(self, cases: Sequence[str]) -> dict[str, dict[str, Change]]:
        """The last change of each row of these cases."""
        found: dict[str, dict[str, Change]] = {}
        async with deadline(BATCH_DEADLINE):
            documents = await self._log.find({"case": {"$in": list(cases)}}).sort("n", 1).to_list(None)
        for one in documents:
            last = Change(**{name: one[name] for name in _CHANGE}, item=one["item"])
            found.setdefault(one["case"], {})[last.key] = last
        return found

    async def _append(self, changed: Sequence[Mapping[str, Any]]) -> bool:
        """Whether all of it is appended; else somebody else was quicker, and some of it may be told."""
        before, self._newest = self._newest, None
        if before is None:
            before = await self.newest()
        documents = []
        for one in changed:
            # By the clock, so that no number is used again where a server that died has lost the last entries.
            number = max(before + 1, time.time_ns() // 1_000_000)
            documents.append({"_id": before, "n": number, **one})
            before = number
        if await insert_all(self._log, documents, BATCH_DEADLINE, ordered=True):
            return False
        self._newest = before
        return True

    async def newest(self) -> int:
        """The number of the last entry; 0 where there is none."""
        async with deadline():
            last = await self._log.find({}, {"n": 1}).sort("n", -1).limit(1).to_list(1)
        return int(last[0]["n"]) if last else 0

    async def page(
        self, wanted: Mapping[str, str], sender: Sender, after: int, end: int, limit: int
    ) -> list[tuple[int, dict[str, Any]]]:
        """At most `limit` entries behind one number and up to another that the sender may see, with their numbers."""
        query: dict[str, Any] = {name: wanted[name] for name in EQUAL if name in wanted}
        query["n"] = {"$gt": after, "$lte": end}
        visible = visible_rows(sender)
        async with deadline():
            found = self._log.find({"$and": [query, visible]} if visible else query).sort("n", 1).limit(limit)
            return [(document["n"], document) for document in await found.to_list(None)]


def _document(seen: Seen, change: Change) -> dict[str, Any]:
    case = seen.record.case
    return {
        "name": f"{case} {change.key} {change.number}",
        "case": case,
        "parts": sorted(parts(seen.record.facts)),
        "item": dict(change.item),
        **{name: getattr(change, name) for name in _CHANGE},
    }
