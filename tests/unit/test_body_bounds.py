"""What a body may be at most: refused before anything recursive or slow looks at it."""

import json
import time
from typing import Any

import pytest

from qorgau.errors import Malformed
from qorgau.front.envelope import MAX_DEPTH, MAX_NAMES, MAX_VALUES, from_http, from_kafka, read_json

DEEP = 100_000
TOO_MUCH: dict[str, bytes] = {
    "a hundred thousand arrays in each other": b"[" * DEEP + b"]" * DEEP,
    "a hundred thousand objects in each other": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "never closed": b"[" * DEEP,
    "deeper than the parser of C goes along with": b"[" * 900 + b"]" * 900,
    "one level too deep": b"[" * (MAX_DEPTH + 1) + b"1" + b"]" * (MAX_DEPTH + 1),
    "names without end": json.dumps({f"k{n}": 0 for n in range(60_000)}).encode(),
    "one name too many": json.dumps({f"k{n}": 0 for n in range(MAX_NAMES + 1)}).encode(),
    "numbers without end": b"[" + b"1," * 400_000 + b"1]",
    "objects without end": b"[" + b"{}," * 300_000 + b"1]",
    "one value too many": b"[" + b"1," * (MAX_VALUES - 1) + b"1]",
    "a name twice": b'{"a": 1, "a": 2}',
    "a name twice, far inside": b'{"a": [{"b": {"c": 1, "c": 1}}]}',
    "a name twice, spelled otherwise": b'{"a": 1, "\\u0061": 2}',
}


@pytest.mark.parametrize("body", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_deep_too_long_or_said_twice_is_refused_at_once(body: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(Malformed):
        read_json(body)
    # The slow parser alone takes longer for most of these; a machine that is busy does not count here.
    assert time.process_time() - begun < 0.5


def test_what_is_just_within_the_bounds_is_read() -> None:
    nested: Any = 1
    for _ in range(MAX_DEPTH):
        nested = [nested]
    for value in (nested, {f"k{n}": 0 for n in range(MAX_NAMES)}, [0] * (MAX_VALUES - 1)):
        assert read_json(json.dumps(value).encode()) == value


def test_a_full_batch_of_the_largest_events_is_within_them() -> None:
    event = {f"attribute-{n}": "x" for n in range(10)} | {"data": {f"field-{n}": "x" for n in range(20)}}
    assert (
        len(
            from_http(
                [("content-type", "application/cloudevents-batch+json")], json.dumps([event] * 1_000).encode()
            ).events
        )
        == 1_000
    )


def test_what_comes_by_kafka_has_the_same_bounds() -> None:
    with pytest.raises(Malformed):
        from_kafka([], TOO_MUCH["a hundred thousand objects in each other"])
