"""The vault on the real database: safe before it is answered, once however often it comes, told when Kafka is there."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from intake.vault import book as module
from intake.vault.book import VaultBook
from qorgau.embedded.pair import Pair
from qorgau.errors import Unavailable
from qorgau.facts import Fact
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
    assert await vault.open_case(FACT) == FACT
    await vault.close()
    assert log.facts == [FACT]
    assert await vault.reporting([2]) == set()
    assert await vault.of_case("c1") == [FACT]


async def test_while_kafka_is_away_a_report_is_safe_and_waits(vault: VaultBook, log: Log) -> None:
    log.away = True
    await vault.open_case(FACT)
    await vault.close()
    assert (await vault.reporting([2]), await vault.reporting([0, 1])) == ({"c1"}, set())
    with pytest.raises(Unavailable):
        await vault.tell([2])
    log.away = False
    await vault.tell([0, 1])
    assert log.facts == []
    await vault.tell([2])
    assert (log.facts, await vault.reporting([2])) == ([FACT], set())


async def test_of_the_same_report_at_the_same_instant_the_first_counts(vault: VaultBook, log: Log) -> None:
    later = [replace(FACT, recorded=2 + number) for number in range(20)]
    answers = await asyncio.gather(*map(vault.open_case, later))
    await vault.close()
    assert {(fact.id, fact.recorded) for fact in answers} == {("f1", answers[0].recorded)}
    assert log.facts == [answers[0]]


async def test_many_at_once_share_their_writes_and_all_are_safe(vault: VaultBook, log: Log) -> None:
    facts = [replace(FACT, case=f"c{number}") for number in range(module.AT_ONCE + 100)]
    assert await asyncio.gather(*map(vault.open_case, facts)) == facts
    await vault.close()
    assert sorted(str(fact.case) for fact in log.facts) == sorted(str(fact.case) for fact in facts)


async def test_more_than_can_wait_are_refused_and_no_other_is_lost(vault: VaultBook, log: Log) -> None:
    facts = [replace(FACT, case=f"c{number}") for number in range(module.WAITING + 50)]
    answers = await asyncio.gather(*map(vault.open_case, facts), return_exceptions=True)
    await vault.close()
    accepted = [answer for answer in answers if isinstance(answer, Fact)]
    assert len(accepted) >= module.WAITING
    assert all(isinstance(answer, Unavailable) for answer in answers if not isinstance(answer, Fact))
    assert len(accepted) < len(facts)
    assert sorted(str(fact.case) for fact in log.facts) == sorted(str(fact.case) for fact in accepted)
