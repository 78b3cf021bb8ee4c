"""What is counted of stored cases agrees with what the heart says of them, and the database gets its pauses."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.front.judging import PlanJudge
from qorgau.instants import HOUR, MINUTE
from qorgau.plan import compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord, advance, learn
from qorgau.season import BEGINS, season
from qorgau.shell.census import SHARE, census, tally
from qorgau.shell.documents import SCHEMA, NewerDocument, Stored, to_document
from qorgau.telemetry import Metrics
from qorgau.telemetry import Stored as Counted
from qorgau.vocabulary import COURT, INTAKE, POLICE

STATES = ("running", "breached")
SPAN = 0.02


def season_cases() -> list[list[Fact]]:
    cases: defaultdict[str, list[Fact]] = defaultdict(list)
    for planned in season(5, BEGINS, 1, 12.0):
        if planned.fact.case is not None:
            cases[planned.fact.case].append(planned.fact)
    return list(cases.values())


@pytest.mark.parametrize("service", [INTAKE, POLICE, COURT])
def test_deadlines_and_flags_are_counted_as_the_heart_has_them(service: str) -> None:
    plan = compile_policy(load_policy(default_policy()), service)
    judge, documents, wanted = PlanJudge(plan), [], Counter[tuple[str, tuple[str, ...]]]()
    for number, facts in enumerate(season_cases()):
        begun = facts[: 1 + len(facts) * (number % 4) // 4]
        learned = learn(CaseRecord(begun[0].case or ""), begun)
        record, _ = advance(learned, begun[-1].known_at + (MINUTE, HOUR, 30 * HOUR)[number % 3], plan)
        documents.append(to_document(Stored(record), 0, "1.x"))
        for one in judge.judged(record):
            if one.row.state in STATES:
                wanted["qorgau_deadlines", (one.row.rule, one.row.state)] += 1
        for flag in record.flags:
            if flag.cleared_at is None:
                wanted["qorgau_flags_open", (flag.rule, flag.level, flag.severity, flag.region or "")] += 1
    wanted["qorgau_cases", ("open",)] = len(documents)
    assert {labels[1] for name, labels in wanted if name == "qorgau_deadlines"} == set(STATES)
    assert tally(documents) == wanted


class Slow:
    """A database of three partitions, one case each, that takes a while for each; notes when it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, float]] = []

    async def countable(self, number: int) -> list[Mapping[str, Any]]:
        self.asked.append((number, time.monotonic()))
        await asyncio.sleep(SPAN)
        return [{"schema": SCHEMA, "full": False, "closed": False, "open": [], "flags": [], "timers": []}]

    async def count_parked(self) -> int:
        return 0

    async def waiting(self) -> list[Counted]:
        return []


async def test_between_two_partitions_the_database_has_its_time_for_others() -> None:
    slow, metrics, stopping = Slow(), Metrics(), asyncio.Event()
    anything: Any = slow
    task = asyncio.create_task(census(anything, anything, lambda: {0, 1, 2}, metrics, stopping))
    while b'qorgau_cases{state="open"} 3.0' not in metrics.text():
        assert not task.done()
        await asyncio.sleep(SPAN)
    stopping.set()
    await task
    assert [number for number, _ in slow.asked] == [0, 1, 2]
    for (_, before), (_, after) in zip(slow.asked, slow.asked[1:], strict=False):
        assert after - before >= SHARE * SPAN


async def test_a_count_that_is_cut_short_is_not_shown() -> None:
    slow, metrics, stopping = Slow(), Metrics(), asyncio.Event()
    anything: Any = slow
    task = asyncio.create_task(census(anything, anything, lambda: {0, 1, 2}, metrics, stopping))
    await asyncio.sleep(SPAN / 2)
    assert [number for number, _ in slow.asked] == [0]
    stopping.set()
    await task
    assert b"qorgau_cases{" not in metrics.text()


def test_a_document_in_a_newer_form_is_not_counted_and_ends_nobody() -> None:
    with pytest.raises(NewerDocument):
        tally([to_document(Stored(CaseRecord("c1")), 0, "1.x"), {"_id": "c2", "schema": SCHEMA + 1}])
