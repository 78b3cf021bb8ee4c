"""Which reference a survivor and an alleged offender have: random, the same for every report on the two, found by blind
indexes alone. In a collection of its own, outside the editions.

A pair may be told by numbers once and by names another time, so it has several indexes, and each of them is a document.
Two pairs can share an index of names; where their numbers say that they are other people, each has a place of its own.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from pymongo import UpdateOne

from intake.vault.blind import IndexKeys, Traces, contradict, traces
from intake.vault.form import Personal
from qorgau.errors import Unavailable
from qorgau.shell.mongo import collection, deadline, write_all

_NAME = "pairs"
# Name, birth date and phone of two people and yet other numbers: one more pair of the kind is rarer than an error here.
PLACES = 8


class Pairs:
    """The pairs of one vault."""

    def __init__(self, database: Any) -> None:
        # The vault's own write comes after, and flushes what was written before it.
        self._pairs = collection(database, _NAME, flushed=False)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline():
            for name in ("index", "cases"):
                await self._pairs.create_index([(name, 1)])

    async def reference(self, case: str, personal: Personal | None, keys: IndexKeys, now: int) -> str | None:
        """The reference of a report's pair, noted for its case; None where the two cannot be recognised. Raises
        Unavailable. Repeating it is safe."""
        searched = traces(personal, keys)
        if not searched.pair:
            return None
        known = await self._known(searched)
        reference = str(known[0]["pair_ref"]) if known else secrets.token_hex(16)
        stored = traces(personal, keys.newest())
        for index in sorted(stored.pair):
            # The first of several at one instant decides for all of them.
            reference = await self._note(index, reference, stored, case, now)
        return reference

    async def forget(self, case: str) -> None:
        """Take a case out: its people are to be recognised no more. A pair of which no case is left goes."""
        async with deadline():
            await self._pairs.update_many({"cases": case}, {"$pull": {"cases": case}})
            await self._pairs.delete_many({"cases": []})

    async def _known(self, searched: Traces) -> list[Mapping[str, Any]]:
        """What is noted under one of the indexes and can be these two, the oldest first."""
        async with deadline():
            found = await self._pairs.find({"index": {"$in": sorted(searched.pair)}}).to_list(None)
        return sorted((one for one in found if not _others(searched, one)), key=lambda one: (one["at"], one["_id"]))

    async def _note(self, index: str, reference: str, stored: Traces, case: str, now: int) -> str:
        for place in range(PLACES):
            name = f"{index} {place}"
            first = {
                "index": index,
                "pair_ref": reference,
                "at": now,
                "survivor": sorted(stored.survivor),
                "offender": sorted(stored.offender),
                "cases": [],
            }
            await write_all(self._pairs, [UpdateOne({"_id": name}, {"$setOnInsert": first}, upsert=True)])
            async with deadline():
                there = await self._pairs.find_one({"_id": name})
            if there is not None and not _others(stored, there):
                await write_all(self._pairs, [UpdateOne({"_id": name}, {"$addToSet": {"cases": case}})])
                return str(there["pair_ref"])
        raise Unavailable


def _others(ours: Traces, known: Mapping[str, Any]) -> bool:
    """Whether a number says that these are other people, whatever else agrees."""
    return contradict(ours.survivor, frozenset(known["survivor"])) or contradict(
        ours.offender, frozenset(known["offender"])
    )
