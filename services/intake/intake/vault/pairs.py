"""Which reference a survivor and an alleged offender have: random, the same for every report on the two, found by blind
indexes alone. In a collection of its own, outside the editions.

A pair may be told by numbers once and by names another time, so it has several indexes, and each of them is a document.
Two pairs can share an index of names; where their numbers say that they are other people, each has a place of its own.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne

from intake.vault.blind import Traces, contradict
from intake.vault.together import Together
from qorgau.errors import Unavailable
from qorgau.shell.mongo import collection, deadline, insert_all, write_all

_NAME = "pairs"
# Name, birth date and phone of two people and yet other numbers: one more pair of the kind is rarer than an error here.
PLACES = 8
# As many as are looked up at once.
AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class _Asked:
    """A report whose pair is wanted: its case, by what it is searched, under what it is noted, and when."""

    case: str
    searched: Traces
    stored: Traces
    now: int


class Pairs:
    """The pairs of one vault. Reports that come at the same time are looked up and noted together."""

    def __init__(self, database: Any) -> None:
        # The vault's own write comes after, and flushes what was written before it.
        self._pairs = collection(database, _NAME, flushed=False)
        self._together: Together[_Asked, str] = Together(self._references, AT_ONCE)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline():
            for name in ("index", "cases"):
                await self._pairs.create_index([(name, 1)])

    async def reference(self, case: str, searched: Traces, stored: Traces, now: int) -> str | None:
        """The reference of a report's pair, searched under all index secrets and noted for its case under the newest;
        None where the two cannot be recognised. Raises Unavailable. Repeating it is safe."""
        return await self._together.do(_Asked(case, searched, stored, now)) if searched.pair else None

    async def forget(self, case: str) -> None:
        """Take a case out: its people are to be recognised no more. A pair of which no case is left goes."""
        async with deadline():
            await self._pairs.update_many({"cases": case}, {"$pull": {"cases": case}})
            await self._pairs.delete_many({"cases": []})

    async def _references(self, asked: Sequence[_Asked]) -> list[str]:
        """The references of several reports, in a few commands. Where another replica was faster, one by one."""
        sought = sorted({index for one in asked for index in one.searched.pair | one.stored.pair})
        async with deadline():
            found = await self._pairs.find({"index": {"$in": sought}}).to_list(None)
        notes = Notes({document["_id"]: document for document in found})
        given = [notes.reference(one) for one in asked]
        lost = await self._lost(notes, [own for _, own in given])
        joined = [UpdateOne({"_id": name}, {"$addToSet": {"cases": case}}) for name, case in notes.joined]
        await write_all(self._pairs, joined)
        return [
            await self._alone(one) if own & lost else reference
            for one, (reference, own) in zip(asked, given, strict=True)
        ]

    async def _lost(self, notes: "Notes", owned: Sequence[set[str]]) -> set[str]:
        """Write new documents; the names of all that a report owns of which somebody else has written one."""
        # The first index of a pair decides for the others, also between replicas, so it is written before them.
        names, lost = sorted(notes.new, key=lambda name: name not in notes.deciding), set[str]()
        while names:
            taken = await insert_all(self._pairs, [notes.new[name] for name in names], ordered=True)
            if not taken:
                break
            # Nothing after the first that is taken was tried. What shares a reference with it is not written with it.
            lost.add(names[min(taken)])
            while more := {name for own in owned if own & lost for name in own} - lost:
                lost |= more
            names = [name for name in names[min(taken) + 1 :] if name not in lost]
        return lost

    async def _alone(self, one: _Asked) -> str:
        """The reference of a report whose pair somebody else noted at the same instant."""
        known = await self._known(one.searched)
        reference = str(known[0]["pair_ref"]) if known else secrets.token_hex(16)
        for index in sorted(one.stored.pair):
            # The first of several at one instant decides for all of them.
            reference = await self._note(index, reference, one.stored, one.case, one.now)
        return reference

    async def _known(self, searched: Traces) -> list[Mapping[str, Any]]:
        """What is noted under one of the indexes and can be these two, the oldest first."""
        async with deadline():
            found = await self._pairs.find({"index": {"$in": sorted(searched.pair)}}).to_list(None)
        return can_be(searched, found)

    async def _note(self, index: str, reference: str, stored: Traces, case: str, now: int) -> str:
        for place in range(PLACES):
            name = f"{index} {place}"
            first = noted(index, reference, stored, now)
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


def noted(index: str, reference: str, stored: Traces, now: int, *cases: str) -> dict[str, Any]:
    """What is noted of a pair under one of its indexes, but for the place."""
    return {
        "index": index,
        "pair_ref": reference,
        "at": now,
        "survivor": sorted(stored.survivor),
        "offender": sorted(stored.offender),
        "cases": list(cases),
    }


def can_be(searched: Traces, found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of the documents that can be about these two, the oldest first."""
    return sorted((one for one in found if not _others(searched, one)), key=lambda one: (one["at"], one["_id"]))


class Notes:
    """What is noted of pairs, and what several reports add to it, before it is written."""

    def __init__(self, known: Mapping[str, Mapping[str, Any]]) -> None:
        self.new: dict[str, dict[str, Any]] = {}
        self.deciding: set[str] = set()
        self.joined: list[tuple[str, str]] = []
        self._by_index: dict[str, list[Mapping[str, Any]]] = {}
        self._known = dict(known)
        for document in known.values():
            self._by_index.setdefault(document["index"], []).append(document)

    def reference(self, one: _Asked) -> tuple[str, set[str]]:
        """The reference of a report's pair, and the names of the documents that have it."""
        found = can_be(one.searched, (each for index in one.searched.pair for each in self._by_index.get(index, ())))
        reference, names = (str(found[0]["pair_ref"]) if found else secrets.token_hex(16)), set[str]()
        for index in sorted(one.stored.pair):
            reference, name = self._note(index, reference, one)
            if not names and name in self.new:
                self.deciding.add(name)
            names.add(name)
        return reference, names

    def _note(self, index: str, reference: str, one: _Asked) -> tuple[str, str]:
        for place in range(PLACES):
            name = f"{index} {place}"
            there = self._known.get(name)
            if there is None:
                document = {"_id": name, **noted(index, reference, one.stored, one.now, one.case)}
                self.new[name] = self._known[name] = document
                self._by_index.setdefault(index, []).append(document)
                return reference, name
            if not _others(one.stored, there):
                if name in self.new:
                    self.new[name]["cases"] = sorted({*self.new[name]["cases"], one.case})
                elif one.case not in there["cases"]:
                    self.joined.append((name, one.case))
                return str(there["pair_ref"]), name
        raise Unavailable
