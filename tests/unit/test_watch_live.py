"""The live view against services in memory: it asks the public routes, bears with all they do, and goes on."""

import asyncio
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from qorgau.clock import write_clock
from qorgau.embedded.data import default_policy
from qorgau.instants import DAY, MINUTE, format_instant, parse_instant
from qorgau.telemetry import Metrics
from qorgau.vocabulary import COURT, INTAKE, NOTIFIER, POLICE
from qorgau.watch import watch
from qorgau.watch.live import Watcher, titles_of
from qorgau.watch.view import AWAY, NOT_READY, READY, ServiceLook

NOW = parse_instant("2020-03-26T08:10:00Z")
SERVICES = {name: f"http://{name}" for name in (INTAKE, POLICE, COURT, NOTIFIER)}


def row(case: str = "case-1", raised: int = 0) -> dict[str, Any]:
    at = format_instant(NOW + raised)
    return {"case": case, "rule": "P03", "level": "breach", "severity": "critical", "raised_at": at, "due_at": at}


class System:
    """Services that answer as told; `rows` are open flags, oldest first."""

    def __init__(self) -> None:
        self.away: set[str] = set()
        self.ready = httpx2.Response(200, json={"status": "ready", "checks": {}})
        self.rows: list[dict[str, Any]] = []
        self.broken = False
        self.asked: list[httpx2.Request] = []
        self.metrics = Metrics()

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if request.url.host in self.away:
            raise httpx2.ConnectError("refused", request=request)
        if self.broken:
            return httpx2.Response(200, text="<html>")
        match request.url.path:
            case "/readyz":
                return self.ready
            case "/metrics":
                return httpx2.Response(200, content=self.metrics.text())
            case _:
                since = parse_instant(request.url.params["since"])
                rows = [one for one in self.rows if parse_instant(one["raised_at"]) >= since]
                limit = int(request.url.params["limit"])
                return httpx2.Response(200, json={"items": rows[:limit], "next": "-" if rows[limit:] else None})

    def watcher(self, clock: Path | None = None) -> Watcher:
        return Watcher(httpx2.AsyncClient(transport=httpx2.MockTransport(self.answer)), SERVICES, "token", clock)


@pytest.fixture
def system() -> System:
    return System()


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    write_clock(tmp_path / "clock", NOW, 0)
    return tmp_path / "clock"


async def test_a_look_asks_only_public_routes_with_the_token(system: System, clock: Path) -> None:
    system.rows = [row()]
    look = await system.watcher(clock).look()
    assert {request.url.path for request in system.asked} == {"/readyz", "/metrics", "/v1/flags"}
    assert {request.method for request in system.asked} == {"GET"}
    assert all(request.headers["authorization"] == "Bearer token" for request in system.asked)
    assert (look.now, look.pace, len(look.flags)) == (NOW, 0, 1)
    assert {service.state for service in look.services.values()} == {READY}


async def test_a_service_that_goes_away_keeps_its_last_readings(system: System, clock: Path) -> None:
    system.metrics.facts.labels("http", "accepted").inc(5)
    watcher = system.watcher(clock)
    await watcher.look()
    system.away = {POLICE, NOTIFIER}
    look = await watcher.look()
    assert look.services[POLICE] == ServiceLook(AWAY, "does not answer", look.services[INTAKE].readings)
    assert look.services[INTAKE].state == READY


async def test_a_service_that_is_not_ready_says_why(system: System, clock: Path) -> None:
    system.ready = httpx2.Response(503, json={"checks": {"prepared": "ok", "qorgau.flags": "not caught up"}})
    look = await system.watcher(clock).look()
    assert look.services[COURT].state == NOT_READY
    assert look.services[COURT].trouble == "qorgau.flags not caught up"


async def test_answers_that_make_no_sense_are_no_reason_to_end(system: System, clock: Path) -> None:
    watcher = system.watcher(clock)
    system.rows = [row()]
    before = await watcher.look()
    system.broken = True
    assert (await watcher.look()).flags == before.flags
    await asyncio.to_thread(clock.write_text, "half")
    assert (await watcher.look()).now == NOW


async def test_of_very_many_open_flags_the_newest_are_found(system: System, clock: Path) -> None:
    system.rows = [row(case=f"case-{number}", raised=(number - 3000) * MINUTE) for number in range(3001)]
    watcher = system.watcher(clock)
    for _ in range(10):
        look = await watcher.look()
    assert look.flags[-1]["case"] == "case-3000"
    assert len(look.flags) <= 500


async def test_open_flags_that_are_months_old_are_found_too(system: System, clock: Path) -> None:
    system.rows = [row(raised=-100 * DAY)]
    watcher = system.watcher(clock)
    for _ in range(10):
        look = await watcher.look()
    assert len(look.flags) == 1


async def test_without_a_terminal_it_writes_lines_until_it_is_cancelled(clock: Path) -> None:
    out = io.StringIO()
    # Nobody listens there: it goes on all the same.
    services = dict.fromkeys(SERVICES, "http://127.0.0.1:9")
    every = timedelta(milliseconds=10)
    task = asyncio.create_task(watch(services, "token", clock, titles={}, out=out, every=every))
    await asyncio.sleep(1)
    assert not task.done()
    task.cancel()
    lines = out.getvalue().splitlines()
    assert len(lines) >= 2
    assert all("intake away" in text and "\x1b" not in text for text in lines)


def test_the_titles_shown_are_those_of_the_policy() -> None:
    titles = titles_of(default_policy())
    assert titles["P03"] == "Police arrive, danger to life or violence going on"
    assert titles["F1"] == "A hearing stands suspended"
