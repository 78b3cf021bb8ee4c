"""The round: nothing is judged that was not read to the end that was looked up, whatever happens in between."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from qorgau.bus import Place
from qorgau.clock import SystemClock, wall_ticks
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.instants import HOUR
from qorgau.plan import compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord, learn
from qorgau.shell.corridor import CaseLimits
from qorgau.shell.documents import SCHEMA, NewerDocument, Stored, from_document
from qorgau.shell.filing import Filing
from qorgau.shell.horizon import Horizon
from qorgau.shell.inflow import Read
from qorgau.shell.recent import Recent
from qorgau.store import Due
from qorgau.telemetry import Metrics
from qorgau.tracker import Tracker
from qorgau.vocabulary import FACTS_TOPICS, POLICE

PLACES = frozenset((topic, 0) for topic in FACTS_TOPICS)
CASE = "c1"


@dataclass
class Replica:
    """Everything around a tracker of one partition, in memory: one case in which an arrival is overdue."""

    owned: frozenset[Place] = PLACES
    ends: Mapping[Place, int] = field(default_factory=lambda: dict.fromkeys(PLACES, 5))
    between: Callable[[], Any] | None = None
    saved: list[Stored] = field(default_factory=list)
    full: bool = False
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        nothing: Any = SimpleNamespace(publish=_nothing, sweep=_nothing, producer=SimpleNamespace(publish=_nothing))
        takeover: Any = SimpleNamespace(check_policy=_nothing, check_judges=_none, begin=_nothing, to_rejudge=_empty)
        store: Any = self
        horizon, clock, metrics = Horizon(self._due, lambda: HOUR), SystemClock(), Metrics()
        plan = compile_policy(load_policy(default_policy()), POLICE)
        self.tracker = Tracker(
            service=POLICE,
            reader=_any(
                topics=FACTS_TOPICS, numbers=self._numbers, owned=lambda: self.owned, commit=_nothing, stop=_nothing
            ),
            inflow=_any(self),
            ends=_any(of=self._of),
            store=store,
            progress=_any(save=_nothing),
            relay=nothing,
            context=_any(keep=_nothing),
            follow_ups=(),
            takeover=takeover,
            horizon=horizon,
            clock=clock,
            filing=Filing(store, nothing, takeover, horizon, clock, plan, CaseLimits(), metrics),
            metrics=metrics,
        )

    async def round(self) -> list[Stored]:
        """What one round saves."""
        async with asyncio.timeout(5):
            await self.tracker.run(self.stopping)
        return self.saved

    def _numbers(self) -> frozenset[int] | None:
        return frozenset({0}) if self.owned else None

    async def _of(self, places: Collection[Place]) -> Mapping[Place, int]:
        return self.ends

    async def _due(self, after: int | None, until: int, most: int) -> list[Due]:
        return [Due(until - HOUR, CASE)]

    # As the inflow: everything is there; what happens while it is waited for is `between`.

    async def fetch(self, patience: float, *events: asyncio.Event) -> bool:
        await asyncio.sleep(0.01)
        return False

    def patience(self) -> float:
        return 0.0

    def close(self) -> None:
        return

    def forget(self, places: Collection[Place]) -> None:
        return

    async def behind(self, ends: Mapping[Place, int], stopping: asyncio.Event) -> bool:
        self.stopping.set()
        if self.between is not None:
            await self.between()
        return False

    def holds(self, what: Callable[[Fact], bool]) -> bool:
        return False

    def ready(self, until: int | None) -> list[Read]:
        return []

    def letters(self) -> list[Any]:
        return []

    def filed(self, reads: Sequence[Read], letters: int) -> dict[Place, int]:
        return {}

    # As the store.
    recent = Recent(0)

    def partition(self, case: str) -> int:
        return 0

    async def load(self, cases: Collection[str]) -> dict[str, Stored]:
        at = wall_ticks() - 2 * HOUR
        data = {"region": "KZ-75", "priority": "immediate", "area": "urban"}
        fact = Fact("f1", "102/KZ-75", "police.incident_registered", at, at, CASE, data)
        return {case: Stored(learn(CaseRecord(case), [fact])) for case in cases}

    async def save(self, changed: Sequence[Stored]) -> tuple[dict[str, Stored], set[str]]:
        self.saved += changed
        return {stored.record.case: stored for stored in changed}, set()

    async def park(self, facts: Sequence[Fact]) -> None:
        return


async def _nothing(*_: Any) -> dict[int, int]:
    return {}


async def _empty(*_: Any) -> list[str]:
    return []


def _none(*_: Any) -> None:
    return


def _any(whole: Any = None, **parts: Any) -> Any:
    return SimpleNamespace(**parts) if whole is None else whole


async def test_what_is_due_is_judged_when_everything_is_read() -> None:
    saved = await Replica().round()
    assert [row.rule for row in saved[0].record.flags] == ["P03", "P03"]


async def test_nothing_is_judged_when_partitions_are_handed_out_anew_between_look_up_and_judging() -> None:
    replica = Replica()
    replica.between = lambda: replica.tracker.moved(PLACES)
    assert await replica.round() == []


async def test_nothing_is_judged_of_partitions_that_went_away_unnoticed() -> None:
    replica = Replica()

    async def lost() -> None:
        replica.owned = frozenset()

    replica.between = lost
    assert await replica.round() == []


@pytest.mark.parametrize("missing", sorted(PLACES))
async def test_nothing_is_judged_while_one_topic_cannot_be_looked_up(missing: Place) -> None:
    replica = Replica(ends={place: 5 for place in PLACES if place != missing})
    assert await replica.round() == []
    assert replica.tracker.health.trouble


async def test_a_case_in_a_newer_form_is_left_alone_and_the_replica_is_not_ready() -> None:
    class Older(Replica):
        async def load(self, cases: Collection[str]) -> dict[str, Stored]:
            return {case: from_document({"_id": case, "schema": SCHEMA + 1}) for case in cases}

    replica = Older()
    assert await replica.round() == []
    assert replica.tracker.health.trouble == NewerDocument.title
