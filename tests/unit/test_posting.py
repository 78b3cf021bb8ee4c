"""`POST /v1/facts` over HTTP, with a log in memory: right status, problem+json, nothing echoed, nothing stored."""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

import police_dispatch.domain
from qorgau.auth import make_token
from qorgau.errors import Forbidden, Rejected, Unavailable
from qorgau.facts import Fact
from qorgau.front.describe import fact_schemas
from qorgau.front.door import Admitted, Door, Sender
from qorgau.front.limits import Limiter
from qorgau.front.posting import Posting, facts_router
from qorgau.instants import parse_instant
from qorgau.service import PROBLEM, Readiness, build_app
from qorgau.telemetry import Metrics
from tests.entry import access, open_gate

NOW = parse_instant("2026-04-14T19:20:00+05:00")
KEY = "a key of the tests that is long enough"
SECRET = "Aigul-860412400123"
STRUCTURED = "application/cloudevents+json"
TOKEN = make_token(KEY, agency="102/KZ-75", scopes=["facts:write"], regions=["KZ-75"])
EVENT = {
    "specversion": "1.0",
    "id": "f04",
    "source": "102/KZ-75",
    "type": "qorgau.police.arrived.v1",
    "subject": "case-1",
    "time": "2026-04-14T19:15:00+05:00",
    "data": {"region": "KZ-75", "response": "incident", "injury": False, "sexual": False},
}


@dataclass
class Memory:
    """A log and a waiting room that remember what they were given."""

    facts: list[Fact] = field(default_factory=list)
    parked: list[Admitted] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    down: bool = False

    async def append(self, facts: Sequence[Fact]) -> None:
        if self.down:
            raise Unavailable
        self.facts += facts

    async def cases_of(self, digests: Collection[str]) -> Mapping[str, str]:
        return {digest: case for digest, case in self.known.items() if digest in digests}

    async def park(self, admitted: Sequence[Admitted]) -> None:
        self.parked += admitted

    async def guard(self, facts: Sequence[Fact], sender: Sender) -> Sequence[Rejected | None]:
        return [Forbidden("Not this one.") if fact.id == "guarded" else None for fact in facts]


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
async def client(memory: Memory) -> AsyncIterator[httpx2.AsyncClient]:
    async def ready() -> Readiness:
        return Readiness(True)

    door = Door("police-dispatch", police_dispatch.domain.FACTS, frozenset({"KZ-75", "KZ-71"}), lambda: NOW, KEY)
    posting = Posting(door, memory, memory, Metrics(), open_gate(), memory.guard)
    router = facts_router(posting, access(KEY, Limiter(per_minute=1000)), max_batch=5)
    app = build_app("test", [router], ready=ready, metrics=posting.metrics, schemas=fact_schemas(door.models))
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": STRUCTURED}
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


async def post(client: httpx2.AsyncClient, body: object, **headers: str) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post("/v1/facts", content=content, headers=headers)


async def test_an_accepted_fact_is_in_the_log_before_the_answer(client: httpx2.AsyncClient, memory: Memory) -> None:
    answer = await post(client, EVENT)
    assert (answer.status_code, answer.json()) == (202, {"id": "f04", "case": "case-1", "status": "accepted"})
    assert [(fact.id, fact.recorded) for fact in memory.facts] == [("f04", NOW)]
    assert answer.headers["ratelimit"].startswith('"agency";r=999')


async def test_a_fact_the_log_does_not_take_is_refused_as_a_whole(client: httpx2.AsyncClient, memory: Memory) -> None:
    memory.down = True
    answer = await post(client, EVENT)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_one_bad_fact_of_a_batch_does_not_sink_the_rest(client: httpx2.AsyncClient, memory: Memory) -> None:
    batch = [EVENT, {**EVENT, "id": SECRET + " x"}, {**EVENT, "id": "f05", "time": "noon"}, 7, {**EVENT, "id": "f06"}]
    answer = await post(client, batch, **{"content-type": "application/cloudevents-batch+json"})
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [(result["id"], result["status"]) for result in results] == [
        ("f04", "accepted"),
        (None, "rejected"),
        ("f05", "rejected"),
        (None, "rejected"),
        ("f06", "accepted"),
    ]
    assert results[2]["problem"]["status"] == 422
    assert results[2]["problem"]["field"] == "time"
    assert [fact.id for fact in memory.facts] == ["f04", "f06"]
    assert SECRET not in answer.text


async def test_a_batch_may_be_empty_and_not_too_long(client: httpx2.AsyncClient, memory: Memory) -> None:
    batch = {"content-type": "application/cloudevents-batch+json"}
    assert (await post(client, [], **batch)).json() == {"results": []}
    assert (await post(client, [EVENT] * 6, **batch)).status_code == 413
    assert not memory.facts


async def test_a_fact_with_an_unknown_reference_is_parked_and_with_a_known_one_joined(
    client: httpx2.AsyncClient, memory: Memory
) -> None:
    named = {**EVENT, "subject": "ref:kui/2026-12345"}
    answer = await post(client, named)
    assert (answer.status_code, answer.json()) == (202, {"id": "f04", "case": None, "status": "parked"})
    assert not memory.facts
    (parked,) = memory.parked
    memory.known[str(parked.reference)] = "case-9"
    assert (await post(client, named)).json() == {"id": "f04", "case": "case-9", "status": "accepted"}
    assert [fact.case for fact in memory.facts] == ["case-9"]


async def test_what_only_this_service_refuses_is_refused(client: httpx2.AsyncClient, memory: Memory) -> None:
    assert (await post(client, {**EVENT, "id": "guarded"})).status_code == 403
    assert not memory.facts


BAD: dict[str, tuple[object, dict[str, str], int]] = {
    "malformed JSON": (b'{"id": ' + SECRET.encode(), {}, 400),
    "NaN": (json.dumps(EVENT).replace("false", "NaN").encode(), {}, 400),
    "lone surrogate": (json.dumps({**EVENT, "id": "\ud800"}).encode(), {}, 400),
    "depth 1,000": (b'{"data":' + b"[" * 1000 + b"]" * 1000 + b"}", {}, 400),
    "1 MB": (json.dumps({**EVENT, "x": "x" * 1_000_000}).encode(), {}, 413),
    "another content type": (EVENT, {"content-type": "text/plain"}, 415),
    "unknown type": ({**EVENT, "type": "qorgau.police.levitated.v1"}, {}, 422),
    "another service's type": ({**EVENT, "type": "qorgau.report.triaged.v1"}, {}, 422),
    "unknown field": ({**EVENT, "data": {**EVENT["data"], "name": SECRET}}, {}, 422),  # type: ignore[dict-item]
    "operator": ({**EVENT, "subject": {"$gt": ""}}, {}, 422),
    "missing time": ({name: value for name, value in EVENT.items() if name != "time"}, {}, 422),
    "time without zone": ({**EVENT, "time": "2026-04-14T19:15:00"}, {}, 422),
    "time ahead": ({**EVENT, "time": "2026-04-16T19:15:00Z"}, {}, 422),
    "recordedtime": ({**EVENT, "recordedtime": EVENT["time"]}, {}, 403),
    "another agency": ({**EVENT, "source": "102/KZ-71"}, {}, 403),
    "another region": ({**EVENT, "data": {**EVENT["data"], "region": "KZ-71"}}, {}, 403),  # type: ignore[dict-item]
    "wrong token": (EVENT, {"authorization": "Bearer " + TOKEN[:-4] + "AAAA"}, 401),
    "no bearer": (EVENT, {"authorization": "Basic abc"}, 401),
    "scope": (EVENT, {"authorization": "Bearer " + make_token(KEY, agency="102/KZ-75", scopes=["cases:read"])}, 403),
}


@pytest.mark.parametrize(("body", "headers", "status"), BAD.values(), ids=BAD)
async def test_bad_input_gets_its_status_and_leaves_nothing(
    client: httpx2.AsyncClient, memory: Memory, body: object, headers: Mapping[str, str], status: int
) -> None:
    answer = await post(client, body, **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["status"] == status
    assert not [text for text in (SECRET, "levitated", "$gt", "2026-04", TOKEN) if text in answer.text]
    assert (memory.facts, memory.parked) == ([], [])


async def test_no_token_is_asked_for(client: httpx2.AsyncClient) -> None:
    del client.headers["authorization"]
    answer = await post(client, EVENT)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_every_type_is_described(client: httpx2.AsyncClient) -> None:
    described: dict[str, Any] = (await client.get("/openapi.json")).json()
    content = described["paths"]["/v1/facts"]["post"]["requestBody"]["content"]
    assert len(content[STRUCTURED]["schema"]["oneOf"]) == len(police_dispatch.domain.FACTS)
    known = described["components"]["schemas"]
    assert {ref["$ref"].rsplit("/", 1)[1] for ref in content[STRUCTURED]["schema"]["oneOf"]} <= set(known)
