"""Three replicas share the cases of a service; one dies and comes back, twice, and nobody who listens can tell."""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Mapping

import pytest

from qorgau.front.reading import flag_item
from qorgau.instants import DAY
from qorgau.shell.documents import Stored
from qorgau.vocabulary import NOTIFIER, POLICE
from tests.e2e.stack import PATIENCE, Row, Stack, eventually
from tests.faults.checks import Posted, as_read, check_facts, check_pairs, newest, notified, told
from tests.faults.harness import another, stored, until_judged
from tests.faults.load import ARRIVED, DISPATCH, REGION, Planned, under_load

CASES = [
    pytest.param(500, marks=pytest.mark.long),
    *(pytest.param(number, marks=pytest.mark.night) for number in (2_000, 10_000)),
]
# So many cases a second are posted.
PER_SECOND = 100


def shared(name: str, number: int) -> list[Planned]:
    """Urgent calls; to some of them police come in time, to some late, to some never."""
    draw = random.Random(name)
    planned = []
    data = {"region": REGION, "priority": "immediate", "area": "urban"}
    for n in range(number):
        at, case = n / PER_SECOND, f"{name}-{n}"
        planned.append(Planned(at, POLICE, "police.incident_registered", DISPATCH, "registered", case, data, 0))
        if draw.random() < 0.7:
            at += draw.uniform(0, 3)
            planned.append(Planned(at, POLICE, "police.arrived", DISPATCH, "arrived", case, ARRIVED, 0))
    return sorted(planned, key=lambda step: step.at)


@pytest.mark.parametrize("number", CASES)
async def test_one_of_three_replicas_dies_twice_and_each_flag_is_told_once_and_in_order(
    stack: Stack, number: int
) -> None:
    name = f"shared{number}"
    others = [await another(stack, POLICE, f"police-dispatch-{n}", role="tracker") for n in (2, 3)]
    try:
        await asyncio.gather(*(process.start() for process in others))
        async with under_load(stack, shared(name, number)) as load:
            for _ in range(2):
                await asyncio.sleep(number / PER_SECOND / 3)
                await others[0].crash()
        until = stack.now() + 2 * DAY
        stack.set_clock(until)
        facts = sum(map(len, load.answered.values()))
        await until_judged(stack, POLICE, f"{name}-", facts, until, patience(number))
        cases = await stored(stack, POLICE, f"{name}-")
    finally:
        await asyncio.gather(*(process.stop() for process in others))
    as_specified(stack, cases, load.answered, until)
    await eventually(lambda: _told_once(stack, cases), patience(number))


def patience(number: int) -> float:
    """Seconds in which so many cases are judged, or all that was ever told is read, on a machine that is slow today."""
    return PATIENCE + number / 10


def as_specified(stack: Stack, cases: Mapping[str, Stored], posted: Posted, until: int) -> None:
    """Facts and flags of every case, to the microsecond."""
    assert cases.keys() == posted.keys()
    for case, of in cases.items():
        check_facts(of.record.facts, posted[case])
        rows = [row.to_json() for row in sorted(of.record.flags, key=lambda row: (row.raised_at, row.rule, row.level))]
        expected = stack.expected(POLICE, of.record.facts, until)
        assert rows == sorted(expected, key=lambda row: (row["raised_at"], row["rule"], row["level"])), case


async def _told_once(stack: Stack, cases: Mapping[str, Stored]) -> None:
    """The topic by its numbers, the notifier's stream as it is, and its list say what is saved."""
    read = {
        case: of for (service, case), of in as_read(await told(stack)).items() if service == POLICE and case in cases
    }
    assert sum(map(len, read.values())) > len(cases)
    listed = await notified(stack)
    for case, of in cases.items():
        events = read.get(case, [])
        check_pairs(events)
        assert [one.item["seq"] for one in events] == list(range(1, len(events) + 1))
        final = newest(events)
        assert {name: one.row for name, one in final.items()} == {row.id: flag_item(row) for row in of.record.flags}
        assert {name: listed.get(name) for name in final} == {name: one.item for name, one in final.items()}
    streamed = await stream(stack, sum(map(len, read.values())), cases)
    assert streamed == {case: [one.item for one in of] for case, of in read.items()}


async def stream(stack: Stack, number: int, cases: Mapping[str, Stored]) -> dict[str, list[Row]]:
    """So many events of the police about these cases, from the first one on, as a reader of the stream gets them."""
    events: dict[str, list[Row]] = defaultdict(list)
    address, headers = f"{stack.url(NOTIFIER)}/v1/flags/stream", {"Last-Event-ID": "0"}
    rules, left = {*stack.plans[POLICE].families, *stack.plans[POLICE].flags}, number
    async with asyncio.timeout(patience(len(cases))), stack.http.stream("GET", address, headers=headers) as answer:
        async for line in answer.aiter_lines():
            item = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else None
            if item is not None and item["case"] in cases and item["rule"] in rules:
                events[item["case"]].append(item)
                left -= 1
            if left == 0:
                break
    return events
