"""A MongoDB-compatible server on loopback: SecantusDB, as a process of its own and never imported (it is GPL-2.0)."""

import asyncio
import os
import shutil
import struct
import sys
from datetime import timedelta
from pathlib import Path

import bson

from qorgau.embedded.ports import LOOPBACK, stable_ports
from qorgau.embedded.process import Process, StartRefused

SERVER = "QORGAU_MONGO_SERVER"
SYNC = "QORGAU_MONGO_SYNC"
ANSWER_WITHIN = timedelta(seconds=2)
OP_MSG = 2013
HEADER = struct.Struct("<iiii")
# After the header of an answer: its flags and the kind of its only section.
BODY_AT = 5


async def mongo(data: Path) -> tuple[Process, str]:
    """The process, not yet started, that keeps its databases in `data`/mongo, and the URI clients use.

    `QORGAU_MONGO_SERVER` names another server with the same options (SecantusDB's Rust server). It ignores what a
    client says about durability, so it is told to sync every commit, unless `QORGAU_MONGO_SYNC=off`.
    Raises StartRefused.
    """
    folder = data / "mongo"
    folder.mkdir(parents=True, exist_ok=True)
    port = (await stable_ports(folder / "ports.json", ("server",)))["server"]
    process = Process(
        "mongo",
        [*_server(folder), "--port", str(port), "--storage-path", str(folder / "db")],
        log_file=data / "logs" / "mongo.log",
        cwd=folder,
        probe=lambda: answers(port),
    )
    return process, f"mongodb://{LOOPBACK}:{port}/?directConnection=true"


def _server(folder: Path) -> list[str]:
    named = os.environ.get(SERVER)
    if named:
        binary = shutil.which(named)
        if binary is None:
            raise StartRefused(
                f"{SERVER} names {named}, which is no program that can be run. Correct it or leave it out."
            )
        return [str(Path(binary).absolute()), *([] if os.environ.get(SYNC) == "off" else ["--sync-on-commit"])]
    # A configuration of our own, empty: otherwise one of the user's or the machine's would be found and obeyed.
    (folder / "server.toml").write_text("", encoding="utf-8")
    return [_installed("secantusd-py"), "--config", str(folder / "server.toml"), "--log-level", "WARNING"]


def _installed(command: str) -> str:
    beside = Path(sys.executable).with_name(command)
    found = str(beside) if beside.is_file() else shutil.which(command)
    if found is None:
        raise StartRefused(f"{command} is not installed beside {sys.executable}. Install the locked requirements.")
    return found


async def answers(port: int) -> bool:
    """Whether a server on this loopback port answers `hello` and takes writes."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(_hello())
                size = HEADER.unpack(await reader.readexactly(HEADER.size))[0]
                body = await reader.readexactly(size - HEADER.size)
                return bool(bson.decode(body[BODY_AT:]).get("isWritablePrimary"))
            finally:
                writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError, bson.errors.BSONError):
        return False


def _hello() -> bytes:
    section = struct.pack("<iB", 0, 0) + bson.encode({"hello": 1, "$db": "admin"})
    return HEADER.pack(HEADER.size + len(section), 1, 0, OP_MSG) + section
