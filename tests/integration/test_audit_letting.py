"""Lines of an audit chain that are over, on the real pair: let go, killed on the way, and whatever else is missing."""

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from qorgau.audit import book as books
from qorgau.audit import letting as lettings
from qorgau.audit.book import AuditBook
from qorgau.audit.checkpoint import Anchor, checkpoint_entry
from qorgau.audit.verifying import Checked, check_chain
from qorgau.embedded.pair import Pair
from qorgau.instants import DAY
from qorgau.shell.crash import LETTING_POINTS
from qorgau.vocabulary import INTAKE
from tests.audit_letting import PERIOD, Deployment, line
from tests.audited import chain_database
from tests.buses import producing

Finding = tuple[str, int, int]


@pytest.fixture
async def database(pair: Pair) -> AsyncIterator[Any]:
    async with chain_database(pair, f"d{uuid.uuid4().hex[:20]}") as made:
        yield made


@pytest.fixture
async def replica(pair: Pair, database: Any) -> AsyncIterator[Deployment]:
    """Two lines a day from the first to the twentieth day: numbers 1 to 40."""
    async with producing(pair.kafka) as producer:
        made = Deployment(pair.kafka, database, database.name, producer)
        await made.book.prepare()
        for day in range(1, 21):
            await made.on(day, 2 * day - 1, 2 * day)
        yield made


async def verified(pair: Pair, database: Any, period: int = PERIOD.after) -> tuple[Checked, list[Finding]]:
    """What another process finds."""
    findings: list[Finding] = []
    checked = await check_chain(
        AuditBook(database, INTAKE, database.name),
        pair.kafka,
        INTAKE,
        database.name,
        lambda one: findings.append((one.kind, one.first, one.last)),
        period=period,
    )
    return checked, findings


async def numbers(database: Any) -> list[int]:
    return [document["_id"] async for document in database.audit.find({}, {"_id": 1}).sort("_id", 1)]


async def test_lines_that_are_over_go_and_the_chain_is_whole(pair: Pair, database: Any, replica: Deployment) -> None:
    assert await replica.letting.let_go() == 18
    # Those of the days before the tenth; then the rest of the twentieth day, and the checkpoint.
    assert await numbers(database) == list(range(19, 42))
    assert (await database.audit.find_one({"_id": 41}))["kind"] == "audit.checkpoint"
    checked, findings = await verified(pair, database)
    assert (checked.entries, checked.let_go, checked.seq, findings) == (23, 18, 41, [])
    assert [entry["seq"] for entry in await replica.book.of_case("c1")] == list(range(19, 41))
    # Not one for every line that is over, and nothing twice.
    replica.now += DAY - 1
    assert await replica.letting.let_go() == 0
    assert (await verified(pair, database))[0].seq == 41


async def test_it_goes_on_day_after_day_also_after_a_start(pair: Pair, database: Any, replica: Deployment) -> None:
    await replica.letting.let_go()
    async with producing(pair.kafka) as producer:
        for day in (23, 26, 50):
            started = Deployment(pair.kafka, database, database.name, producer)
            await started.on(day, 2 * day)
            await started.letting.let_go()
            assert (await verified(pair, database))[1] == [], day
    # Of the fiftieth day its line and the checkpoint; the ones before are over, checkpoints as well.
    checked, _ = await verified(pair, database)
    assert (checked.let_go, checked.entries) == (checked.seq - 2, 2)


async def test_nothing_that_is_not_over_or_not_ours_goes(pair: Pair, database: Any, replica: Deployment) -> None:
    replica.now = 11 * DAY
    assert await replica.letting.let_go() == 0
    replica.now, replica.numbers = 20 * DAY, [1, 2]
    stopping = asyncio.Event()
    running = asyncio.create_task(replica.letting.run(stopping))
    await asyncio.sleep(0.2)
    stopping.set()
    await running
    assert await numbers(database) == list(range(1, 41))


async def test_what_was_not_anchored_in_time_stays(pair: Pair, database: Any, replica: Deployment) -> None:
    """Added while Kafka was away: only the anchor of a later day names it."""
    await replica.book.append([line(101, 1), line(102, 1)])
    await replica.on(21, 103)
    replica.now = 30 * DAY + 1
    await replica.letting.let_go()
    assert (await verified(pair, database))[0].let_go == 40
    assert (await numbers(database))[0] == 41


async def test_lines_that_are_not_what_was_anchored_stay(pair: Pair, database: Any, replica: Deployment) -> None:
    await database.audit.update_one({"_id": 18}, {"$set": {"hash": "0" * 64}})
    assert await replica.letting.let_go() == 0
    assert ("edited", 18, 18) in (await verified(pair, database))[1]


async def test_a_topic_that_somebody_made_anew_makes_no_young_line_go(pair: Pair, database: Any) -> None:
    """Its one anchor says that all of the chain is old."""
    async with producing(pair.kafka) as producer:
        replica = Deployment(pair.kafka, database, database.name, producer)
        await replica.book.prepare()
        for day in range(1, 21):
            replica.now = day * DAY
            await replica.book.append([line(day, day)])
        replica.now = DAY
        await replica.anchoring.anchor()
        replica.now = 20 * DAY
        assert await replica.letting.let_go() == 0
    assert await numbers(database) == list(range(1, 21))


@pytest.mark.parametrize(
    "odd",
    [
        {"_id": 50, "entry_id": "audit.checkpoint.50"},
        {"_id": 50, "seq": 50, "entry_id": "audit.checkpoint.50", "details": {"first": float("inf")}},
    ],
)
async def test_what_is_no_checkpoint_stops_nobody(
    pair: Pair, database: Any, replica: Deployment, odd: dict[str, Any]
) -> None:
    await database.audit.insert_one(odd)
    assert await replica.letting.let_go() == 18
    assert {number for _, number, _ in (await verified(pair, database))[1]} <= set(range(41, 51))


async def test_lines_that_go_while_a_check_runs_are_no_damage(
    pair: Pair, database: Any, replica: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "_WINDOW", 7)
    window, gone = AuditBook._window, list[int]()

    async def meanwhile(book: AuditBook, first: int, end: int) -> list[dict[str, Any]]:
        found = await window(book, first, end)
        if book is not replica.book and first == 8 and not gone:
            gone.append(await replica.letting.let_go())
        return found

    monkeypatch.setattr(AuditBook, "_window", meanwhile)
    assert (await verified(pair, database))[1] == []
    assert gone == [18]


@pytest.mark.parametrize("point", LETTING_POINTS)
async def test_killed_at_any_step_it_is_gone_on_with_and_nothing_else_is_lost(
    pair: Pair, database: Any, replica: Deployment, point: str
) -> None:
    command = [sys.executable, "-m", "tests.audit_letting", pair.kafka, pair.mongo, database.name, database.name]
    process = await asyncio.create_subprocess_exec(
        *command, str(replica.now), point, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    left = await numbers(database)
    assert left == (list(range(19, 42)) if point == "after-letting-go" else list(range(1, 42)))
    assert (await verified(pair, database))[1] == []
    async with producing(pair.kafka) as producer:
        other = Deployment(pair.kafka, database, database.name, producer)
        await other.on(20, 41)
        await other.letting.let_go()
    assert await numbers(database) == list(range(19, 43))
    assert (await verified(pair, database))[1] == []


async def test_killed_between_two_portions_the_chain_is_whole(
    pair: Pair, database: Any, replica: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lettings, "AT_ONCE", 5)
    monkeypatch.setattr(books, "_WINDOW", 7)
    remove = replica.book.remove

    async def dies(first: int, end: int) -> int:
        assert end - first <= 5
        if first > 10:
            raise asyncio.CancelledError
        return await remove(first, end)

    monkeypatch.setattr(replica.book, "remove", dies)
    with pytest.raises(asyncio.CancelledError):
        await replica.letting.let_go()
    assert await numbers(database) == list(range(11, 42))
    assert (await verified(pair, database))[1] == []
    monkeypatch.setattr(replica.book, "remove", remove)
    assert await replica.letting.let_go() == 8
    assert (await verified(pair, database))[1] == []


async def test_two_replicas_that_let_go_at_once_do_not_disturb_each_other(
    pair: Pair, database: Any, replica: Deployment
) -> None:
    async with producing(pair.kafka) as producer:
        others = [Deployment(pair.kafka, database, database.name, producer) for _ in range(2)]
        for other in others:
            other.now = replica.now
        await asyncio.gather(*(one.letting.let_go() for one in (replica, *others)), others[0].on(20, 101, 102))
    assert await numbers(database) == list(range(19, 44))
    assert (await verified(pair, database))[1] == []


async def test_damage_beside_a_checkpoint_is_found(pair: Pair, database: Any, replica: Deployment) -> None:
    await replica.letting.let_go()
    rows = database.audit
    documents = {number: await rows.find_one({"_id": number}) for number in (19, 20, 41)}
    await rows.delete_one({"_id": 19})
    assert (await verified(pair, database))[1] == [("deleted", 19, 19)]
    await rows.insert_one(documents[19])
    await rows.update_one({"_id": 41}, {"$set": {"details.last": "20"}})
    assert ("deleted", 1, 18) in (await verified(pair, database))[1]
    await rows.delete_one({"_id": 41})
    assert (await verified(pair, database))[1] == [("deleted", 1, 18), ("truncated", 41, 41)]
    await rows.insert_one(documents[41])
    await rows.insert_one(documents[20] | {"_id": 5, "seq": 5, "entry_id": "put in"})
    assert (await verified(pair, database))[1] == [("edited", 5, 5), ("deleted", 6, 18)]
    await rows.delete_one({"_id": 5})
    assert (await verified(pair, database))[1] == []
    assert (await verified(pair, database, PERIOD.after + 1))[1] == [("unfounded", 41, 41)]


async def test_a_checkpoint_that_somebody_wrote_into_the_database_hides_nothing(
    pair: Pair, database: Any, replica: Deployment
) -> None:
    """It says that the lines of the nineteenth day are over, and the service goes on behind it."""
    last = Anchor(INTAKE, 38, (await database.audit.find_one({"_id": 38}))["hash"])
    await AuditBook(database, INTAKE, database.name).append([checkpoint_entry(1, last, 0, PERIOD, 40 * DAY)])
    await database.audit.delete_many({"_id": {"$lte": 38}})
    await replica.on(21, 101)
    assert (await verified(pair, database))[1] == [("unfounded", 41, 41)]
