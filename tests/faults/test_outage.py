"""A tracker that was away raises what it would have raised, and not one flag that a fact in the log prevents."""

import random
from collections.abc import Iterator

import pytest

from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, MINUTE, format_instant
from qorgau.vocabulary import POLICE
from tests.e2e.stack import PATIENCE, Stack
from tests.faults.checks import check, told
from tests.faults.harness import another, database, started_as, stored, until_judged
from tests.faults.load import ARRIVED, DESK, DISPATCH, FORENSIC, REGION, UNIT, calls, under_load

AWAY = HOUR
CALLS = [300, pytest.param(2_000, marks=pytest.mark.night)]


def in_time(case: str, kind: int, at: int) -> Iterator[Fact]:
    """A call of the hour from `at` on: what begins a deadline in this hour, then what meets it, just in time."""

    def fact(number: int, source: str, name: str, after: int, **data: object) -> Fact:
        return Fact(f"o{number}", source, name, at + after, at + after, case, {"region": REGION} | data)

    if kind == 0:
        # Police to police.
        yield fact(1, DISPATCH, "police.incident_registered", 20 * MINUTE, priority="immediate", area="urban")
        yield fact(2, DISPATCH, "police.arrived", 31 * MINUTE, **ARRIVED)
    elif kind == 1:
        # The report is on intake's topic, what ends its 72 hours on the one of the police.
        hurt = {"injury": True, "occurred_at": format_instant(at - 71 * HOUR)}
        yield fact(1, DESK, "report.received", -71 * HOUR, report_id="r1", channel="150", area="urban", **hurt)
        yield fact(2, FORENSIC, "exam.completed", -15 * HOUR, exam_id="e1")
    elif kind == 2:
        yield fact(1, DISPATCH, "police.arrived", -190 * MINUTE, **ARRIVED)
        yield fact(2, UNIT, "risk.assessed", -10 * MINUTE, level="high", tool="dash")
        yield fact(4, UNIT, "order.refused", -70 * MINUTE, reason="no_grounds")
    else:
        yield fact(1, DISPATCH, "order.violation_reported", 40 * MINUTE, area="urban", order_id="o1")
        yield fact(2, UNIT, "offender.detained", 51 * MINUTE)
    yield fact(3, DISPATCH, "police.dispatched", 52 * MINUTE)


async def came_while_away(stack: Stack, name: str, number: int, at: int) -> dict[str, list[Fact]]:
    """Post so many calls, ends before beginnings among them; by case."""
    by_case = {f"{name}-{n}": list(in_time(f"{name}-{n}", n % 4, at)) for n in range(number)}
    facts = [fact for of in by_case.values() for fact in of]
    random.Random(4).shuffle(facts)
    await stack.post(facts, size=500)
    return by_case


async def raised_nothing(stack: Stack, by_case: dict[str, list[Fact]], name: str, until: int) -> None:
    """All of it is judged, no flag was ever saved for it and none was ever told."""
    facts = sum(map(len, by_case.values()))
    await until_judged(stack, POLICE, f"{name}-", facts, until, PATIENCE + len(by_case) / 50)
    found = await stored(stack, POLICE, f"{name}-")
    assert {case: len(of.record.facts) for case, of in found.items()} == {case: len(of) for case, of in by_case.items()}
    assert not [case for case, of in found.items() if of.record.flags]
    assert not [one for one in await told(stack) if one.service == POLICE and one.item["case"] in by_case]


def beginnings(by_case: dict[str, list[Fact]]) -> list[list[Fact]]:
    return [of[:1] for of in by_case.values()]


@pytest.mark.parametrize("number", CALLS)
async def test_an_hour_without_the_tracker_raises_not_one_flag_that_a_fact_prevents(stack: Stack, number: int) -> None:
    name, at = f"outage{number}", stack.now()
    stack.set_clock(at)
    async with started_as(stack.process(POLICE), role="api"):
        until = at + AWAY
        stack.set_clock(until)
        by_case = await came_while_away(stack, name, number, at)
        # What would be flagged by a tracker that knows the beginnings only.
        assert all(stack.expected(POLICE, facts, until) for facts in beginnings(by_case))
        tracker = await another(stack, POLICE, "police-dispatch-1", role="tracker")
        try:
            await tracker.start()
            await raised_nothing(stack, by_case, name, until)
        finally:
            await tracker.stop()


@pytest.mark.long
@pytest.mark.parametrize("number", CALLS)
async def test_an_hour_away_and_an_empty_database_raise_nothing_and_tell_nothing_twice(
    stack: Stack, number: int
) -> None:
    name = f"empty{number}"
    async with under_load(stack, calls(name, 15, 2.0), name=name) as load:
        pass
    at = stack.now() + 2 * DAY
    assert await check(stack, load.answered, at) > 0
    async with started_as(stack.process(POLICE), role="api"):
        until = at + AWAY
        stack.set_clock(until)
        async with database(stack, POLICE) as content:
            await content.client.drop_database(content.name)
        by_case = await came_while_away(stack, f"{name}x", number, at)
    await raised_nothing(stack, by_case, f"{name}x", until)
    assert await check(stack, load.answered, until, remade=True) > 0
    events = [one for one in await told(stack) if one.service == POLICE and one.item["case"] in load.answered]
    numbers = [(one.item["case"], one.item["seq"]) for one in events]
    assert len(numbers) == len(set(numbers))
