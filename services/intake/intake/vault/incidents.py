"""Reports that are probably about one incident: proposed to people, merged by them, and un-merged again.

Proposals are kept beside the vault, codes and scores only. To merge is a fact of the duplicate's case, to un-merge its
withdrawal; both go the way of reports, so they are safe with the case before they are answered.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne

from intake.domain import ReportMerged
from intake.vault.blind import Indexes
from intake.vault.book import VaultBook
from intake.vault.duplicates import Proposal, Sketch, proposals, sketches
from intake.vault.records import VaultRecord, facts_added
from qorgau.errors import Conflict, Forbidden, NotFound
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.identity.sender import EVERY, Sender
from qorgau.instants import format_instant
from qorgau.shell.mongo import collection, deadline, write_all

# Of one index more than so many reports are not looked at: a shelter's phone, not an incident.
MOST = 200
OPEN, MERGED, DISMISSED = "open", "merged", "dismissed"
STATES = (OPEN, MERGED, DISMISSED)


@dataclass(frozen=True, slots=True)
class Incidents:
    """The proposals of one vault. `now` is the service's clock."""

    database: Any
    book: VaultBook
    now: Callable[[], int]

    @property
    def _proposals(self) -> Any:
        return collection(self.database, "duplicates")

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline():
            for name in ("key", "cases"):
                await self._proposals.create_index([(name, 1)])

    async def look(self, records: Sequence[VaultRecord]) -> None:
        """Note what new reports may be duplicates of. Repeating it changes nothing. Raises Unavailable."""
        found: dict[str, Proposal] = {}
        by_record = {record.case: indexes for record in records if (indexes := _indexes(record))}
        everybody = [record for record in records if record.case in by_record] + await self._sharing(by_record)
        places: dict[str, list[int]] = {}
        for place, other in enumerate(everybody):
            for index in _indexes(other):
                places.setdefault(index, []).append(place)
        for record in records:
            near = {place for index in by_record.get(record.case, ()) for place in places.get(index, ())}
            others = [sketch for place in sorted(near)[:MOST] for sketch in sketches(everybody[place])]
            for own in sketches(record):
                found |= {_name(each): each for each in proposals(own, others)}
        noted = [_noted(name, each, self.now()) for name, each in found.items()]
        await write_all(self._proposals, noted)

    async def _sharing(self, sought: Mapping[str, Indexes]) -> list[VaultRecord]:
        """Every other record that shares an index with one of these cases: together, or, where one index fills the
        answer, each by itself, so that a shelter's phone does not hide the others."""
        if not sought:
            return []
        together = await self.book.sharing(frozenset().union(*sought.values()), sought, MOST)
        if len(together) < MOST or len(sought) == 1:
            return together
        each = [record for indexes in sought.values() for record in await self.book.sharing(indexes, sought, MOST)]
        return list({record.case: record for record in each}.values())

    async def page(self, state: str, sender: Sender, after: str, limit: int) -> list[tuple[str, dict[str, Any]]]:
        """At most `limit` proposals in the sender's regions, after a key, with their keys; the oldest first."""
        query: dict[str, Any] = {"state": state, "key": {"$gt": after, "$lt": "~"}}
        if EVERY not in sender.regions:
            query["region"] = {"$in": sorted(sender.regions)}
        async with deadline():
            found = await self._proposals.find(query).sort("key", 1).limit(limit).to_list(None)
        return [(document["key"], _shown(document)) for document in found]

    async def merge(self, name: str, sender: Sender, fact_id: str) -> dict[str, Any]:
        """Say that the later of two reports is about the incident of the earlier one. Raises NotFound, Conflict."""
        known = await self._find(name, sender)
        if known["state"] == MERGED and known["fact"]["id"] != fact_id:
            raise Conflict("They are merged already.")
        first, second = known["first"], known["second"]
        data = {"region": known["region"], "report_id": second["report"], "into_report_id": first["report"]}
        # A development token speaks for everybody; a merge is a desk's.
        source = sender.agency if sender.agency != EVERY else f"102/{known['region']}"
        if source.partition("/")[0] not in ReportMerged.posted_by:
            raise Forbidden("Desks that take reports merge them.")
        fact = self._fact(fact_id, source, ReportMerged.type, second["case"], data)
        await self._add(second["case"], fact)
        return await self._set(name, {"state": MERGED, "fact": {"id": fact_id, "source": source}})

    async def unmerge(self, name: str, sender: Sender, fact_id: str) -> dict[str, Any]:
        """Take a merge back, by the agency that made it; everything is as it was before. Raises NotFound, Conflict,
        Forbidden."""
        known = await self._find(name, sender)
        if known["state"] != MERGED:
            raise Conflict("They are not merged.")
        merge = known["fact"]
        if not sender.is_agency(merge["source"]):
            raise Forbidden("The agency that merged them takes it back.")
        data = {"region": known["region"], "fact_id": merge["id"], "reason": "entered_in_error"}
        case = known["second"]["case"]
        await self._add(case, self._fact(fact_id, merge["source"], WITHDRAWAL, case, data))
        return await self._set(name, {"state": OPEN, "fact": None})

    async def dismiss(self, name: str, sender: Sender) -> dict[str, Any]:
        """Say that these are two incidents. Raises NotFound, Conflict."""
        known = await self._find(name, sender)
        if known["state"] == MERGED:
            raise Conflict("They are merged; take that back first.")
        return await self._set(name, {"state": DISMISSED})

    async def forget(self, case: str) -> None:
        """Take back what was proposed for a case whose people are to be recognised no more."""
        async with deadline():
            await self._proposals.delete_many({"cases": case, "state": {"$ne": MERGED}})

    async def _find(self, name: str, sender: Sender) -> dict[str, Any]:
        async with deadline():
            known = await self._proposals.find_one({"_id": name})
        if known is None or not sender.has_region(known["region"]):
            raise NotFound
        return dict(known)

    async def _set(self, name: str, changes: dict[str, Any]) -> dict[str, Any]:
        async with deadline():
            await self._proposals.update_one({"_id": name}, {"$set": changes})
            return _shown(await self._proposals.find_one({"_id": name}))

    def _fact(self, id: str, source: str, type: str, case: str, data: dict[str, str]) -> Fact:
        return Fact(id, source, type, self.now(), self.now(), case, data)

    async def _add(self, case: str, fact: Fact) -> None:
        await self.book.change(case, lambda record: (facts_added(record, [fact]), None))


def _indexes(record: VaultRecord) -> Indexes:
    return frozenset(index for report in record.reports for index in report.traces.all)


def _name(found: Proposal) -> str:
    return f"{found.first.report}.{found.second.report}"


def _side(sketch: Sketch) -> dict[str, Any]:
    codes = sketch.codes
    return {
        "case": sketch.case,
        "report": sketch.report,
        "at": sketch.at,
        "channel": codes.get("channel"),
    }


def _noted(name: str, found: Proposal, now: int) -> UpdateOne:
    new = {
        "key": f"{now:020d}|{name}",
        "cases": sorted({found.first.case, found.second.case}),
        "region": str(found.second.codes.get("region")),
        "first": _side(found.first),
        "second": _side(found.second),
        "score": found.score,
        "reasons": [[reason.name, reason.bits] for reason in found.reasons],
        "state": OPEN,
        "fact": None,
        "at": now,
    }
    return UpdateOne({"_id": name}, {"$setOnInsert": new}, upsert=True)


def _shown(document: Any) -> dict[str, Any]:
    def side(of: dict[str, Any]) -> dict[str, Any]:
        return {"case": of["case"], "report_id": of["report"], "at": format_instant(of["at"]), "channel": of["channel"]}

    return {
        "id": document["_id"],
        "state": document["state"],
        "region": document["region"],
        "first": side(document["first"]),
        "second": side(document["second"]),
        "score": document["score"],
        "reasons": [{"reason": name, "bits": bits} for name, bits in document["reasons"]],
        "proposed_at": format_instant(document["at"]),
    }
