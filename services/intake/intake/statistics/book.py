"""The reports that count, in the database: a projection of the log in which each fact is written once, as codes.

A report's document is made by whichever comes first, the report or its withdrawal. Whoever follows the log writes the
same, however often and whoever is ahead, so every replica may.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo import UpdateOne

from intake.statistics.counting import Kept, Report, Sieve, Span, Withdrawn, spans
from qorgau.facts import Fact
from qorgau.heart.tolls import FOREVER
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import deadline, write_all

_NUMBERS_AT_ONCE = 1_000
_READ_WITHIN = timedelta(seconds=30)
_BOUND = FOREVER
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
        await write_all(self._counted, [_write(one) for one in kept], _READ_WITHIN)

    async def first(self) -> int | None:
        """The time of the earliest report, None where there is none."""
        async with deadline():
            found = self._counted.find({"time": {"$gt": -_BOUND, "$lt": _BOUND}}, {"time": 1}).sort("time", 1).limit(1)
            documents = await found.to_list(None)
        return int(documents[0]["time"]) if documents else None

    async def of_region(self, region: str, since: int, before: int) -> list[Report]:
        """The reports of a region dated in [since, before)."""
        query = {"region": region, "time": {"$gte": since, "$lt": before}}
        async with deadline(_READ_WITHIN):
            documents = await self._counted.find(query, _FIELDS).to_list(None)
        return await self._judged(documents)

    async def before(self, region: str, instant: int, at: int) -> bool:
        """Whether the region was heard of before an instant, as known at another one."""
        query = {"region": region, "time": {"$gt": -_BOUND, "$lt": instant}}
        async with deadline():
            documents = await self._counted.find(query, _FIELDS).sort("time", 1).limit(100).to_list(None)
        return any(report.counts_at(at) for report in await self._judged(documents))

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
                spans(document["known"], document.get("gone", FOREVER), taken_out.get(document["report"], ())),
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
                found[document["merges"]].append((document["known"], document.get("gone", FOREVER)))
        return found


def _write(kept: Kept | Withdrawn) -> UpdateOne:
    if isinstance(kept, Withdrawn):
        return UpdateOne({"_id": kept.id}, {"$min": {"gone": kept.known}}, upsert=True)
    if kept.kind == "merge":
        fields: dict[str, Any] = {"merges": kept.report, "known": kept.known}
    else:
        names = ("region", "channel", "report", "time", "known")
        fields = {name: getattr(kept, name) for name in names}
    # Where it is known already nothing matches, and the upsert loses by its key.
    return UpdateOne({"_id": kept.id, "known": {"$exists": False}}, {"$set": fields}, upsert=True)
