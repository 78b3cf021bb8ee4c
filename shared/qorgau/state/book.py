"""The rows that a service's cases make, in a collection of their own: written with each case, found again by list.

A row is written before its case is saved and in the same journal, so no case is safe whose rows are not; where the save
is lost, the case is stepped again and its rows with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from pymongo import DeleteOne, InsertOne, ReplaceOne

from qorgau.identity.membership import parts, parts_of
from qorgau.identity.sender import EVERY, Reach, Sender
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import deadline, write_all
from qorgau.state.rows import Listed, Projection, Seen
from qorgau.store import BATCH_DEADLINE

# Later than every due: what nobody has to do anything about comes last.
_NEVER = 1 << 62
# Above every key, so that no range is open: an open one is scanned by some servers.
_TOP = "~"
_EQUAL = ("region", "state", "agency", "court", "case")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a list is wanted: values that fields must have, and dues before an instant in microseconds."""

    equal: Mapping[str, str]
    before: int | None = None


class ListBook:
    """The rows of one service in one edition."""

    def __init__(self, edition: Edition, project: Projection) -> None:
        self.edition = edition
        self._project = project

    @property
    def _rows(self) -> Any:
        return self.edition.collection("listed")

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline(BATCH_DEADLINE):
            await self._rows.create_index([("case", 1)])
            for second in ("region", "court"):
                await self._rows.create_index([("kind", 1), (second, 1), ("at", 1)])
            await self._rows.create_index([("kind", 1), ("at", 1)])

    async def show(self, seen: Sequence[Seen]) -> None:
        """Write the rows of these cases, and forget those they no longer make; a repeat changes nothing."""
        documents = [document for one in seen for document in self._documents(one)]
        async with deadline(BATCH_DEADLINE):
            found = self._rows.find({"case": {"$in": [one.record.case for one in seen]}}, {"digest": 1, "v": 1})
            known = {document["_id"]: document for document in await found.to_list(None)}
        writes = [_write(document, known.pop(document["_id"], None)) for document in documents]
        versions = {one.record.case: one.version for one in seen}
        gone = [_forget(name, versions[name.split(" ")[1]]) for name in known]
        await write_all(self._rows, [write for write in writes if write is not None] + gone, BATCH_DEADLINE)

    async def page(
        self, kind: str, wanted: Wanted, sender: Sender, after: str, limit: int
    ) -> list[tuple[str, dict[str, Any]]]:
        """At most `limit` rows after a key that the sender may see, the earliest due first, with their keys."""
        query: dict[str, Any] = {"kind": kind} | {name: wanted.equal[name] for name in _EQUAL if name in wanted.equal}
        query["at"] = {"$gt": after, "$lt": _TOP if wanted.before is None else f"{wanted.before:020d}"}
        visible = _visible(sender)
        async with deadline():
            rows = self._rows.find({"$and": [query, visible]} if visible else query).sort("at", 1).limit(limit)
            return [(document["at"], document) for document in await rows.to_list(None)]

    async def of_court(self, kind: str, court: str, sender: Sender) -> list[dict[str, Any]]:
        """Every row of a kind before a court that the sender may see."""
        query, visible = {"kind": kind, "court": court}, _visible(sender)
        async with deadline(BATCH_DEADLINE):
            rows = self._rows.find({"$and": [query, visible]} if visible else query)
            found: list[dict[str, Any]] = await rows.to_list(None)
        return found

    def _documents(self, seen: Seen) -> list[dict[str, Any]]:
        rows = list(self._project(seen.record, seen.judged))
        belongs = sorted(parts(seen.record.facts)) if rows else []
        return [_document(seen.record.case, seen.version, belongs, row) for row in rows]


def _document(case: str, version: int, belongs: Sequence[str], row: Listed) -> dict[str, Any]:
    due = _NEVER if row.due is None else row.due
    told = {
        **{"kind": row.kind, "key": row.key, "state": row.state, "region": row.region, "agency": row.agency},
        **{"court": row.court, "due": row.due, "parts": list(belongs), "item": dict(row.item)},
    }
    tail = sha256(f"{case} {row.key}".encode()).hexdigest()[:32]
    digest = sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
    name = f"{row.kind} {case} {row.key}"
    return {"_id": name, "case": case, "v": version, "at": f"{due:020d}|{tail}", "digest": digest, **told}


def _write(document: dict[str, Any], known: Mapping[str, Any] | None) -> Any:
    """Inserting what is new is many times cheaper than replacing it with an upsert; what is there as it is stays."""
    if known is None:
        return InsertOne(document)
    if known["digest"] == document["digest"]:
        return None
    return ReplaceOne({"_id": document["_id"], "v": {"$lte": document["v"]}}, document)


def _forget(name: str, version: int) -> DeleteOne:
    return DeleteOne({"_id": name, "v": {"$lte": version}})


def _visible(sender: Sender) -> dict[str, Any]:
    """Which rows a sender may see, as a query: those of its regions where it supervises, else of the cases it is part
    of by their facts."""
    if sender.reach in (Reach.REGION, Reach.CODES) and EVERY in sender.regions:
        return {}
    own = {"parts": {"$in": sorted(parts_of(sender.agency, sender.regions))}}
    if sender.reach is Reach.OWN:
        return own
    region = {"region": {"$in": sorted(sender.regions)}}
    return region if sender.reach is Reach.CODES else {"$or": [region, own]}


def is_shown(sender: Sender, region: str | None, belongs: Iterable[str]) -> bool:
    """The same for one row, of its region and of whom its case has for parts."""
    if sender.reach in (Reach.REGION, Reach.CODES) and EVERY in sender.regions:
        return True
    if sender.reach is not Reach.OWN and region in sender.regions:
        return True
    return sender.reach is not Reach.CODES and not parts_of(sender.agency, sender.regions).isdisjoint(belongs)
