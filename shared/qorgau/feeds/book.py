"""When each feed was heard, in the database: a projection of the facts topics that any order of them makes the same.

One document a feed with the newest instant, and one a feed and day with the hours in which it posted. Both only grow
towards the same, however often, by whom and in which order the log is read.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from pymongo import DeleteMany, UpdateOne

from qorgau.facts import Fact
from qorgau.feeds.expecting import HOURS_OF_A_DAY
from qorgau.front.posted import ANY_AGENCY, is_agency
from qorgau.instants import DAY, HOUR
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import deadline, write_all

# As many as a batch of the log can have at most, on the slowest server.
_WITHIN = timedelta(seconds=30)
# What one process has written lately is not written again.
_REMEMBERED = 20_000


class Name(NamedTuple):
    """A feed: an agency in one region."""

    agency: str
    region: str


class Post(NamedTuple):
    """A sign of life of a feed, at an instant of the log."""

    feed: Name
    at: int


def posts_of(facts: Iterable[Fact], regions: frozenset[str]) -> list[Post]:
    """The signs of life in facts: of agencies, in regions of the policy. What the system derives is none."""
    return [
        Post(Name(fact.source, region), fact.recorded)
        for fact in facts
        if (region := fact.data.get("region")) in regions
        and is_agency(fact.source)
        and fact.source.partition("/")[0] in ANY_AGENCY
    ]


class FeedBook:
    """The feeds in one edition; hours are kept for so many `days` before the newest."""

    def __init__(self, edition: Edition, days: int) -> None:
        self.edition = edition
        self._days = days
        self._written: set[tuple[int, Name, int]] = set()

    @property
    def _feeds(self) -> Any:
        return self.edition.collection("feeds")

    @property
    def _heard(self) -> Any:
        return self.edition.collection("heard")

    async def prepare(self) -> None:
        """Work with the newest edition and create the index; safe to repeat."""
        await self.edition.begin()
        async with deadline():
            await self._heard.create_index([("feed", 1), ("day", 1)])

    async def apply(self, posts: Sequence[Post]) -> None:
        """Write them down; a repeat changes nothing."""
        newest: dict[Name, int] = {}
        hours: defaultdict[tuple[Name, int], set[int]] = defaultdict(set)
        number = self.edition.number
        for feed, at in posts:
            newest[feed] = max(at, newest.get(feed, at))
            if (number, feed, at // HOUR) not in self._written:
                hours[feed, at // DAY].add(at // HOUR)
        await _write(self._feeds, [_heard_at(feed, at) for feed, at in newest.items()])
        await _write(self._heard, [_heard_in(feed, day, found) for (feed, day), found in hours.items()])
        over = [DeleteMany({"feed": _id(feed), "day": {"$lt": day - self._days}}) for feed, day in hours]
        await write_all(self._heard, over, _WITHIN)
        if len(self._written) > _REMEMBERED:
            self._written.clear()
        self._written.update((number, feed, hour) for (feed, _), found in hours.items() for hour in found)

    async def newest(self) -> dict[Name, int]:
        """When each feed was heard last."""
        async with deadline():
            documents = await self._feeds.find({}).to_list(None)
        return {Name(document["agency"], document["region"]): document["heard"] for document in documents}

    async def hours(self, feed: Name, since: int, before: int) -> list[int]:
        """The hours (since 1970) of the days in [since, before) in which a feed posted, ascending."""
        async with deadline():
            found = self._heard.find({"feed": _id(feed), "day": {"$gte": since, "$lt": before}}, {"hours": 1})
            documents = await found.to_list(2 * (before - since))
        return sorted({hour for document in documents for hour in document["hours"]})


async def _write(target: Any, writes: list[UpdateOne]) -> None:
    if await write_all(target, writes, _WITHIN) < len(writes):
        # Somebody else made a document at the same moment; now it is there to be changed.
        await write_all(target, writes, _WITHIN)


def _heard_at(feed: Name, at: int) -> UpdateOne:
    new = {"agency": feed.agency, "region": feed.region}
    return UpdateOne({"_id": _id(feed)}, {"$max": {"heard": at}, "$setOnInsert": new}, upsert=True)


def _heard_in(feed: Name, day: int, hours: set[int]) -> UpdateOne:
    assert all(hour // HOURS_OF_A_DAY == day for hour in hours)
    change = {"$addToSet": {"hours": {"$each": sorted(hours)}}, "$setOnInsert": {"feed": _id(feed), "day": day}}
    return UpdateOne({"_id": f"{_id(feed)} {day}"}, change, upsert=True)


def _id(feed: Name) -> str:
    # No code of an agency or region has a space.
    return f"{feed.agency} {feed.region}"
