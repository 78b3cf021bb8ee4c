"""The audit chain on the real pair: two who add at once, a death at every step, an end cut off, an older copy."""

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import pytest

from qorgau.audit.anchor import OTHERS_EVERY, Anchoring, read_anchor
from qorgau.audit.book import AuditBook
from qorgau.audit.chain import Actor, Entry, Head, append, genesis
from qorgau.audit.relay import Audit
from qorgau.audit.verifying import check_chain
from qorgau.bus import Outgoing, read_all
from qorgau.embedded.pair import Pair
from qorgau.errors import Unavailable
from qorgau.shell.crash import AUDIT_POINTS
from qorgau.telemetry import Metrics
from qorgau.vocabulary import AUDIT_TOPIC, INTAKE
from tests.audit_waiting import Waiting, entry
from tests.audited import chain_database, verify
from tests.buses import producing


@pytest.fixture
def deployment() -> str:
    """Its own for each test: the topic is everybody's."""
    return f"d{uuid.uuid4().hex[:20]}"


@pytest.fixture
async def database(pair: Pair, deployment: str) -> AsyncIterator[Any]:
    async with chain_database(pair, f"{deployment}_intake") as made:
        yield made


@pytest.fixture
async def book(database: Any, deployment: str) -> AuditBook:
    made = AuditBook(database, INTAKE, deployment)
    await made.prepare()
    await made.prepare()
    return made


async def clean(book: AuditBook, deployment: str) -> list[str]:
    """The ids in a chain that must have no fault."""
    stored = [one async for one in book.stored()]
    assert verify(INTAKE, deployment, stored, []) == []
    return [body["entry_id"] for _, body in stored]


async def found(pair: Pair, book: AuditBook, deployment: str) -> list[tuple[str, int, int]]:
    findings: list[tuple[str, int, int]] = []
    await check_chain(
        book, pair.kafka, INTAKE, deployment, lambda one: findings.append((one.kind, one.first, one.last))
    )
    return findings


async def test_entries_stand_in_the_order_in_which_they_were_added_and_once(book: AuditBook, deployment: str) -> None:
    assert (await book.head()) == genesis(INTAKE, deployment)
    first = await book.append([entry(1), entry(2), entry(1)])
    assert first.seq == 2
    assert (await book.append([entry(2), entry(3)])).seq == 3
    assert (await book.append([entry(1)])).seq == 3
    assert await clean(book, deployment) == ["e1", "e2", "e3"]
    assert (await book.hashes([2, 9])) == {2: first.hash}
    assert [body["seq"] for body in await book.of_case("c1")] == [1, 2, 3]
    assert await book.of_case("c2") == []


async def test_a_long_chain_is_added_to_and_read_in_portions(book: AuditBook, deployment: str) -> None:
    assert (await book.append([entry(n) for n in range(1_234)])).seq == 1_234
    assert await clean(book, deployment) == [f"e{n}" for n in range(1_234)]


async def test_of_two_that_add_at_once_neither_loses_or_doubles_anything(
    database: Any, book: AuditBook, deployment: str
) -> None:
    books = [book, AuditBook(database, INTAKE, deployment), AuditBook(database, INTAKE, deployment)]

    async def add(which: int) -> None:
        for first in range(0, 60, 4):
            # A quarter of them is everybody's.
            await books[which].append([entry(first), *(entry(1000 * which + first + n) for n in (1, 2, 3))])

    await asyncio.gather(*(add(which) for which in range(3)))
    ids = await clean(book, deployment)
    expected = {f"e{n}" for n in range(0, 60, 4)}
    expected |= {f"e{1000 * which + n}" for which in range(3) for n in range(60) if n % 4}
    assert sorted(ids) == sorted(expected)


async def test_what_a_dead_writer_left_half_done_is_gone_on_with(
    database: Any, book: AuditBook, deployment: str
) -> None:
    other = AuditBook(database, INTAKE, deployment)
    await other.append([entry(1)])
    await other.append([entry(2)])
    assert (await book.append([entry(2), entry(3)])).seq == 3
    assert (await other.head()) == (await book.head())
    assert await clean(book, deployment) == ["e1", "e2", "e3"]


async def test_an_entry_that_was_lost_before_it_was_flushed_is_not_taken_for_safe(
    database: Any, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = AuditBook(database, INTAKE, deployment)
    await book.append([entry(1)])

    async def loses(numbers: Collection[int]) -> dict[int, str]:
        await database.audit.delete_many({"_id": {"$in": list(numbers)}})
        return {}

    # The server dies between the write and the barrier, and comes back before anybody has noticed.
    monkeypatch.setattr(book, "hashes", loses)
    with pytest.raises(Unavailable):
        await book.append([entry(2)])
    monkeypatch.undo()
    assert (await book.append([entry(2)])).seq == 2
    assert await clean(book, deployment) == ["e1", "e2"]


async def test_a_chain_that_is_gone_is_not_begun_again(database: Any, book: AuditBook, deployment: str) -> None:
    await book.append([entry(n) for n in range(3)])
    await database.audit.delete_many({})
    await book.append([entry(3)])
    findings = verify(INTAKE, deployment, [one async for one in book.stored()], [])
    assert [(one.kind, one.first, one.last) for one in findings] == [("deleted", 1, 3)]


async def test_what_waits_is_relayed_and_forgotten_there(database: Any, book: AuditBook, deployment: str) -> None:
    waiting = Waiting(database)
    await waiting.add(7)
    audit = audit_over(book, waiting)
    assert (await audit.relay(), await audit.relay()) == (7, 0)
    assert await waiting.left() == 0
    assert await clean(book, deployment) == [f"e{n}" for n in range(7)]
    audit.numbers = lambda: ()
    await waiting.add(2, first=7)
    assert await audit.relay() == 0


async def test_the_relay_goes_on_until_it_is_time_to_stop_and_tells_the_end_then(
    pair: Pair, database: Any, book: AuditBook, deployment: str
) -> None:
    waiting, metrics, stopping = Waiting(database), Metrics(), asyncio.Event()
    await waiting.add(3)
    async with producing(pair.kafka) as producer:
        anchoring = Anchoring(deployment, book, producer, lambda: 1, metrics)
        audit = Audit(book, anchoring, lambda: (0,), [waiting])
        running = asyncio.create_task(audit.run(stopping))
        await asyncio.wait_for(waiting.emptied.wait(), 30)
        await waiting.add(2, first=3)
        stopping.set()
        await running
    assert await waiting.left() == 0
    assert (await anchors(pair, deployment))[-1].seq == 5
    assert await found(pair, book, deployment) == []
    assert b"qorgau_audit_anchored_timestamp_seconds 0.0" not in metrics.text()


@pytest.mark.parametrize("point", AUDIT_POINTS)
async def test_killed_at_any_step_nothing_is_lost_or_doubled(
    pair: Pair, database: Any, book: AuditBook, deployment: str, point: str
) -> None:
    waiting = Waiting(database)
    await waiting.add(5)
    command = [sys.executable, "-m", "tests.audit_waiting", pair.mongo, database.name, deployment, point]
    process = await asyncio.create_subprocess_exec(*command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    assert await waiting.left() == (0 if point == "after-audit-clear" else 5)
    await waiting.add(1, first=5)
    await audit_over(book, waiting).relay()
    assert await waiting.left() == 0
    assert await clean(book, deployment) == [f"e{n}" for n in range(6)]


async def test_an_end_that_was_cut_off_is_found_through_the_anchor(
    pair: Pair, database: Any, book: AuditBook, deployment: str
) -> None:
    async with producing(pair.kafka) as producer:
        anchoring = Anchoring(deployment, book, producer, lambda: 1, Metrics())
        await book.append([entry(n) for n in range(6)])
        await anchoring.anchor()
        await anchoring.anchor()
    assert [head.seq for head in await anchors(pair, deployment)] == [6]
    assert await found(pair, book, deployment) == []
    await database.audit.delete_many({"_id": {"$gt": 4}})
    assert await clean(book, deployment) == ["e0", "e1", "e2", "e3"]
    assert await found(pair, book, deployment) == [("truncated", 5, 6)]


async def test_a_database_restored_from_an_older_copy_is_found_also_when_it_went_on(
    pair: Pair, database: Any, book: AuditBook, deployment: str
) -> None:
    await book.append([entry(n) for n in range(4)])
    copy = await database.audit.find({}).to_list(None)
    async with producing(pair.kafka) as producer:
        anchoring = Anchoring(deployment, book, producer, lambda: 1, Metrics())
        await anchoring.anchor()
        await book.append([entry(n) for n in range(4, 8)])
        await anchoring.anchor()
        await database.audit.delete_many({})
        await database.audit.insert_many(copy)
        # A service that is started on it knows nothing of what was.
        started = AuditBook(database, INTAKE, deployment)
        await started.append([entry(n) for n in range(20, 26)])
        again = Anchoring(deployment, started, producer, lambda: 1, Metrics())
        await again.anchor()
    assert len(await clean(started, deployment)) == 10
    assert await found(pair, started, deployment) == [("forked", 8, 8)]


async def test_what_another_replica_added_before_it_died_is_anchored_too(
    pair: Pair, database: Any, book: AuditBook, deployment: str
) -> None:
    await book.append([entry(1), entry(2)])
    async with producing(pair.kafka) as producer:
        idle = Anchoring(deployment, AuditBook(database, INTAKE, deployment), producer, lambda: 1, Metrics())
        await idle.anchor()
        await book.append([entry(3)])
        await idle.anchor()
        idle.looked -= OTHERS_EVERY.total_seconds()
        await idle.anchor()
    assert [head.seq for head in await anchors(pair, deployment)] == [2, 3]


async def test_every_damage_done_in_the_database_is_found(
    pair: Pair, database: Any, book: AuditBook, deployment: str
) -> None:
    await book.append([entry(n) for n in range(1, 13)])
    rows = database.audit
    await rows.update_one({"_id": 2}, {"$set": {"actor.subject": "somebody-else"}})
    await rows.delete_one({"_id": 4})
    six, eight = await rows.find_one({"_id": 6}), await rows.find_one({"_id": 8})
    await rows.delete_many({"_id": {"$in": [6, 8]}})
    await rows.insert_many([six | {"_id": 8}, eight | {"_id": 6}])
    await rows.insert_many([(await rows.find_one({"_id": 10})) | {"_id": 10.5, "entry_id": "new"}])
    other = genesis("notifier", deployment)
    await rows.insert_one({"_id": 90, **foreign(other)})
    await rows.insert_many([{"_id": "x", "entry_id": "x"}, {"_id": 91, "entry_id": "y", "seq": "z"}])
    findings = await found(pair, book, deployment)
    assert ("edited", 2, 2) in findings
    assert ("deleted", 4, 4) in findings
    assert ("foreign", 90, 90) in findings
    assert ("edited", 91, 91) in findings
    assert {one for one in findings if one[0] == "reordered"} == {("reordered", 6, 6), ("reordered", 8, 8)}
    assert len([one for one in findings if one[0] == "inserted"]) == 2


async def test_records_that_are_no_anchors_do_not_disturb(pair: Pair, book: AuditBook, deployment: str) -> None:
    await book.append([entry(1)])
    values = [b"", b"{", b"[]", b'{"deployment": "other", "service": "intake", "seq": 9, "hash": "x"}']
    async with producing(pair.kafka) as producer:
        await producer.publish([Outgoing(AUDIT_TOPIC, b"intake", value, []) for value in values])
    assert await found(pair, book, deployment) == []


def audit_over(book: AuditBook, *sources: Waiting) -> Audit:
    nowhere: Any = None
    return Audit(book, nowhere, lambda: (0,), list(sources))


def foreign(head: Head) -> dict[str, Any]:
    return dict(append(head, [Entry("other", 1, "kind", Actor("102", "x"))])[0])


async def anchors(pair: Pair, deployment: str) -> Sequence[Head]:
    read = [read_anchor(record.value, deployment) async for record in read_all(pair.kafka, AUDIT_TOPIC)]
    return [head for head in read if head is not None]
