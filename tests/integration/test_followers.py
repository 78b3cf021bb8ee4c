"""Following a topic and registering references, on the real database with a topic in memory."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from qorgau.auth import make_token
from qorgau.embedded.pair import Pair
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.front.door import Admitted
from qorgau.front.references import digest
from qorgau.front.registering import Registry, references_router
from qorgau.front.waiting import WaitingRoom
from qorgau.service import Readiness, build_app
from qorgau.shell.edition import Edition
from qorgau.shell.follower import Follower, LogRecord
from qorgau.telemetry import Metrics
from tests.entry import access, open_gate

SECRET = "a key of the tests that is long enough"

KEY = "a key of the tests that is long enough"
FACT = Fact("f1", "102/KZ-75", "police.arrived", 1, 2, None, {"region": "KZ-75"})


class Topic:
    """One topic of two partitions in memory, and a log of facts; either can be down."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.facts: list[Fact] = []
        self.down = False
        self.more = asyncio.Event()

    async def append(self, facts: Sequence[Fact]) -> None:
        self.facts += facts

    async def announce(self, key: str, value: bytes) -> int:
        if self.down:
            raise Unavailable
        partition = 1 if key > "8" else 0
        offset = sum(record.partition == partition for record in self.records)
        self.records.append(LogRecord(partition, offset, key.encode(), [], value))
        self.more.set()
        return offset

    async def ends(self) -> Sequence[int]:
        if self.down:
            raise Unavailable
        return [sum(record.partition == partition for record in self.records) for partition in (0, 1)]

    async def follow(self, offsets: Sequence[int]) -> AsyncGenerator[Sequence[LogRecord], None]:
        done = 0
        while True:
            self.more.clear()
            batch = [record for record in self.records[done:] if record.offset >= offsets[record.partition]]
            done = len(self.records)
            yield batch
            await self.more.wait()


@pytest.fixture
async def database(pair: Pair) -> AsyncIterator[Any]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(pair.mongo, serverSelectionTimeoutMS=10_000)
    name = f"followers_{uuid.uuid4().hex}"
    yield client[name]
    await client.drop_database(name)
    client.close()


@pytest.fixture
def topic() -> Topic:
    return Topic()


@asynccontextmanager
async def following(follower: Follower) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    running = asyncio.create_task(follower.run(stopping))
    yield
    stopping.set()
    await asyncio.wait_for(running, 10)


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # what is waited for is a plain attribute
            await asyncio.sleep(0.01)


async def test_a_follower_goes_on_where_it_stood_and_repeats_only_what_was_not_handled(
    database: Any, topic: Topic
) -> None:
    handled: list[bytes] = []
    failing = False

    async def handle(records: Sequence[LogRecord]) -> None:
        if failing:
            raise Unavailable
        handled.extend(record.value or b"" for record in records)

    for value in (b"1", b"2"):
        await topic.announce(value.decode(), value)
    follower = Follower("topic", topic, handle, Edition(database))
    async with following(follower):
        await eventually(lambda: follower.caught_up and handled == [b"1", b"2"])
        await topic.announce("9", b"3")
        await eventually(lambda: len(handled) == 3)
    failing = True
    again = Follower("topic", topic, handle, Edition(database))
    async with following(again):
        await topic.announce("1", b"4")
        await eventually(lambda: again.at and not again.alive)
        failing = False
        await eventually(lambda: handled == [b"1", b"2", b"3", b"4"])
        assert again.at == [3, 1]


async def test_a_topic_that_is_away_is_tried_again(database: Any, topic: Topic) -> None:
    topic.down = True

    async def handle(records: Sequence[LogRecord]) -> None:
        return

    follower = Follower("topic", topic, handle, Edition(database))
    async with following(follower):
        await asyncio.sleep(0.05)
        assert not follower.caught_up
        topic.down = False
        await eventually(lambda: follower.caught_up)


async def facts_of(case: str) -> Sequence[Fact]:
    """Two cases of 102 and nothing else."""
    return (FACT,) if case in ("c1", "c2") else ()


@pytest.fixture
async def room(database: Any, topic: Topic) -> WaitingRoom:
    room = WaitingRoom(Edition(database), topic, lambda: 9, open_gate(), SECRET)
    await room.prepare()
    return room


@pytest.fixture
def registry(room: WaitingRoom, topic: Topic) -> Registry:
    return Registry(room, topic, facts_of, KEY, {"102"})


@pytest.fixture
async def client(registry: Registry) -> AsyncIterator[httpx2.AsyncClient]:
    async def ready() -> Readiness:
        return Readiness(True)

    app = build_app("test", [references_router(registry, access(KEY))], ready=ready, metrics=Metrics())
    token = make_token(KEY, agency="102/KZ-75", scopes=["facts:write"], regions=["KZ-75"])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        client.headers["authorization"] = f"Bearer {token}"
        yield client


async def test_a_registered_reference_joins_what_waited_and_no_number_is_kept(
    client: httpx2.AsyncClient, room: WaitingRoom, topic: Topic, database: Any
) -> None:
    await room.park([Admitted(FACT, digest(KEY, "kui", "2026-12345"))])
    answer = await client.put("/v1/references/kui/2026-12345", json={"case": "c1"})
    assert (answer.status_code, answer.json()) == (201, {"case": "c1"})
    assert [(fact.id, fact.case, fact.recorded) for fact in topic.facts] == [("f1", "c1", 9)]
    assert (await client.put("/v1/references/kui/2026-12345", json={"case": "c1"})).status_code == 200
    assert (await client.put("/v1/references/kui/2026-12345", json={"case": "c2"})).status_code == 409
    assert len(topic.records) == 1
    stored = [document async for document in database["references"].find({})]
    assert "12345" not in repr(topic.records) + repr(stored)


async def test_another_service_learns_the_reference_from_the_topic(
    registry: Registry, room: WaitingRoom, topic: Topic
) -> None:
    await topic.announce("0abc", b'{"case": "c7"}')
    await topic.announce("0abc", b'{"case": "c8"}')
    await topic.announce("0abd", b'{"case": {"$gt": ""}}')
    await topic.announce("0abe", b'{"case": "c7", "agency": "102/KZ-75", "from_later": 1}')
    await topic.announce("0abf", b'{"case": "c7", "agency": {"$gt": ""}}')
    await registry.learn(topic.records)
    assert await room.cases_of({"0abc", "0abd", "0abe", "0abf"}) == {"0abc": "c7", "0abe": "c7"}
    assert await room.registered("c7", "102/KZ-75")


async def test_who_registers_is_told_to_every_service_and_a_development_token_is_nobody(
    client: httpx2.AsyncClient, topic: Topic
) -> None:
    assert (await client.put("/v1/references/kui/1", json={"case": "c1"})).status_code == 201
    anybody = {"authorization": f"Bearer {make_token(KEY)}"}
    answer = await client.put("/v1/references/kui/2", json={"case": "unknown-yet"}, headers=anybody)
    assert answer.status_code == 201
    assert [record.value for record in topic.records] == [
        b'{"case":"c1","agency":"102/KZ-75"}',
        b'{"case":"unknown-yet"}',
    ]


async def test_a_case_of_others_and_one_that_does_not_exist_get_no_number_alike(
    client: httpx2.AsyncClient, topic: Topic
) -> None:
    token = make_token(KEY, agency="102/KZ-71", scopes=["facts:write"], regions=["KZ-71"])
    answers = [
        await client.put(f"/v1/references/kui/{n}", json={"case": case}, headers={"authorization": f"Bearer {token}"})
        for n, case in enumerate(("c1", "c9"))
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert topic.records == []


@pytest.mark.parametrize(
    ("path", "body", "agency", "status"),
    [
        ("kui/1", {"case": "c.1"}, "102/KZ-75", 422),
        ("kui/1", {"case": {"$gt": ""}}, "102/KZ-75", 422),
        ("kui/1", {"case": "c1", "name": "Aigul"}, "102/KZ-75", 422),
        ("kui/1", [], "102/KZ-75", 422),
        ("KUI/1", {"case": "c1"}, "102/KZ-75", 422),
        ("kui/1 2", {"case": "c1"}, "102/KZ-75", 422),
        ("kui/" + "1" * 65, {"case": "c1"}, "102/KZ-75", 422),
        ("kui/1", {"case": "c1"}, "court/KZ-75", 404),
    ],
)
async def test_a_registration_that_cannot_be_leaves_nothing(
    client: httpx2.AsyncClient, topic: Topic, path: str, body: Any, agency: str, status: int
) -> None:
    token = make_token(KEY, agency=agency, scopes=["facts:write"], regions=["KZ-75"])
    answer = await client.put(f"/v1/references/{path}", json=body, headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, topic.records) == (status, [])
    assert "Aigul" not in answer.text


async def test_a_registration_the_log_does_not_take_is_refused(client: httpx2.AsyncClient, topic: Topic) -> None:
    topic.down = True
    assert (await client.put("/v1/references/kui/1", json={"case": "c1"})).status_code == 503
