"""What every service answers alike: problems without echo, limits, health, readiness, metrics, cursors, entity tags."""

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import httpx2
import pytest
from fastapi import Depends, Query, Request

from qorgau.errors import Invalid, StaleVersion, TooManyRequests
from qorgau.front.limits import Limiter, read_body
from qorgau.front.paging import check_if_match, cursor, etag, key_of, not_modified, page
from qorgau.service import PROBLEM, Readiness, build_app, v1
from qorgau.telemetry import Metrics

SECRET = "Aigul-860412400123"
READY = Readiness(True, {"store": "ok"})
router = v1()


@router.post("/echo")
async def echo(request: Request) -> dict[str, int]:
    return {"taken": len(await read_body(request))}


async def bound(most: Annotated[int, Query(alias="within")] = 9) -> int:
    return most


@router.get("/number")
async def number(n: Annotated[int, Query(le=9)], _: Annotated[int, Depends(bound)]) -> int:
    return n


@router.get("/broken")
async def broken() -> None:
    raise KeyError(SECRET)


@router.get("/cases/{case}")
async def case(case: str, request: Request) -> str:
    request.state.headers = {"RateLimit": "r=1"}
    return "ok"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def client(metrics: Metrics) -> AsyncIterator[httpx2.AsyncClient]:
    async def ready() -> Readiness:
        return READY

    app = build_app("test", [router], ready=ready, metrics=metrics, max_body=1000)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/v1/{SECRET}", 404),
        ("DELETE", "/v1/echo", 405),
        ("GET", f"/v1/number?n={SECRET}", 422),
        ("GET", f"/v1/number?n=1&{SECRET}=1", 400),
        ("GET", f"/v1/broken?{SECRET}", 400),
        ("GET", "/v1/number", 422),
        ("GET", "/v1/broken", 500),
        ("GET", "/docs", 404),
    ],
)
async def test_a_refusal_is_a_problem_that_repeats_nothing(
    client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture, method: str, path: str, status: int
) -> None:
    with caplog.at_level(logging.DEBUG, "qorgau"):
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["status"] == status
    assert answer.json()["type"].startswith("urn:qorgau:problem:")
    assert SECRET not in answer.text + caplog.text


async def test_an_unknown_query_parameter_is_refused_with_the_names_of_the_known_ones(
    client: httpx2.AsyncClient,
) -> None:
    assert (await client.get("/v1/number?n=1&within=2")).json() == 1
    body = (await client.get("/v1/number?n=1&witihn=2")).json()
    assert body["type"] == "urn:qorgau:problem:unknown-parameter"
    assert body["detail"] == "This address takes `n`, `within` and no other query parameter."
    assert (await client.post("/v1/echo?n=1")).json()["detail"] == "This address takes none."
    # Whoever asks how a service does may add what it likes.
    assert (await client.get("/healthz?now=1")).status_code == 200


async def test_a_body_too_large_is_refused_by_its_length_and_by_what_comes(client: httpx2.AsyncClient) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b"x" * 100] * 11

    async def trickle() -> AsyncIterator[bytes]:
        for piece in pieces():
            yield piece

    assert (await client.post("/v1/echo", content=b"x" * 1000)).json() == {"taken": 1000}
    for content in (b"x" * 1001, trickle()):
        answer = await client.post("/v1/echo", content=content)
        assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
    absurd = await client.post("/v1/echo", headers={"content-length": "9" * 30})
    assert absurd.status_code == 413


async def test_health_readiness_and_metrics_need_no_token(client: httpx2.AsyncClient, metrics: Metrics) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"status": "ready", "checks": {"store": "ok"}}
    await client.get("/v1/cases/case-1")
    text = (await client.get("/metrics")).text
    assert 'qorgau_http_requests_total{method="GET",route="/v1/cases/{case}",status="200"} 1.0' in text
    assert "case-1" not in text


async def test_a_service_that_does_not_do_its_work_is_not_ready() -> None:
    async def ready() -> Readiness:
        return Readiness(False, {"log": "no progress"})

    app = build_app("test", [], ready=ready, metrics=Metrics())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")


async def test_headers_left_by_a_dependency_are_in_the_answer(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/v1/cases/c1")).headers["ratelimit"] == "r=1"


async def test_the_description_is_openapi_3_1_and_knows_problems(client: httpx2.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    assert "Problem" in described["components"]["schemas"]


def test_an_agency_gets_so_many_requests_a_minute_and_others_are_not_hit() -> None:
    now = 120.0
    limiter = Limiter(per_minute=2, clock=lambda: now)
    assert limiter.take("102")["RateLimit"] == '"agency";r=1;t=60'
    limiter.take("102")
    with pytest.raises(TooManyRequests) as caught:
        limiter.take("102")
    assert caught.value.headers["Retry-After"] == "60"
    limiter.take("court")
    now = 180.0
    limiter.take("102")


def test_a_list_ends_with_a_cursor_only_where_there_is_more() -> None:
    rows = [(f"k{n}", {"n": n}) for n in range(3)]
    first = page(rows, 2)
    assert [item["n"] for item in first["items"]] == [0, 1]
    assert key_of(first["next"]) == "k1"
    assert page(rows, 3)["next"] is None
    assert key_of(None) == ""


@pytest.mark.parametrize("text", ["", "!", "é", cursor("{$gt}"), cursor("a b"), "a" * 999])
def test_what_is_no_cursor_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        key_of(text)


def test_entity_tags_are_compared_as_http_says() -> None:
    assert not_modified('W/"1", "2"', "2")
    assert not_modified("*", "2")
    assert not not_modified(None, "2")
    assert not not_modified('"22"', "2")
    check_if_match(None, "2")
    check_if_match("*", "2")
    check_if_match(f'"1", {etag("2")}', "2")
    with pytest.raises(StaleVersion):
        check_if_match('"1"', "2")
