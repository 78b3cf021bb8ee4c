"""Feeds on the real database: the same however often, in which order and by how many the log is read."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from qorgau.embedded.pair import Pair
from qorgau.facts import Fact
from qorgau.feeds.book import Name
from qorgau.feeds.silence import Feed
from qorgau.instants import DAY, HOUR, MINUTE
from qorgau.shell.edition import begin_next
from tests.feeding import AGENCY, BEGIN, EXPECTED, REGION, Fed, days_of_posts, fed, post

NAME = Name(AGENCY, REGION)
LAST = BEGIN + 20 * DAY - 4 * HOUR
# Four hours between posts, five at most by their hours, twice that.
WITHIN = 10 * HOUR


@pytest.fixture
async def feeds(pair: Pair) -> AsyncIterator[Fed]:
    async with fed(pair.mongo) as made:
        yield made


def learned(at: int = LAST, within: int | None = WITHIN) -> Feed:
    return Feed(AGENCY, REGION, at, within, None if within is None else "learned", EXPECTED.gone_after)


async def test_two_replicas_in_any_order_and_however_often_come_to_the_same(feeds: Fed) -> None:
    posts = days_of_posts(20)
    first, second = await feeds.replica(), await feeds.replica()
    feeds.post([*reversed(posts), *posts[::2], *posts])
    for replica in (first, second):
        await feeds.caught_up(replica)
        assert await replica.all() == (learned(),)
    assert await feeds.database["feeds"].count_documents({}) == 1
    assert await first.book.hours(NAME, BEGIN // DAY, BEGIN // DAY + 20) == [post.recorded // HOUR for post in posts]


async def test_a_replica_that_comes_later_knows_what_was_read_before_it(feeds: Fed) -> None:
    feeds.post(days_of_posts(20))
    await feeds.replica()
    late = await feeds.replica()
    assert await late.all() == (learned(),)
    feeds.post([post(LAST + 3 * HOUR + 5 * MINUTE)])
    await feeds.caught_up(late)
    assert await late.all() == (learned(LAST + 3 * HOUR + 5 * MINUTE),)


async def test_a_feed_is_an_agency_in_one_region_and_what_the_system_derives_is_none(feeds: Fed) -> None:
    replica = await feeds.replica()
    strange = Fact("s", "system/court-tracker", "court.hearing_suspended", BEGIN, BEGIN, "c1", {"region": REGION})
    feeds.post([post(BEGIN), post(BEGIN + 1, region="KZ-31"), post(BEGIN, region="XX-1"), strange])
    feeds.post([replace(strange, id="n", source="102/KZ-75", data={})])
    await feeds.caught_up(replica)
    found = await replica.all()
    assert found is not None
    assert [(feed.agency, feed.region, feed.heard) for feed in found] == [
        (AGENCY, "KZ-31", BEGIN + 1),
        (AGENCY, REGION, BEGIN),
    ]


async def test_what_is_known_late_of_the_past_is_learned_from(feeds: Fed) -> None:
    posts = days_of_posts(20)
    replica = await feeds.replica()
    feeds.post(posts[-24:])
    await feeds.caught_up(replica)
    assert await replica.all() == (learned(within=None),)
    feeds.post(posts[:-24])
    await feeds.caught_up(replica)
    assert await replica.all() == (learned(),)


async def test_what_was_set_needs_no_history(feeds: Fed) -> None:
    replica = await feeds.replica(replace(EXPECTED, set={"shelter": 3 * DAY}))
    feeds.post([post(BEGIN)])
    await feeds.caught_up(replica)
    assert await replica.all() == (Feed(AGENCY, REGION, BEGIN, 3 * DAY, "set", EXPECTED.gone_after),)


async def test_feeds_that_are_made_again_are_the_same_and_nothing_is_said_of_them_meanwhile(feeds: Fed) -> None:
    feeds.post(days_of_posts(20))
    replica = await feeds.replica()
    await begin_next(feeds.database)
    seen = set()
    async with asyncio.timeout(20):
        while replica.follower.edition.number != 1 or not replica.caught_up:
            seen.add(await replica.all())
            await asyncio.sleep(0.01)
    assert seen <= {None, (learned(),)}
    assert await replica.all() == (learned(),)
    assert await feeds.database["feeds_1"].count_documents({}) == 1


async def test_hours_that_nothing_is_learned_from_any_more_are_not_kept(feeds: Fed) -> None:
    replica = await feeds.replica()
    feeds.post([post(BEGIN), post(BEGIN + DAY), post(BEGIN + (EXPECTED.learned.days + 1) * DAY)])
    await feeds.caught_up(replica)
    days = await feeds.database["heard"].distinct("day")
    assert sorted(days) == [BEGIN // DAY + 1, BEGIN // DAY + EXPECTED.learned.days + 1]


async def test_what_is_uncertain_follows_the_clock_and_ends_when_the_feed_speaks(feeds: Fed) -> None:
    feeds.post(days_of_posts(20))
    replica = await feeds.replica()

    async def marked() -> tuple[str, int | None]:
        return (await replica.doubts()).mark("P25", REGION, AGENCY, LAST + HOUR)

    feeds.clock.at = LAST + WITHIN - 1
    assert await marked() == ("certain", None)
    feeds.clock.at = LAST + WITHIN
    assert await marked() == ("unknown", LAST)
    feeds.post([post(LAST + WITHIN - HOUR)])
    await feeds.caught_up(replica)
    assert await marked() == ("certain", None)
