"""Runs `qorgau up` as a user does, with the real services or with ones that only answer, and sees what it leaves."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-c", "import sys; from qorgau.cli import main; sys.exit(main())"]
# A start on a busy machine, with the artifacts of Kafka to be fetched.
WITHIN = 300

# Answers `/readyz` as soon as it runs and `/` with its environment; says when it ends in order.
SERVICE = """
import json, os, signal, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        ready = not os.path.exists(os.environ["UNREADY"])
        self.send_response(200 if ready else 503)
        self.end_headers()
        self.wfile.write(json.dumps({k: v for k, v in os.environ.items() if k.startswith("QORGAU_")}).encode())
    def log_message(self, *_):
        pass

if os.path.exists(os.environ["BROKEN"] + os.environ["QORGAU_INSTANCE"]):
    sys.exit("a reason to end")
server = ThreadingHTTPServer((os.environ["QORGAU_HOST"], int(os.environ["QORGAU_PORT"])), Answer)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
print("ended in order", flush=True)
"""


def running(pid: int) -> bool:
    """A zombie that nobody has collected yet is not running."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def fakes(folder: Path) -> dict[str, str]:
    """The environment in which the four services are small fakes and the two servers are somewhere else.

    A file `folder`/unready makes them not ready, a file `folder`/broken-INSTANCE makes one end at its start.
    """
    for module in ("intake", "police_dispatch", "court_tracker", "notifier"):
        package = folder / "modules" / module
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        (package / "main.py").write_text(SERVICE, encoding="utf-8")
    return {
        "PYTHONPATH": str(folder / "modules"),
        "UNREADY": str(folder / "unready"),
        "BROKEN": str(folder / "broken-"),
        "QORGAU_KAFKA": "broker.example:9092",
        "QORGAU_MONGO": "mongodb://db.example",
    }


@dataclass
class Run:
    """One run of `qorgau up` that has said that it is ready."""

    process: Process
    line: dict[str, Any]

    @property
    def pids(self) -> list[int]:
        return [pid for pids in self.line["pids"].values() for pid in pids]

    async def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Its exit status and what else it wrote on stdout after a signal."""
        self.process.send_signal(number)
        rest, _ = await asyncio.wait_for(self.process.communicate(), WITHIN)
        assert self.process.returncode is not None
        return self.process.returncode, rest.decode()


@asynccontextmanager
async def up(data: Path, *options: str, env: Mapping[str, str]) -> AsyncIterator[Run]:
    """A run on this folder; killed at the end if it has not been stopped. What it says to people is in `data`.log."""
    with data.with_suffix(".log").open("ab") as log:
        process = await start(data, *options, env=env, stderr=log.fileno())
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), WITHIN)
        assert line, data.with_suffix(".log").read_text(encoding="utf-8")
        yield Run(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def start(data: Path, *options: str, env: Mapping[str, str], stderr: int = PIPE) -> Process:
    """`qorgau up` with this folder; its output can be read."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("QORGAU_")}
    command = [*COMMAND, "up", "--data", str(data), *options]
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=stderr, env=clean | dict(env))


async def eventually(holds: Callable[[], bool], within: float = 30) -> None:
    """Returns when the condition holds; fails when it does not come to hold."""
    for _ in range(round(within / 0.05)):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to hold")
