"""The cases of a batch, portion by portion: every one is saved, and none is left behind."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from qorgau.clock import SystemClock, wall_ticks
from qorgau.embedded.data import default_policy
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.instants import HOUR
from qorgau.plan import compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord
from qorgau.shell.corridor import CaseLimits
from qorgau.shell.documents import Stored
from qorgau.shell.filing import PORTION, Filing, Outcome, Work
from qorgau.shell.horizon import Horizon
from qorgau.telemetry import Metrics
from qorgau.vocabulary import POLICE

MANY = [f"c{number}" for number in range(2 * PORTION + 1)]


@dataclass
class World:
    """A database and Kafka in memory, which do what a test says: `taken` cases are changed by somebody else once."""

    taken: set[str] = field(default_factory=set)
    fails: str = ""
    saved: dict[str, Stored] = field(default_factory=dict)
    loaded: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)

    async def do(self, cases: Sequence[str]) -> Outcome:
        now = wall_ticks()
        nobody: Any = SimpleNamespace(check_policy=_nothing, check_judges=lambda _: None)
        here: Any = self
        plan = compile_policy(load_policy(default_policy()), POLICE)
        horizon = Horizon(_none_due, lambda: HOUR)
        filing = Filing(here, here, nobody, horizon, SystemClock(), plan, CaseLimits(), Metrics())
        async with asyncio.timeout(10):
            return await filing.do(Work({case: [_overdue(case, now)] for case in cases}, (), now, ()))

    async def load(self, cases: Collection[str]) -> dict[str, Stored]:
        self.happened.append("load")
        self.loaded += cases
        return {case: self.saved.get(case, Stored(CaseRecord(case))) for case in cases}

    async def park(self, facts: Sequence[Fact]) -> None:
        assert not facts

    async def save(self, changed: Sequence[Stored]) -> tuple[dict[str, Stored], set[str]]:
        await asyncio.sleep(0.01)
        self.happened.append("saved")
        if self.fails == "save":
            raise Unavailable
        written = {stored.record.case: stored for stored in changed if stored.record.case not in self.taken}
        lost, self.taken = self.taken & {stored.record.case for stored in changed}, set()
        self.saved |= {case: replace(stored, outbox=()) for case, stored in written.items()}
        return written, lost

    async def publish(self, cases: Sequence[Stored]) -> dict[int, int]:
        if self.fails == "publish":
            raise Unavailable
        self.published += [stored.record.case for stored in cases if stored.outbox]
        return {0: len(self.published)}


def _overdue(case: str, now: int) -> Fact:
    data = {"region": "KZ-75", "priority": "immediate", "area": "urban"}
    return Fact("f1", "102/KZ-75", "police.incident_registered", now - 2 * HOUR, now - 2 * HOUR, case, data)


async def _nothing(*_: Any) -> None:
    return


async def _none_due(*_: Any) -> list[Any]:
    return []


async def test_every_case_is_saved_and_told_once_and_the_last_offset_counts() -> None:
    world = World()
    outcome = await world.do(MANY)
    assert sorted(world.published) == sorted(world.saved) == sorted(world.loaded) == sorted(MANY)
    assert outcome == Outcome({0: len(MANY)})


async def test_one_portion_is_loaded_while_another_is_saved() -> None:
    world = World()
    await world.do(MANY)
    assert world.happened == ["load", "load", "saved", "load", "saved", "saved"]


async def test_a_case_that_somebody_else_changed_is_loaded_and_stepped_once_more() -> None:
    world = World(taken={"c0", MANY[-1]})
    await world.do(MANY)
    assert world.loaded.count("c0") == 2
    assert sorted(world.published) == sorted(MANY)


async def test_what_cannot_be_told_is_saved_all_the_same() -> None:
    world = World(fails="publish")
    outcome = await world.do(MANY)
    assert isinstance(outcome.failure, Unavailable)
    assert sorted(world.saved) == sorted(MANY)


async def test_nothing_goes_on_behind_the_back_of_a_save_that_failed() -> None:
    world = World(fails="save")
    with pytest.raises(Unavailable):
        await world.do(MANY)
    tried = len(world.happened)
    await asyncio.sleep(0.05)
    assert len(world.happened) == tried
    assert not world.published
