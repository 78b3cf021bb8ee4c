"""References to cases and the facts that wait for one, in a service's database; only keyed digests, never a number.

Every service learns every reference from one topic. Of two cases registered under one reference the first in the log
counts, so all services end with the same one. Beside them wait facts that the gate does not let into their case.

What waited is joined in the order in which it was parked. The stamp it is joined with is written down before: whoever
does it again after a crash puts the very same records into the log, and a fact that is there twice counts once.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from pymongo import DeleteOne, UpdateOne

from qorgau.errors import QorgauError
from qorgau.front.door import Admitted
from qorgau.front.gate import HELD, Gate, held
from qorgau.front.parking import Seal, Unreadable
from qorgau.front.posting import FactLog
from qorgau.pausing import pause
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import collection, deadline, write_all
from qorgau.telemetry import Stored

# How soon a fact that came before its referral counts; nothing is held in an ordinary hour.
LOOKED_AT_EVERY = timedelta(seconds=1)
# Whoever sends what will never be let in takes at most a twentieth of the database's time.
SHARE = 20
_SLICE = 500
# An agency registers its number within minutes; after an hour a person should look why it did not.
OVERDUE = timedelta(hours=1)
# Before the reference of what cannot be opened, so that it is out of the way and not lost.
_UNREADABLE = "unreadable:"
# The order in which facts were parked; those from before this was written down come first.
_ORDER = [("parked", 1), ("_id", 1)]
# Above every name of a case.
_TOP = "~"
_log = logging.getLogger("qorgau")
_T = TypeVar("_T")


class WaitingRoom:
    """The `Waiting` of `posting.py`, with what the follower of the references topic needs."""

    def __init__(self, edition: Edition, log: FactLog, now: Callable[[], int], gate: Gate, secret: str) -> None:
        self.edition = edition
        # Those that were known before they are read again count until all are.
        self.readers = Edition(edition.database)
        self._parked = collection(edition.database, "waiting")
        self._log = log
        self._now = now
        self._gate = gate
        self._seal = Seal(secret)
        self._last = 0

    async def prepare(self) -> None:
        """Work with the newest edition and create the index; safe to repeat."""
        await self.edition.begin()
        await self.readers.begin()
        async with deadline():
            for index in ([("reference", 1), *_ORDER], [("parked", 1)]):
                await self._parked.create_index(index)
            await self.edition.collection("references").create_index([("case", 1)])

    async def cases_of(self, digests: Collection[str]) -> Mapping[str, str]:
        """The cases of those references that are registered."""
        found = await self._references({"_id": {"$in": list(digests)}})
        return {document["_id"]: document["case"] for document in found}

    async def park(self, admitted: Sequence[Admitted]) -> None:
        """Keep facts until their reference is registered, and join at once what was registered meanwhile."""
        kept = [
            UpdateOne({"_id": document["_id"]}, {"$setOnInsert": document}, upsert=True)
            for document in (self._seal.document(waiting, self._next()) for waiting in admitted)
        ]
        await write_all(self._parked, kept)
        for digest, case in (await self.cases_of({str(waiting.reference) for waiting in admitted})).items():
            await self.release(digest, case)

    async def registered(self, case: str, agency: str) -> bool:
        """Whether this agency registered a reference of the case."""
        return any(document.get("agency") == agency for document in await self._references({"case": case}))

    async def _references(self, query: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What is known of references: first of the newest edition, then, until all are read again, from before."""
        editions = {edition.number: edition for edition in (self.readers, self.edition)}
        found: list[Mapping[str, Any]] = []
        for _, edition in sorted(editions.items(), reverse=True):
            async with deadline():
                found += await edition.collection("references").find(query).to_list(None)
        return found

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
            found = await self._some(digest)
            if not found:
                return
            apart = await self._let_in(found, case)
            moved = {name: self._seal.sealed(name, held(one)) for name, one in apart.items()}
            await write_all(self._parked, [UpdateOne({"_id": name}, {"$set": new}) for name, new in moved.items()])

    async def release_held(self) -> None:
        """Let in what was held apart from its case and belongs to it by now."""
        async with deadline():
            names = await self._parked.distinct("reference", {"reference": {"$gte": HELD, "$lt": HELD + _TOP}})
        for name in names:
            await self._let_in(await self._some(name), name.removeprefix(HELD))

    async def follow_cases(self, stopping: asyncio.Event) -> None:
        """Let in what is held as soon as its case is its source's, until it is time to stop."""
        while not stopping.is_set():
            begun = time.monotonic()
            try:
                await self.release_held()
            except QorgauError as error:
                _log.debug("what is held was not looked at: %s", error.title)
            await pause(stopping, max(LOOKED_AT_EVERY, SHARE * timedelta(seconds=time.monotonic() - begun)))

    async def _some(self, reference: str) -> list[Mapping[str, Any]]:
        """What waits for a reference, the longest first."""
        async with deadline():
            found: list[Mapping[str, Any]] = (
                await self._parked.find({"reference": reference}).sort(_ORDER).limit(_SLICE).to_list(None)
            )
        return found

    async def _let_in(self, documents: Sequence[Mapping[str, Any]], case: str) -> dict[str, Admitted]:
        """Put those into the log that the gate lets into the case, and forget them; the others, by their names."""
        named = await self._opened(documents)
        now = self._now()
        # Each a moment after the one before: what was told first is judged first.
        coming = {name: _joined(one, case, now + place) for place, (name, one) in enumerate(named.items())}
        lets_in = dict(zip(coming, await self._gate.lets_in(list(coming.values())), strict=True))
        stamps = await self._stamped({name: coming[name].fact.recorded for name, counts in lets_in.items() if counts})
        if stamps:
            await self._log.append([replace(coming[name].fact, recorded=stamp) for name, stamp in stamps.items()])
        await write_all(self._parked, [DeleteOne({"_id": name}) for name in stamps])
        return {name: coming[name] for name, counts in lets_in.items() if not counts}

    async def _stamped(self, stamps: Mapping[str, int]) -> dict[str, int]:
        """The stamps that count, in this order: of two who do it the first one's; without what is joined already."""
        if not stamps:
            return {}
        new = [UpdateOne({"_id": name, "stamp": None}, {"$set": {"stamp": stamp}}) for name, stamp in stamps.items()]
        await write_all(self._parked, new)
        async with deadline():
            found = await self._parked.find({"_id": {"$in": list(stamps)}}, {"stamp": 1}).to_list(None)
        counts = {document["_id"]: int(document["stamp"]) for document in found}
        return {name: counts[name] for name in stamps if name in counts}

    async def _opened(self, documents: Sequence[Mapping[str, Any]]) -> dict[str, Admitted]:
        """What can be opened, by name; what cannot goes out of the way, and is told once."""
        opened, closed = {}, []
        for document in documents:
            try:
                opened[document["_id"]] = self._seal.opened(document)
            except Unreadable:
                closed.append(document)
        if closed:
            _log.error("%d parked facts cannot be opened: was the token key changed? They are kept", len(closed))
        aside = [
            UpdateOne({"_id": one["_id"]}, {"$set": {"reference": f"{_UNREADABLE}{one['reference']}"}})
            for one in closed
        ]
        await write_all(self._parked, aside)
        return opened

    async def release_all(self) -> None:
        """Join whatever waits for a reference that is known: what a crash between two steps left behind."""
        await self._read_again()
        async with deadline():
            digests = await self._parked.distinct("reference")
        for some in _slices(digests):
            for digest, case in (await self.cases_of(some)).items():
                await self.release(digest, case)

    async def waiting(self) -> list[Stored]:
        """How many wait, and how many of them for more than an hour, by what they wait for."""
        over = self._now() - OVERDUE // timedelta(microseconds=1)
        everything, overdue = await self._by_reason({}), await self._by_reason({"parked": {"$lt": over}})
        async with deadline():
            # One replica of all that look finds that it was not told yet.
            new = {"parked": {"$lt": over}, "told": None}
            told = (await self._parked.update_many(new, {"$set": {"told": 1}})).modified_count
        if told:
            _log.warning("%d more facts have waited for over an hour for their reference or their case", told)
        return [
            *(Stored("qorgau_parked", (reason,), count) for reason, count in everything.items()),
            *(Stored("qorgau_parked_overdue", (reason,), count) for reason, count in overdue.items()),
        ]

    async def _by_reason(self, query: Mapping[str, Any]) -> dict[str, int]:
        counted: dict[str, int] = {}
        async with deadline():
            for reason, prefix in (("held", HELD), ("unreadable", _UNREADABLE)):
                some = {**query, "reference": {"$gte": prefix, "$lt": prefix + _TOP}}
                counted[reason] = int(await self._parked.count_documents(some))
            every = int(await self._parked.count_documents(dict(query)))
        return {"reference": every - sum(counted.values()), **counted}

    async def _read_again(self) -> None:
        """What could not be opened waits again if it can be now, with the secret it was sealed under."""
        async with deadline():
            aside = {"reference": {"$gte": _UNREADABLE, "$lt": _UNREADABLE + _TOP}}
            found = await self._parked.find(aside).sort(_ORDER).to_list(None)
        back = [{**document, "reference": document["reference"].removeprefix(_UNREADABLE)} for document in found]
        again = [
            UpdateOne({"_id": document["_id"]}, {"$set": {"reference": document["reference"]}})
            for document in back
            if self._can_open(document)
        ]
        for some in _slices(again):
            await write_all(self._parked, list(some))

    def _can_open(self, document: Mapping[str, Any]) -> bool:
        try:
            self._seal.opened(document)
        except Unreadable:
            return False
        return True

    def _next(self) -> int:
        """The instant of now, and after every one given out here before."""
        self._last = max(self._now(), self._last + 1)
        return self._last


def _joined(waiting: Admitted, case: str, stamp: int) -> Admitted:
    named = replace(waiting, reference=None)
    return replace(named, fact=named.joined(case, stamp))


def _slices(everything: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(everything), _SLICE):
        yield everything[start : start + _SLICE]
