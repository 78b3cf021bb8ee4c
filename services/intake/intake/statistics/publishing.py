"""Tables as they were published, revision by revision, outside the editions: what was once told cannot be taken back.

A table is published once a day at most, when a day is ready, with what is known then; so two who ask on the same day
get the same, and nobody sees single reports come in.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pymongo import InsertOne

from intake.statistics.book import CountBook
from intake.statistics.current import Current
from intake.statistics.periods import ONE_DAY, Days, next_month
from intake.statistics.tables import Revision, count, table
from qorgau.errors import NotFound, Unavailable
from qorgau.instants import DAY
from qorgau.shell.mongo import collection, deadline, write_all
from qorgau.surge.suppression import Cell

# A table that somebody else publishes at the same moment is looked at again; a third time it is there.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Months:
    """The tables of months. `days`: those of each region; `here`: those by which days are ready for all."""

    database: Any
    book: CountBook
    current: Current
    days: Mapping[str, Days]
    here: Days
    below: int
    _looked: dict[date, int] = field(default_factory=dict)

    @property
    def _published(self) -> Any:
        return collection(self.database, "published")

    async def prepare(self) -> None:
        """Create the index; safe to repeat."""
        async with deadline():
            await self._published.create_index([("month", 1)])

    async def revisions(self, month: str) -> list[Revision]:
        """Every revision of a month, the first one first."""
        async with deadline():
            documents = await self._published.find({"month": month}).to_list(None)
        return sorted(map(_revision, documents), key=lambda revision: revision.number)

    def is_over(self, first: date, published_at: int) -> bool:
        """Whether all regions have had the last day of a month when a table would be published."""
        last = next_month(first) - ONE_DAY
        return all(days.begin(last + ONE_DAY) <= published_at for days in self.days.values())

    async def publish(self, first: date, now: int) -> list[Revision]:
        """The revisions of a month that is over, with one more where what is known now makes another table. Raises
        NotFound for a month before the first report."""
        at, month = self.here.last_ready(now), f"{first:%Y-%m}"
        known = await self.revisions(month)
        if self._looked.get(first) == at or (known and known[-1].as_of >= at):
            return known
        counts = await self._counts(first, next_month(first), at)
        for _ in range(_TRIES):
            made = table(counts, self.days, [revision.table for revision in known], self.below)
            if known and (known[-1].as_of >= at or made == known[-1].table):
                break
            revision = Revision(month, len(known) + 1, at, made)
            if await write_all(self._published, [InsertOne(_document(revision))]):
                known = [*known, revision]
                break
            known = await self.revisions(month)
        else:
            raise Unavailable
        self._looked[first] = at
        return known

    async def provisional(self, first: date, now: int) -> Revision:
        """The month so far: its days that are ready. It is not published, and no revision. Raises NotFound."""
        at = self.here.last_ready(now)
        end = min(next_month(first), self.here.newest(at) + ONE_DAY)
        counts = await self._counts(first, end, at)
        return Revision(f"{first:%Y-%m}", 0, at, table(counts, self.days, (), self.below))

    async def _counts(self, first: date, end: date, at: int) -> Counter[Cell]:
        """The counts of [first, end) as known at an instant; all that was known then has been read."""
        async with self.current.reading():
            heard = await self.book.since(self.days)
            if not heard or next_month(first) <= self.here.of(min(heard.values()) - DAY) or first > self.here.of(at):
                raise NotFound
            counts: Counter[Cell] = Counter()
            begin = min(days.begin(first) for days in self.days.values())
            finish = max(days.begin(end) for days in self.days.values())
            async for reports in self.book.between(begin, finish, DAY):
                counts.update(count(reports, first, end, at, self.days))
        return counts


def valid_at(revisions: Iterable[Revision], at: int) -> Revision | None:
    """The one that was in force at an instant."""
    return max((one for one in revisions if one.as_of <= at), key=lambda one: one.number, default=None)


def _document(revision: Revision) -> dict[str, Any]:
    cells = [[*cell, value] for cell, value in sorted(revision.table.items())]
    number = f"{revision.month} {revision.number:06d}"
    return {"_id": number, "month": revision.month, "number": revision.number, "as_of": revision.as_of, "cells": cells}


def _revision(document: Mapping[str, Any]) -> Revision:
    cells: dict[Cell, int | None] = {(region, channel): value for region, channel, value in document["cells"]}
    return Revision(document["month"], document["number"], document["as_of"], cells)
