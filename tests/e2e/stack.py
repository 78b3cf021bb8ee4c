"""The whole system for a test: real servers, the four services as processes, a clock the test sets, HTTP only."""

import asyncio
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from qorgau.assess import flag_history
from qorgau.clock import read_clock, wall_ticks, write_clock
from qorgau.embedded.data import default_policy
from qorgau.embedded.process import Process
from qorgau.embedded.progress import Silence
from qorgau.embedded.up import Options, Up, up
from qorgau.facts import Fact, event_type, fact_from_json, fact_to_json
from qorgau.instants import format_instant, parse_instant
from qorgau.plan import Plan, compile_policy
from qorgau.policy import load_policy
from qorgau.vocabulary import COURT, FACT_TYPES, INTAKE, POLICE

KEEPERS = (INTAKE, POLICE, COURT)
PATIENCE = 60.0
Row = dict[str, Any]


@dataclass(slots=True)
class Stack:
    """A running system and the ways in and out of it that its users have."""

    system: Up
    http: httpx2.AsyncClient
    plans: Mapping[str, Plan] = field(default_factory=dict)

    def url(self, service: str) -> str:
        return str(self.system.line()["services"][service])

    def process(self, service: str, replica: int = 0) -> Process:
        """One of the processes of a service."""
        return next(of for of in self.system.services if of.service == service).processes[replica]

    def set_clock(self, at: str | int, factor: float = 0) -> None:
        """Logical time is `at` from now on."""
        write_clock(self.system.backing.clock, parse_instant(at) if isinstance(at, str) else at, factor)

    def now(self) -> int:
        """Logical time, as the services have it."""
        return read_clock(self.system.backing.clock).instant(wall_ticks())

    async def post(self, facts: Iterable[Fact], *, stamped: bool = False, size: int = 200) -> None:
        """Post facts to the services that own them, in batches; with their own `recorded` unless stamped there."""
        by_service: dict[str, list[Fact]] = defaultdict(list)
        facts = list(facts)
        owners = {(fact.source, fact.id, fact.case): _owner(fact.type) for fact in facts}
        for fact in facts:
            withdrawn = (fact.source, str(fact.data.get("fact_id")), fact.case)
            by_service[_owner(fact.type) or owners.get(withdrawn) or INTAKE].append(fact)
        for service, own in by_service.items():
            for start in range(0, len(own), size):
                await self.post_batch(service, [event(fact, stamped) for fact in own[start : start + size]])

    async def post_batch(self, service: str, events: Sequence[Row]) -> None:
        """One batch, repeated while the service cannot take it; every event must be accepted."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                answer = await self.http.post(
                    f"{self.url(service)}/v1/facts",
                    content=json.dumps(list(events)),
                    headers={"content-type": "application/cloudevents-batch+json"},
                )
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code == 207:
                refused = [one for one in answer.json()["results"] if one["status"] == "rejected"]
                assert not refused, refused[:3]
                return
            assert answer is None or answer.status_code == 503, answer.text
            assert time.monotonic() < until, f"{service} takes nothing"
            await asyncio.sleep(0.2)

    async def flags(self, service: str, case: str) -> list[Row]:
        """Every flag a service ever raised in a case, as rows of an assessment, in its order."""
        return [plain(row) for row in await self.flag_items(service, case)]

    async def flag_items(self, service: str, case: str) -> list[Row]:
        """The same as the API shows them."""
        rows: list[Row] = []
        cursor: str | None = None
        while True:
            query = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
            answer = await self.http.get(f"{self.url(service)}/v1/cases/{case}/flags", params=query)
            if answer.status_code == 404:
                return []
            answer.raise_for_status()
            page = answer.json()
            rows += page["items"]
            cursor = page["next"]
            if cursor is None:
                return rows

    async def export(self, service: str, case: str) -> tuple[list[Fact], int | None]:
        """The facts of a case as a service holds them, and the instant it was judged last."""
        lines, as_of = await self._export(service, case)
        return [fact_from_json(line) for line in lines if "heard_by" not in line], as_of

    async def heard(self, service: str, case: str) -> list[Fact]:
        """What a case has heard of others, with the instants it used."""
        lines, _ = await self._export(service, case)
        return [fact_from_json(line) for line in lines if line.get("heard_by") == case]

    async def _export(self, service: str, case: str) -> tuple[list[Row], int | None]:
        answer = await self.http.get(f"{self.url(service)}/v1/cases/{case}/facts")
        if answer.status_code == 404:
            return [], None
        answer.raise_for_status()
        as_of = answer.headers.get("as-of")
        return list(map(json.loads, answer.text.splitlines())), None if as_of is None else parse_instant(as_of)

    def expected(self, service: str, facts: Sequence[Fact], as_of: int, heard: Sequence[Fact] = ()) -> list[Row]:
        """What `assess` says of facts, for the rules of one service."""
        rows = flag_history(facts, self.plans[service], as_of, heard)
        return [row.to_json() for row in rows]


def event(fact: Fact, stamped: bool = False) -> Row:
    """A fact as a structured CloudEvent."""
    made: Row = {
        "specversion": "1.0",
        "id": fact.id,
        "source": fact.source,
        "type": event_type(fact.type),
        "time": format_instant(fact.time),
        "data": dict(fact.data),
    }
    if fact.case is not None:
        made["subject"] = fact.case
    return made if stamped else made | {"recordedtime": format_instant(fact.recorded)}


def plain(item: Row) -> Row:
    """A flag as the API shows it, without what an assessment does not have."""
    return {name: value for name, value in item.items() if name not in ("id", "region", "agency")}


def order(rows: Iterable[Row]) -> list[Row]:
    """Rows in an order of their own, to be compared."""
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


async def eventually(check: Callable[[], Awaitable[None]], within: float = PATIENCE) -> None:
    """Returns when the check passes; its last failure when it does not in time."""
    until = time.monotonic() + within
    while True:
        try:
            await check()
            return
        except AssertionError:
            if time.monotonic() >= until:
                raise
        await asyncio.sleep(0.1)


@asynccontextmanager
async def running(
    folder: Path,
    at: str | int | None = None,
    factor: float = 0,
    environment: Mapping[str, str] | None = None,
    **numbers: int,
) -> AsyncIterator[Stack]:
    """A system of its own in a folder, with its clock at an instant (now, in real time, unless given)."""
    clock = _clock(folder, at, factor)
    named = {name.replace("_", "-"): number for name, number in numbers.items()}
    with _environment({"QORGAU_CLOCK": str(clock), **(environment or {})}):
        async with up(Options(folder / "data", False, named), Silence()) as system:
            headers = {"authorization": f"Bearer {system.token}"}
            limits = httpx2.Limits(max_connections=20)
            async with httpx2.AsyncClient(headers=headers, timeout=30, limits=limits) as http:
                policy = load_policy(default_policy())
                yield Stack(system, http, {service: compile_policy(policy, service) for service in KEEPERS})


def _clock(folder: Path, at: str | int | None, factor: float) -> Path:
    """The clock file of a test; one that is there from an earlier run goes on."""
    clock = folder / "test-clock.json"
    folder.mkdir(parents=True, exist_ok=True)
    if not clock.exists():
        begin = time.time_ns() // 1_000 if at is None else at if isinstance(at, int) else parse_instant(at)
        write_clock(clock, begin, 1 if at is None else factor)
    return clock


@contextmanager
def _environment(values: Mapping[str, str]) -> Any:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _owner(name: str) -> str | None:
    known = FACT_TYPES.get(name)
    return None if known is None else known.service


def shuffled(facts: Iterable[Fact], seed: int, doubled: float = 0.2) -> list[Fact]:
    """The facts in another order, some of them twice."""
    draw = random.Random(seed)
    facts = list(facts)
    facts += [fact for fact in facts if draw.random() < doubled]
    draw.shuffle(facts)
    return facts


def renamed(facts: Iterable[Fact], prefix: str) -> list[Fact]:
    """The same facts in cases of other names."""
    rows = (fact_to_json(fact) for fact in facts)
    return [fact_from_json(row | ({"case": f"{prefix}{row['case']}"} if "case" in row else {})) for row in rows]
