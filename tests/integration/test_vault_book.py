"""The vault on the real database: safe before it is answered, once however often it comes, told when Kafka is there."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from intake.vault import book as module
from intake.vault.book import VaultBook
from intake.vault.records import Marks, VaultRecord, linked
from qorgau.embedded.pair import Pair
from qorgau.errors import NotFound, Unavailable
from qorgau.facts import Fact
from qorgau.shell import mongo
from qorgau.store import connect

FACT = Fact("f1", "102/KZ-75", "report.received", 1, 2, "c1", {"region": "KZ-75", "report_id": "f1"})


class Log:
    """Takes every fact, or is away."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.away = False

    async def append(self, facts: Sequence[Fact]) -> None:
        if self.away:
            raise Unavailable
        self.facts += facts


def record(case: str = "c1", recorded: int = 2) -> VaultRecord:
    return VaultRecord(case, facts=(replace(FACT, case=case, recorded=recorded),), pending=True, marks=Marks(opened=2))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def vault(pair: Pair, log: Log) -> AsyncIterator[VaultBook]:
    client = connect(pair.mongo)
    name = f"vault_{uuid.uuid4().hex}"
    made = VaultBook(client[name], lambda case: len(case) % 3, log)
    await made.prepare()
    yield made
    await made.close()
    await client.drop_database(name)
    client.close()


async def test_a_report_is_told_and_then_no_longer_waits(vault: VaultBook, log: Log) -> None:
    assert await vault.open(record())
    await vault.close()
    assert log.facts == [FACT]
    assert await vault.reporting([2]) == set()
    assert await vault.of_case("c1") == [FACT]


async def test_while_kafka_is_away_a_report_is_safe_and_waits(vault: VaultBook, log: Log) -> None:
    log.away = True
    await vault.open(record())
    await vault.close()
    assert (await vault.reporting([2]), await vault.reporting([0, 1])) == ({"c1"}, set())
    with pytest.raises(Unavailable):
        await vault.tell([2])
    log.away = False
    await vault.tell([0, 1])
    assert log.facts == []
    await vault.tell([2])
    assert (log.facts, await vault.reporting([2])) == ([FACT], set())


async def test_of_the_same_case_at_the_same_instant_one_is_new(vault: VaultBook, log: Log) -> None:
    new = await asyncio.gather(*(vault.open(record(recorded=2 + number)) for number in range(20)))
    await vault.close()
    assert new.count(True) == 1
    assert log.facts == list(await vault.of_case("c1"))


async def test_what_was_there_already_is_flushed_before_it_is_answered(
    vault: VaultBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another replica may have written it a moment ago, and not flushed it yet."""
    flushed: list[str] = []

    async def barrier(database: Any, name: str, *limit: Any, **seen: Any) -> None:
        await flush(database, name, *limit, **seen)
        flushed.append(name)

    flush = mongo.barrier
    monkeypatch.setattr(module, "barrier", barrier)
    assert await vault.open(record())
    assert flushed == []
    assert not await vault.open(record())
    assert flushed == ["vault"]


async def test_many_at_once_share_their_writes_and_all_are_safe(vault: VaultBook, log: Log) -> None:
    records = [record(f"c{number}") for number in range(module.AT_ONCE + 100)]
    assert all(await asyncio.gather(*map(vault.open, records)))
    await vault.close()
    assert sorted(str(fact.case) for fact in log.facts) == sorted(each.case for each in records)


async def test_more_than_can_wait_are_refused_and_no_other_is_lost(vault: VaultBook, log: Log) -> None:
    records = [record(f"c{number}") for number in range(module.WAITING + 50)]
    answers = await asyncio.gather(*map(vault.open, records), return_exceptions=True)
    await vault.close()
    accepted = [each.case for each, answer in zip(records, answers, strict=True) if answer is True]
    assert module.WAITING <= len(accepted) < len(records)
    assert all(isinstance(answer, Unavailable) for answer in answers if answer is not True)
    assert sorted(str(fact.case) for fact in log.facts) == sorted(accepted)


async def test_changes_of_one_record_at_one_instant_are_all_made(vault: VaultBook) -> None:
    await vault.open(record())

    def counted(known: VaultRecord) -> tuple[VaultRecord, int]:
        return replace(known, seq=known.seq + 1), known.seq

    seen = await asyncio.gather(*(vault.change("c1", counted) for _ in range(4)))
    assert sorted(seen) == [0, 1, 2, 3]
    found = await vault.find("c1")
    assert found is not None
    assert found.seq == 4


async def test_a_record_that_is_not_there_cannot_be_changed(vault: VaultBook) -> None:
    with pytest.raises(NotFound):
        await vault.change("c9", lambda known: (linked(known, "p1"), None))
