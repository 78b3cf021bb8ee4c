"""The servers and one tracker to measure with: processes of their own, stopped at the end; and ways to look at them."""

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client.parser import text_string_to_metric_families

from qorgau.bus import Outgoing, Producer, partition_of
from qorgau.embedded.pair import Pair, embedded_pair
from qorgau.embedded.ports import LOOPBACK, stable_ports
from qorgau.embedded.process import Process
from qorgau.embedded.services import is_ready
from qorgau.store import connect
from qorgau.telemetry import Metrics
from qorgau.vocabulary import FACTS_TOPICS, POLICE, database_name

PARTITIONS = 12
SERVICE = POLICE
# Kafka takes so many records at once from the benchmark, which has all of them ready.
_AT_ONCE = 2_000


@dataclass(slots=True)
class Rig:
    """Both servers, and the tracker of one service while it runs."""

    pair: Pair
    folder: Path
    port: int
    producer: Producer
    client: Any
    admin: AIOKafkaAdminClient
    http: httpx2.AsyncClient
    service: str = SERVICE
    tracker: Process | None = None

    def database(self, prefix: str = "qorgau") -> Any:
        """The tracker's database under a prefix of its name."""
        return self.client[database_name(prefix, self.service)]

    @property
    def pid(self) -> int:
        """The tracker's process."""
        assert self.tracker is not None
        assert self.tracker.pid is not None
        return self.tracker.pid

    @property
    def servers(self) -> list[int]:
        """The processes of Kafka and the database."""
        return list(self.pair.pids.values())

    @asynccontextmanager
    async def tracking(self, prefix: str = "qorgau") -> AsyncIterator[None]:
        """The tracker, ready, on a database of this prefix."""
        environment = {name: text for name, text in os.environ.items() if not name.startswith("QORGAU_")}
        environment |= {
            "QORGAU_KAFKA": self.pair.kafka,
            "QORGAU_MONGO": self.pair.mongo,
            "QORGAU_DATABASE": prefix,
            "QORGAU_TOKEN_KEY": secrets.token_hex(32),
            "QORGAU_PORT": str(self.port),
            "QORGAU_INSTANCE": f"{self.service}-1",
            "QORGAU_PARTITIONS": str(PARTITIONS),
        }
        command = [sys.executable, "-m", f"{self.service.replace('-', '_')}.main", "--role", "tracker"]
        log_file = self.folder / "logs" / "tracker.log"
        tracker = Process("tracker", command, log_file=log_file, env=environment, probe=lambda: is_ready(self.port))
        await tracker.start()
        self.tracker = tracker
        try:
            yield
        finally:
            self.tracker = None
            await tracker.stop()

    @contextmanager
    def stopped(self) -> Any:
        """The tracker stands still meanwhile, as it is; shorter than anybody misses it."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    async def counters(self) -> dict[str, float]:
        """What the tracker has counted, by the name of the metric, all labels together."""
        text = (await self.http.get(f"http://{LOOPBACK}:{self.port}/metrics")).text
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
        return found

    async def committed(self) -> int:
        """How many records of the facts topics the tracker has filed, as Kafka knows; it costs the tracker nothing."""
        offsets = await self.admin.list_consumer_group_offsets(self.service)
        return sum(max(0, of.offset) for place, of in offsets.items() if place.topic in FACTS_TOPICS)

    async def produce(self, records: Sequence[Outgoing]) -> None:
        """Put records into Kafka."""
        for start in range(0, len(records), _AT_ONCE):
            await self.producer.publish(records[start : start + _AT_ONCE])


@asynccontextmanager
async def rig(service: str = SERVICE) -> AsyncIterator[Rig]:
    """New servers on an empty folder, for the tracker of a service; all gone at the end."""
    with tempfile.TemporaryDirectory(prefix="qorgau-bench-") as name:
        folder = Path(name)
        async with embedded_pair(folder / "data") as pair, httpx2.AsyncClient(timeout=30) as http:
            port = (await stable_ports(folder / "ports.json", ("tracker",)))["tracker"]
            producer, client = Producer(pair.kafka, Metrics()), connect(pair.mongo)
            admin = AIOKafkaAdminClient(bootstrap_servers=pair.kafka)
            await admin.start()
            try:
                yield Rig(pair, folder, port, producer, client, admin, http, service)
            finally:
                await admin.close()
                client.close()
                await producer.stop()
                # The broker closes its files.
                await asyncio.sleep(0)


def number_of(case: str) -> int:
    """The partition of a case."""
    return partition_of(case.encode(), PARTITIONS)
