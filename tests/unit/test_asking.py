"""The notifier explains a flag as its service does: the token goes there and nowhere else, the answer comes back."""

from collections.abc import Callable
from functools import cache
from typing import Any

import httpx2
import pytest

from notifier.api import build_api, flags_router
from notifier.asking import MOST_BYTES, owners_of
from qorgau.auth import make_token
from qorgau.front.flagbook import FlagEntry
from qorgau.service import PROBLEM, Readiness
from qorgau.telemetry import Metrics
from tests.entry import access

KEY = "k" * 32
FLAG = "0f8fad5b-d9cb-469f-a165-70867728950e"
PATH = f"/v1/flags/{FLAG}/explanation"
URLS = {"police-dispatch": "http://police:8000/"}
Handler = Callable[[httpx2.Request], httpx2.Response]


class Book:
    """One flag, of a police unit."""

    def __init__(self, service: str = "police-dispatch") -> None:
        self.service = service

    async def find(self, flag: str) -> FlagEntry | None:
        item = {"agency": "102/KZ-75", "region": "KZ-75"}
        return FlagEntry(FLAG, self.service, 1, 0, item) if flag == FLAG else None


async def asked(handler: Handler, *, service: str = "police-dispatch", agency: str = "102/KZ-75") -> httpx2.Response:
    """What the notifier answers when the other service answers so."""

    async def ready() -> Readiness:
        return Readiness(True)

    anything: Any = Book(service)
    async with owners_of(URLS, httpx2.MockTransport(handler)) as owners:
        app = build_api(flags_router(anything, anything, owners, access(KEY)), ready, Metrics())
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://notifier") as client:
            client.headers["authorization"] = token(agency)
            return await client.get(PATH)


@cache
def token(agency: str) -> str:
    scopes, region = ["cases:read", "flags:read"], agency.split("/")[1][:5]
    return f"Bearer {make_token(KEY, agency=agency, scopes=scopes, regions=[region])}"


def never(_: httpx2.Request) -> httpx2.Response:
    raise AssertionError("nobody was to be asked")


async def test_the_other_service_is_asked_with_the_token_of_the_reader_and_its_answer_passed_on() -> None:
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        headers = {"etag": '"7-a"', "as-of": "2026-04-14T17:20:00Z", "ratelimit": "theirs", "server": "theirs"}
        return httpx2.Response(200, json={"rule": "P03"}, headers=headers)

    answer = await asked(handler)
    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, {"rule": "P03"}, '"7-a"')
    assert answer.headers["as-of"] == "2026-04-14T17:20:00Z"
    assert "theirs" not in (answer.headers["ratelimit"], answer.headers.get("server"))
    assert [(str(one.url), one.headers["authorization"]) for one in seen] == [
        (f"http://police:8000{PATH}", token("102/KZ-75"))
    ]


@pytest.mark.parametrize("status", [401, 403, 404, 429])
async def test_a_refusal_of_the_other_service_is_the_answer(status: int) -> None:
    problem = {"type": "urn:qorgau:problem:x", "status": status}
    answer = await asked(lambda _: httpx2.Response(status, json=problem, headers={"content-type": PROBLEM}))
    assert (answer.status_code, answer.json(), answer.headers["content-type"]) == (status, problem, PROBLEM)


def refusing(_: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("secret.internal:8000 refused")


@pytest.mark.parametrize(
    "handler",
    [
        refusing,
        lambda _: httpx2.Response(500, text="secret"),
        lambda _: httpx2.Response(503, text="secret"),
        # Followed, it would take the token to wherever it says.
        lambda _: httpx2.Response(307, headers={"location": "http://elsewhere/secret"}),
        lambda _: httpx2.Response(200, content=b"secret" * MOST_BYTES),
    ],
)
async def test_where_the_other_service_does_not_answer_it_is_to_be_asked_again(handler: Handler) -> None:
    answer = await asked(handler)
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert answer.headers["retry-after"]
    assert "secret" not in answer.text


async def test_nobody_is_asked_about_a_flag_of_others_or_of_a_service_that_is_not_known() -> None:
    for answer in (await asked(never, agency="court/KZ-71-01"), await asked(never, service="court-tracker")):
        assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
