"""The embedded pair: Apache Kafka and the MongoDB-compatible server of one data folder, together from start to stop."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from qorgau.embedded.data import kafka_jars
from qorgau.embedded.jars import class_path, read_list
from qorgau.embedded.kafka import kafka as embedded_kafka
from qorgau.embedded.mongo import mongo as embedded_mongo
from qorgau.embedded.process import Process, StartRefused
from qorgau.embedded.progress import Progress, Silence
from qorgau.embedded.supervisor import Supervisor


@dataclass(frozen=True)
class Pair:
    """The addresses clients use, and the processes that were started, by name: `kafka`, `mongo`."""

    kafka: str
    mongo: str
    processes: dict[str, Process]

    async def kill(self, name: str) -> None:
        """kill -9; it stays down until `start`."""
        await self.processes[name].kill()

    async def start(self, name: str) -> None:
        """Starts what was killed, on its old port with its old data; returns when it answers."""
        await self.processes[name].start()

    async def restart(self, name: str) -> None:
        """kill -9 and start again; returns when it answers."""
        await self.kill(name)
        await self.start(name)

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.processes.items() if process.pid is not None}


@asynccontextmanager
async def embedded_pair(
    data: Path, progress: Progress | None = None, *, kafka: str | None = None, mongo: str | None = None
) -> AsyncIterator[Pair]:
    """Both servers on free loopback ports, durable in `data`, started again when they die, stopped at the end.

    An address given as `kafka` or `mongo` is used as it is and that server is not started. Raises StartRefused.
    """
    progress = progress or Silence()
    with held(data) as folder:
        async with Supervisor() as supervisor:
            prepared = await asyncio.gather(
                _given(kafka) if kafka else _kafka(folder, progress),
                _given(mongo) if mongo else embedded_mongo(folder),
            )
            processes = [process for process, _ in prepared if process is not None]
            if processes:
                progress.say(f"starting {' and '.join(process.name for process in processes)}")
            await supervisor.start(*processes)
            (_, kafka_address), (_, mongo_uri) = prepared
            yield Pair(kafka_address, mongo_uri, {process.name: process for process in processes})


@contextmanager
def held(data: Path) -> Iterator[Path]:
    """Holds the data folder for this process, until it ends however it ends, and gives its absolute path."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            words = f"{data} is in use by process {holder}. Stop that one, or choose another folder with --data."
            raise StartRefused(words) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield data.absolute()


async def _kafka(data: Path, progress: Progress) -> tuple[Process, str]:
    return await embedded_kafka(data, await class_path(read_list(kafka_jars()), progress))


async def _given(address: str) -> tuple[None, str]:
    return None, address
