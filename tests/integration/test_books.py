"""The side collections on the real database: flags as their events tell of them, references and what waits for them."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from qorgau.embedded.pair import Pair
from qorgau.errors import Malformed, Unavailable
from qorgau.facts import Fact
from qorgau.front.door import Admitted
from qorgau.front.flagbook import FlagBook, FlagEntry, flag_entry
from qorgau.front.gate import Gate, held
from qorgau.front.paging import key_of, page
from qorgau.front.waiting import WaitingRoom
from qorgau.identity.sender import FLAGS_READ, Reach, Sender
from qorgau.identity.table import TABLE
from qorgau.instants import format_instant
from qorgau.shell.edition import Edition, begin_next
from tests.entry import KnownFacts

SECRET = "a key of the tests that is long enough"

AT = 1_776_000_000_000_000
ALL = Sender("*", frozenset(), frozenset({"*"}), Reach.REGION)


@pytest.fixture
async def database(pair: Pair) -> AsyncIterator[Any]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(pair.mongo, serverSelectionTimeoutMS=10_000)
    name = f"books_{uuid.uuid4().hex}"
    yield client[name]
    await client.drop_database(name)
    client.close()


def entry(number: int, seq: int = 1, **changes: Any) -> FlagEntry:
    data = {
        "id": str(uuid.UUID(int=number)),
        "case": f"c{number % 2}",
        "rule": "P03",
        "level": "breach",
        "severity": "critical",
        "region": "KZ-75",
        "agency": "102/KZ-75",
        "outcome": "open",
        "raised_at": format_instant(AT + number),
        "seq": seq,
    }
    event = {"type": "qorgau.flag.raised.v1", "source": "system/police-dispatch", "data": data | changes}
    return flag_entry(event)


@pytest.fixture
async def book(database: Any) -> FlagBook:
    book = FlagBook(Edition(database))
    await book.prepare()
    await book.prepare()
    return book


async def listed(
    book: FlagBook, sender: Sender = ALL, since: int | None = None, after: str = "", limit: int = 100, **wanted: str
) -> list[int]:
    rows = await book.page(wanted, since, sender, after, limit)
    return [uuid.UUID(item["id"]).int for _, item in rows]


async def test_only_what_is_newer_by_seq_is_written(book: FlagBook) -> None:
    await book.apply([entry(1, 5, outcome="met"), entry(1, 4), entry(2)])
    await book.apply([entry(1, 5, outcome="void"), entry(1, 3)])
    first = await book.find(entry(1).id)
    assert first is not None
    assert (first.seq, first.item["outcome"], first.service) == (5, "met", "police-dispatch")
    await book.apply([entry(1, 6, outcome="missed")])
    assert await listed(book, outcome="missed") == [1]
    assert await listed(book, outcome="met") == []
    assert await book.find("nothing") is None


async def test_flags_are_listed_in_the_order_they_were_raised_page_by_page(book: FlagBook) -> None:
    await book.apply([entry(number) for number in (5, 3, 1, 4, 2)])
    first = page(await book.page({}, None, ALL, "", 3), 2)
    assert [uuid.UUID(item["id"]).int for item in first["items"]] == [1, 2]
    assert await listed(book, after=key_of(first["next"])) == [3, 4, 5]
    assert await listed(book, since=AT + 4) == [4, 5]
    assert await listed(book, since=AT + 2, after=key_of(first["next"])) == [3, 4, 5]


async def test_flags_are_filtered_by_every_field(book: FlagBook) -> None:
    other: dict[str, Any] = {
        "rule": "P04",
        "level": "warn",
        "severity": "high",
        "region": "KZ-71",
        "agency": "court/KZ-71",
    }
    await book.apply([entry(2), entry(3, **other, outcome="met")])
    for name, value in {**other, "case": "c1", "outcome": "met"}.items():
        assert await listed(book, **{name: value}) == [3], name
    assert await listed(book, rule="P04", region="KZ-75") == []
    assert [flag.id for flag in await book.of_case("c1")] == [entry(3).id]


@pytest.mark.parametrize(
    ("agency", "regions", "seen"),
    [
        ("102/KZ-75", {"KZ-75"}, [1]),
        ("102/KZ-71", {"KZ-75"}, []),
        ("coordinator/KZ-71", {"KZ-71"}, [2, 4]),
        ("coordinator/KZ-71", {"KZ-71", "KZ-75"}, [1, 2, 4]),
        ("prosecutor", {"*"}, [1, 2, 3, 4]),
        ("*", {"KZ-71"}, [2]),
        ("watchdog", {"*"}, [1, 2, 3, 4]),
        ("watchdog/coalition", {"KZ-75"}, [1]),
    ],
)
async def test_a_flag_is_seen_by_who_is_late_and_by_who_supervises(
    book: FlagBook, agency: str, regions: set[str], seen: list[int]
) -> None:
    entries = [
        entry(1),
        entry(2, region="KZ-71", agency="court/KZ-71"),
        entry(3, region=None, agency=None),
        entry(4, region="KZ-10", agency="coordinator/KZ-71"),
    ]
    await book.apply(entries)
    sender = Sender(agency, frozenset({FLAGS_READ}), frozenset(regions))
    sender = replace(sender, reach=TABLE["GET", "/v1/flags"].admit(sender))
    assert await listed(book, sender) == seen
    assert [number for number, flag in enumerate(entries, 1) if flag.visible_to(sender)] == seen


@pytest.mark.parametrize(
    "broken", [None, 7, {}, {"type": "qorgau.flag.raised.v1"}, {"type": "qorgau.police.arrived.v1"}]
)
def test_what_is_no_event_of_a_flag_is_malformed(broken: object) -> None:
    with pytest.raises(Malformed):
        flag_entry(broken)


class Log:
    """A log in memory that can be down."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.down = False

    async def append(self, facts: Sequence[Fact]) -> None:
        if self.down:
            raise Unavailable
        self.facts += facts


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def known() -> KnownFacts:
    return KnownFacts()


@pytest.fixture
async def room(database: Any, log: Log, known: KnownFacts) -> WaitingRoom:
    room = WaitingRoom(Edition(database), log, lambda: AT + 9, Gate(known), SECRET)
    await room.prepare()
    return room


def waiting(name: str, reference: str = "d1", own: bool = False) -> Admitted:
    fact = Fact(name, "102/KZ-75", "police.arrived", AT, AT + 1, None, {"region": "KZ-75"})
    return Admitted(fact, reference, own)


async def counted(room: WaitingRoom) -> tuple[float, float]:
    """How many facts wait for a reference, and how many are held apart from their case."""
    counts = {row.labels[0]: row.count for row in await room.waiting() if row.name == "qorgau_parked"}
    return counts["reference"], counts["held"]


async def test_a_fact_waits_once_and_is_joined_and_stamped_anew(room: WaitingRoom, log: Log) -> None:
    await room.park([waiting("f1"), waiting("f1"), waiting("f2", own=True), waiting("f3", "d2")])
    await room.park([replace(waiting("f1"), fact=replace(waiting("f1").fact, recorded=AT + 5))])
    assert (await counted(room), log.facts) == ((3, 0), [])
    assert await room.register("d1", "c1", 7) == "c1"
    assert sorted((fact.id, fact.case, fact.recorded) for fact in log.facts) == [
        ("f1", "c1", AT + 9),
        ("f2", "c1", AT + 1),
    ]
    assert await counted(room) == (1, 0)


async def test_a_reference_registered_meanwhile_is_joined_at_once(room: WaitingRoom, log: Log) -> None:
    await room.register("d1", "c1", 7)
    await room.park([waiting("f1")])
    assert [fact.case for fact in log.facts] == ["c1"]
    assert await counted(room) == (0, 0)


async def test_of_two_cases_the_first_in_the_log_counts_in_whatever_order_they_are_read(room: WaitingRoom) -> None:
    assert await room.register("d1", "c7", 7) == "c7"
    assert await room.register("d1", "c8", 8) == "c7"
    assert await room.register("d1", "c3", 3) == "c3"
    assert await room.register("d1", "c7", 7) == "c3"
    assert await room.cases_of({"d1", "d2"}) == {"d1": "c3"}


async def test_what_a_crash_left_waiting_is_found(room: WaitingRoom, log: Log) -> None:
    await room.park([waiting(f"f{n}", "d1") for n in range(3)] + [waiting("g", "d2")])
    log.down = True
    with pytest.raises(Unavailable):
        await room.register("d1", "c1", 1)
    assert await counted(room) == (4, 0)
    log.down = False
    await room.release_all()
    assert {fact.id for fact in log.facts} == {"f0", "f1", "f2"}
    assert await counted(room) == (1, 0)


FOREIGN = Fact("r1", "helpline-150", "report.received", AT, AT, "c1", {"region": "KZ-71"})


async def test_a_fact_held_apart_is_let_in_when_its_case_is_handed_on(
    room: WaitingRoom, log: Log, known: KnownFacts
) -> None:
    fact = replace(waiting("f1").fact, case="c1")
    known.facts["c1"] = [FOREIGN]
    await room.park([held(Admitted(fact)), held(Admitted(fact))])
    await room.release_held()
    assert (await counted(room), log.facts) == ((0, 1), [])
    # Neither what a crash left behind nor a reference of that name lets it in.
    await room.release_all()
    await room.register("d1", "c1", 7)
    assert (await counted(room), log.facts) == ((0, 1), [])
    offer = {"region": "KZ-71", "transfer_id": "t1", "to": "102/KZ-75"}
    known.facts["c1"] = [FOREIGN, replace(FOREIGN, id="o1", type="case.transfer_offered", data=offer)]
    await room.release_held()
    assert [(one.id, one.case, one.recorded) for one in log.facts] == [("f1", "c1", AT + 9)]
    assert await counted(room) == (0, 0)


async def test_a_guessed_official_number_is_no_way_into_a_case_of_others(
    room: WaitingRoom, log: Log, known: KnownFacts
) -> None:
    known.facts["c1"] = [FOREIGN]
    trusted = replace(waiting("f2"), trusted=True)
    await room.park([waiting("f1"), trusted])
    await room.register("d1", "c1", 7, "102/KZ-71")
    assert [one.id for one in log.facts] == ["f2"]
    assert await counted(room) == (0, 1)


async def test_who_registered_a_reference_is_remembered(room: WaitingRoom) -> None:
    await room.register("d1", "c1", 7, "102/KZ-75")
    await room.register("d2", "c1", 8)
    await room.register("d1", "c2", 9, "court/KZ-75")
    assert await room.registered("c1", "102/KZ-75")
    assert not await room.registered("c1", "court/KZ-75")
    assert not await room.registered("c2", "court/KZ-75")
    assert not await room.registered("c3", "102/KZ-75")


async def test_who_registered_a_reference_is_remembered_while_references_are_read_again(
    database: Any, room: WaitingRoom
) -> None:
    await room.register("d1", "c1", 7, "102/KZ-75")
    await begin_next(database)
    await room.edition.begin()
    await room.register("d2", "c1", 8, "court/KZ-75")
    assert await room.registered("c1", "102/KZ-75")
    assert await room.registered("c1", "court/KZ-75")
    assert await room.cases_of({"d1", "d2"}) == {"d1": "c1", "d2": "c1"}
    await room.readers.begin()
    assert not await room.registered("c1", "102/KZ-75")
