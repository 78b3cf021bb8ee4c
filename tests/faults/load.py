"""Calls as they come while something dies: posted in time order to the services that own them, every answer noted."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from qorgau.facts import Fact
from qorgau.instants import MINUTE, format_instant
from qorgau.vocabulary import COURT, INTAKE, POLICE
from tests.e2e.stack import PATIENCE, Stack, event

REGION = "KZ-75"
DESK, DISPATCH, UNIT = f"helpline-150/{REGION}", f"102/{REGION}", f"police-unit/{REGION}"
FORENSIC, JUDGE, SHELTER = f"forensic/{REGION}", f"court/{REGION}", f"shelter/{REGION}"
# Twenty minutes a second: what is due in a quarter of an hour is due while facts still come.
PACE = 1_200
# Wall seconds between two facts of a call, and logical time by which a fact may be late.
PAUSE = 0.6
LATE = 20 * MINUTE

ARRIVED = {"region": REGION, "response": "incident", "injury": False, "sexual": False}

# A call: chance that the step happens, who owns it, its type, who posts it, its data.
STEPS: tuple[tuple[float, str, str, str, dict[str, Any]], ...] = (
    (0.9, INTAKE, "report.received", DESK, {"report_id": "r1", "channel": "150", "area": "urban"}),
    (0.7, INTAKE, "report.triaged", DESK, {"report_id": "r1", "channel": "150", "needs_police": True}),
    (0.9, POLICE, "police.incident_registered", DISPATCH, {"priority": "immediate", "area": "urban"}),
    (0.7, POLICE, "police.dispatched", DISPATCH, {}),
    (0.8, POLICE, "police.arrived", DISPATCH, ARRIVED),
    (0.6, POLICE, "risk.assessed", UNIT, {"level": "high", "tool": "dash"}),
    (0.5, POLICE, "order.issued", UNIT, {"order_id": "o1"}),
    (0.4, POLICE, "order.served", UNIT, {"order_id": "o1"}),
    (0.3, POLICE, "exam.blocked", FORENSIC, {"exam_id": "e1", "reason": "transport"}),
    (0.3, POLICE, "exam.alt_documented", FORENSIC, {"exam_id": "e1"}),
    (0.5, INTAKE, "shelter.referral_requested", DESK, {}),
    (0.3, INTAKE, "shelter.admitted", SHELTER, {}),
    (0.4, POLICE, "offender.detained", UNIT, {}),
    (0.5, COURT, "court.case_registered", JUDGE, {"protocol_id": "p1", "court": "c1", "arrest_eligible": True}),
    (0.4, COURT, "court.hearing_suspended", JUDGE, {"protocol_id": "p1", "hearing_id": "h1", "tolls_term": False}),
    (0.3, COURT, "court.hearing_resumed", JUDGE, {"protocol_id": "p1", "hearing_id": "h1"}),
    (0.3, COURT, "court.decision_issued", JUDGE, {"protocol_id": "p1", "sanction": "warning"}),
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A fact that will be posted `at` wall seconds after the beginning, `late` microseconds after it happened."""

    at: float
    service: str
    type: str
    source: str
    id: str
    case: str
    data: dict[str, Any]
    late: int


def calls(seed: str, number: int, spread: float) -> list[Planned]:
    """So many calls that begin within `spread` wall seconds; some facts come late, some twice."""
    draw = random.Random(seed)
    planned = [step for n in range(number) for step in _call(draw, f"{seed}-{n}", draw.uniform(0, spread))]
    again = [step for step in planned if draw.random() < 0.15]
    return sorted(planned + again, key=lambda step: step.at)


def _call(draw: random.Random, case: str, at: float) -> Iterator[Planned]:
    for chance, service, name, source, data in STEPS:
        if draw.random() >= chance:
            continue
        triaged = {"priority": "immediate"} if name == "report.triaged" else {}
        late = draw.randint(0, LATE) if draw.random() < 0.3 else 0
        yield Planned(at, service, name, source, name, case, {"region": REGION, **data, **triaged}, late)
        at += draw.uniform(0, PAUSE)


@dataclass(slots=True)
class Load:
    """Posts what is planned, and reports of its own; `answered` has what was answered 2xx, by case."""

    stack: Stack
    planned: Sequence[Planned]
    reports: int = 0
    name: str = "load"
    answered: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))

    async def run(self) -> None:
        """Returns when everything is answered: a service that is away is asked again until it is back."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for service in (INTAKE, POLICE, COURT):
                group.create_task(self._post(service, begun))
            group.create_task(self._report())

    async def _post(self, service: str, begun: float) -> None:
        left = [step for step in self.planned if step.service == service]
        while left:
            await asyncio.sleep(max(0.0, begun + left[0].at - time.monotonic()))
            due = [step for step in left if step.at <= time.monotonic() - begun][:100]
            del left[: len(due)]
            await self.stack.post_batch(service, [event(self._fact(step), stamped=True) for step in due])
            for step in due:
                self.answered[step.case].add((step.source, step.id))

    def _fact(self, step: Planned) -> Fact:
        at = self.stack.now() - step.late
        return Fact(step.id, step.source, step.type, at, at, step.case, step.data)

    async def _report(self) -> None:
        spread = max((step.at for step in self.planned), default=1.0)
        for number in range(self.reports):
            case, report_id = await self._reported(f"{self.name}-{number}")
            self.answered[case].add((DESK, report_id))
            await asyncio.sleep(spread / self.reports)

    async def _reported(self, key: str) -> tuple[str, str]:
        """Post a report until it is taken; the same key is the same report."""
        body = {"region": REGION, "channel": "150", "area": "urban", "time": format_instant(self.stack.now())}
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                answer = await self.stack.http.post(
                    f"{self.stack.url(INTAKE)}/v1/reports", json=body, headers={"idempotency-key": key}
                )
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code == 201:
                return answer.json()["case"], answer.json()["report_id"]
            assert answer is None or answer.status_code == 503, answer.text
            await asyncio.sleep(0.2)
        raise AssertionError("no report is taken")


@asynccontextmanager
async def under_load(
    stack: Stack, planned: Sequence[Planned], *, reports: int = 0, name: str = "load"
) -> AsyncIterator[Load]:
    """What is done inside happens while facts are posted on a fast clock; it is left when all of them are answered."""
    stack.set_clock(stack.now(), PACE)
    load = Load(stack, planned, reports, name)
    running = asyncio.create_task(load.run())
    try:
        yield load
        await running
    finally:
        running.cancel()
