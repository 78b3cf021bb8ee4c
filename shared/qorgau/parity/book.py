"""The delays of calls and docket items, in the database: a projection of the log in which each fact is written once.

A document is made by whichever comes first, the fact or its withdrawal. Whoever follows the log writes the same,
however often and whoever is ahead, so every replica may.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo import UpdateOne

from qorgau.heart.tolls import FOREVER
from qorgau.instants import DAY
from qorgau.parity.samples import Kept, Sample, Withdrawn
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import deadline, insert_all, write_all

_WITHIN = timedelta(seconds=30)
_NAMES = ("region", "unit", "grade", "area", "category", "registered", "delay")
_FIELDS = dict.fromkeys((*_NAMES, "known", "gone"), 1) | {"_id": 0}


class DelayBook:
    """The samples of one service, in one edition."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition

    @property
    def _delays(self) -> Any:
        return self.edition.collection("delays")

    async def prepare(self) -> None:
        """Work with the newest edition and create the index; safe to repeat."""
        await self.edition.begin()
        async with deadline():
            await self._delays.create_index([("registered", 1)])

    async def apply(self, kept: Sequence[Kept | Withdrawn]) -> None:
        """Write it down; of copies of a fact the first in the log counts, and a repeat changes nothing."""
        new = [one for one in kept if isinstance(one, Kept)]
        written = [{"_id": one.id, **_fields(one)} for one in new]
        # Inserting what is new is many times cheaper than looking each time whether it is there.
        known = await insert_all(self._delays, written, _WITHIN) if written else set()
        again = [_complete(new[place]) for place in sorted(known)]
        gone = [_gone(one) for one in kept if isinstance(one, Withdrawn)]
        await write_all(self._delays, [*again, *gone], _WITHIN)

    async def between(self, since: int, until: int, at: int) -> AsyncIterator[list[Sample]]:
        """What was registered in [since, until) and counts at an instant, day by day. Raises Unavailable."""
        for begin in range(since, until, DAY):
            query = {"registered": {"$gte": begin, "$lt": min(begin + DAY, until)}}
            async with deadline(_WITHIN):
                documents = await self._delays.find(query, _FIELDS).to_list(None)
            yield [_sample(one) for one in documents if one["known"] <= at < one.get("gone", FOREVER)]


def _fields(kept: Kept) -> dict[str, Any]:
    return {name: getattr(kept.sample, name) for name in _NAMES} | {"known": kept.known}


def _sample(document: Mapping[str, Any]) -> Sample:
    return Sample(*(document[name] for name in _NAMES))


def _complete(kept: Kept) -> UpdateOne:
    """Where only its withdrawal was known so far; where it was known itself nothing matches."""
    return UpdateOne({"_id": kept.id, "known": {"$exists": False}}, {"$set": _fields(kept)})


def _gone(withdrawn: Withdrawn) -> UpdateOne:
    return UpdateOne({"_id": withdrawn.id}, {"$min": {"gone": withdrawn.known}}, upsert=True)
