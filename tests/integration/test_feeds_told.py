"""The watch over feeds on the real database: told once, by whom it is to be told, after a crash and a lost database."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from intake.silences.watch import SilenceWatch
from intake.silences.wiring import extra_of, silence_rule
from intake.statistics.current import Current
from intake.toldbook import ToldBook
from qorgau.bus import Producer
from qorgau.embedded.pair import Pair
from qorgau.errors import Unavailable
from qorgau.feeds.following import Feeds
from qorgau.front.envelope import from_kafka
from qorgau.front.flagbook import flag_entry
from qorgau.instants import HOUR, format_instant
from qorgau.shell.relay import Relay
from qorgau.telemetry import Metrics
from tests.feeding import AGENCY, BEGIN, POLICY, REGION, Fed, days_of_posts, fed, post
from tests.surging import PARTITIONS, Kafka, number_of

LAST, WITHIN = BEGIN + 20 * 24 * HOUR - 4 * HOUR, 10 * HOUR


@dataclass
class Watching:
    """Replicas that watch the feeds of one database."""

    fed: Fed
    kafka: Kafka = field(default_factory=Kafka)

    async def replica(self, mine: Collection[int] = range(PARTITIONS)) -> SilenceWatch:
        feeds: Feeds = await self.fed.replica()
        metrics, rule = Metrics(), silence_rule(POLICY)
        assert rule is not None
        book = ToldBook(self.fed.database, "silences", number_of, extra_of, metrics)
        await book.prepare()

        async def nothing() -> Collection[str]:
            return ()

        current = Current(feeds.follower, nothing)
        relay = Relay("intake", book.store, cast(Producer, self.kafka), metrics)
        clock = cast(Any, self.fed.clock)
        return SilenceWatch(rule, feeds, current, book, relay, clock, metrics, lambda: frozenset(mine))

    def events(self) -> list[tuple[str, str, int]]:
        items = [json.loads(record.value or b"") for record in self.kafka.told]
        kinds = [cast(Any, from_kafka(record.headers, record.value))["type"] for record in self.kafka.told]
        return [
            (kind.split(".")[2], item["cleared_at"] or item["raised_at"], item["seq"])
            for kind, item in zip(kinds, items, strict=True)
        ]


RAISED = ("raised", format_instant(LAST + WITHIN), 1)
SPOKEN = LAST + WITHIN + 3 * HOUR
CLEARED = ("cleared", format_instant(SPOKEN), 2)


@pytest.fixture
async def watching(pair: Pair) -> AsyncIterator[Watching]:
    async with fed(pair.mongo) as made:
        made.post(days_of_posts(20))
        yield Watching(made)


async def test_a_silence_is_told_once_at_its_instant_and_taken_back_when_the_feed_speaks(watching: Watching) -> None:
    first, second = await watching.replica(), await watching.replica()
    clock = watching.fed.clock
    clock.at = LAST + WITHIN - 1
    await first.look()
    assert watching.events() == []
    clock.at = LAST + WITHIN + HOUR
    for _ in range(2):
        await asyncio.gather(first.look(), second.look(), return_exceptions=True)
    assert set(watching.events()) == {RAISED}
    labels = f'level="flag",region="{REGION}",rule="F10",severity="medium"'
    assert f"qorgau_flags_open{{{labels}}} 1.0" in first.metrics.text().decode()
    assert f'qorgau_feeds_silent{{kind="shelter",region="{REGION}"}} 1.0' in first.metrics.text().decode()
    watching.fed.post([post(SPOKEN)])
    clock.at = SPOKEN + HOUR
    for watch in (first, second):
        await watching.fed.caught_up(watch.feeds)
    for _ in range(2):
        await asyncio.gather(first.look(), second.look(), return_exceptions=True)
    assert set(watching.events()) == {RAISED, CLEARED}
    assert "qorgau_feeds_silent{" not in first.metrics.text().decode()
    assert await second.book.untold(range(PARTITIONS)) == []


async def test_only_who_has_its_partition_tells_of_a_feed(watching: Watching) -> None:
    watching.fed.clock.at = LAST + WITHIN
    nobody = await watching.replica(frozenset())
    await nobody.look()
    assert watching.events() == []
    await (await watching.replica()).look()
    assert watching.events() == [RAISED]
    (item,) = [json.loads(record.value or b"") for record in watching.kafka.told]
    assert (item["rule"], item["agency"], item["region"], item["key"]) == ("F10", AGENCY, REGION, "")


async def test_what_was_saved_and_not_told_is_told_by_the_next_one(watching: Watching) -> None:
    watching.fed.clock.at = LAST + WITHIN
    first = await watching.replica()
    watching.kafka.away = True
    with pytest.raises(Unavailable):
        await first.look()
    watching.kafka.away = False
    second = await watching.replica()
    await second.look()
    await second.look()
    assert watching.events() == [RAISED]


async def test_nothing_is_judged_before_the_log_is_read_to_its_end(watching: Watching) -> None:
    watch = await watching.replica()
    watching.fed.clock.at = SPOKEN
    watching.fed.post([post(SPOKEN - HOUR)])
    await watch.look()
    assert watching.events() == []


async def test_a_lost_database_is_taken_over_from_the_topic_and_nothing_is_told_again(watching: Watching) -> None:
    watching.fed.clock.at = LAST + WITHIN
    await (await watching.replica()).look()
    told = [flag_entry(from_kafka(record.headers, record.value)) for record in watching.kafka.told]
    for name in ("silences", "feeds", "heard", "followed"):
        await watching.fed.database.drop_collection(name)
    fresh = await watching.replica()
    await fresh.book.remember(told)
    await fresh.look()
    assert watching.events() == [RAISED]
    watching.fed.post([post(SPOKEN)])
    watching.fed.clock.at = SPOKEN
    await watching.fed.caught_up(fresh.feeds)
    await fresh.look()
    assert watching.events() == [RAISED, CLEARED]
