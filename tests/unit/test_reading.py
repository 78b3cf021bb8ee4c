"""Reads of a case: one entity tag, the file format, pages of flags, and 404 for what is not one's own."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import pytest

from qorgau.auth import make_token
from qorgau.facts import Fact, read_fact
from qorgau.front.reading import Reading, Shown, cases_router, file_of
from qorgau.identity.sender import Reach, Sender
from qorgau.instants import HOUR, format_instant, parse_instant
from qorgau.record import CaseRecord
from qorgau.rows import DeadlineRow, FlagRow, Judged
from qorgau.service import Readiness, build_app
from qorgau.telemetry import Metrics
from tests.entry import access

AT = parse_instant("2026-04-14T19:20:00+05:00")
KEY = "a key of the tests that is long enough"
FACTS = (
    Fact("f2", "102/KZ-75", "police.arrived", AT, AT + 2, "c1", {"region": "KZ-75"}),
    Fact("f1", "102/KZ-75", "police.dispatched", AT, AT + 1, "c1", {"region": "KZ-75"}),
)
FLAGS = tuple(
    FlagRow("c1", "P03", "", "breach", "critical", AT, AT, AT + n * HOUR, None if n == 2 else AT + n * HOUR + 1)
    for n in range(3)
)
RECORD = CaseRecord("c1", FACTS, FLAGS, as_of=AT + 3 * HOUR)


@dataclass
class Stored:
    """One case, and a heart that says what it is told."""

    shown: Shown = field(default_factory=lambda: Shown(RECORD, "7-abc"))
    is_closed: bool = False
    registrars: frozenset[str] = frozenset()

    async def registered(self, case: str, agency: str) -> bool:
        return case == "c1" and agency in self.registrars

    async def case(self, case: str) -> Shown | None:
        return self.shown if case == "c1" else None

    async def case_of_flag(self, flag_id: str) -> str | None:
        return "c1" if flag_id in {row.id for row in FLAGS} or flag_id == "0" * 36 else None

    def judged(self, record: CaseRecord) -> Iterable[Judged]:
        row = DeadlineRow("c1", "P03", "", "critical", AT, AT + HOUR, "breached")
        return [Judged(row, FACTS[0], None, None, None, None, None)]

    def closed(self, record: CaseRecord) -> bool:
        return self.is_closed

    def explain(self, record: CaseRecord, flag_id: str) -> dict[str, Any]:
        return {"rule": {row.id: row.rule for row in record.flags}[flag_id]}


@pytest.fixture
def stored() -> Stored:
    return Stored()


@pytest.fixture
async def client(stored: Stored) -> AsyncIterator[httpx2.AsyncClient]:
    async def ready() -> Readiness:
        return Readiness(True)

    async def others(case: str) -> dict[str, Any]:
        return {"others": {"court-tracker": []}}

    reading = Reading("police-dispatch", stored, stored, stored.registered, others)
    app = build_app("test", [cases_router(reading, access(KEY))], ready=ready, metrics=Metrics())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        client.headers["authorization"] = f"Bearer {make_token(KEY, agency='102/KZ-75')}"
        yield client


async def test_a_case_shows_its_state_its_deadlines_and_open_flags(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/v1/cases/c1")).json()
    assert (body["status"], body["as_of"], body["facts"]) == ("open", "2026-04-14T17:20:00Z", 2)
    assert (body["agencies"], body["regions"]) == (["102/KZ-75"], ["KZ-75"])
    assert [row["state"] for row in body["deadlines"]] == ["breached"]
    assert [row["id"] for row in body["flags"]] == [FLAGS[2].id]
    assert body["others"] == {"court-tracker": []}


async def test_a_case_that_cannot_be_judged_is_unknown_even_if_closed(
    client: httpx2.AsyncClient, stored: Stored
) -> None:
    stored.is_closed = True
    assert (await client.get("/v1/cases/c1")).json()["status"] == "closed"
    stored.shown = replace(stored.shown, unknown=True)
    assert (await client.get("/v1/cases/c1")).json()["status"] == "unknown"


async def test_facts_are_a_file_that_assess_reads_in_the_order_they_were_learned(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/v1/cases/c1/facts")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert [read_fact(line) for line in answer.text.splitlines()] == [FACTS[1], FACTS[0]]


async def test_case_facts_and_flags_share_one_entity_tag_and_tell_the_instant(client: httpx2.AsyncClient) -> None:
    for path in ("/v1/cases/c1", "/v1/cases/c1/facts", "/v1/cases/c1/flags"):
        answer = await client.get(path)
        assert answer.headers["etag"] == '"7-abc"'
        assert answer.headers["as_of"] == answer.headers["as-of"] == format_instant(AT + 3 * HOUR)
        again = await client.get(path, headers={"if-none-match": '"7-abc"'})
        assert (again.status_code, again.content) == (304, b"")
        assert (await client.get(path, headers={"if-none-match": '"6-abc"'})).status_code == 200


async def test_flags_are_paged_in_the_order_they_were_raised(client: httpx2.AsyncClient) -> None:
    first = (await client.get("/v1/cases/c1/flags?limit=2")).json()
    rest = (await client.get(f"/v1/cases/c1/flags?limit=2&cursor={first['next']}")).json()
    assert [row["id"] for row in first["items"] + rest["items"]] == [row.id for row in FLAGS]
    assert rest["next"] is None
    assert {"region", "agency", "outcome", "late_by", "escalations"} <= set(first["items"][0])


@pytest.mark.parametrize("path", ["/v1/cases/c1?limit=2", "/v1/cases/c1/flags?limt=2", "/v1/cases/c2/flags?limt=2"])
async def test_a_misspelt_parameter_is_refused_and_not_ignored(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 400
    assert "limt" not in answer.text
    assert ("`cursor`, `limit`" in answer.text) == path.endswith("limt=2")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=$gt"])
async def test_a_page_that_cannot_be_is_refused(client: httpx2.AsyncClient, query: str) -> None:
    assert (await client.get(f"/v1/cases/c1/flags?{query}")).status_code == 422


@pytest.mark.parametrize("path", ["/v1/cases/c1", "/v1/cases/c1/facts", "/v1/cases/c1/flags"])
async def test_a_case_of_others_looks_like_one_that_does_not_exist(client: httpx2.AsyncClient, path: str) -> None:
    unknown = await client.get(path.replace("c1", "c2"))
    client.headers["authorization"] = f"Bearer {make_token(KEY, agency='court/KZ-75', scopes=['cases:read'])}"
    foreign = await client.get(path)
    assert (foreign.status_code, foreign.json()) == (404, unknown.json())
    client.headers["authorization"] = f"Bearer {make_token(KEY, agency='102/KZ-75', scopes=['facts:write'])}"
    assert (await client.get(path)).status_code == 403


@pytest.mark.parametrize("case", ["c.1", "$where", "c" * 65, "%7B%22$gt%22:%22%22%7D"])
async def test_a_case_id_with_other_characters_is_refused(client: httpx2.AsyncClient, case: str) -> None:
    assert (await client.get(f"/v1/cases/{case}")).status_code == 422


async def test_a_flag_is_explained_to_who_may_read_the_case(client: httpx2.AsyncClient) -> None:
    path = f"/v1/flags/{FLAGS[0].id}/explanation"
    assert (await client.get(path)).json() == {"rule": "P03"}
    assert (await client.get(f"/v1/flags/{'1' * 36}/explanation")).status_code == 404
    assert (await client.get(f"/v1/flags/{'0' * 36}/explanation")).status_code == 404
    assert (await client.get("/v1/flags/x/explanation")).status_code == 422
    client.headers["authorization"] = f"Bearer {make_token(KEY, agency='court/KZ-75', scopes=['flags:read'])}"
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(("reach", "heard"), [(Reach.OWN, False), (Reach.REGION, True)])
def test_only_who_looks_after_the_region_learns_of_the_cases_a_case_has_heard_of(reach: Reach, heard: bool) -> None:
    own = Fact("r1", "102/KZ-75", "report.received", 1, 1, "c1", {"region": "KZ-75"})
    other = Fact("r2", "clinic/KZ-75-9", "report.received", 1, 2, "c2", {"region": "KZ-75"})
    sender = Sender("102/KZ-75", frozenset(), frozenset({"KZ-75"}), reach)
    lines = file_of(CaseRecord("c1", (own,), others=(other,)), sender).splitlines()
    assert len(lines) == (2 if heard else 1)
    assert (b'"heard_by":"c1"' in lines[-1]) == heard
    assert (b"clinic" in b"".join(lines)) == heard
