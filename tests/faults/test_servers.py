"""Kafka and the database die and come back under load: no service has to be started again, nothing answered is lost."""

import asyncio

import pytest

from qorgau.instants import DAY
from tests.e2e.stack import Stack
from tests.faults.checks import check
from tests.faults.load import calls, under_load

# Long enough for every wait on the network to be under way.
AWAY = 2.0


@pytest.mark.parametrize("server", ["kafka", "mongo"])
async def test_a_server_killed_under_load_costs_no_restart_and_no_answered_fact(stack: Stack, server: str) -> None:
    processes = [process for of in stack.system.services for process in of.processes]
    before = [(process.pid, process.restarts) for process in processes]
    async with under_load(stack, calls(server, 30, 8.0), reports=10, name=server) as load:
        await asyncio.sleep(2)
        await stack.system.pair.kill(server)
        await asyncio.sleep(AWAY)
        await stack.system.pair.start(server)
    assert await check(stack, load.answered, stack.now() + 2 * DAY) > 0
    assert [(process.pid, process.restarts) for process in processes] == before
