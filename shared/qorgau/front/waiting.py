"""References to cases and the facts that wait for one, in a service's database; only keyed digests, never a number.

Every service learns every reference from one topic. Of two cases registered under one reference the first in the log
counts, so all services end with the same one.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from pymongo import DeleteOne, UpdateOne

from qorgau.facts import Fact
from qorgau.front.door import Admitted
from qorgau.front.posting import FactLog
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import collection, deadline, write_all

_SLICE = 500


class WaitingRoom:
    """The `Waiting` of `posting.py`, with what the follower of the references topic needs."""

    def __init__(self, edition: Edition, log: FactLog, now: Callable[[], int]) -> None:
        self.edition = edition
        # Those that were known before they are read again count until all are.
        self.readers = Edition(edition.database)
        self._parked = collection(edition.database, "waiting")
        self._log = log
        self._now = now

    async def prepare(self) -> None:
        """Work with the newest edition and create the index; safe to repeat."""
        await self.edition.begin()
        await self.readers.begin()
        async with deadline():
            await self._parked.create_index([("reference", 1)])

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

    async def register(self, digest: str, case: str, position: int) -> str:
        """Note a reference read at (or acknowledged for) a position of the log; return the case that counts."""
        first = {"$set": {"case": case, "position": position}}
        # A registration that is there with an earlier position keeps its place: the insert then loses.
        await write_all(
            self.edition.collection("references"),
            [UpdateOne({"_id": digest, "position": {"$gt": position}}, first, upsert=True)],
        )
        counts = (await self.cases_of({digest}))[digest]
        await self.release(digest, counts)
        return counts

    async def release(self, digest: str, case: str) -> None:
        """Put the facts that waited for a reference into the log, then forget them. Repeating it is safe."""
        while True:
            async with deadline():
                found = await self._parked.find({"reference": digest}).limit(_SLICE).to_list(None)
            if not found:
                return
            await self._log.append([_admitted(document).joined(case, self._now()) for document in found])
            await write_all(self._parked, [DeleteOne({"_id": document["_id"]}) for document in found])

    async def release_all(self) -> None:
        """Join whatever waits for a reference that is known: what a crash between two steps left behind."""
        async with deadline():
            digests = await self._parked.distinct("reference")
        for some in _slices(digests):
            for digest, case in (await self.cases_of(some)).items():
                await self.release(digest, case)

    async def count(self) -> int:
        """How many facts wait."""
        async with deadline():
            return int(await self._parked.count_documents({}))


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
    return Admitted(fact, document["reference"], document["own_recorded"])
