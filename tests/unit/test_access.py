"""Every route of every service, asked by every role: the table's answer; and what is not there looks as what is not
theirs."""

import logging
import re
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from docs import generate
from fastapi import FastAPI
from fastapi.security import HTTPAuthorizationCredentials
from starlette.requests import Request

from qorgau.auth import make_token
from qorgau.front.limits import Limiter
from qorgau.identity.access import Access
from qorgau.identity.claims import Refused
from qorgau.identity.sender import SCOPES, Reach, Role
from qorgau.identity.table import OPEN, TABLE, Row
from qorgau.identity.tokens import SharedKeyTokens
from qorgau.telemetry import Metrics

KEY = "a key of the tests that is long enough"
AGENCIES = {
    Role.DESK: ("102/KZ-75", ()),
    Role.SUPERVISOR: ("coordinator/KZ-75", ()),
    Role.WATCHDOG: ("watchdog/coalition", ()),
    Role.ADMIN: ("clinic/KZ-75", ("admin",)),
    Role.DEVELOPMENT: ("*", ()),
}
NOW = [0.0]


def access() -> Access:
    return Access(SharedKeyTokens(KEY), Limiter(), Metrics(), lambda: NOW[0])


ACCESS = access()
APPS = generate.apps(ACCESS)


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """What an application serves, as its own document says it."""
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            yield method.upper(), path


ROUTES = [(service, *route) for service, app in APPS.items() for route in routes(app)]
GUARDED = [route for route in ROUTES if route[1:] not in OPEN]


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    served = {route[1:] for route in ROUTES}
    assert served - OPEN == set(TABLE)
    assert OPEN - {("GET", "/openapi.json")} <= served
    assert {row for row in TABLE.values() if row.reaches.keys() != set(Role)} == set()


def test_what_is_served_without_being_described_is_open_and_nothing_else() -> None:
    for app in APPS.values():
        served = {(method, route.path) for route in flat(app.routes) for method in route.methods}
        assert served - {("HEAD", "/openapi.json")} - OPEN == set(routes(app)) - OPEN


def flat(found: Iterable[Any]) -> Iterator[Any]:
    """The routes of an application, those of its routers among them."""
    for route in found:
        inner = getattr(route, "original_router", None)
        yield from [route] if inner is None else flat(inner.routes)


def headers(role: Role, scopes: Iterable[str] | None = None, **claims: Any) -> dict[str, str]:
    agency, more = AGENCIES[role]
    granted = set(SCOPES - {"admin"} if scopes is None else scopes) | set(more)
    token = make_token(KEY, **{"agency": agency, "scopes": granted, "regions": ["KZ-75"], **claims})
    return {"authorization": f"Bearer {token}"}


async def ask(service: str, method: str, path: str, sent: dict[str, str]) -> httpx2.Response:
    """A request with some object; behind the routes is nobody, so whoever is let in gets any answer but these."""
    transport = httpx2.ASGITransport(APPS[service], raise_app_exceptions=False)
    filled = re.sub(r"\{\w+\}", "x", path)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, filled, headers=sent)


def is_let_in(answer: httpx2.Response) -> bool:
    return answer.status_code not in (401, 403)


@pytest.mark.parametrize(("service", "method", "path"), GUARDED)
async def test_without_a_token_nothing_is_answered(service: str, method: str, path: str) -> None:
    for sent in ({}, {"authorization": "Basic abc"}, {"authorization": "Bearer"}, {"authorization": "Bearer x.y.z"}):
        answer = await ask(service, method, path, sent)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("service", "method", "path"), GUARDED)
async def test_a_role_gets_the_answer_of_the_table(service: str, method: str, path: str, role: Role) -> None:
    row: Row = TABLE[method, path]
    answer = await ask(service, method, path, headers(role))
    assert is_let_in(answer) == (row.reaches[role] is not Reach.NOTHING), answer.text
    for scope in row.scopes:
        alone = await ask(service, method, path, headers(role, [scope]))
        assert is_let_in(alone) == (row.reaches[role] is not Reach.NOTHING), scope
    others = await ask(service, method, path, headers(role, SCOPES - row.scopes - {"admin"}))
    assert others.status_code == 403
    assert others.json()["title"] == "The token does not allow this"


def test_who_watches_writes_nothing_and_sees_no_person() -> None:
    for (method, path), row in TABLE.items():
        reach = row.reaches[Role.WATCHDOG]
        assert reach in (Reach.NOTHING, Reach.CODES)
        assert reach is Reach.NOTHING or method == "GET"
        assert reach is Reach.NOTHING or "pii:read" not in row.scopes, path


def test_a_desk_reaches_its_own_and_nothing_else() -> None:
    assert {row.reaches[Role.DESK] for row in TABLE.values()} <= {Reach.OWN, Reach.NOTHING}


async def test_a_refused_token_is_counted_and_told_once_a_second_and_never_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stolen = headers(Role.DESK)["authorization"][:-4] + "AAAA"
    with caplog.at_level(logging.DEBUG):
        NOW[0] += 10
        for _ in range(20):
            answer = await ask("intake", "GET", "/v1/cases/{case}", {"authorization": stolen})
            assert answer.status_code == 401
        NOW[0] += 1
        await ask("intake", "GET", "/v1/cases/{case}", {"authorization": stolen})
        await ask("intake", "GET", "/v1/cases/{case}", {})
    told = [record.getMessage() for record in caplog.records if record.name == "qorgau.identity"]
    assert told == ["a token was refused: signature"] * 2 + ["a token was refused: missing"]
    assert b'qorgau_tokens_refused_total{reason="signature"} 2' in ACCESS.metrics.text()
    for part in stolen.removeprefix("Bearer ").split("."):
        assert part not in caplog.text
        assert part not in answer.text


async def test_who_reads_an_answer_that_goes_on_is_asked_again_whether_the_token_counts() -> None:
    shut_out: set[str] = set()
    access = Access(SharedKeyTokens(KEY, revoked=shut_out.__contains__), Limiter(), Metrics())
    route = SimpleNamespace(path="/v1/flags/stream")
    request = Request({"type": "http", "method": "GET", "headers": [], "route": route})
    token = headers(Role.SUPERVISOR)["authorization"].removeprefix("Bearer ")
    reader = await access.lasting(request, HTTPAuthorizationCredentials(scheme="Bearer", credentials=token))
    assert (reader.sender.agency, reader.sender.reach) == ("coordinator/KZ-75", Reach.REGION)
    await reader.check()
    shut_out.add("coordinator/KZ-75")
    with pytest.raises(Refused):
        await reader.check()


async def test_a_request_counts_once_however_many_parts_ask_who_sends_it() -> None:
    app = generate.apps(Access(SharedKeyTokens(KEY), Limiter(per_minute=9), Metrics()))["intake"]
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post("/v1/facts", content=b"", headers=headers(Role.DESK))
        assert answer.headers["ratelimit"].startswith('"agency";r=8')
        refused = await client.post("/v1/facts", headers=headers(Role.DESK, ["cases:read"]))
        assert (refused.status_code, refused.headers["ratelimit"][:12]) == (403, '"agency";r=7')
