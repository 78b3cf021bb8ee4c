"""What goes to Kafka and what comes from it, as values; and dead letters, which say where something was, never what."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import orjson
from aiokafka.partitioner import murmur2
from aiokafka.structs import ConsumerRecord

from qorgau import vocabulary
from qorgau.front.envelope import JSON, Headers

Place = tuple[str, int]
"""A partition: its topic and its number."""

TRACEPARENT = "traceparent"


class Traced(Protocol):
    """A record, or what was made of one."""

    @property
    def trace(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to be put into a topic; records of one key keep their order."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers

    @property
    def size(self) -> int:
        """Bytes, as far as we decide on them."""
        return _size(self.key, self.value, self.headers)


class Incoming(NamedTuple):
    """A record and where it was read; `size` in bytes. `trouble` says why nothing is known of what is in it.

    A tuple, because one is made for every record, and a frozen dataclass takes four times as long to make."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Headers
    value: bytes | None
    size: int
    trouble: str = ""

    @property
    def place(self) -> Place:
        """The partition it was read from."""
        return self.topic, self.partition

    @property
    def trace(self) -> str | None:
        """The trace it belongs to, if it says so."""
        for name, value in self.headers:
            if name == TRACEPARENT:
                return value.decode("ascii", "replace")
        return None


def incoming(record: ConsumerRecord) -> Incoming:
    """A record as aiokafka gives it."""
    headers = [(name, value or b"") for name, value in record.headers]
    size = _size(record.key, record.value, headers)
    return Incoming(record.topic, record.partition, record.offset, record.key, headers, record.value, size)


def partition_of(key: bytes, partitions: int) -> int:
    """The number of the partition a key belongs to, as Kafka's own clients decide it (murmur2, positive, modulo)."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


def traceparents(records: Iterable[Traced]) -> list[str]:
    """The traces a batch came from, each once, in order of appearance."""
    return list(dict.fromkeys(record.trace for record in records if record.trace is not None))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What is told of a record that cannot be read: its place, hashes, and a reason in our own words."""

    topic: str
    partition: int
    offset: int
    reason: str
    size: int
    value_sha256: str | None
    key_sha256: str | None

    def tells_of(self, record: Incoming) -> bool:
        """Whether this is still the record it was written about."""
        return (_sha256(record.value), _sha256(record.key)) == (self.value_sha256, self.key_sha256)


def dead_letter(record: Incoming, reason: str) -> Outgoing:
    """The dead letter of a record, as it is sent.

    Neither key nor headers are repeated: whoever wrote the record may have put a name there too.
    """
    hashes = _sha256(record.value), _sha256(record.key)
    letter = DeadLetter(record.topic, record.partition, record.offset, reason, record.size, *hashes)
    key = f"{record.partition}-{record.offset}".encode()
    return Outgoing(vocabulary.dlq(record.topic), key, orjson.dumps(letter), [("content-type", JSON.encode())])


def read_letter(record: Incoming) -> DeadLetter | None:
    """The dead letter a record of a `.dlq` topic holds; None where somebody has put something else there."""
    try:
        letter = DeadLetter(**orjson.loads(record.value or b""))
    except (orjson.JSONDecodeError, TypeError):
        return None
    placed = isinstance(letter.partition, int) and isinstance(letter.offset, int)
    return letter if placed and vocabulary.dlq(letter.topic) == record.topic else None


def _sha256(value: bytes | None) -> str | None:
    return None if value is None else hashlib.sha256(value).hexdigest()


def _size(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    size = len(key or b"") + len(value or b"")
    for name, text in headers:
        size += len(name) + len(text)
    return size
