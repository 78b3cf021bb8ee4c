"""The cases of one service in MongoDB: load, save by compare-and-swap, what is due, what is not yet told. Only here is
motor imported.

A version is a counter and a random token of the writer: a bulk write does not say who lost, so if fewer documents were
written than sent, they are read again, and whoever lacks our token was changed by somebody else.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

from qorgau.facts import Fact
from qorgau.record import CaseRecord
from qorgau.shell.documents import (
    EVENTS,
    FACTS,
    NOTHING,
    Stored,
    fact_document,
    fact_of_document,
    facts_in,
    from_document,
    to_document,
)
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import barrier, deadline, keep_once, write_all
from qorgau.shell.recent import Recent
from qorgau.telemetry import Metrics

# Ten times what a batch of a thousand took where it was slowest; a server that takes longer is as good as away.
BATCH_DEADLINE = timedelta(seconds=30)
# A client that waits for a server to be chosen fails within this, and is tried again by whoever called.
SELECTION = timedelta(seconds=5)
_COUNTED = dict.fromkeys(("schema", "full", "closed", "open", "timers"), 1) | dict.fromkeys(
    (f"flags.{name}" for name in ("rule", "key", "level", "start", "cleared", "due", "region", "agency")), 1
)


def connect(uri: str) -> Any:
    """A client; nothing is sent before the first operation."""
    wait = int(SELECTION.total_seconds() * 1000)
    return AsyncIOMotorClient(
        uri,
        serverSelectionTimeoutMS=wait,
        connectTimeoutMS=wait,
        socketTimeoutMS=35_000,
        retryWrites=False,
        tz_aware=True,
    )


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A case and the instant at which it must be looked at."""

    at: int
    case: str


class Store:
    """The cases of one service in one edition. `partition` says on which partition of the log a case is; `recent`, of
    who saves the same cases again and again, which of them need not be loaded."""

    def __init__(
        self, edition: Edition, partition: Callable[[str], int], metrics: Metrics, recent: Recent | None = None
    ) -> None:
        self.edition = edition
        self.partition = partition
        self._metrics = metrics
        # Of no size it remembers nothing.
        self.recent = recent or Recent(0)
        # Told apart from those of processes that ran before: a counter alone could be the same again.
        self._token = secrets.token_hex(6)

    @property
    def _cases(self) -> Any:
        return self.edition.collection("cases")

    @property
    def _parked(self) -> Any:
        return self.edition.collection("parked")

    def former(self) -> "Store | None":
        """The cases as they were before they were made again; None where they never were."""
        former = self.edition.former()
        return None if former is None else Store(former, self.partition, self._metrics)

    def move(self) -> None:
        """Go on with the newest edition; nothing that is known of the one before counts in it."""
        self.edition.move()
        self.recent.forget()

    async def prepare(self) -> None:
        """Work with the newest edition and create its indexes; safe to repeat."""
        await self.edition.begin()
        async with deadline(BATCH_DEADLINE):
            for name in ("next_due", "pending", "flags.id", "p"):
                await self._cases.create_index([(name, 1)])
            await self._parked.create_index([("case", 1)])

    async def load(self, cases: Collection[str]) -> dict[str, Stored]:
        """Those cases, new ones for those that are not there. Raises NewerDocument."""
        found = {case: stored for case in cases if (stored := self.recent.get(case)) is not None}
        missing = [case for case in cases if case not in found]
        if missing:
            self._metrics.store_commands.inc()
            async with deadline(BATCH_DEADLINE):
                documents = await self._cases.find({"_id": {"$in": missing}}).to_list(None)
            found |= {document["_id"]: from_document(document) for document in documents}
        return {case: found.get(case) or Stored(CaseRecord(case)) for case in cases}

    async def facts(self, cases: Collection[str]) -> dict[str, tuple[Fact, ...]]:
        """The facts of those cases that are there, and nothing else of them. Raises NewerDocument."""
        self._metrics.store_commands.inc()
        async with deadline(BATCH_DEADLINE):
            documents = await self._cases.find({"_id": {"$in": list(cases)}}, FACTS).to_list(None)
        return {document["_id"]: facts_in(document) for document in documents}

    async def save(self, changed: Sequence[Stored]) -> tuple[dict[str, Stored], set[str]]:
        """Write these cases so that they survive a crash: those that were written, under their new version, and those
        that somebody else had changed since they were loaded. Raises Unavailable; repeated from the load it is safe."""
        if not changed:
            return {}, set()
        versions = {stored.record.case: self._next(stored) for stored in changed}
        for case in versions:
            self.recent.drop(case)
        writes = [self._write(stored, versions[stored.record.case]) for stored in changed]
        self._metrics.store_commands.inc()
        written = await write_all(self._cases, writes, BATCH_DEADLINE)
        lost: set[str] = set()
        if written < len(writes):
            lost = await self._lost(versions)
            self._metrics.conflicts.inc(len(lost))
        ours = [stored for stored in changed if stored.record.case not in lost]
        seen = [(self._cases, _as_written(stored)) for stored in _last_of_each_command(ours)]
        self._metrics.store_commands.inc(1 + len(seen))
        await barrier(self.edition.database, self._token, BATCH_DEADLINE, seen=seen)
        kept = {stored.record.case: replace(stored, version=versions[stored.record.case]) for stored in ours}
        for stored in kept.values():
            self.recent.keep(stored)
        return kept, lost

    async def change(self, cases: Iterable[str], change: Callable[[Stored], Stored]) -> None:
        """Load and save these cases with a change, once more where somebody else was quicker; one that `change` gives
        back as it was is not written."""
        left = set(cases)
        while left:
            loaded = await self.load(left)
            changed = [change(stored) for stored in loaded.values()]
            _, left = await self.save([new for new in changed if new is not loaded[new.record.case]])

    async def _lost(self, versions: Mapping[str, str]) -> set[str]:
        self._metrics.store_commands.inc()
        async with deadline(BATCH_DEADLINE):
            found = await self._cases.find({"_id": {"$in": list(versions)}}, {"v": 1}).to_list(None)
        ours = {document["_id"] for document in found if document["v"] == versions[document["_id"]]}
        return set(versions) - ours

    def _next(self, stored: Stored) -> str:
        return f"{stored.count + 1}.{self._token}"

    def _write(self, stored: Stored, version: str) -> InsertOne[dict[str, Any]] | ReplaceOne[dict[str, Any]]:
        case = stored.record.case
        document = to_document(stored, self.partition(case), version)
        # A new case that is there meanwhile loses by its key, like one whose version is another.
        return ReplaceOne({"_id": case, "v": stored.version}, document) if stored.version else InsertOne(document)

    async def clear(self, told: Iterable[Stored]) -> None:
        """Forget the events of these cases, which Kafka has acknowledged."""
        told = list(told)
        cleared: dict[str, Any] = {"outbox": [], "pending": NOTHING}
        # As long as nobody has written the case since, the whole outbox is what was published.
        writes = [UpdateOne({"_id": s.record.case, "v": s.version}, {"$set": cleared}) for s in told]
        if not writes:
            return
        for stored in told:
            self.recent.drop(stored.record.case)
        self._metrics.store_commands.inc()
        if await write_all(self._cases, writes, BATCH_DEADLINE) == len(writes):
            for stored in told:
                self.recent.keep(replace(stored, outbox=()))
        else:
            self._metrics.store_commands.inc()
            await write_all(self._cases, [_without(stored) for stored in told], BATCH_DEADLINE)

    async def due(self, numbers: Collection[int], after: int | None, until: int, limit: int) -> list[Due]:
        """Cases of these partitions that are due after one instant and up to another, the oldest first."""
        span: dict[str, int] = {"$lte": until} if after is None else {"$gt": after, "$lte": until}
        query = {"next_due": span, "p": {"$in": sorted(numbers)}}
        self._metrics.store_commands.inc()
        async with deadline(BATCH_DEADLINE):
            found = self._cases.find(query, {"next_due": 1}).sort("next_due", 1).limit(limit)
            return [Due(document["next_due"], document["_id"]) for document in await found.to_list(None)]

    async def untold(self, numbers: Collection[int], limit: int) -> dict[str, Stored]:
        """Cases with something that Kafka has not acknowledged."""
        query = {"pending": EVENTS, "p": {"$in": sorted(numbers)}}
        self._metrics.store_commands.inc()
        async with deadline(BATCH_DEADLINE):
            documents = await self._cases.find(query).limit(limit).to_list(None)
        return {document["_id"]: from_document(document) for document in documents}

    async def sweep(
        self, numbers: Collection[int], fingerprint: str, after: str, limit: int
    ) -> tuple[list[str], str | None]:
        """Of the next `limit` cases by name those of these partitions that another policy judged, and the name to go
        on after; None at the end."""
        async with deadline(BATCH_DEADLINE):
            # Above every name: an open range is scanned by some servers.
            found = self._cases.find({"_id": {"$gt": after, "$lt": "~"}}, {"fp": 1, "p": 1}).sort("_id", 1).limit(limit)
            documents = await found.to_list(None)
        judged = [d["_id"] for d in documents if d["p"] in numbers and d["fp"] not in ("", fingerprint)]
        return judged, documents[-1]["_id"] if len(documents) == limit else None

    async def park(self, facts: Sequence[Fact]) -> None:
        """Keep facts for which their cases have no room."""
        documents = [fact_document(fact) | {"_id": _parked_name(fact)} for fact in facts]
        self._metrics.store_commands.inc(3 if documents else 0)
        await keep_once(self._parked, documents, self._token, BATCH_DEADLINE)

    async def parked(self, most: int = 5_000) -> list[Fact]:
        """Facts for which there was no room, at most so many."""
        async with deadline(BATCH_DEADLINE):
            return [fact_of_document(document) for document in await self._parked.find({}).limit(most).to_list(None)]

    async def unpark(self, facts: Sequence[Fact]) -> None:
        """Forget parked facts that are in their cases now."""
        writes = [DeleteOne({"_id": _parked_name(fact)}) for fact in facts]
        await write_all(self._parked, writes, BATCH_DEADLINE)

    async def one(self, case: str) -> Stored | None:
        """One case, or None."""
        async with deadline():
            document = await self._cases.find_one({"_id": case})
        return None if document is None else from_document(document)

    async def versions(self, cases: Collection[str]) -> dict[str, str]:
        """The versions of those cases that are there."""
        async with deadline():
            found = await self._cases.find({"_id": {"$in": list(cases)}}, {"v": 1}).to_list(None)
        return {document["_id"]: document["v"] for document in found}

    async def case_of_flag(self, flag_id: str) -> str | None:
        """The case in which this service raised a flag, or None."""
        async with deadline():
            document = await self._cases.find_one({"flags.id": flag_id}, {"_id": 1})
        return None if document is None else str(document["_id"])

    async def countable(self, number: int) -> list[Mapping[str, Any]]:
        """What `census.py` counts of each case of one partition. Only of one: a server that works with one core does
        nothing else meanwhile."""
        self._metrics.store_commands.inc()
        async with deadline(BATCH_DEADLINE):
            found: list[Mapping[str, Any]] = await self._cases.find({"p": number}, _COUNTED).to_list(None)
        return found

    async def count_parked(self) -> int:
        """How many facts have no room in their cases."""
        async with deadline(BATCH_DEADLINE):
            return int(await self._parked.count_documents({}))


def _last_of_each_command(written: Sequence[Stored]) -> list[Stored]:
    """The driver sends new documents and others apart."""
    last = {bool(stored.version): stored for stored in written}
    return list(last.values())


def _as_written(stored: Stored) -> dict[str, Any]:
    """Finds a case unless it is as it was before: not there, or under the version that was replaced."""
    return {"_id": stored.record.case, "v": {"$ne": stored.version}}


def _parked_name(fact: Fact) -> str:
    return f"{fact.case} {fact.source} {fact.id}"


def _without(stored: Stored) -> UpdateOne:
    """Removes by their ids what is told; what is left in the outbox, and whether anything is, the relay finds out."""
    pull = {"outbox": {"id": {"$in": [event.id for event in stored.outbox]}}}
    return UpdateOne({"_id": stored.record.case}, {"$pull": pull})
