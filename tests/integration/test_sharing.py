"""Copies of facts for the cases that share something: who is sent what, whoever comes first, and however often."""

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from qorgau.bus import Outgoing
from qorgau.embedded.data import default_policy
from qorgau.embedded.pair import Pair
from qorgau.facts import Fact
from qorgau.plan import compile_policy
from qorgau.policy import load_policy
from qorgau.record import learn
from qorgau.shell.documents import Stored
from qorgau.shell.edition import Edition
from qorgau.shell.logged import read_logged
from qorgau.shell.sharing import Sharing
from qorgau.store import Store, connect
from qorgau.telemetry import Metrics
from qorgau.vocabulary import INTAKE


def report(case: str, id: str, pair: str | None = "p1") -> Fact:
    data = {"region": "KZ-75", "report_id": id, "channel": "102", "area": "urban"} | (
        {"pair_ref": pair} if pair else {}
    )
    return Fact(id, "102/KZ-75", "report.received", 10, 12, case, data)


def withdrawn(case: str, id: str) -> Fact:
    return Fact(f"w-{id}", "102/KZ-75", "fact.withdrawn", 20, 21, case, {"region": "KZ-75", "fact_id": id})


class World:
    """A store with its sharing; `sent` are copies as (who hears, fact)."""

    def __init__(self, database: Any) -> None:
        self.store = Store(Edition(database), lambda _: 0, Metrics())
        plan = compile_policy(load_policy(default_policy()), INTAKE)
        self.sharing = Sharing(INTAKE, plan, self.store, self)  # type: ignore[arg-type]
        self.sent: list[tuple[str, Fact]] = []

    async def publish(self, records: Sequence[Outgoing]) -> list[int]:
        assert {record.topic for record in records} <= {"qorgau.intake.copies"}
        self.sent += [(record.key.decode(), read_logged(record.headers, record.value)) for record in records]
        return []

    async def file(self, *facts: Fact) -> list[tuple[str, Fact]]:
        """Save facts in their cases, then send copies; what was sent."""
        by_case: dict[str, list[Fact]] = {}
        for fact in facts:
            by_case.setdefault(str(fact.case), []).append(fact)
        loaded = await self.store.load(by_case)
        await self.store.save([Stored(learn(loaded[c].record, own), loaded[c].version) for c, own in by_case.items()])
        self.sent = []
        assert await self.sharing.follow_up(by_case) == bool(self.sent)
        return sorted(self.sent, key=lambda copy: (copy[0], str(copy[1].case), copy[1].id))


@pytest.fixture
async def world(pair: Pair) -> AsyncIterator[World]:
    client = connect(pair.mongo)
    name = f"sharing_{uuid.uuid4().hex}"
    made = World(client[name])
    await made.store.prepare()
    await made.sharing.prepare()
    yield made
    await client.drop_database(name)
    client.close()


async def test_two_cases_on_one_pair_hear_of_each_other_when_the_second_one_comes(world: World) -> None:
    first, second = report("c1", "r1"), report("c2", "r2")
    assert await world.file(first) == []
    assert await world.file(second) == [("c1", second), ("c2", first)]


async def test_two_that_come_in_one_batch_hear_of_each_other(world: World) -> None:
    first, second = report("c1", "r1"), report("c2", "r2")
    assert await world.file(first, second) == [("c1", second), ("c2", first)]


async def test_a_batch_that_is_filed_once_more_after_a_crash_sends_the_same(world: World) -> None:
    await world.file(report("c1", "r1"))
    once = await world.file(report("c2", "r2"))
    assert await world.file(report("c2", "r2")) == once


async def test_what_takes_a_report_out_again_is_told_to_those_who_count_it(world: World) -> None:
    await world.file(report("c1", "r1"))
    await world.file(report("c2", "r2"))
    gone = withdrawn("c1", "r1")
    assert await world.file(gone) == [("c2", gone)]
    third = report("c3", "r3")
    copies = await world.file(third)
    assert [(who, fact.id) for who, fact in copies] == [
        ("c1", "r3"),
        ("c2", "r3"),
        ("c3", "r1"),
        ("c3", "w-r1"),
        ("c3", "r2"),
    ]


async def test_nobody_hears_of_another_pair_or_of_a_report_without_one_or_of_other_facts(world: World) -> None:
    await world.file(report("c1", "r1"))
    assert await world.file(report("c2", "r2", "p2"), report("c3", "r3", None)) == []
    triaged = Fact("t1", "102/KZ-75", "report.triaged", 13, 14, "c1", {"region": "KZ-75", "report_id": "r1"})
    assert await world.file(triaged) == []
    assert await world.file(withdrawn("c4", "r9")) == []
