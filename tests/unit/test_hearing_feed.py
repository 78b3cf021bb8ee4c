"""The feed of hearings: an id is a place in the log, also within a leaf, and another leaf is not taken for it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from court_tracker.feed import HearingFeed, lookout_of
from qorgau.errors import Gone, Invalid, Unavailable
from qorgau.front.streams import Streams
from qorgau.identity.sender import Reach, Sender
from qorgau.state.changelog import Entry, Leaf
from qorgau.state.changes import Change
from qorgau.telemetry import Metrics

ALL = Sender("*", frozenset(), frozenset({"*"}), Reach.REGION)
COURT = Sender("court/KZ-75-01", frozenset(), frozenset({"KZ-75"}))
MARKS = ("a" * 12, "b" * 12, "c" * 12)


def entry(case: str, *parts: str, court: str = "KZ-75-01") -> Entry:
    item = {"protocol_id": "p1", "hearing_id": "h1", "scheduled_for": None}
    return Entry(case, Change("p1/h1", 1, 0, "listed", None, "KZ-75", court, item), parts)


@dataclass
class Log:
    """Leaves in memory; away as often as it is told."""

    kept: list[Leaf] = field(default_factory=list)
    away: int = 0

    async def newest(self) -> int:
        return len(self.kept)

    async def leaves(self, first: int, most: int) -> list[Leaf]:
        if self.away:
            self.away -= 1
            raise Unavailable
        return [leaf for leaf in self.kept if first <= leaf.number < first + most]


@pytest.fixture
def log() -> Log:
    own = entry("c1", "court/KZ-75-01"), entry("c2"), entry("c3", "court/KZ-75-01", court="KZ-75-02")
    return Log([Leaf(1, MARKS[0], own), Leaf(2, MARKS[1], (entry("c4"),))])


@pytest.fixture
def feed(log: Log) -> HearingFeed:
    kept: Any = log
    return HearingFeed(kept, lookout_of(kept), Streams(Metrics()))


@pytest.fixture
async def looking(feed: HearingFeed) -> AsyncIterator[None]:
    """Somebody looks whether the log has grown."""
    stopping = asyncio.Event()
    looks = asyncio.create_task(feed.lookout.run(stopping))
    yield
    stopping.set()
    await looks


async def told(feed: HearingFeed, last: str | None, by: Sender = ALL, **wanted: str) -> list[tuple[str, str]]:
    """What a reader is told at first: the id and the case of each event, or no case where it is but a place."""
    return await following(feed, last, by, wanted, 2)


async def following(
    feed: HearingFeed, last: str | None, by: Sender, wanted: Mapping[str, str], count: int
) -> list[tuple[str, str]]:
    found = []
    async with aclosing(feed.batches(wanted, by, await feed.start(last))) as batches:
        for _ in range(count):
            for one in await anext(batches):
                lines = dict(line.split(": ", 1) for line in one.decode().strip().splitlines() if line[0] != ":")
                found.append((lines["id"], json.loads(lines["data"])["case"] if "data" in lines else ""))
    return found


async def test_every_entry_has_a_place_and_whoever_names_it_gets_what_comes_after(feed: HearingFeed) -> None:
    all_of = await told(feed, "0")
    assert [case for _, case in all_of] == ["", "c1", "c2", "c3", "c4", ""]
    assert [id for id, _ in all_of[:4]] == ["0", *(f"1.{n}-{MARKS[0]}" for n in (1, 2, 3))]
    for n, (id, _) in enumerate(all_of[1:5], start=1):
        assert [one for one in await told(feed, id) if one[1]] == all_of[n + 1 : 5]


async def test_a_reader_that_names_no_place_begins_at_the_end_of_what_there_is(feed: HearingFeed, log: Log) -> None:
    assert await told(feed, None) == [(f"2.1-{MARKS[1]}", "")] * 2
    log.kept = []
    assert await told(feed, None) == [("0", "")] * 2


async def test_what_one_may_not_see_or_did_not_ask_for_only_moves_the_place(feed: HearingFeed) -> None:
    seen = await told(feed, "0", COURT)
    assert [case for _, case in seen] == ["", "c1", "c3", ""]
    assert seen[-1][0] == f"2.1-{MARKS[1]}"
    assert [case for _, case in await told(feed, "0", court="KZ-75-02")] == ["", "c3", ""]


@pytest.mark.parametrize(
    "place", [f"1.1-{MARKS[1]}", f"3.1-{MARKS[0]}", f"2.2-{MARKS[1]}", f"99.0-{MARKS[0]}", f"1.999-{MARKS[0]}"]
)
async def test_a_place_that_is_none_is_gone(feed: HearingFeed, place: str) -> None:
    with pytest.raises(Gone):
        await feed.start(place)


@pytest.mark.parametrize("bad", ["", "x", "1", "1.1", "0.0-" + MARKS[0], "1.1-" + "g" * 12, "-1.1-" + MARKS[0], "00"])
async def test_what_is_no_id_is_refused(feed: HearingFeed, bad: str) -> None:
    with pytest.raises(Invalid):
        await feed.start(bad)


@pytest.mark.usefixtures("looking")
async def test_a_log_that_is_away_for_a_moment_costs_a_reader_nothing(feed: HearingFeed, log: Log) -> None:
    log.away = 1
    assert [case for _, case in await following(feed, "0", ALL, {}, 3)] == ["", "", "c1", "c2", "c3", "c4", ""]


@pytest.mark.usefixtures("looking")
async def test_a_log_that_is_made_again_under_a_reader_ends_the_stream(feed: HearingFeed, log: Log) -> None:
    async with aclosing(feed.batches({}, ALL, await feed.start("0"))) as batches:
        await anext(batches)
        await anext(batches)
        log.kept = [replace(leaf, mark=MARKS[2]) for leaf in log.kept]
        with pytest.raises(Gone):
            await anext(batches)


async def test_more_than_is_read_at_once_is_told_without_a_wait(feed: HearingFeed, log: Log) -> None:
    log.kept = [Leaf(n, f"{n:012x}", (entry(f"c{n}"),)) for n in range(1, 13)]
    assert [case for _, case in await following(feed, "0", ALL, {}, 4) if case] == [f"c{n}" for n in range(1, 13)]
