"""What nobody can read is told of, by place and hash and never by content, and what comes behind it is judged."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from qorgau.bus import Outgoing, Producer, partition_of, read_all
from qorgau.facts import Fact
from qorgau.front.envelope import Headers, to_kafka
from qorgau.instants import HOUR
from qorgau.telemetry import Metrics
from qorgau.vocabulary import POLICE, dlq, facts_topic
from tests.e2e.stack import Stack, eventually
from tests.faults.checks import check
from tests.faults.load import DISPATCH, REGION

SECRET = "Aigul-870112345"
CASE = "poison-good"
PARTITIONS = 12


def registered(case: str, at: int, number: int = 1) -> Fact:
    data = {"region": REGION, "priority": "immediate", "area": "urban"}
    return Fact(f"poison-{number}", DISPATCH, "police.incident_registered", at, at, case, data)


def elsewhere() -> str:
    """A case that belongs to another partition."""
    names = (f"poison-{number}" for number in range(100))
    return next(name for name in names if number_of(name) != number_of(CASE))


def number_of(case: str) -> int:
    return partition_of(case.encode(), PARTITIONS)


def poison(at: int) -> Iterator[tuple[bytes | None, Headers]]:
    """Values and headers of records that are no fact of the case on whose partition they lie."""
    _, value, good = to_kafka(registered(CASE, at, 9))
    yield b"\x00\xff\x13" + SECRET.encode(), []
    yield None, good
    yield SECRET.encode(), good
    yield b'{"region": "' + SECRET.encode(), good
    yield json.dumps([SECRET]).encode(), good
    yield json.dumps({"region": REGION, "note": SECRET * 10_000}).encode(), good
    yield value, [(name, text) for name, text in good if name != "ce_id"]
    yield value, _with(good, "ce_source", b"\xff\xfe" + SECRET.encode())
    yield value, _with(good, "ce_subject", f"{SECRET} {{$gt}}".encode())
    yield value, _with(good, "ce_time", SECRET.encode())
    yield value, _with(good, "ce_type", b"")
    yield value, [*good, ("ce_id", SECRET.encode())]
    yield value, _with(good, "ce_subject", elsewhere().encode())


def _with(headers: Headers, name: str, value: bytes) -> Headers:
    return [(known, value if known == name else text) for known, text in headers]


def logs_with(text: str, folder: Path) -> list[Path]:
    return [log for log in folder.glob("*.log") if text.encode() in log.read_bytes()]


async def test_poison_is_dead_lettered_and_its_partition_goes_on(stack: Stack) -> None:
    at = stack.now()
    stack.set_clock(at)
    topic = facts_topic(POLICE)
    await stack.post([registered(CASE, at)])
    bad = list(poison(at))
    producer = Producer(stack.system.backing.kafka, Metrics())
    offsets = await producer.publish([Outgoing(topic, CASE.encode(), value, headers) for value, headers in bad])
    await producer.stop()
    await stack.post([registered(CASE, at + 1, 2)])
    posted = {CASE: {(DISPATCH, "poison-1"), (DISPATCH, "poison-2")}, elsewhere(): set[tuple[str, str]]()}
    assert await check(stack, posted, at + HOUR) > 0

    async def all_told() -> None:
        letters = [record async for record in read_all(stack.system.backing.kafka, dlq(topic))]
        bodies = [json.loads(letter.value or b"") for letter in letters]
        found = {(body["topic"], body["partition"], body["offset"]): body for body in bodies}
        for (value, _), offset in zip(bad, offsets, strict=True):
            body = found.get((topic, number_of(CASE), offset))
            assert body is not None
            assert body["reason"]
            assert body["value_sha256"] == (None if value is None else hashlib.sha256(value).hexdigest())
        whole = b"".join(
            (letter.key or b"") + (letter.value or b"") + repr(letter.headers).encode() for letter in letters
        )
        assert SECRET.encode() not in whole

    await eventually(all_told)
    assert not [log.name for log in logs_with(SECRET, stack.system.backing.folder / "logs")]
