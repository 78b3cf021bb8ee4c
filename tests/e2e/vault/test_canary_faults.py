"""The same where servers are away, where they are silent, and where intake dies in the middle of a report."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qorgau.embedded.services import READY_WITHIN
from qorgau.shell.crash import VAULT_POINTS
from qorgau.vocabulary import INTAKE
from tests.e2e.live.world import check_refused
from tests.e2e.stack import Stack, eventually
from tests.e2e.vault.clients import Client, full
from tests.faults.harness import armed

pytestmark = pytest.mark.long


@contextmanager
def silent(stack: Stack, server: str) -> Iterator[None]:
    """The server neither answers nor dies meanwhile."""
    pid = stack.system.pair.pids[server]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def told(stack: Stack, case: str) -> None:
    facts, _ = await stack.export(INTAKE, case)
    assert [fact.type for fact in facts] == ["report.received"]


async def test_a_report_that_waits_for_kafka_waits_sealed(stack: Stack) -> None:
    client = Client(stack, 150)
    await stack.system.pair.kill("kafka")
    try:
        taken = await client.report("waits", full(client.plant()))
        assert taken.status_code == 201, taken.text
        with_body = await client.report("waits", full(client.plant()))
        check_refused(with_body, 422, "qz")
    finally:
        await stack.system.pair.start("kafka")
    await eventually(lambda: told(stack, taken.json()["case"]))
    await client.nowhere()


async def test_what_is_refused_because_the_database_is_away_or_silent_leaves_nothing(stack: Stack) -> None:
    client = Client(stack, 160)
    with silent(stack, "mongo"):
        check_refused(await client.report("silent", full(client.plant())), 503, "qz")
    await stack.system.pair.kill("mongo")
    try:
        check_refused(await client.report("away", full(client.plant())), 503, "qz")
    finally:
        await stack.system.pair.start("mongo")

    async def taken() -> None:
        answer = await client.report("back", full(client.planted[0].canaries))
        assert answer.status_code == 201, answer.text

    await eventually(taken)
    await client.nowhere()


async def test_intake_killed_at_every_step_of_a_report_leaves_nothing_of_it_outside(
    stack: Stack, tmp_path: Path
) -> None:
    client, process = Client(stack, 170), stack.process(INTAKE)
    for point in VAULT_POINTS:
        await process.stop()
        with armed(process, f"{point}@{tmp_path / point}"):
            await process.start()
        made = client.plant()
        before = process.restarts
        # Its connection breaks: it was never told anything.
        await asyncio.gather(client.report(point, full(made)), return_exceptions=True)
        await eventually(lambda before=before: died(process.restarts, before))  # type: ignore[misc]
        await process.wait_ready(READY_WITHIN)
        assert (await client.report(point, full(made))).status_code == 201
    await client.nowhere()


async def died(restarts: int, before: int) -> None:
    assert restarts > before
