"""A case with more facts than it may hold is unknown, not wrong; nothing of it is lost and nobody else waits for it."""

import pytest

from qorgau.bus import partition_of
from qorgau.facts import Fact
from qorgau.instants import HOUR
from qorgau.vocabulary import POLICE
from tests.e2e.stack import Stack, eventually
from tests.faults.checks import check
from tests.faults.harness import started_as
from tests.faults.load import ARRIVED, DISPATCH, REGION

HELD, POSTED = 4, 7
FULL = "full-0"


def beside() -> str:
    """Another case of the same partition."""
    number = partition_of(FULL.encode(), 12)
    return next(name for n in range(1, 200) if partition_of((name := f"full-{n}").encode(), 12) == number)


def registered(case: str, number: int, at: int) -> Fact:
    data = {"region": REGION, "priority": "immediate", "area": "urban"}
    return Fact(f"f{number}", DISPATCH, "police.incident_registered", at, at, case, data)


async def status(stack: Stack, case: str) -> str:
    answer = await stack.http.get(f"{stack.url(POLICE)}/v1/cases/{case}")
    return str(answer.json()["status"])


async def parked(stack: Stack) -> float:
    lines = (await stack.http.get(f"{stack.url(POLICE)}/metrics")).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith('qorgau_parked{reason="full"}'))


@pytest.mark.long
async def test_a_full_case_is_unknown_its_partition_goes_on_and_with_room_it_is_whole_again(stack: Stack) -> None:
    at, other = stack.now(), beside()
    stack.set_clock(at)
    facts = [registered(FULL, number, at + number) for number in range(POSTED - 1)]
    facts.append(Fact("f9", DISPATCH, "police.arrived", at + 100, at + 100, FULL, ARRIVED))
    async with started_as(stack.process(POLICE), case_facts=str(HELD)):
        await stack.post(facts)
        await stack.post([registered(other, 1, at + 200)])
        stack.set_clock(at + HOUR)

        async def full() -> None:
            assert await status(stack, FULL) == "unknown"
            assert len((await stack.export(POLICE, FULL))[0]) == HELD
            assert await status(stack, other) == "open"
            assert [row["level"] for row in await stack.flags(POLICE, other)] == ["warn", "breach"]
            assert await parked(stack) == POSTED - HELD

        await eventually(full)
    posted = {FULL: {fact.identity for fact in facts}, other: {(DISPATCH, "f1")}}
    assert await check(stack, posted, at + 2 * HOUR) > 0
    assert await status(stack, FULL) == "open"
    await eventually(lambda: _none(stack))


async def _none(stack: Stack) -> None:
    assert await parked(stack) == 0
