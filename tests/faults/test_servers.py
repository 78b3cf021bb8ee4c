"""Kafka and the database die and come back under load: no service has to be started again, nothing answered is lost."""

import asyncio

import pytest

from qorgau.instants import DAY
from tests.e2e.stack import Stack
from tests.faults.checks import check
from tests.faults.load import calls, under_load

# Long enough for every wait on the network to be under way; and for every one of them to have ended, and the group too.
AWAY = [2.0, pytest.param(20.0, marks=pytest.mark.long)]


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("server", ["kafka", "mongo"])
async def test_a_server_killed_under_load_costs_no_restart_and_no_answered_fact(
    stack: Stack, server: str, away: float
) -> None:
    name = f"{server}{away:.0f}"
    processes = [process for of in stack.system.services for process in of.processes]
    before = [(process.pid, process.restarts) for process in processes]
    async with under_load(stack, calls(name, 30, 6.0 + away), reports=10, name=name) as load:
        await asyncio.sleep(2)
        await stack.system.pair.kill(server)
        await asyncio.sleep(away)
        await stack.system.pair.start(server)
    assert await check(stack, load.answered, stack.now() + 2 * DAY) > 0
    assert [(process.pid, process.restarts) for process in processes] == before
