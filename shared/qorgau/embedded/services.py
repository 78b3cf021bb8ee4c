"""The services of one machine as processes: each replica with its port, its lasting name and its environment."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from qorgau.auth import make_token
from qorgau.embedded.ports import LOOPBACK, stable_ports
from qorgau.embedded.process import Process
from qorgau.identity.issuer import Issuer
from qorgau.instants import format_instant
from qorgau.vocabulary import INTAKE, NOTIFIER, SERVICES

# Topics and indexes are made at the first start, and the machine may be small and busy.
READY_WITHIN = timedelta(minutes=3)
ANSWER_WITHIN = timedelta(seconds=2)
# Longer than a service takes for an orderly stop, its own last resort included.
GRACE = timedelta(seconds=20)
_ASK = f"GET /readyz HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Backing:
    """What all services share: the servers, the key, the clock, and the data folder for ports and logs. Tokens are of
    the run's own issuer, or, where there is none, signed with the key."""

    kafka: str
    mongo: str
    token_key: str
    clock: Path
    folder: Path
    issuer: Issuer | None = None

    def make_token(self, **claims: Any) -> str:
        """A token that its services accept; the claims are those of `new_claims`. Raises ValueError."""
        return make_token(self.token_key, **claims) if self.issuer is None else self.issuer.token(**claims)

    @property
    def revoked(self) -> Path:
        """The list of agencies whose tokens are refused, for a person to write."""
        return self.folder / "revoked-agencies"


@dataclass(frozen=True, slots=True)
class Replicas:
    """The processes of one service, not yet started, and where its first one answers."""

    service: str
    url: str
    processes: tuple[Process, ...]

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes if process.pid is not None]


async def replicas(backing: Backing, numbers: Mapping[str, int]) -> list[Replicas]:
    """Every service with as many replicas as `numbers` says, otherwise one; ports stay those of the last time."""
    names = {service: _names(service, numbers.get(service, 1)) for service in SERVICES}
    ports = await stable_ports(backing.folder / "ports.json", [name for of in names.values() for name in of])
    urls = {service: f"http://{LOOPBACK}:{ports[of[0]]}" for service, of in names.items()}
    return [
        Replicas(service, urls[service], tuple(_process(service, name, ports[name], backing, urls) for name in of))
        for service, of in names.items()
    ]


async def is_ready(port: int) -> bool:
    """Whether the service on this loopback port says that it does its work."""
    async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            writer.write(_ASK)
            return (await reader.readline()).split()[1:2] == [b"200"]
        except ValueError:
            return False  # somebody else, who sends something without an end
        finally:
            writer.close()


def _python(module: str) -> list[str]:
    """The command that runs a module with the interpreter and the packages of this program."""
    return [sys.executable, "-m", module]


def _environment(backing: Backing) -> dict[str, str]:
    """What any program needs that works with the services."""
    return {
        **os.environ,
        # The user's working folder stays, for relative paths; its modules must not get in the way of ours.
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
        "QORGAU_KAFKA": backing.kafka,
        "QORGAU_MONGO": backing.mongo,
        "QORGAU_TOKEN_KEY": backing.token_key,
        "QORGAU_CLOCK": str(backing.clock),
        # Whose tokens count here is this run's own affair, whatever the environment says for other services.
        "QORGAU_JWKS": f"file:{backing.issuer.jwks}" if backing.issuer else "",
        "QORGAU_ISSUER": "",
        "QORGAU_AUDIENCE": "",
        "QORGAU_REVOKED": str(backing.revoked),
    }


def feed(backing: Backing, services: Sequence[Replicas], token: str, begins: int) -> Process:
    """The process, not yet started, that plays a season into these services, and goes on where it was."""
    return Process(
        "feed",
        [
            *_python("qorgau.feed"),
            *("--services", json.dumps({replicas.service: replicas.url for replicas in services})),
            *("--begins", format_instant(begins), "--position", str(backing.folder / "season-position.json")),
            # The cases that are still open when it is over run on in real time.
            *("--then-pace", "1"),
        ],
        log_file=backing.folder / "logs" / "feed.log",
        env=_environment(backing) | {"QORGAU_TOKEN": token},
    )


def _process(service: str, name: str, port: int, backing: Backing, urls: Mapping[str, str]) -> Process:
    own = {"QORGAU_HOST": LOOPBACK, "QORGAU_PORT": str(port), "QORGAU_INSTANCE": name, "QORGAU_ROLE": "all"}
    if service == INTAKE:
        own |= {
            "QORGAU_VAULT_KEY_FILE": str(backing.folder / "vault-keys.json"),
            "QORGAU_VAULT_INDEX_FILE": str(backing.folder / "vault-index-secrets.json"),
            "QORGAU_VAULT_MAKE_KEYS": "true",
        }
    if service == NOTIFIER:
        own["QORGAU_OWNERS"] = json.dumps({owner: url for owner, url in urls.items() if owner != NOTIFIER})
    return Process(
        name,
        _python(f"{service.replace('-', '_')}.main"),
        log_file=backing.folder / "logs" / f"{name}.log",
        env=_environment(backing) | own,
        probe=lambda: is_ready(port),
        grace=GRACE,
        ready_within=READY_WITHIN,
    )


def _names(service: str, number: int) -> Sequence[str]:
    return [f"{service}-{replica}" for replica in range(1, number + 1)]
