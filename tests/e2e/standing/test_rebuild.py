"""A database made again from Kafka while everything runs: all is known again, and nobody hears of it twice."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from qorgau.bus import Topic
from qorgau.clock import read_clock
from qorgau.instants import DAY
from qorgau.shell.remaking import Servers, remake
from qorgau.vocabulary import FLAGS_TOPIC, NOTIFIER, POLICE, SERVICES
from tests.e2e.stack import KEEPERS, Stack, eventually, order
from tests.e2e.standing.test_exact import scenario_facts
from tests.expected import SCENARIOS


@dataclass(frozen=True)
class Known:
    """Everything a user can see of these cases, and how many flag events were ever told."""

    exports: dict[str, Any]
    flags: dict[str, Any]
    listed: list[Any]
    told: list[int]


async def known_flags(stack: Stack) -> list[Any]:
    answer = await stack.http.get(f"{stack.url(NOTIFIER)}/v1/flags", params={"limit": "1000"})
    items: list[Any] = answer.json()["items"]
    return items


async def known(stack: Stack, cases: list[str]) -> Known:
    places = [(service, case) for service in KEEPERS for case in cases]
    return Known(
        # Not how far each was judged: a case made again was looked at now, whether or not there was a reason to.
        {f"{service} {case}": (await stack.export(service, case))[0] for service, case in places},
        {f"{service} {case}": await stack.flags(service, case) for service, case in places},
        await known_flags(stack),
        await Topic(stack.system.backing.kafka, FLAGS_TOPIC).ends(),
    )


async def command(stack: Stack, service: str) -> dict[str, Any]:
    """What the command says at its end."""
    backing = stack.system.backing
    qorgau = Path(sys.executable).with_name("qorgau")
    where = ("--kafka", backing.kafka, "--mongo", backing.mongo)
    process = await asyncio.create_subprocess_exec(qorgau, "rebuild", service, *where, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    made: dict[str, Any] = json.loads(out)
    return made


async def rebuild(stack: Stack, service: str) -> dict[str, Any]:
    """The same without the start of a program."""
    seen: list[tuple[int, int]] = []
    backing = stack.system.backing
    made = await remake(service, Servers(backing.kafka, backing.mongo, "qorgau"), lambda *at: seen.append(at))
    assert seen[-1] == (made.records, made.records)
    return asdict(made)


async def watched(
    stack: Stack, case: str, making: Coroutine[Any, Any, dict[str, Any]]
) -> tuple[dict[str, Any], set[str | int]]:
    """What is said at the end of it, and what readers were shown meanwhile: of a case its status, of flags how many."""
    task, shown = asyncio.ensure_future(making), set[str | int]()
    while not task.done():
        for service in KEEPERS:
            answer = await stack.http.get(f"{stack.url(service)}/v1/cases/{case}")
            shown.add(answer.json()["status"])
        shown.add(len(await known_flags(stack)))
        await asyncio.sleep(0.1)
    return task.result(), shown


@pytest.mark.long
async def test_every_service_is_made_again_and_nothing_is_different(stack: Stack) -> None:
    facts = [fact for path in SCENARIOS for fact in scenario_facts(path)]
    cases = sorted({fact.case for fact in facts if fact.case is not None})
    # They may be there already, and time may have gone on.
    await stack.post(facts)
    until = max(read_clock(stack.system.backing.clock).at, max(fact.known_at for fact in facts) + 100 * DAY)
    stack.set_clock(until)
    expected = {
        f"{service} {case}": order(stack.expected(service, [fact for fact in facts if fact.case == case], until, facts))
        for service in KEEPERS
        for case in cases
    }

    async def judged() -> None:
        now = await known(stack, cases)
        assert {name: order(rows) for name, rows in now.flags.items()} == expected
        assert len(now.listed) >= sum(map(len, expected.values())) > 30

    await eventually(judged)
    before = await known(stack, cases)
    for service in SERVICES:
        made, shown = await watched(stack, cases[0], (command if service == POLICE else rebuild)(stack, service))
        # Nobody is told for a moment that there is no such case, or no such flag.
        assert shown <= {"open", "closed", "unknown", len(before.listed)}
        assert (made["service"], made["edition"], made["records"] > 0) == (service, 1, True)
        assert await known(stack, cases) == before, service
        answer = await stack.http.get(f"{stack.url(service)}/readyz")
        assert answer.status_code == 200, answer.text
