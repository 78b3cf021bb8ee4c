"""The reports that count, in the database: a projection of the log in which each fact is written once, as codes.

A report's document is made by whichever comes first, the report or its withdrawal. Whoever follows the log writes the
same, however often and whoever is ahead, so every replica may.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo import UpdateOne

from intake.statistics.counting import Kept, Report, Sieve, Withdrawn
from qorgau.facts import Fact
from qorgau.heart.others import Span, counted_spans
from qorgau.heart.tolls import FOREVER
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import deadline, insert_all, write_all

_NUMBERS_AT_ONCE = 1_000
_READ_WITHIN = timedelta(seconds=30)
_FIELDS = {"region": 1, "channel": 1, "report": 1, "time": 1, "known": 1, "gone": 1}


class CountBook:
    """The reports that count, in one edition; `sieve` says which facts are kept."""

    def __init__(self, edition: Edition, sieve: Sieve) -> None:
        self.edition = edition
        self._sieve = sieve

    @property
    def _counted(self) -> Any:
        return self.edition.collection("counted")

    async def prepare(self) -> None:
        """Work with the newest edition and create the indexes; safe to repeat."""
        await self.edition.begin()
        async with deadline():
            await self._counted.create_index([("region", 1), ("time", 1)])
            await self._counted.create_index([("time", 1)])
            await self._counted.create_index([("merges", 1)])

    def kept(self, fact: Fact) -> Kept | Withdrawn | None:
        """What of a fact is written down; None where nothing is."""
        return self._sieve.kept(fact)

    async def apply(self, kept: Sequence[Kept | Withdrawn]) -> None:
        """Write it down; of copies of a fact the first in the log counts, and a repeat changes nothing."""
        if not kept:
            return
        await self._note_beginnings([one for one in kept if isinstance(one, Kept) and one.kind == "report"])
        new = [one for one in kept if isinstance(one, Kept)]
        # Inserting what is new is many times cheaper than looking each time whether it is there.
        written = [{"_id": one.id, **_fields(one)} for one in new]
        known = await insert_all(self._counted, written, _READ_WITHIN) if written else set()
        again = [_complete(new[place]) for place in sorted(known)]
        gone = [_gone(one) for one in kept if isinstance(one, Withdrawn)]
        await write_all(self._counted, [*again, *gone], _READ_WITHIN)

    async def _note_beginnings(self, reports: Sequence[Kept]) -> None:
        first: dict[str, int] = {}
        for report in reports:
            first[report.region] = min(report.time, first.get(report.region, report.time))
        heard = [
            UpdateOne({"_id": _heard(region)}, {"$min": {"since": time}}, upsert=True) for region, time in first.items()
        ]
        await write_all(self._counted, heard)

    async def since(self, regions: Iterable[str]) -> dict[str, int]:
        """The time of the earliest report of each of these regions that was ever heard of."""
        async with deadline():
            found = self._counted.find({"_id": {"$in": [_heard(region) for region in regions]}})
            documents = await found.to_list(None)
        return {document["_id"].removeprefix(_heard("")): document["since"] for document in documents}

    async def of_region(self, region: str, since: int, before: int) -> list[Report]:
        """The reports of a region dated in [since, before)."""
        query = {"region": region, "time": {"$gte": since, "$lt": before}}
        async with deadline(_READ_WITHIN):
            documents = await self._counted.find(query, _FIELDS).to_list(None)
        return await self._judged(documents)

    async def between(self, begin: int, end: int, step: int) -> AsyncIterator[list[Report]]:
        """The reports of all regions dated in [begin, end), in pieces of `step` microseconds."""
        for since in range(begin, end, step):
            query = {"time": {"$gte": since, "$lt": min(since + step, end)}}
            async with deadline(_READ_WITHIN):
                documents = await self._counted.find(query, _FIELDS).to_list(None)
            yield await self._judged(documents)

    async def _judged(self, documents: Sequence[Mapping[str, Any]]) -> list[Report]:
        taken_out = await self._merges({document["report"] for document in documents if document["report"]})
        return [
            Report(
                document["region"],
                document["channel"],
                document["time"],
                tuple(counted_spans(*_span(document), taken_out.get(document["report"], ()))),
            )
            for document in documents
        ]

    async def _merges(self, numbers: Collection[str]) -> Mapping[str, list[Span]]:
        """When known merges take the reports of these numbers out of the count."""
        found: dict[str, list[Span]] = defaultdict(list)
        listed = sorted(numbers)
        for start in range(0, len(listed), _NUMBERS_AT_ONCE):
            query = {"merges": {"$in": listed[start : start + _NUMBERS_AT_ONCE]}}
            async with deadline(_READ_WITHIN):
                documents = await self._counted.find(query, {"merges": 1, "known": 1, "gone": 1}).to_list(None)
            for document in documents:
                begin, end = _span(document)
                # Else its withdrawal was known before it, and it never took anything out.
                if begin < end:
                    found[document["merges"]].append((begin, end))
        return found


def _span(document: Mapping[str, Any]) -> Span:
    """When what is kept is known, and when it is withdrawn."""
    return document["known"], document.get("gone", FOREVER)


def _heard(region: str) -> str:
    # Names of facts have three parts.
    return f"heard {region}"


def _fields(kept: Kept) -> dict[str, Any]:
    if kept.kind == "merge":
        return {"merges": kept.report, "known": kept.known}
    return {name: getattr(kept, name) for name in ("region", "channel", "report", "time", "known")}


def _complete(kept: Kept) -> UpdateOne:
    """Where only its withdrawal was known so far; where it was known itself nothing matches."""
    return UpdateOne({"_id": kept.id, "known": {"$exists": False}}, {"$set": _fields(kept)})


def _gone(withdrawn: Withdrawn) -> UpdateOne:
    return UpdateOne({"_id": withdrawn.id}, {"$min": {"gone": withdrawn.known}}, upsert=True)
