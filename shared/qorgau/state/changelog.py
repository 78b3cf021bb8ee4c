"""The changes of the rows of one list in the order in which they were found, for whoever follows the list.

They stand in leaves that are numbered without a gap: whoever writes one has looked which the last is, and looks again
where somebody else was quicker. So nothing comes to stand before what has been read. Each leaf has a mark that no other
has: one that a server lost when it died, and that was written anew, is not taken for the one of before.
"""

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qorgau.identity.membership import parts
from qorgau.shell.edition import Edition
from qorgau.shell.filing import SLICE
from qorgau.shell.mongo import deadline, insert_all
from qorgau.state.changes import Change, Changing
from qorgau.state.rows import Seen
from qorgau.store import BATCH_DEADLINE

# Servers take and give a few larger documents much faster than many small ones.
ON_A_LEAF = 50
_CHANGE = ("key", "number", "at", "state", "was", "region", "court")


@dataclass(frozen=True, slots=True)
class Entry:
    """A change of a row of a case; `parts`: who was part of the case when it was found."""

    case: str
    change: Change
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """Some changes that were found together."""

    number: int
    mark: str
    entries: tuple[Entry, ...]


class ChangeLog:
    """The changes of one list of a service in one edition; also a view. `concerned`: the types of fact without which a
    case has no row of the list."""

    def __init__(self, edition: Edition, changing: Changing, concerned: frozenset[str]) -> None:
        self._edition = edition
        self._changing = changing
        self._concerned = concerned
        # Where the end was found last: where one begins to look for it.
        self._end = 0

    @property
    def _leaves(self) -> Any:
        return self._edition.collection("changed")

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline(BATCH_DEADLINE):
            await self._leaves.create_index([("cases", 1)])

    async def show(self, seen: Sequence[Seen]) -> None:
        """Append what has changed in these cases; a repeat appends nothing."""
        left = [one for one in seen if any(fact.type in self._concerned for fact in one.record.facts)]
        while left:
            # First of all: what somebody else appends after this look makes the insert fail.
            before = await self.newest()
            told = await self._told([one.record.case for one in left])
            found = await self._found(left, told)
            leaves = [_document(before + 1 + n, entries) for n, entries in enumerate(_leaves(found))]
            if not leaves or not await insert_all(self._leaves, leaves, BATCH_DEADLINE, ordered=True):
                return

    async def _found(self, left: Sequence[Seen], told: Mapping[str, Mapping[str, Change]]) -> list[Entry]:
        found: list[Entry] = []
        turned = time.monotonic()
        for one in left:
            case = one.record.case
            new = self._changing(one.record, told.get(case, {}))
            belongs = tuple(sorted(parts(one.record.facts))) if new else ()
            found += [Entry(case, change, belongs) for change in new]
            if time.monotonic() - turned > SLICE:
                await asyncio.sleep(0)
                turned = time.monotonic()
        return found

    async def _told(self, cases: Sequence[str]) -> dict[str, dict[str, Change]]:
        """The last change of each row of these cases."""
        asked = set(cases)
        found: dict[str, dict[str, Change]] = {case: {} for case in asked}
        async with deadline(BATCH_DEADLINE):
            documents = await self._leaves.find({"cases": {"$in": sorted(asked)}}).to_list(None)
        for leaf in sorted(map(_leaf, documents), key=lambda leaf: leaf.number):
            for entry in leaf.entries:
                if entry.case in asked:
                    found[entry.case][entry.change.key] = entry.change
        return found

    async def newest(self) -> int:
        """The number of the last leaf, 0 where there is none: looked for by doubling steps and then by halves, since
        servers scan for the largest of all."""
        low, step = self._end if self._end and await self._is_there(self._end) else 0, 1
        while await self._is_there(low + step):
            low, step = low + step, 2 * step
        while step > 1:
            step //= 2
            if await self._is_there(low + step):
                low += step
        self._end = low
        return low

    async def _is_there(self, number: int) -> bool:
        async with deadline():
            return await self._leaves.find_one({"_id": number}, {"_id": 1}) is not None

    async def leaves(self, first: int, most: int) -> list[Leaf]:
        """The leaf of a number and those after it, at most so many."""
        async with deadline():
            found = await self._leaves.find({"_id": {"$gte": first, "$lt": first + most}}).to_list(None)
        return sorted(map(_leaf, found), key=lambda leaf: leaf.number)


def _leaves(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    return (entries[start : start + ON_A_LEAF] for start in range(0, len(entries), ON_A_LEAF))


def _document(number: int, entries: Sequence[Entry]) -> dict[str, Any]:
    return {
        "_id": number,
        "mark": secrets.token_hex(6),
        "cases": sorted({entry.case for entry in entries}),
        "entries": [
            {
                "case": entry.case,
                "parts": list(entry.parts),
                "item": dict(entry.change.item),
                **{name: getattr(entry.change, name) for name in _CHANGE},
            }
            for entry in entries
        ],
    }


def _leaf(document: Mapping[str, Any]) -> Leaf:
    return Leaf(document["_id"], document["mark"], tuple(map(_entry, document["entries"])))


def _entry(entry: Mapping[str, Any]) -> Entry:
    change = Change(**{name: entry[name] for name in _CHANGE}, item=entry["item"])
    return Entry(entry["case"], change, tuple(entry["parts"]))
