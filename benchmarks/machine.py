"""What it was measured on: the machine, Python and the servers; and what a process has used so far. Reads /proc."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qorgau.embedded.data import kafka_jars
from qorgau.embedded.mongo import SERVER, SYNC

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def machine() -> dict[str, Any]:
    """Cores, memory, processor, Python, and how busy others kept it just before."""
    return {
        "kind": "machine",
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * _PAGE / 2**30, 1),
        "cpu": _named("/proc/cpuinfo", "model name") or platform.processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
    }


def servers() -> dict[str, Any]:
    """Which servers the shell is measured with."""
    named = os.environ.get(SERVER)
    synced = os.environ.get(SYNC) != "off"
    python_server = f"SecantusDB {version('secantusdb')}, its Python server, flushed where the store asks for it"
    given = f"{Path(named).name}, {'every commit flushed' if synced else 'commits not flushed'}" if named else ""
    return {"kind": "servers", "kafka": f"Apache Kafka {_kafka_version()}", "mongo": given or python_server}


def cpu_seconds(pids: Iterable[int]) -> float:
    """What these processes have used of the processors since they were born."""
    return sum(_ticks(pid) for pid in pids) / _TICKS


def resident(pid: int) -> int:
    """Bytes of memory a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def _ticks(pid: int) -> int:
    # The name of the program, in parentheses, may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _named(file: str, name: str) -> str:
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _kafka_version() -> str:
    for line in kafka_jars().read_text(encoding="utf-8").splitlines():
        if "kafka_2.13" in line:
            return next((part for part in line.replace(" ", ":").split(":") if part[:1].isdigit()), "")
    return ""
