"""Facts that wait for a reference, on the real database: sealed, in order, once whatever breaks off, and alarmed."""

import logging
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import bson
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from qorgau.embedded.pair import Pair
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.front.door import Admitted
from qorgau.front.gate import Gate
from qorgau.front.waiting import WaitingRoom
from qorgau.instants import HOUR
from qorgau.shell.edition import Edition
from tests.entry import KnownFacts

AT = 1_776_000_000_000_000
SECRET = "a key of the tests that is long enough"


class Log:
    """Keeps what it is given; `forgets` to say so, as a server does that dies before it answers."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.forgets = False

    async def append(self, facts: Sequence[Fact]) -> None:
        self.facts += facts
        if self.forgets:
            raise Unavailable


class Standing:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> int:
        return self.at


@pytest.fixture
async def database(pair: Pair) -> AsyncIterator[Any]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(pair.mongo, serverSelectionTimeoutMS=10_000)
    name = f"waiting_{uuid.uuid4().hex}"
    yield client[name]
    await client.drop_database(name)
    client.close()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def clock() -> Standing:
    return Standing()


async def room_of(database: Any, log: Log, clock: Standing, secret: str = SECRET) -> WaitingRoom:
    room = WaitingRoom(Edition(database), log, clock.now, Gate(KnownFacts()), secret)
    await room.prepare()
    return room


def waiting(name: str, reference: str = "d1", own: bool = False) -> Admitted:
    data = {"region": "KZ-75", "response": "incident", "injury": True}
    return Admitted(Fact(name, "102/KZ-75", "police.arrived", AT - HOUR, AT, None, data), reference, own)


async def stored(database: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await database["waiting"].find({}).to_list(None)
    return found


async def counted(room: WaitingRoom, name: str = "qorgau_parked") -> dict[str, float]:
    return {row.labels[0]: row.count for row in await room.waiting() if row.name == name}


async def test_nothing_of_a_fact_that_waits_can_be_read_in_the_database(
    database: Any, log: Log, clock: Standing
) -> None:
    room = await room_of(database, log, clock)
    await room.park([waiting("fact-one"), waiting("fact-two")])
    documents = await stored(database)
    assert [set(document) for document in documents] == [{"_id", "reference", "parked", "sealed"}] * 2
    content = b"".join(map(bson.encode, documents))
    for part in (b"fact-one", b"102", b"police", b"incident", b"KZ-75", b"injury"):
        assert part not in content
    await room.register("d1", "c1", 7)
    joined = replace(waiting("fact-one").fact, case="c1", recorded=log.facts[0].recorded)
    assert (log.facts[0], await stored(database)) == (joined, [])


async def test_what_is_moved_to_another_reference_or_name_is_opened_by_nobody_and_stops_nothing(
    database: Any, log: Log, clock: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    room = await room_of(database, log, clock)
    await room.park([waiting("f1", "d1"), waiting("f2", "d2"), waiting("f3", "d2"), waiting("f4", "d3")])
    by_reference = {document["reference"]: document for document in await stored(database)}
    # Into the case of another number; and what was said of one fact in the place of another.
    await database["waiting"].update_one({"_id": by_reference["d1"]["_id"]}, {"$set": {"reference": "d2"}})
    await database["waiting"].update_one(
        {"_id": by_reference["d3"]["_id"]}, {"$set": {"sealed": by_reference["d1"]["sealed"]}}
    )
    with caplog.at_level(logging.ERROR, "qorgau"):
        await room.register("d2", "c2", 7)
        await room.register("d3", "c3", 8)
    assert [(fact.id, fact.case) for fact in log.facts] == [("f2", "c2"), ("f3", "c2")]
    assert await counted(room) == {"reference": 0, "held": 0, "unreadable": 2}
    assert len(caplog.messages) == 2


async def test_with_another_secret_facts_are_kept_until_the_right_one_is_back(
    database: Any, log: Log, clock: Standing
) -> None:
    await (await room_of(database, log, clock)).park([waiting("f1"), waiting("f2")])
    wrong = await room_of(database, log, clock, "another key that is long enough as well")
    await wrong.register("d1", "c1", 7)
    await wrong.release_all()
    assert (log.facts, await counted(wrong)) == ([], {"reference": 0, "held": 0, "unreadable": 2})
    right = await room_of(database, log, clock)
    await right.release_all()
    assert [fact.id for fact in log.facts] == ["f1", "f2"]
    assert await stored(database) == []


async def test_what_waited_is_joined_in_the_order_in_which_it_came_and_stamped_so(
    database: Any, log: Log, clock: Standing
) -> None:
    room = await room_of(database, log, clock)
    names = [f"f{number * 7919 % 997}" for number in range(600)]
    await room.park([waiting(name) for name in names[:300]])
    for name in names[300:310]:
        await room.park([waiting(name)])
    clock.at -= HOUR
    await room.park([waiting(name) for name in names[310:]])
    clock.at += 2 * HOUR
    await room.register("d1", "c1", 7)
    assert [fact.id for fact in log.facts] == names
    stamps = [fact.recorded for fact in log.facts[:500]]
    assert stamps == sorted(set(stamps))


async def test_broken_off_after_the_log_took_them_the_same_records_are_put_there_again(
    database: Any, log: Log, clock: Standing
) -> None:
    room = await room_of(database, log, clock)
    await room.park([waiting("f1"), waiting("f2", own=True), waiting("f3")])
    log.forgets = True
    with pytest.raises(Unavailable):
        await room.register("d1", "c1", 7)
    log.forgets = False
    clock.at += HOUR
    # As the next process finds it.
    await (await room_of(database, log, clock)).release_all()
    assert [fact.id for fact in log.facts] == ["f1", "f2", "f3"] * 2
    assert log.facts[:3] == log.facts[3:]
    assert await stored(database) == []
    await room.release_all()
    assert len(log.facts) == 6


async def test_an_hour_later_it_is_counted_as_overdue_and_told_to_the_log_once(
    database: Any, log: Log, clock: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    room, other = await room_of(database, log, clock), await room_of(database, log, clock)
    await room.park([waiting("f1"), waiting("f2", "d2")])
    with caplog.at_level(logging.WARNING, "qorgau"):
        clock.at += HOUR
        assert await counted(room) == {"reference": 2, "held": 0, "unreadable": 0}
        assert (await counted(room, "qorgau_parked_overdue"))["reference"] == 0
        clock.at += 2
        for each in (room, other, room):
            assert (await counted(each, "qorgau_parked_overdue"))["reference"] == 2
        assert [message.split()[0] for message in caplog.messages] == ["2"]
        await room.park([waiting("f3")])
        clock.at += HOUR + 1
        assert (await counted(room, "qorgau_parked_overdue"))["reference"] == 3
    assert [message.split()[0] for message in caplog.messages] == ["2", "1"]
    await room.register("d1", "c1", 7)
    assert (await counted(room, "qorgau_parked_overdue"))["reference"] == 1


async def test_what_waits_since_before_there_was_a_seal_is_joined_too(database: Any, log: Log, clock: Standing) -> None:
    fact = waiting("f1").fact
    old = {name: getattr(fact, name) for name in ("id", "source", "type", "time", "recorded", "data")}
    await database["waiting"].insert_one({"_id": "old", "reference": "d1", "own_recorded": False, **old})
    room = await room_of(database, log, clock)
    await room.park([waiting("f0")])
    await room.register("d1", "c1", 7)
    assert [one.id for one in log.facts] == ["f1", "f0"]
