"""`GET /v1/kpis`: which months may be asked for by whom, and that nothing small is told."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
import pytest

from qorgau.auth import make_token
from qorgau.front.kpis import kpis_router
from qorgau.front.monthly import Months
from qorgau.identity.sender import FLAGS_READ
from qorgau.instants import parse_instant
from qorgau.service import Readiness, build_app
from qorgau.telemetry import Metrics
from tests.entry import access
from tests.measured import plan

KEY = "k" * 32
# The month is over in Almaty, an hour before it is in the west.
NOW = parse_instant("2020-04-01T00:30:00+06:00")
DESK, COUNTRY, REGIONAL = ("102/KZ-75", ["KZ-75"]), ("coordinator", ["*"]), ("coordinator/KZ-75", ["KZ-75"])


def row(rule: str = "P03", outcome: str = "in_time", span: int | None = 60_000_000, **data: Any) -> dict[str, Any]:
    same = {"kind": "phase", "against": "current", "region": "KZ-75", "channel": "102", "area": "urban"}
    return {**same, "rule": rule, "outcome": outcome, "span": span, "agency": "102/KZ-75", **data}


async def get(
    query: str, rows: Sequence[Mapping[str, Any]] = (), by: tuple[str, list[str]] = DESK, now: int = NOW
) -> httpx2.Response:
    async def ready() -> Readiness:
        return Readiness(True)

    async def of(kind: str, region: str | None, month: str | None) -> Sequence[Mapping[str, Any]]:
        return [one for one in rows if (one["kind"], one.get("month", month)) == (kind, month)]

    metrics = Metrics()
    app = build_app("test", [kpis_router(of, Months(plan(), lambda: now), access(KEY))], ready=ready, metrics=metrics)
    token = make_token(KEY, agency=by[0], regions=by[1], scopes=[FLAGS_READ])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        return await client.get(f"/v1/kpis?{query}", headers={"authorization": f"Bearer {token}"})


async def test_figures_of_a_month_that_is_over_are_for_all_and_small_ones_for_nobody() -> None:
    rows = [row() for _ in range(9)] + [row(outcome="late", span=1_200_000_001), row("P06")]
    answer = await get("since=2020-02", rows)
    assert answer.status_code == 200
    (month,) = answer.json()["months"]
    assert (month["month"], month["over"], answer.json()["withheld_below"]) == ("2020-02", True, 5)
    assert [(of["rule"], of["against"], len(of["cells"])) for of in month["rules"]] == [
        ("P03", "current", 1),
        ("P06", "current", 0),
    ]
    (cell,) = month["rules"][0]["cells"]
    # Not by a microsecond does a late one look as if it had been in time.
    assert (cell["n"], cell["share_in_time"], cell["p50"], cell["p90"]) == (10, 0.9, "PT1M", "PT1M")
    late = [row(outcome="late", span=900_000_001) for _ in range(5)]
    assert (await get("since=2020-02", late)).json()["months"][0]["rules"][0]["cells"][0]["p50"] == "PT16M"


@pytest.mark.parametrize("month", ["2020-03", "2020-04"])
async def test_a_month_that_is_not_over_everywhere_is_for_supervisors_of_all_regions(month: str) -> None:
    assert (await get(f"since={month}")).status_code == 404
    for who, status in ((DESK, 403), (REGIONAL, 403), (COUNTRY, 200)):
        answer = await get(f"since={month}&provisional=true", by=who)
        assert answer.status_code == status
    assert answer.json()["months"] == [{"month": month, "over": False, "rules": []}]
    an_hour_later = NOW + 3_600_000_000
    assert (await get("since=2020-03", now=an_hour_later)).status_code == 200


async def test_each_month_is_a_table_of_its_own() -> None:
    rows = [row(month=month) for month, n in (("2020-01", 7), ("2020-02", 4)) for _ in range(n)]
    months = (await get("since=2020-01&until=2020-02&by=area", rows)).json()["months"]
    assert [month["month"] for month in months] == ["2020-01", "2020-02"]
    # Rural ones were none, which is withheld; so the urban ones are too, and only the sum is told.
    assert [[cell["area"] for of in month["rules"] for cell in of["cells"]] for month in months] == [["total"], []]


@pytest.mark.parametrize(
    "query",
    [
        "since=2020-13",
        "since=2020-02&until=2020-01",
        "since=2018-01&until=2019-01",
        "since=2020-01&by=rule",
        "since=2020-01&by=region&by=area&by=agency",
        "",
    ],
)
async def test_what_cannot_be_asked_is_refused(query: str) -> None:
    answer = await get(query)
    assert answer.status_code == 422
    assert answer.json()["field"]


async def test_one_rule_alone_is_told_as_among_all() -> None:
    rows = [row(rule) for rule in ("P03", "P04") for _ in range(6)]
    alone = (await get("since=2020-01&rule=P04", rows)).json()["months"][0]["rules"]
    assert alone == (await get("since=2020-01", rows)).json()["months"][0]["rules"][1:]
