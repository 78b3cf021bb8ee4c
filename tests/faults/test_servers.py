"""Kafka and the database die and come back under load: no service has to be started again, nothing answered is lost."""

import asyncio
from functools import partial

import pytest

from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, format_instant
from qorgau.vocabulary import NOTIFIER
from tests.e2e.stack import KEEPERS, Stack, eventually
from tests.faults.checks import check, notified
from tests.faults.harness import database
from tests.faults.load import DESK, DISPATCH, REGION, calls, under_load

# Long enough for every wait on the network to be under way; and for every one of them to have ended, and the group too.
AWAY = [pytest.param(2.0, marks=pytest.mark.long), pytest.param(20.0, marks=pytest.mark.night)]


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("server", ["kafka", "mongo"])
async def test_a_server_killed_under_load_costs_no_restart_and_no_answered_fact(
    stack: Stack, server: str, away: float
) -> None:
    name = f"{server}{away:.0f}"
    processes = [process for of in stack.system.services for process in of.processes]
    before = [(process.pid, process.restarts) for process in processes]
    async with under_load(stack, calls(name, 30, 4.0 + away), reports=10, name=name) as load:
        await asyncio.sleep(2)
        await stack.system.pair.kill(server)
        await asyncio.sleep(away)
        await stack.system.pair.start(server)
    assert await check(stack, load.answered, stack.now() + 2 * DAY) > 0
    assert [(process.pid, process.restarts) for process in processes] == before


@pytest.mark.long
async def test_nobody_who_follows_the_log_is_ahead_of_a_database_that_died(stack: Stack) -> None:
    """The database is killed at the moment a flag is written for its readers. Who wrote it goes on from memory, and
    must not go on behind what the database lost."""
    at = stack.now()
    stack.set_clock(at)
    for attempt in range(4):
        names = [f"ahead{attempt}-{n}" for n in range(3)]
        for name in names:
            await stack.post(overdue(name, at - HOUR))
            async with database(stack, NOTIFIER) as content:
                # Without a pause: what is not flushed is only in danger for some milliseconds.
                while await content["flags"].count_documents({"case": name}) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0)
        await stack.system.pair.restart("mongo")
        await eventually(partial(_all_there, stack, names))


def overdue(name: str, at: int) -> list[Fact]:
    """A report that nobody triaged in time, and a call without a case."""
    call = {"category": "other", "priority": "prompt", "area": "urban", "registered_at": format_instant(at)}
    report = {"region": REGION, "report_id": "r1", "channel": "150", "area": "urban"}
    return [
        Fact(name, DISPATCH, "police.call_recorded", at, at, None, {"region": REGION, **call}),
        Fact("r", DESK, "report.received", at, at, name, report),
    ]


async def _all_there(stack: Stack, names: list[str]) -> None:
    rows = [row["case"] for row in (await notified(stack)).values() if row["rule"] == "P01"]
    assert [name for name in names if rows.count(name) != 2] == []
    for service in KEEPERS:
        async with database(stack, service) as content:
            kept = await content["context"].distinct("id")
        assert set(names) - set(kept) == set(), service
