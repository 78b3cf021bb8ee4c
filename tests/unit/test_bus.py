"""The parts of the bus that need no broker: partitions, dead letters, facts and references as they are sent."""

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from qorgau.bus import (
    FactsLog,
    Incoming,
    Outgoing,
    Producer,
    References,
    dead_letter,
    partition_of,
    read_letter,
    traceparents,
)
from qorgau.cli import main
from qorgau.facts import Fact
from qorgau.front import envelope

ROOT = Path(__file__).parents[2]
FACT = Fact("f1", "102/KZ-75", "police.arrived", 1_000_000, 2_000_000, "0197-case", {"response": "incident"})
POISON = Incoming("qorgau.inbound.102", 3, 41, b"Aigerim", [("ce_id", b"Serikovna")], b"born 1990", 40)


class Recorded:
    """Stands for the producer and remembers what it was given."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []

    async def publish(self, records: Sequence[Outgoing]) -> list[int]:
        self.records += records
        return [7] * len(records)


@pytest.mark.parametrize(
    ("key", "hashed"),
    # From the tests of Kafka's own client (org.apache.kafka.common.utils.UtilsTest).
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_a_key_has_the_partition_that_kafkas_own_client_gives_it(key: bytes, hashed: int) -> None:
    assert [partition_of(key, count) for count in (1, 2, 12, 48)] == [
        (hashed & 0x7FFFFFFF) % count for count in (1, 2, 12, 48)
    ]


def test_a_dead_letter_tells_where_and_why_and_nothing_of_what_stood_there() -> None:
    letter = dead_letter(POISON, "the id is missing")
    assert letter.topic == "qorgau.inbound.102.dlq"
    told = orjson.loads(letter.value or b"")
    assert {name: told[name] for name in ("topic", "partition", "offset", "reason", "size")} == {
        "topic": "qorgau.inbound.102",
        "partition": 3,
        "offset": 41,
        "reason": "the id is missing",
        "size": 40,
    }
    everything = repr(letter)
    for secret in ("Aigerim", "Serikovna", "born", "1990", "ce_id"):
        assert secret not in everything


def test_a_dead_letter_knows_its_record_from_another_in_the_same_place() -> None:
    letter = read_letter(_as_read(dead_letter(POISON, "reason")))
    assert letter is not None
    assert letter.tells_of(POISON)
    assert not letter.tells_of(Incoming(POISON.topic, 3, 41, POISON.key, [], b"born 1991", 40))
    nothing = Incoming("topic", 0, 0, None, [], None, 0)
    empty = read_letter(_as_read(dead_letter(nothing, "reason")))
    assert empty is not None
    assert empty.tells_of(nothing)
    assert not empty.tells_of(Incoming("topic", 0, 0, b"", [], b"", 0))


@pytest.mark.parametrize(
    "value",
    [
        *(None, b"", b"{", b"[]", b"1", b'{"topic": "t"}', b'{"other": 1}'),
        # Of another topic, or of no place.
        (dead_letter(POISON, "reason").value or b"").replace(b".102", b".112"),
        (dead_letter(POISON, "reason").value or b"").replace(b"41", b'"41"'),
    ],
)
def test_what_is_no_dead_letter_is_read_as_none(value: bytes | None) -> None:
    assert read_letter(Incoming("qorgau.inbound.102.dlq", 0, 0, None, [], value, 0)) is None


async def test_facts_go_to_the_topic_of_their_service_as_they_can_be_read_again() -> None:
    producer = Recorded()
    await FactsLog(cast(Producer, producer), "police-dispatch").append([FACT])
    (record,) = producer.records
    assert (record.topic, record.key) == ("qorgau.police.facts", b"0197-case")
    event = cast(dict[str, Any], envelope.from_kafka(record.headers, record.value))
    assert (event["id"], event["subject"], event["data"]) == ("f1", "0197-case", {"response": "incident"})


async def test_a_reference_is_announced_under_its_digest_and_its_place_returned() -> None:
    producer = Recorded()
    assert await References(cast(Producer, producer)).announce("0f" * 32, b'{"case": "c"}') == 7
    (record,) = producer.records
    assert (record.topic, record.key, record.value) == ("qorgau.references", b"0f" * 32, b'{"case": "c"}')


def test_the_traces_of_a_batch_are_named_once_each() -> None:
    traced = [Incoming("topic", 0, n, None, [("traceparent", trace)], None, 0) for n, trace in enumerate((b"b", b"a"))]
    assert traceparents([*traced, Incoming("topic", 0, 2, None, [("ce_id", b"c")], None, 0), *traced]) == ["b", "a"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["replay", "--kafka", "127.0.0.1:1"],
        ["replay", "--topic", "t", "--kafka", "127.0.0.1:1"],
        ["replay", "--topic", "t", "--all", "--offset", "1", "--kafka", "127.0.0.1:1"],
        ["replay", "--topic", "t", "--all", "--kafka", "127.0.0.1:1"],
        ["list", "--kafka", "127.0.0.1:1"],
    ],
)
def test_dead_letters_of_nowhere_are_bad_use(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QORGAU_KAFKA", "QORGAU_MONGO"):
        monkeypatch.delenv(name, raising=False)
    assert main(["dlq", *arguments]) == 2


def test_only_the_bus_imports_the_kafka_client() -> None:
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "services").rglob("*.py")]:
        if path.parent != ROOT / "shared/qorgau/bus":
            assert "aiokafka" not in _imported(path), path


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


def _as_read(record: Outgoing) -> Incoming:
    return Incoming(record.topic, 0, 0, record.key, record.headers, record.value, 0)
