"""kill -9 between any two steps of the corridor: nothing is lost, nothing has its effect twice."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qorgau.crash import POINTS
from qorgau.instants import DAY
from qorgau.vocabulary import COURT, INTAKE, POLICE
from tests.e2e.stack import PATIENCE, Stack
from tests.faults.checks import check
from tests.faults.load import Load, calls

# Ten minutes a second: what is due in a quarter of an hour is due while facts still come.
PACE = 600


async def killed_at(stack: Stack, service: str, points: list[str], folder: Path, seed: str) -> None:
    """Let a service die at these points, one after the other, under load; then everything must be as specified."""
    process = stack.process(service)
    markers = [folder / point for point in points]
    armed = [
        f"{point}:{passes}@{marker}" for passes, (point, marker) in enumerate(zip(points, markers, strict=True), 2)
    ]
    await process.stop()
    process.env["QORGAU_CRASH_AT"] = armed[0]
    stack.set_clock(stack.now(), PACE)
    await process.start()
    load = Load(stack, calls(seed, 12 * len(points), 3.0 * len(points)), reports=3 * len(points), name=seed)
    running = asyncio.create_task(load.run())
    try:
        for marker, following in zip(markers, [*armed[1:], ""], strict=True):
            # Read at the next start, after the death that is waited for.
            process.env["QORGAU_CRASH_AT"] = following
            before = process.restarts
            await until_so(marker.exists, f"it never came to {marker.name}")
            await until_so(lambda before=before: process.restarts > before, "it was not started again")
        await running
    finally:
        running.cancel()
        process.env.pop("QORGAU_CRASH_AT")
    until = stack.now() + 2 * DAY
    stack.set_clock(until)
    assert await check(stack, load.answered, until) > len(points)


async def until_so(holds: Callable[[], bool], words: str) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until, words
        await asyncio.sleep(0.02)


async def test_intake_killed_at_every_point_loses_nothing_and_doubles_nothing(stack: Stack, tmp_path: Path) -> None:
    await killed_at(stack, INTAKE, list(POINTS), tmp_path, "crash")


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("service", [INTAKE, POLICE, COURT])
async def test_killed_at_one_point_it_loses_nothing_and_doubles_nothing(
    stack: Stack, tmp_path: Path, service: str, point: str
) -> None:
    await killed_at(stack, service, [point], tmp_path, f"{service}-{point}")
