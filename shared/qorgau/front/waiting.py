"""References to cases and the facts that wait for one, in a service's database; only keyed digests, never a number.

Every service learns every reference from one topic. Of two cases registered under one reference the first in the log
counts, so all services end with the same one. Beside them wait facts that the gate does not let into their case.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pymongo import DeleteOne, UpdateOne

from qorgau.errors import QorgauError
from qorgau.facts import Fact
from qorgau.front.door import Admitted
from qorgau.front.gate import HELD, Gate
from qorgau.front.posting import FactLog
from qorgau.pausing import pause
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import collection, deadline, write_all

# How soon a fact that came before its referral counts; nothing is held in an ordinary hour.
LOOKED_AT_EVERY = timedelta(seconds=1)
# Whoever sends what will never be let in takes at most a twentieth of the database's time.
SHARE = 20
_SLICE = 500
# Above every name of a case.
_TOP = "~"
_log = logging.getLogger("qorgau")


class WaitingRoom:
    """The `Waiting` of `posting.py`, with what the follower of the references topic needs."""

    def __init__(self, edition: Edition, log: FactLog, now: Callable[[], int], gate: Gate) -> None:
        self.edition = edition
        # Those that were known before they are read again count until all are.
        self.readers = Edition(edition.database)
        self._parked = collection(edition.database, "waiting")
        self._log = log
        self._now = now
        self._gate = gate

    async def prepare(self) -> None:
        """Work with the newest edition and create the index; safe to repeat."""
        await self.edition.begin()
        await self.readers.begin()
        async with deadline():
            await self._parked.create_index([("reference", 1)])
            await self.edition.collection("references").create_index([("case", 1)])

    async def cases_of(self, digests: Collection[str]) -> Mapping[str, str]:
        """The cases of those references that are registered."""
        cases: dict[str, str] = {}
        for number in sorted({self.edition.number, self.readers.number}, reverse=True):
            edition = self.edition if number == self.edition.number else self.readers
            async with deadline():
                found = await edition.collection("references").find({"_id": {"$in": list(digests)}}).to_list(None)
            cases |= {document["_id"]: document["case"] for document in found}
        return cases

    async def park(self, admitted: Sequence[Admitted]) -> None:
        """Keep facts until their reference is registered, and join at once what was registered meanwhile."""
        kept = [
            UpdateOne({"_id": _name(waiting)}, {"$setOnInsert": _document(waiting)}, upsert=True)
            for waiting in admitted
        ]
        await write_all(self._parked, kept)
        for digest, case in (await self.cases_of({str(waiting.reference) for waiting in admitted})).items():
            await self.release(digest, case)

    async def registered(self, case: str, agency: str) -> bool:
        """Whether this agency registered a reference of the case."""
        async with deadline():
            found = self.edition.collection("references").find({"case": case}, {"agency": 1})
            return any(document.get("agency") == agency for document in await found.to_list(None))

    async def register(self, digest: str, case: str, position: int, agency: str | None = None) -> str:
        """Note a reference read at (or acknowledged for) a position of the log, and who registered it; return the case
        that counts."""
        first = {"$set": {"case": case, "position": position, "agency": agency}}
        # A registration that is there with an earlier position keeps its place: the insert then loses.
        await write_all(
            self.edition.collection("references"),
            [UpdateOne({"_id": digest, "position": {"$gt": position}}, first, upsert=True)],
        )
        counts = (await self.cases_of({digest}))[digest]
        await self.release(digest, counts)
        return counts

    async def release(self, digest: str, case: str) -> None:
        """Put the facts that waited for a reference into the log, then forget them; those that the gate does not let
        into the case go on waiting for it. Repeating it is safe."""
        while True:
            async with deadline():
                found = await self._parked.find({"reference": digest}).limit(_SLICE).to_list(None)
            if not found:
                return
            apart = await self._let_in(found, case)
            moved = [UpdateOne({"_id": name}, {"$set": {"reference": f"{HELD}{case}"}}) for name in apart]
            await write_all(self._parked, moved)

    async def release_held(self) -> None:
        """Let in what was held apart from its case and belongs to it by now."""
        async with deadline():
            names = await self._parked.distinct("reference", {"reference": {"$gte": HELD, "$lt": HELD + _TOP}})
        for name in names:
            async with deadline():
                found = await self._parked.find({"reference": name}).limit(_SLICE).to_list(None)
            await self._let_in(found, name.removeprefix(HELD))

    async def follow_cases(self, stopping: asyncio.Event) -> None:
        """Let in what is held as soon as its case is its source's, until it is time to stop."""
        while not stopping.is_set():
            begun = time.monotonic()
            try:
                await self.release_held()
            except QorgauError as error:
                _log.debug("what is held was not looked at: %s", error.title)
            await pause(stopping, max(LOOKED_AT_EVERY, SHARE * timedelta(seconds=time.monotonic() - begun)))

    async def _let_in(self, documents: Sequence[Mapping[str, Any]], case: str) -> list[str]:
        """Put those into the log that the gate lets into the case, and forget them; the names of the others."""
        named = [replace(_admitted(document), reference=None) for document in documents]
        coming = [replace(one, fact=one.joined(case, self._now())) for one in named]
        lets_in = dict(zip((document["_id"] for document in documents), await self._gate.lets_in(coming), strict=True))
        in_it = [one.fact for one, counts in zip(coming, lets_in.values(), strict=True) if counts]
        if in_it:
            await self._log.append(in_it)
        await write_all(self._parked, [DeleteOne({"_id": name}) for name, counts in lets_in.items() if counts])
        return [name for name, counts in lets_in.items() if not counts]

    async def release_all(self) -> None:
        """Join whatever waits for a reference that is known: what a crash between two steps left behind."""
        async with deadline():
            digests = await self._parked.distinct("reference")
        for some in _slices(digests):
            for digest, case in (await self.cases_of(some)).items():
                await self.release(digest, case)

    async def count(self) -> tuple[int, int]:
        """How many facts wait for a reference, and how many are held apart from their case."""
        async with deadline():
            apart = int(await self._parked.count_documents({"reference": {"$gte": HELD, "$lt": HELD + _TOP}}))
            return int(await self._parked.count_documents({})) - apart, apart


def _slices(digests: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(digests), _SLICE):
        yield digests[start : start + _SLICE]


def _name(waiting: Admitted) -> str:
    """The same fact waiting for the same reference is kept once."""
    text = f"{waiting.reference} {waiting.fact.source} {waiting.fact.id}"
    return hashlib.sha256(text.encode()).hexdigest()


def _document(waiting: Admitted) -> dict[str, Any]:
    fact = waiting.fact
    return {
        "reference": waiting.reference,
        "own_recorded": waiting.own_recorded,
        "trusted": waiting.trusted,
        "id": fact.id,
        "source": fact.source,
        "type": fact.type,
        "time": fact.time,
        "recorded": fact.recorded,
        "data": dict(fact.data),
    }


def _admitted(document: Mapping[str, Any]) -> Admitted:
    fact = Fact(
        id=document["id"],
        source=document["source"],
        type=document["type"],
        time=document["time"],
        recorded=document["recorded"],
        case=None,
        data=document["data"],
    )
    # What waits since before there was a gate was let in then.
    return Admitted(fact, document["reference"], document["own_recorded"], document.get("trusted", True))
