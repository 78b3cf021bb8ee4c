"""kill -9 between any two steps of the corridor: nothing is lost, nothing has its effect twice."""

from pathlib import Path

import pytest

from qorgau.embedded.process import Process
from qorgau.instants import DAY
from qorgau.shell.crash import POINTS
from qorgau.vocabulary import COURT, INTAKE, POLICE
from tests.e2e.stack import Stack
from tests.faults.checks import check, until_so
from tests.faults.load import calls, under_load


async def killed_at(stack: Stack, service: str, points: list[str], folder: Path, seed: str) -> None:
    """Let a service die at these points, one after the other, under load; then everything must be as specified."""
    process = stack.process(service)
    markers = [folder / point for point in points]
    armed = [f"{marker.name}:{passes}@{marker}" for passes, marker in enumerate(markers, 2)]
    await process.stop()
    process.env["QORGAU_CRASH_AT"] = armed[0]
    await process.start()
    planned = calls(seed, 12 * len(points), 2.0 * len(points))
    try:
        async with under_load(stack, planned, reports=3 * len(points), name=seed) as load:
            for marker, following in zip(markers, [*armed[1:], ""], strict=True):
                # Read at the next start, after the death that is waited for.
                process.env["QORGAU_CRASH_AT"] = following
                await died(process, marker)
    finally:
        process.env.pop("QORGAU_CRASH_AT")
    assert await check(stack, load.answered, stack.now() + 2 * DAY) > len(points)


async def died(process: Process, marker: Path) -> None:
    before = process.restarts
    await until_so(marker.exists, f"it never came to {marker.name}")
    await until_so(lambda: process.restarts > before, "it was not started again")


async def test_intake_killed_at_every_point_loses_nothing_and_doubles_nothing(stack: Stack, tmp_path: Path) -> None:
    await killed_at(stack, INTAKE, list(POINTS), tmp_path, "crash")


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("service", [INTAKE, POLICE, COURT])
async def test_killed_at_one_point_it_loses_nothing_and_doubles_nothing(
    stack: Stack, tmp_path: Path, service: str, point: str
) -> None:
    await killed_at(stack, service, [point], tmp_path, f"{service}-{point}")
