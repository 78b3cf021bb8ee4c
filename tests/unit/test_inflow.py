"""What was read and is not yet filed: nothing is dropped, nothing is filed twice, positions never run ahead."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import cast

import pytest

from qorgau.bus import GroupReader, Incoming, Place
from qorgau.clock import SystemClock
from qorgau.facts import Fact
from qorgau.front.envelope import to_kafka
from qorgau.instants import HOUR, SECOND
from qorgau.shell.inflow import Inflow, by_case_of
from qorgau.telemetry import Metrics

NOW = 1_000 * HOUR
TOPIC, OTHER = ("qorgau.police.facts", 0), ("qorgau.police.facts", 1)
COPIES = "qorgau.police.copies"
NEVER = asyncio.Event()
A_MOMENT = 0.01


class Reader:
    """A reader that gives what it is told to give, in fetches of its own, as soon as it is asked."""

    def __init__(self) -> None:
        self.fetches: list[list[Incoming]] = []
        self.at: dict[Place, int] = {TOPIC: 0, OTHER: 0}
        self.owns = True

    async def fetch(self, wait: timedelta, most: int) -> list[Incoming]:
        await asyncio.sleep(wait.total_seconds() if not self.fetches else A_MOMENT)
        if not self.fetches:
            return []
        fetched = self.fetches.pop(0)
        self.at.update({record.place: record.offset + 1 for record in fetched})
        return fetched

    def owned(self) -> Collection[Place]:
        return frozenset(self.at) if self.owns else frozenset()

    def position(self, place: Place) -> int | None:
        return self.at.get(place)


def fact(number: int, recorded: int = NOW - SECOND, case: str = "c1") -> Fact:
    return Fact(f"f{number}", "102/KZ-75", "police.dispatched", recorded, recorded, case, {"region": "KZ-75"})


def record(offset: int, of: Fact | None = None, place: Place = TOPIC, heard_by: bytes | None = None) -> Incoming:
    key, value, headers = to_kafka(of or fact(offset))
    return Incoming(*place, offset, key if heard_by is None else heard_by, headers, value, 100)


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def inflow(reader: Reader) -> Inflow:
    clock = SystemClock(wall=lambda: NOW)
    return Inflow(cast(GroupReader, reader), clock, Metrics(), lambda case: 0 if case == "c1" else 1, COPIES, 3, 10_000)


def ids(inflow: Inflow, until: int | None = NOW) -> list[str]:
    return [read.fact.id for read in inflow.ready(until) if read.fact is not None]


async def test_what_was_fetched_before_a_rebalance_hides_nothing_that_is_read_again(
    inflow: Inflow, reader: Reader
) -> None:
    reader.fetches = [[record(0), record(1)], [record(2)]]
    assert await inflow.fetch(1, NEVER)
    # The next fetch is done and nobody has looked at it when the partitions are handed out anew.
    assert not await inflow.fetch(0, NEVER)
    await asyncio.sleep(5 * A_MOMENT)
    inflow.forget([TOPIC])
    reader.fetches = [[record(0), record(1)], [record(2)]]
    reader.at = {TOPIC: 0}
    assert not await inflow.behind({TOPIC: 3}, NEVER)
    assert ids(inflow) == ["f0", "f1", "f2"]


async def test_a_fact_too_young_to_be_judged_waits_and_so_does_its_position(inflow: Inflow, reader: Reader) -> None:
    young = fact(1, NOW)
    reader.fetches = [[record(0), record(1, young), record(2)]]
    await inflow.fetch(1, NEVER)
    until = NOW - SECOND // 10
    reads = inflow.ready(until)
    assert [read.offset for read in reads] == [0, 2]
    assert inflow.filed(reads, 0) == {TOPIC: 1}
    assert inflow.filed(inflow.ready(NOW), 0) == {TOPIC: 3}


async def test_a_fact_dated_far_ahead_does_not_wait(inflow: Inflow, reader: Reader) -> None:
    reader.fetches = [[record(0, fact(0, NOW + HOUR))]]
    await inflow.fetch(1, NEVER)
    assert ids(inflow, NOW - SECOND) == ["f0"]


async def test_a_batch_that_is_full_is_filed_before_more_is_fetched(inflow: Inflow, reader: Reader) -> None:
    reader.fetches = [[record(0), record(1), record(2)], [record(3)]]
    assert await inflow.behind({TOPIC: 4}, NEVER)
    inflow.filed(inflow.ready(None), 0)
    assert not await inflow.behind({TOPIC: 4}, NEVER)
    assert ids(inflow, None) == ["f3"]


async def test_a_record_on_the_partition_of_another_case_becomes_a_letter_and_its_position_goes_on(
    inflow: Inflow, reader: Reader
) -> None:
    reader.fetches = [[record(0, fact(0, case="elsewhere")), record(1)]]
    await inflow.fetch(1, NEVER)
    assert len(inflow.letters()) == 1
    assert ids(inflow) == ["f1"]
    assert inflow.filed(inflow.ready(NOW), 1) == {TOPIC: 2}
    assert inflow.letters() == []


async def test_a_stop_does_not_wait_for_the_end_of_the_log(inflow: Inflow) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stopping.set)
    async with asyncio.timeout(0.5):
        assert await inflow.behind({TOPIC: 9}, stopping)


async def test_records_of_partitions_that_were_taken_away_are_not_ours_to_file(inflow: Inflow, reader: Reader) -> None:
    reader.fetches, reader.owns = [[record(0)]], False
    await inflow.fetch(1, NEVER)
    assert inflow.ready(None) == []


async def test_a_copy_is_filed_by_the_case_that_hears_of_it(reader: Reader, inflow: Inflow) -> None:
    place = (COPIES, 0)
    reader.at[place] = 0
    of_another, context = fact(1, case="c2"), Fact("x", "court/KZ-75", "t", 1, 1, None, {})
    reader.fetches = [
        [record(0, of_another, place, b"c1"), record(1, context, place, b"c1"), record(2, fact(3), place, b"c9")]
    ]
    await inflow.fetch(1.0, NEVER)
    by_case, about_none = by_case_of(inflow.ready(None))
    assert by_case == {"c1": [of_another, context]}
    assert about_none == []
    assert len(inflow.letters()) == 1
    assert not inflow.holds(lambda _: True)
