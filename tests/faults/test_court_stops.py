"""One fact stops a court with many hearings, and the tracker dies in the middle: each is suspended, and once."""

import asyncio
import logging
import time
from collections import Counter
from typing import Any

import httpx2
import pytest

from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, MINUTE, format_instant
from qorgau.vocabulary import COURT
from tests.e2e.following import feed, some
from tests.e2e.stack import PATIENCE, Stack, eventually

REGION = "KZ-75"
SYSTEM = "system/court-tracker"
# So many are looked into, fact by fact.
SAMPLE = 40
HEARINGS = [pytest.param(400, marks=pytest.mark.long), pytest.param(10_000, marks=pytest.mark.night)]
_log = logging.getLogger(__name__)


def fact_of(unit: str, id: str, type: str, at: int, case: str | None, **data: Any) -> Fact:
    return Fact(id, f"court/{unit}", type, at, at, case, {"region": REGION, **data})


def listed(court: str, number: int, now: int) -> list[Fact]:
    """So many cases before a court, each with a hearing in ten days."""
    facts = []
    date = format_instant(now + 10 * DAY)
    for n in range(number):
        case, protocol = f"{court}-{n}", {"protocol_id": f"p{n}"}
        registered = {**protocol, "court": court, "arrest_eligible": False}
        facts.append(fact_of(court, "r", "court.case_registered", now - HOUR, case, **registered))
        hearing = {"hearing_id": f"h{n}", "scheduled_for": date}
        facts.append(fact_of(court, "l", "court.hearing_scheduled", now - MINUTE, case, **protocol, **hearing))
    return facts


async def states(stack: Stack, court: str) -> dict[str, int]:
    """The hearings of a court by state, as the service says; none while it cannot say."""
    try:
        answer = await stack.http.get(f"{stack.url(COURT)}/v1/courts/{court}")
    except httpx2.TransportError as error:  # It has just been killed.
        _log.info("no answer: %s", type(error).__name__)
        return {}
    return dict(answer.json()["hearings"]) if answer.status_code == 200 else {}


async def until(stack: Stack, court: str, state: str, number: int, patience: float) -> float:
    """Wait until at least so many are so; how many seconds it took."""
    begun = time.monotonic()
    while (found := await states(stack, court)).get(state, 0) < number:
        assert time.monotonic() - begun < patience, found
        # Asking reads every hearing of the court.
        await asyncio.sleep(max(0.1, number / 2_000))
    return time.monotonic() - begun


@pytest.mark.parametrize("number", HEARINGS)
async def test_a_stop_reaches_each_hearing_once_though_the_tracker_dies_in_the_middle(
    stack: Stack, number: int
) -> None:
    stack.set_clock(stack.now(), 1)
    patience, court = PATIENCE + number / 10, f"stops-{number}"
    await stack.post(listed(court, number, stack.now()), size=500)
    await until(stack, court, "listed", number, patience)
    data = {"court": court, "legal_basis": "state_of_emergency", "tolls_term": True}
    await stack.post([fact_of(court, "stop", "court.operations_limited", stack.now(), None, **data)])
    await until(stack, court, "suspended", 1, patience)
    await stack.process(COURT).crash()
    took = await until(stack, court, "suspended", number, patience)
    _log.info("%d hearings were suspended %.1f s after the tracker was killed", number, took)

    async def once() -> None:
        for n in range(0, number, max(1, number // SAMPLE)):
            facts, _ = await stack.export(COURT, f"{court}-{n}")
            assert Counter(fact.type for fact in facts if fact.source == SYSTEM) == {"court.hearing_suspended": 1}

    # Rows are written a moment before the case is saved.
    await eventually(once)
    assert await states(stack, court) == {"suspended": number}
    async with feed(stack, COURT, "/v1/hearings/events", after="0", court=court) as events:
        told = await some(events, 2 * number)
        # Behind the last of them there is nothing but the place of the reader.
        assert (await anext(events))[1] == ""
    changes = Counter((data["case"], data["number"], data["state"]) for _, _, data in told)
    expected = [(f"{court}-{n}", count, state) for n in range(number) for count, state in _STEPS]
    assert changes == dict.fromkeys(expected, 1)


_STEPS = ((1, "listed"), (2, "suspended"))
