"""One key, one effect, one answer; on the real database."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from qorgau.embedded.pair import Pair
from qorgau.errors import Conflict, Forbidden, Invalid, Malformed
from qorgau.front.idempotency import WITHIN, Answer, Idempotency, check_key
from qorgau.store import connect

SECRET = "s" * 32
BODY = b'{"reason":"x"}'


class Effect:
    """Counts how often it is done, and waits until it may end."""

    def __init__(self) -> None:
        self.times = 0
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.error: Exception | None = None

    async def __call__(self) -> Answer:
        self.times += 1
        number = self.times
        await self.may_end.wait()
        if self.error is not None:
            raise self.error
        return Answer(200, {"number": number}, {"Location": "/v1/x"})


class World:
    """The commands of one database; `at` is its clock."""

    def __init__(self, database: object) -> None:
        self.at = datetime(2026, 4, 1, tzinfo=UTC)
        self.commands = Idempotency(database, SECRET, lambda: self.at)

    async def send(self, effect: Effect, key: str = "k1", body: bytes = BODY, who: str = "102/KZ-75") -> Answer:
        return await self.commands.once(who, "POST /v1/cases/c1/erase", key, body, effect)


@pytest.fixture
async def world(pair: Pair) -> AsyncIterator[World]:
    client = connect(pair.mongo)
    name = f"commands_{uuid.uuid4().hex}"
    made = World(client[name])
    await made.commands.prepare()
    yield made
    await client.drop_database(name)
    client.close()


async def test_the_same_key_gets_the_same_answer_and_nothing_is_done_again(world: World) -> None:
    effect = Effect()
    first = await world.send(effect)
    assert await world.send(effect) == first == Answer(200, {"number": 1}, {"Location": "/v1/x"})
    assert (await world.send(effect, "k2")).body == {"number": 2}
    assert (await world.send(effect, who="102/KZ-71")).body == {"number": 3}


async def test_a_key_with_another_body_is_refused(world: World) -> None:
    effect = Effect()
    await world.send(effect)
    with pytest.raises(Invalid):
        await world.send(effect, body=b"{}")
    assert effect.times == 1


async def test_while_it_is_being_done_a_second_request_is_told_so(world: World) -> None:
    effect = Effect()
    effect.may_end.clear()
    first = asyncio.create_task(world.send(effect))
    async with asyncio.timeout(10):
        while not effect.times:  # noqa: ASYNC110  # what is waited for is a plain attribute
            await asyncio.sleep(0.01)
    with pytest.raises(Conflict) as refused:
        await world.send(effect)
    assert refused.value.headers == {"Retry-After": "1"}
    effect.may_end.set()
    assert (await first).body == {"number": 1}
    assert (await world.send(effect)).body == {"number": 1}


async def test_what_was_refused_may_be_tried_again_with_the_same_key(world: World) -> None:
    effect = Effect()
    effect.error = Forbidden()
    with pytest.raises(Forbidden):
        await world.send(effect)
    effect.error = None
    assert (await world.send(effect)).body == {"number": 2}


async def test_what_a_crash_left_begun_is_done_again_after_a_while_by_one_request(world: World) -> None:
    effect = Effect()
    effect.error = KeyboardInterrupt()  # type: ignore[assignment]  # as near to a crash as a process can come
    with pytest.raises(KeyboardInterrupt):
        await world.send(effect)
    effect.error = None
    with pytest.raises(Conflict):
        await world.send(effect)
    world.at += WITHIN + timedelta(seconds=1)
    answers = await asyncio.gather(*(world.send(effect) for _ in range(5)), return_exceptions=True)
    assert effect.times == 2
    assert all(isinstance(one, Conflict) or one == Answer(200, {"number": 2}, {"Location": "/v1/x"}) for one in answers)


@pytest.mark.parametrize("key", ["", "a b", "k" * 129, "ключ"])
def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(Malformed):
        check_key(key)
