"""Attribution over HTTP: who sees the account of a case, that it sums, and accounts in sum."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import jsonschema
import pytest
from fastapi import FastAPI

from qorgau.auth import make_token
from qorgau.facts import Fact
from qorgau.front.attributing import ATTRIBUTION_SCHEMAS, attribution_router, attribution_sums_router
from qorgau.front.reading import Reading, Shown
from qorgau.instants import HOUR, MINUTE, format_instant, parse_duration, parse_instant
from qorgau.record import CaseRecord
from qorgau.service import Readiness, build_app
from qorgau.telemetry import Metrics
from tests.entry import access

AT = parse_instant("2026-04-14T19:20:00+05:00")
KEY = "a key of the tests that is long enough"
DATA = {"region": "KZ-75", "protocol_id": "p1", "arrest_eligible": True, "pair_ref": "q"}
FACTS = (
    Fact("f2", "court/KZ-75-01", "court.case_registered", AT + HOUR, AT + HOUR, "c1", DATA),
    Fact("f1", "police-unit/KZ-75", "protocol.drawn_up", AT, AT + 1, "c1", DATA),
)


@dataclass
class Stored:
    """One case, and the rows of many."""

    shown: Shown = field(default_factory=lambda: Shown(CaseRecord("c1", FACTS, as_of=AT + 3 * HOUR), "7-abc"))
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    async def case(self, case: str) -> Shown | None:
        return self.shown if case == "c1" else None

    async def case_of_flag(self, flag_id: str) -> str | None:
        return None

    async def rows(self, kind: str, region: str | None, month: str | None) -> Sequence[Mapping[str, Any]]:
        self.asked.append((kind, region, month))
        of = {"region": "KZ-75", "month": "2026-04", "agency": "102/KZ-75", "open": True, "as_of": AT}
        return [
            {**of, "case": f"c{number}", "leg": leg, "micros": MINUTE, "running": leg == "whole"}
            for number in range(5)
            for leg in ("triage", "whole")
        ]


@pytest.fixture
def stored() -> Stored:
    return Stored()


@pytest.fixture
def app(stored: Stored) -> FastAPI:
    async def ready() -> Readiness:
        return Readiness(True)

    reading = Reading("police-dispatch", stored, NOBODY)
    routers = [attribution_router(reading, access(KEY)), attribution_sums_router(stored.rows, access(KEY), lambda: AT)]
    return build_app("test", routers, ready=ready, metrics=Metrics(), schemas=ATTRIBUTION_SCHEMAS)


NOBODY: Any = None


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        client.headers["authorization"] = f"Bearer {make_token(KEY, agency='police-unit/KZ-75')}"
        yield client


PATH = "/v1/cases/c1/attribution"


async def test_the_account_of_a_case_is_as_of_when_it_was_judged_and_sums(client: httpx2.AsyncClient) -> None:
    answer = await client.get(PATH)
    body = answer.json()
    assert answer.headers["as-of"] == body["as_of"] == body["end"] == format_instant(AT + 3 * HOUR)
    assert [(one["leg"], one["agency"], one["charged"]) for one in body["legs"]] == [
        ("listing", "court/KZ-75-01", "PT2H"),
        ("to_court", "police-unit/KZ-75", "PT1H"),
    ]
    assert sum(parse_duration(one["charged"]) for one in body["legs"]) == parse_duration(body["total"])
    assert body["running"] == {"leg": "listing", "agency": "court/KZ-75-01"}
    assert body["clocks"]["protocols"] == [{"key": "p1", "legal": "PT2H", "tolled": "PT0S", "safety": "PT0S"}]


async def test_it_shares_the_entity_tag_of_the_case(client: httpx2.AsyncClient) -> None:
    assert (await client.get(PATH)).headers["etag"] == '"7-abc"'
    again = await client.get(PATH, headers={"if-none-match": '"7-abc"'})
    assert (again.status_code, again.content) == (304, b"")


async def test_an_account_of_others_looks_like_one_of_a_case_that_does_not_exist(client: httpx2.AsyncClient) -> None:
    unknown = await client.get("/v1/cases/c2/attribution")
    client.headers["authorization"] = f"Bearer {make_token(KEY, agency='shelter/KZ-39', scopes=['cases:read'])}"
    foreign = await client.get(PATH)
    assert (foreign.status_code, foreign.json()) == (404, unknown.json())
    client.headers["authorization"] = f"Bearer {make_token(KEY, agency='police-unit/KZ-75', scopes=['facts:write'])}"
    assert (await client.get(PATH)).status_code == 403


async def test_who_watches_sees_codes_and_no_key(client: httpx2.AsyncClient) -> None:
    client.headers["authorization"] = f"Bearer {make_token(KEY, agency='watchdog/coalition', regions=['KZ-75'])}"
    body = (await client.get(PATH)).json()
    assert [one["key"] for one in body["clocks"]["protocols"]] == [""]
    assert body["legs"][0]["agency"] == "court/KZ-75-01"


@pytest.mark.parametrize(
    "record",
    [
        CaseRecord("c1", FACTS),
        CaseRecord("c1", (Fact("w", "police-unit/KZ-75", "police.dispatched", AT, AT, "c1", {}),), as_of=AT - 1),
    ],
    ids=["never judged", "nothing known yet"],
)
async def test_where_nothing_is_known_yet_there_is_no_account(
    client: httpx2.AsyncClient, stored: Stored, record: CaseRecord
) -> None:
    stored.shown = Shown(record, "1-a")
    assert (await client.get(PATH)).status_code == 404


async def test_sums_are_asked_for_by_region_and_month_and_run_to_now(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    body = (await client.get("/v1/attribution?region=KZ-75&month=2026-04")).json()
    assert stored.asked == [("leg", "KZ-75", "2026-04")]
    assert (body["as_of"], body["withheld_below"]) == (format_instant(AT), 5)
    assert [(cell["leg"], cell["cases"], cell["sum"]) for cell in body["cells"]] == [
        ("triage", 5, "PT5M"),
        ("whole", 5, "PT5M"),
    ]
    await client.get("/v1/attribution")
    assert stored.asked[1:] == [("leg", None, None)]


@pytest.mark.parametrize("query", ["region=KZ-7", "region=$gt", "month=2026-13", "month=2026", "month="])
async def test_a_region_or_month_that_cannot_be_is_refused(client: httpx2.AsyncClient, query: str) -> None:
    assert (await client.get(f"/v1/attribution?{query}")).status_code == 422
    assert (await client.get("/v1/attribution?regoin=KZ-75")).status_code == 400


async def test_both_answers_are_as_described(client: httpx2.AsyncClient, app: FastAPI) -> None:
    document = app.openapi()
    for path, name in ((PATH, "/v1/cases/{case}/attribution"), ("/v1/attribution", "/v1/attribution")):
        answers = document["paths"][name]["get"]["responses"]
        schema = answers["200"]["content"]["application/json"]["schema"]
        body = json.loads((await client.get(path)).content)
        jsonschema.validate(body, {**schema, "components": document["components"]})
