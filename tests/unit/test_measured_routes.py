"""`GET /v1/sanctions`, `/v1/capacity` and the ledger of grades over HTTP, with rows of the season or of one case."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import httpx2
from fastapi import APIRouter

from intake.measured import measured_of
from intake.sanctions_routes import sanctions_router
from police_dispatch.regrading_routes import regrading_router
from qorgau.auth import make_token
from qorgau.facts import Fact
from qorgau.front.capacity import capacity_router
from qorgau.front.judging import PlanJudge
from qorgau.front.monthly import Months
from qorgau.front.reading import Reading, Shown
from qorgau.identity.sender import CASES_READ
from qorgau.instants import DAY, HOUR, parse_instant
from qorgau.measures.capacity import SHELTERS
from qorgau.record import CaseRecord
from qorgau.service import Readiness, build_app
from qorgau.telemetry import Metrics
from tests.entry import access
from tests.measured import OVER, plan, record_of, season_facts, season_judged

KEY = "k" * 32
AT = parse_instant("2026-03-02T09:00:00+05:00")


async def of_season(kind: str, region: str | None, month: str | None) -> Sequence[Mapping[str, Any]]:
    measured = measured_of(plan())
    rows = [row for record, found in season_judged() for row in measured(record, found)]
    return [row for row in rows if (row["kind"], row["month"]) == (kind, month)]


async def get(path: str, router: APIRouter, agency: str = "102/KZ-75") -> httpx2.Response:
    async def ready() -> Readiness:
        return Readiness(True)

    app = build_app("test", [router], ready=ready, metrics=Metrics())
    token = make_token(KEY, agency=agency, regions=[agency[-5:]], scopes=[CASES_READ])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path, headers={"authorization": f"Bearer {token}"})


async def test_sanctions_of_a_month_and_repeats_once_ninety_days_are_over() -> None:
    for later, followed in ((10, {"90": False, "365": False}), (100, {"90": True, "365": False})):
        months = Months(plan(), partial(int, OVER + later * DAY))
        answer = await get("/v1/sanctions?since=2020-03", sanctions_router(of_season, months, access(KEY)))
        (month,) = answer.json()["months"]
        assert month["followed"] == followed
        assert month["decisions"][-1]["decisions"] >= 5
        if later < 90:
            assert {cell["repeat_within_90"] for cell in month["decisions"]} == {None}


async def test_capacity_reads_what_was_reported_a_week_before_the_month_too() -> None:
    asked: list[tuple[Sequence[str], int, int]] = []

    async def context(types: Sequence[str], begin: int, end: int) -> Sequence[Fact]:
        asked.append((types, begin, end))
        return [fact for fact in season_facts() if fact.type in types and begin <= fact.time < end]

    router = capacity_router(SHELTERS, of_season, context, Months(plan(), lambda: OVER + 30 * DAY), access(KEY))
    (month,) = (await get("/v1/capacity?since=2020-04", router)).json()["months"]
    (line,) = month["cells"]
    assert line["total"] == len(await of_season("shelter_declined", None, "2020-04"))
    ((types, begin, end),) = asked
    assert "shelter.capacity_reported" in types
    assert begin < parse_instant("2020-03-25T00:00:00+06:00")
    assert end >= parse_instant("2020-05-01T00:00:00+05:00")


class OneCase:
    """The cases of a service that has one."""

    def __init__(self, record: CaseRecord) -> None:
        self._record = record

    async def case(self, case: str) -> Shown | None:
        return Shown(self._record, "1") if case == self._record.case else None

    async def case_of_flag(self, flag_id: str) -> str | None:
        return None


async def test_the_ledger_of_a_case_is_for_who_may_read_the_case() -> None:
    def graded(type: str, at: int, priority: str) -> Fact:
        data = {"region": "KZ-75", "priority": priority, "area": "urban"}
        return Fact(f"f{at}", "102/KZ-75", type, at, at, "c1", data)

    facts = [
        graded("police.incident_registered", AT, "immediate"),
        graded("police.reprioritised", AT + HOUR, "scheduled"),
    ]
    reading = Reading("police-dispatch", OneCase(record_of(facts, AT + 2 * HOUR)), PlanJudge(plan()))

    router = regrading_router(reading, of_season, Months(plan(), lambda: OVER), access(KEY))
    answer = await get("/v1/cases/c1/regrading", router)
    assert answer.status_code == 200
    (out,) = answer.json()["call_outs"]
    assert [grade["original_due_at"] for grade in out["grades"]] == ["2026-03-02T04:15:00Z"] * 2
    assert [finding["finding"] for finding in out["findings"]] == ["lowered_when_passed"]
    assert (await get("/v1/cases/c1/regrading", router, "102/KZ-71")).status_code == 404
    assert (await get("/v1/cases/c2/regrading", router)).status_code == 404
