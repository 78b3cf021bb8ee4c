"""Reports: intake with everything on takes full reports, against a bare route that inserts as many bytes as durably."""

import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bson

from benchmarks.asking import Asked, Request, ask, counted
from benchmarks.figures import Figure, percentile, say
from benchmarks.people import report
from qorgau.auth import make_token
from qorgau.embedded.pair import Pair, embedded_pair
from qorgau.embedded.ports import stable_ports
from qorgau.embedded.process import Process
from qorgau.embedded.services import Backing, is_ready, replicas
from qorgau.store import connect
from qorgau.vocabulary import INTAKE

NAME = "reports"
OURS, OTHER = "intake", "bare route"
PATH = "/v1/reports"
# As many clients as keep one process busy, and one alone, who waits for nobody else.
CROWD, ALONE = 32, 1
_AGENCY, _REGION = "helpline-150/KZ-75", "KZ-75"


@dataclass(frozen=True, slots=True)
class Sides:
    """Where both answer, and the token that intake wants."""

    ours: int
    other: int
    token: str

    def requests(self, number: int) -> Request:
        """A report on people whom no other number knows."""
        key = f"authorization: Bearer {self.token}\r\nidempotency-key: bench-{number}\r\n"
        return f"{key}content-type: application/json\r\n", json.dumps(report(number)).encode()


def run(short: bool) -> list[Figure]:
    """Reports a second, and how long each takes, in turns."""
    return asyncio.run(_run(*((4.0, 2) if short else (10.0, 3))))


async def _run(seconds: float, rounds: int) -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="qorgau-bench-") as name:
        async with embedded_pair(Path(name) / "data") as pair, _sides(Path(name), pair) as sides:
            numbers = counted(1)
            for clients in (CROWD, ALONE):
                measured: list[tuple[Asked, Asked]] = []
                # The first round is for caches, connections and the first growth of files.
                for number in range(rounds + 1):
                    say(f"reports: {clients} clients, round {number} of {rounds}")
                    both = await _round(sides, numbers, clients, seconds if number else seconds / 3)
                    measured += [both] if number else []
                figures += _figures(clients, measured)
    return figures


async def _round(sides: Sides, numbers: Iterator[int], clients: int, seconds: float) -> tuple[Asked, Asked]:
    asking = partial(ask, path=PATH, requests=sides.requests, numbers=numbers, clients=clients, seconds=seconds)
    return await asking(sides.ours), await asking(sides.other)


def _figures(clients: int, measured: list[tuple[Asked, Asked]]) -> list[Figure]:
    who = "one client" if clients == 1 else f"{clients} clients"

    def figure(name: str, unit: str, of: Any, aim: str = "") -> Figure:
        ours, other = zip(*((of(one), of(two)) for one, two in measured), strict=True)
        return Figure(NAME, f"{name}, {who}", unit, OURS, OTHER, list(ours), list(other), aim)

    return [
        figure("throughput", "reports/s", lambda asked: asked.a_second, ">= 0.6 of the bare route"),
        figure("latency p50", "ms", lambda asked: percentile(asked.waited, 50)),
        figure("latency p99", "ms", lambda asked: percentile(asked.waited, 99)),
    ]


@asynccontextmanager
async def _sides(folder: Path, pair: Pair) -> AsyncIterator[Sides]:
    """Both as processes of their own; intake with its vault, its tracker and all that follows the log."""
    key = secrets.token_hex(32)
    backing = Backing(pair.kafka, pair.mongo, key, Path(""), folder)
    intake = next(of for of in await replicas(backing, {}) if of.service == INTAKE)
    process = intake.processes[0]
    process.env["QORGAU_CLOCK"] = ""
    backing.revoked.touch()
    token = make_token(key, agency=_AGENCY, scopes=["reports:write"], regions=[_REGION])
    port = (await stable_ports(folder / "bare.json", ("bare",)))["bare"]
    await process.start()
    try:
        ours = int(intake.url.rpartition(":")[2])
        numbers = counted(1_000_000)
        await ask(ours, PATH, Sides(ours, port, token).requests, numbers, 1, 0.5)
        bare = Process(
            "bare",
            [sys.executable, "-m", "benchmarks.bare_route", str(port), pair.mongo, str(await _size(pair))],
            log_file=folder / "logs" / "bare.log",
            cwd=Path(__file__).parents[1],
            probe=lambda: is_ready(port),
        )
        await bare.start()
        try:
            yield Sides(ours, port, token)
        finally:
            await bare.stop()
    finally:
        await process.stop()


async def _size(pair: Pair) -> int:
    """Bytes of a report's document in the vault."""
    client = connect(pair.mongo)
    try:
        document = await client["qorgau_intake"]["vault"].find_one({})
        assert document is not None
        return len(bson.encode(document))
    finally:
        client.close()
