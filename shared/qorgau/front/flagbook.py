"""The flags of all services as their events tell of them: a projection of the flags topic that can be made again.

One document a flag, the newest event by `seq`; what the documents know beyond the event is for lists only.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import InsertOne, ReplaceOne

from qorgau.errors import Malformed
from qorgau.front.door import EVERY, Sender
from qorgau.front.reading import flag_key
from qorgau.identity.sender import Reach
from qorgau.instants import parse_instant
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import deadline, write_all

FLAG_TYPES = frozenset(f"qorgau.flag.{change}.v1" for change in ("raised", "updated", "escalated", "cleared"))
# Above every key, so that no range is open: an open one is scanned by some servers.
_TOP = "~"
_EQUAL = ("case", "rule", "level", "severity", "region", "agency", "outcome")


@dataclass(frozen=True, slots=True)
class FlagEntry:
    """A flag as its newest event tells of it: `item` is the event's data and is what readers get."""

    id: str
    service: str
    seq: int
    raised_at: int
    item: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What lists are sorted by."""
        return flag_key(self.raised_at, self.id)

    def visible_to(self, sender: Sender) -> bool:
        """To the agency whose lateness it is, and to who supervises its region."""
        agency, region = self.item.get("agency"), self.item.get("region")
        return sender.supervises(region) or (agency is not None and agency == sender.agency)


def flag_entry(event: object) -> FlagEntry:
    """The flag an event of the flags topic tells of; raises Malformed for anything else."""
    try:
        if not isinstance(event, dict) or event["type"] not in FLAG_TYPES:
            raise Malformed("Not an event of a flag.")
        data = event["data"]
        if not isinstance(data["id"], str) or not isinstance(data["seq"], int) or not isinstance(data["case"], str):
            raise Malformed("A flag event lacks its id, its case or its number.")
        service = event["source"].removeprefix("system/")
        return FlagEntry(data["id"], service, data["seq"], parse_instant(data["raised_at"]), data)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Malformed("A flag event lacks a field.") from None


class FlagBook:
    """The flags of all services in one service's database, in one edition."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition

    @property
    def _flags(self) -> Any:
        return self.edition.collection("flags")

    async def prepare(self) -> None:
        """Work with the newest edition and create the indexes; safe to repeat."""
        await self.edition.begin()
        async with deadline():
            for first in ("", "case", "rule", "region", "agency"):
                await self._flags.create_index([(name, 1) for name in (first, "key") if name])

    async def apply(self, entries: Sequence[FlagEntry]) -> None:
        """Write what is newer than what is there; a repeat changes nothing."""
        newest: dict[str, FlagEntry] = {}
        for entry in entries:
            if entry.id not in newest or newest[entry.id].seq < entry.seq:
                newest[entry.id] = entry
        async with deadline():
            found = self._flags.find({"_id": {"$in": list(newest)}}, {"seq": 1})
            known = {document["_id"]: document["seq"] for document in await found.to_list(None)}
        newer = [entry for entry in newest.values() if known.get(entry.id, -1) < entry.seq]
        # Inserting what is new is many times cheaper than replacing it with an upsert.
        writes = [_if_newer(entry) if entry.id in known else InsertOne(_document(entry)) for entry in newer]
        if await write_all(self._flags, writes) < len(writes):
            # Somebody else was faster, with something older or newer; where it is newer the insert loses by its key.
            await write_all(self._flags, [_if_newer(entry, upsert=True) for entry in newer])

    async def find(self, flag_id: str) -> FlagEntry | None:
        """One flag, or None."""
        async with deadline():
            document = await self._flags.find_one({"_id": flag_id})
        return None if document is None else _entry(document)

    async def of_case(self, case: str) -> list[FlagEntry]:
        """Every flag of a case, in the order they were raised."""
        async with deadline():
            found = self._flags.find({"case": case}).sort("key", 1)
            return [_entry(document) for document in await found.to_list(None)]

    async def page(
        self,
        wanted: Mapping[str, str],
        since: int | None,
        sender: Sender,
        after: str,
        limit: int,
        open_in: Collection[str] | None = None,
    ) -> list[tuple[str, dict[str, Any]]]:
        """At most `limit` flags after a key that the sender may see, with their keys. `wanted`: field to value;
        `open_in`: only what is up, in these regions."""
        lowest = max(after, "" if since is None else flag_key(since, ""))
        query: dict[str, Any] = {name: wanted[name] for name in _EQUAL if name in wanted}
        query["key"] = {"$gt": lowest, "$lt": _TOP}
        if open_in is not None:
            query = {"$and": [query, {"region": {"$in": sorted(open_in)}, "item.cleared_at": None}]}
        visible = _visible(sender)
        async with deadline():
            found = self._flags.find({"$and": [query, visible]} if visible else query).sort("key", 1).limit(limit)
            return [(document["key"], document["item"]) for document in await found.to_list(None)]


def _visible(sender: Sender) -> dict[str, Any]:
    """`FlagEntry.visible_to` as a query."""
    if sender.reach not in (Reach.REGION, Reach.CODES):
        return {"agency": sender.agency}
    if EVERY in sender.regions:
        return {}
    regions = sorted(sender.regions)
    region: dict[str, Any] = {"region": regions[0] if len(regions) == 1 else {"$in": regions}}
    return region if sender.agency == EVERY else {"$or": [region, {"agency": sender.agency}]}


def _if_newer(entry: FlagEntry, *, upsert: bool = False) -> ReplaceOne[dict[str, Any]]:
    return ReplaceOne({"_id": entry.id, "seq": {"$lt": entry.seq}}, _document(entry), upsert=upsert)


def _document(entry: FlagEntry) -> dict[str, Any]:
    listed = {name: entry.item.get(name) for name in _EQUAL}
    return {
        "_id": entry.id,
        "key": entry.key,
        "service": entry.service,
        "seq": entry.seq,
        "raised_at": entry.raised_at,
        **listed,
        "item": dict(entry.item),
    }


def _entry(document: Mapping[str, Any]) -> FlagEntry:
    return FlagEntry(document["_id"], document["service"], document["seq"], document["raised_at"], document["item"])
