"""kill -9 between any two steps of the corridor: nothing is lost, nothing has its effect twice."""

from pathlib import Path

import pytest

from qorgau.embedded.process import Process
from qorgau.embedded.services import READY_WITHIN
from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, format_instant
from qorgau.shell.crash import POINTS
from qorgau.vocabulary import COURT, INTAKE, POLICE
from tests.e2e.stack import Stack
from tests.faults.checks import check, until_so
from tests.faults.load import DESK, DISPATCH, REGION, UNIT, Load, calls, under_load

OVERDUE = 5


def overdue(service: str, case: str, now: int) -> Fact:
    """A fact on another service's topic for which this one raises, in one step, all it will raise for days."""
    at = now - 100 * HOUR
    data: dict[str, object]
    if service == INTAKE:
        name, source, data = "police.outcome_recorded", DISPATCH, {"outcome": "protocol_drawn_up"}
    elif service == POLICE:
        hurt = {"injury": True, "occurred_at": format_instant(at - HOUR)}
        name, source, data = "report.received", DESK, {"report_id": "r1", "channel": "150", "area": "urban", **hurt}
    else:
        drawn = {"occurred_at": format_instant(at), "arrest_eligible": True}
        name, source, data = "protocol.drawn_up", UNIT, {"protocol_id": "p1", "article": "73", **drawn}
    return Fact("late", source, name, at, at, case, {"region": REGION, **data})


async def killed_at(stack: Stack, service: str, points: list[str], folder: Path, seed: str) -> None:
    """Let a service die at these points, one after the other, under load; then everything must be as specified.

    Each time it comes back it finds what became overdue while it was away, and dies with just that in its hands.
    """
    process = stack.process(service)
    armed = [f"{point}@{folder / point}" for point in points]
    waiting: set[str] = set()
    # So that earlier deaths do not make the supervisor wait for long.
    await process.stop()
    await process.start()
    try:
        async with under_load(stack, calls(seed, 12 * len(points), 2.0 * len(points)), reports=9, name=seed) as load:
            process.env["QORGAU_CRASH_AT"] = armed[0]
            before = process.restarts
            await process.crash()
            for number, (point, following) in enumerate(zip(points, [*armed[1:], ""], strict=True), before + 1):
                waiting |= await away(stack, service, load, f"{seed}-{point}")
                await started(process, number)
                # Read at the next start, after the death that is waited for.
                process.env["QORGAU_CRASH_AT"] = following
                await until_so((folder / point).exists, f"it never came to {point}")
            await started(process, before + 1 + len(points))
            await process.wait_ready(READY_WITHIN)
    finally:
        process.env.pop("QORGAU_CRASH_AT")
    # Nothing happens to these any more, so nothing but the relay finds what a crash has left in them.
    posted = {case: load.answered[case] for case in waiting}
    assert await check(stack, posted, stack.now()) >= len(waiting)
    assert await check(stack, load.answered, stack.now() + 2 * DAY) > len(points)


async def away(stack: Stack, service: str, load: Load, name: str) -> set[str]:
    """What becomes overdue while a service is away; the names of the cases."""
    facts = [overdue(service, f"{name}-{n}", stack.now()) for n in range(OVERDUE)]
    await stack.post(facts)
    for fact in facts:
        load.answered[str(fact.case)].add(fact.identity)
    return {str(fact.case) for fact in facts}


async def started(process: Process, number: int) -> None:
    await until_so(lambda: process.restarts >= number, "it was not started again")


# Between the database and Kafka; every point, in every service, takes minutes.
SOME = ["after-save", "after-publish"]


async def test_intake_killed_between_its_database_and_kafka_loses_nothing_and_doubles_nothing(
    stack: Stack, tmp_path: Path
) -> None:
    await killed_at(stack, INTAKE, SOME, tmp_path, "crash")


@pytest.mark.parametrize(
    "service",
    # Intake is killed at every step of a report besides (`test_report_crash.py`).
    [
        pytest.param(INTAKE, marks=pytest.mark.night),
        *(pytest.param(one, marks=pytest.mark.long) for one in (POLICE, COURT)),
    ],
)
async def test_killed_at_every_point_it_loses_nothing_and_doubles_nothing(
    stack: Stack, tmp_path: Path, service: str
) -> None:
    await killed_at(stack, service, list(POINTS), tmp_path, service)
