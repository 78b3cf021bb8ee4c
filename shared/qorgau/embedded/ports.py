"""Loopback ports that a data folder keeps: chosen once, written down, and used again at the next start."""

import asyncio
import json
import random
import socket
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below every system's range for outgoing connections: a client that keeps calling a dead server on a port of that range
# can be given the very same port for its own end, is then connected to itself, and the server cannot come back.
CHOICE = range(15_000, 32_000)
# A predecessor that was just killed needs a moment to let go of its port.
PATIENCE = timedelta(seconds=2)


async def stable_ports(file: Path, names: Sequence[str]) -> dict[str, int]:
    """The ports of `names` as `file` has them; one that is missing, or that somebody else has taken, is chosen anew."""
    known = _read(file)
    ports: dict[str, int] = {}
    for name in names:
        port = known.get(name)
        keep = port is not None and port not in ports.values() and await _becomes_free(port)
        ports[name] = port if keep and port is not None else _choose(set(ports.values()))
    if ports != known:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(ports), encoding="utf-8")
        draft.replace(file)
    return ports


def is_free(port: int) -> bool:
    """Whether a server can listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError:
            return False
    return True


async def _becomes_free(port: int) -> bool:
    for _ in range(20):
        if is_free(port):
            return True
        await asyncio.sleep(PATIENCE.total_seconds() / 20)
    return False


def _choose(taken: set[int]) -> int:
    for port in random.sample(CHOICE, 200):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free loopback port between {CHOICE.start} and {CHOICE.stop}")


def _read(file: Path) -> dict[str, int]:
    try:
        ports = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}  # a new folder, or a file cut short by a full disk: both mean that ports are to be chosen
    if not isinstance(ports, dict):
        return {}
    return {str(name): port for name, port in ports.items() if isinstance(port, int) and 0 < port < 65_536}
