"""Looks everywhere a running system could have put something: files, servers, metrics, processes, answers, as bytes.

What a database or a broker may pack is also read through its own door, document by document and record by record.
"""

import os
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bson
import httpx2
import numpy as np
from bson import json_util
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient

from qorgau.bus import read_all, topic_names
from qorgau.vocabulary import SERVICES
from tests.e2e.stack import Row, Stack
from tests.e2e.vault.canaries import Canaries, forms_of, named_forms
from tests.e2e.vault.encodings import guises

_AT_ONCE = 8 * 1024 * 1024
_START = 6
INBOUND = "qorgau.inbound."
# The vault's own, and its server's log of writes: what an agency may see, by its code, is not sealed.
OWN = ("document qorgau_intake.vault ", "document local.oplog.rs ", "file mongo/")


@dataclass(slots=True)
class Planted:
    """Canaries that were sent somewhere. `at`: beginnings of the places where they may be, because the test itself put
    them there or asked for them."""

    canaries: Canaries
    at: tuple[str, ...] = ()


@dataclass(slots=True)
class Said:
    """Everything that clients were told, headers and all; what of it may hold canaries is told apart by its name."""

    answers: list[tuple[str, bytes]] = field(default_factory=list)

    def note(self, name: str, answer: httpx2.Response) -> httpx2.Response:
        """Remember an answer under a name."""
        headers = b"\n".join(b": ".join(pair) for pair in answer.headers.raw)
        self.answers.append((f"answer {name}", headers + b"\n\n" + answer.content))
        return answer


class Sought:
    """Texts to be found in bytes, in all guises at once."""

    def __init__(self, planted: Iterable[Planted]) -> None:
        self._what: dict[bytes, list[tuple[str, tuple[str, ...]]]] = {}
        for one in planted:
            self._add(one)
        self._longest = max(map(len, self._what))
        self._by_start: dict[bytes, list[bytes]] = {}
        for needle in self._what:
            self._by_start.setdefault(needle[:_START], []).append(needle)
        starts = np.array([int.from_bytes(start, "big") for start in self._by_start], np.uint64)
        self._starts = np.sort(starts)
        self._begins = np.zeros(1 << 24, np.bool_)
        self._begins[(starts >> np.uint64(8 * (_START - 3))).astype(np.int64)] = True

    def _add(self, one: Planted) -> None:
        number = one.canaries.number
        for path, text in one.canaries.texts.items():
            self._note(f"{number} {path}", {guise for form in forms_of(text) for guise in guises(form)}, one.at)
        for path, (name, value) in one.canaries.short.items():
            self._note(f"{number} {path}", {form.encode() for form in named_forms(name, value)}, one.at)
        for path, text in one.canaries.codes.items():
            self._note(f"{number} {path}", guises(text), (*one.at, *OWN))

    def _note(self, what: str, needles: Iterable[bytes], at: tuple[str, ...]) -> None:
        for needle in needles:
            if len(needle) >= _START:
                self._what.setdefault(needle, []).append((what, at))

    def found(self, place: str, content: bytes) -> set[str]:
        """What of it is in these bytes and may not be in this place."""
        found: set[str] = set()
        for start in range(0, len(content), _AT_ONCE):
            for needle in self._in(content[start : start + _AT_ONCE + self._longest]):
                found |= {what for what, at in self._what[needle] if not place.startswith(at)}
        return found

    def _in(self, content: bytes) -> Iterator[bytes]:
        if len(content) < _START:
            return
        byte = np.frombuffer(content, np.uint8)
        three = byte[:-2].astype(np.int32) << 16 | byte[1:-1].astype(np.int32) << 8 | byte[2:]
        at = np.flatnonzero(self._begins[three[: len(content) - _START + 1]])
        keys = np.zeros(len(at), np.uint64)
        for offset in range(_START):
            keys = keys << np.uint64(8) | byte[at + offset]
        for place in at[np.isin(keys, self._starts)]:
            for needle in self._by_start.get(content[place : place + _START], ()):
                if content.startswith(needle, place):
                    yield needle


async def places(stack: Stack, said: Said | None = None) -> AsyncIterator[tuple[str, bytes]]:
    """Everything, place by place. The agencies' own inbound topics are theirs, and left out."""
    async for name, content in _documents(stack):
        yield name, content
    async for name, content in _records(stack):
        yield name, content
    for service in SERVICES:
        for of in ("metrics", "readyz"):
            yield f"{of} {service}", (await stack.http.get(f"{stack.url(service)}/{of}")).content
    for name, content in _processes(stack):
        yield name, content
    for name, content in _files(stack.system.backing.folder):
        yield name, content
    for name, content in said.answers if said else ():
        yield name, content


async def search(stack: Stack, planted: Iterable[Planted], said: Said | None = None) -> dict[str, set[str]]:
    """What was found, by the place."""
    sought, found = Sought(planted), dict[str, set[str]]()
    async for place, content in places(stack, said):
        if there := sought.found(place, content):
            found[place] = there
    return found


async def _documents(stack: Stack) -> AsyncIterator[tuple[str, bytes]]:
    client: AsyncIOMotorClient[Row] = AsyncIOMotorClient(stack.system.backing.mongo)
    try:
        # So that the files hold what the server has in memory.
        await client.admin.command("fsync")
        raw = bson.CodecOptions(document_class=RawBSONDocument)
        for database in await client.list_database_names():
            for collection in await client[database].list_collection_names():
                found = client[database].get_collection(collection, codec_options=raw).find({})
                async for document in found:
                    text = json_util.dumps(bson.decode(document.raw), ensure_ascii=False)
                    yield f"document {database}.{collection} {document.get('_id')}", bytes(document.raw) + text.encode()
    finally:
        client.close()


async def _records(stack: Stack) -> AsyncIterator[tuple[str, bytes]]:
    kafka = stack.system.backing.kafka
    for topic in await topic_names(kafka):
        if _is_ours(topic):
            async for record in read_all(kafka, topic):
                told = [record.key, record.value, *(part for name, text in record.headers for part in (name, text))]
                yield (
                    f"record {topic} {record.partition} {record.offset}",
                    b"\n".join(part if isinstance(part, bytes) else str(part).encode() for part in told),
                )


def _is_ours(topic: str) -> bool:
    return not topic.startswith(INBOUND) or topic.endswith(".dlq")


def _processes(stack: Stack) -> Iterator[tuple[str, bytes]]:
    for name, pids in stack.system.line()["pids"].items():
        for pid in pids:
            for what in ("cmdline", "environ"):
                yield f"process {name} {what}", Path(f"/proc/{pid}/{what}").read_bytes()


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below the data folder: log segments, the database's own files, logs, spans, keys."""
    for file in sorted(folder.rglob("*")):
        topic = file.parent.name.rpartition("-")[0]
        if file.is_file() and (_is_ours(topic) or file.relative_to(folder).parts[0] != "kafka"):
            for content in _written(file):
                yield f"file {file.relative_to(folder)}", content


def _written(file: Path) -> Iterator[bytes]:
    """What was written of a file: a broker reserves far more than it fills."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        # Let go of by its server meanwhile.
        return
    try:
        size, at = os.fstat(descriptor).st_size, 0
        while at < size:
            try:
                begins = os.lseek(descriptor, at, os.SEEK_DATA)
            except OSError:
                return
            at = os.lseek(descriptor, begins, os.SEEK_HOLE)
            yield os.pread(descriptor, at - begins, begins)
    finally:
        os.close(descriptor)
