"""More reports than one replica can take: each is safe or refused, none is lost or doubled, and memory is bounded."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from qorgau.bus import read_all
from qorgau.vocabulary import INTAKE, facts_topic
from tests.e2e.stack import Stack, eventually
from tests.faults.harness import database
from tests.faults.load import DESK, REGION

OFFERED = 1_000
# What a process may grow by, whatever is offered: bodies in flight, the queue, caches that fill.
GROWTH = 192 * 1024 * 1024
LOOK_EVERY = 0.25
# What was taken is told before long, also when far more was taken than the log gets in that time.
TOLD_WITHIN = 180.0
_CHECKOUT = Path(__file__).parents[2]


SECONDS = [pytest.param(5, marks=pytest.mark.long), pytest.param(60, marks=pytest.mark.night)]


@pytest.mark.parametrize("seconds", SECONDS)
async def test_of_a_thousand_reports_a_second_each_is_safe_once_or_refused(stack: Stack, seconds: int) -> None:
    process = stack.process(INTAKE)
    before = process.pid, process.restarts
    async with watched(process.pid or 0) as memory:
        outcome = await offered(stack, seconds, f"crowd{seconds}")
    statuses = outcome["statuses"]
    assert sum(statuses.values()) == outcome["offered"] == OFFERED * seconds
    assert set(statuses) <= {"201", "429", "503"}, statuses
    assert statuses["201"] > 0
    assert max(memory) - memory[0] < GROWTH, (memory[0], max(memory))
    assert (process.pid, process.restarts) == before
    cases: dict[str, str] = outcome["taken"]
    assert len(set(cases.values())) == len(cases) == statuses["201"]
    await eventually(partial(_all_there_once, stack, set(cases.values())), TOLD_WITHIN)


async def offered(stack: Stack, seconds: int, name: str) -> dict[str, Any]:
    """Let a crowd of its own process offer reports; what became of them."""
    token = stack.system.backing.make_token(agency=DESK, scopes=["reports:write"], regions=[REGION])
    port = stack.url(INTAKE).rpartition(":")[2]
    crowd = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.offering", port, token, str(OFFERED), str(seconds), name),
        stdout=asyncio.subprocess.PIPE,
        cwd=_CHECKOUT,
    )
    told, _ = await crowd.communicate()
    assert crowd.returncode == 0
    outcome: dict[str, Any] = json.loads(told)
    return outcome


@asynccontextmanager
async def watched(pid: int) -> AsyncIterator[list[int]]:
    """What a process holds of the memory, looked at again and again; the first before anything is offered."""
    seen = [_resident(pid)]

    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            seen.append(_resident(pid))

    looking = asyncio.create_task(look())
    try:
        yield seen
    finally:
        looking.cancel()


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) * 1024


async def _all_there_once(stack: Stack, cases: set[str]) -> None:
    """Every report that was answered 201 has its document, is told, and is in the log as one fact."""
    async with database(stack, INTAKE) as content:
        kept = await content["vault"].find({}, {"reports.id": 1, "pending": 1}).to_list(None)
    by_case = {one["_id"]: one for one in kept if one["_id"] in cases}
    assert by_case.keys() == cases
    assert {len(one["reports"]) for one in by_case.values()} <= {1}
    assert [case for case, one in by_case.items() if one["pending"]] == []
    facts: dict[str, set[Any]] = {case: set() for case in cases}
    async for record in read_all(stack.system.backing.kafka, facts_topic(INTAKE)):
        case = (record.key or b"").decode()
        if case in cases:
            facts[case].add((dict(record.headers)["ce_id"], record.value))
    assert {len(told) for told in facts.values()} == {1}
