"""What a process answers and does in each role, as each `main.py` puts it together; there are no servers."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest

import court_tracker.domain
import court_tracker.main
import court_tracker.settings
import intake.main
import intake.settings
import notifier.main
import notifier.settings
import police_dispatch.main
import police_dispatch.settings
from qorgau.auth import make_token
from qorgau.identity.sender import FLAGS_READ
from qorgau.settings import Role
from qorgau.settings import Settings as Common
from qorgau.shell.composition import parts_of

KEY = "k" * 32
# Nobody listens there: a service answers from the start and waits for its servers.
NOBODY = "127.0.0.1:1"
SERVICES: dict[str, tuple[type[Common], Callable[..., Awaitable[None]], str]] = {
    "intake": (intake.settings.Settings, intake.main.run, "/v1/cases/c1"),
    "police-dispatch": (police_dispatch.settings.Settings, police_dispatch.main.run, "/v1/cases/c1"),
    "court-tracker": (court_tracker.settings.Settings, court_tracker.main.run, "/v1/cases/c1"),
    "notifier": (notifier.settings.Settings, notifier.main.run, "/v1/flags"),
}


def settings(kind: type[Common], role: Role, port: int = 0) -> Any:
    return kind(kafka=NOBODY, mongo=f"mongodb://{NOBODY}", token_key=KEY, role=role, port=port)


@contextlib.asynccontextmanager
async def running(service: str, role: Role) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the service as a process would run it."""
    kind, run, _ = SERVICES[service]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stopping = asyncio.Event()
    task = asyncio.ensure_future(run(settings(kind, role, port), stopping))
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(200):
                with contextlib.suppress(httpx2.TransportError):
                    await client.get("/healthz")
                    break
                await asyncio.sleep(0.05)
            yield client
    finally:
        stopping.set()
        # The server ends by itself; what waits for Kafka is cut off, again where the library swallows that.
        await asyncio.wait({task}, timeout=0.5)
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.5)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_tracker_answers_how_it_does_and_nothing_else(service: str) -> None:
    async with running(service, "tracker") as client:
        answers = {path: (await client.get(path)).status_code for path in ("/healthz", "/readyz", "/metrics")}
        assert answers == {"/healthz": 200, "/readyz": 503, "/metrics": 200}
        token = {"authorization": f"Bearer {make_token(KEY, agency='*', regions=['*'], scopes=[FLAGS_READ])}"}
        for path in (SERVICES[service][2], "/openapi.json"):
            assert (await client.get(path)).status_code == 404
            assert (await client.get(path, headers=token)).status_code == 404
        assert (await client.post("/v1/facts")).status_code == 404


@pytest.mark.parametrize("service", SERVICES)
async def test_a_replica_for_requests_answers_them(service: str) -> None:
    async with running(service, "api") as client:
        assert (await client.get(SERVICES[service][2])).status_code == 401
        assert (await client.get("/openapi.json")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503


async def works(role: Role) -> int:
    """How much a process of this role does beside answering."""
    kind = court_tracker.settings.Settings
    async with parts_of(settings(kind, role), court_tracker.domain.FACTS, court_tracker.main.MADE) as parts:
        parts.keeper()
        assert (parts.tracker is None) == (role == "api")
        assert ("tracker" in (await parts.ready()).checks) == (role != "api")
        return len(parts.host.work)


async def test_only_a_tracker_judges_counts_lets_in_and_takes_what_agencies_write_themselves() -> None:
    assert await works("tracker") == await works("all") == await works("api") + 4
