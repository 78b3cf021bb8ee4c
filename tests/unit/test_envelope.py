"""How events are read from HTTP and from Kafka, and what readers of JSON disagree about."""

import json
from typing import Any

import pytest

from qorgau.errors import Malformed, UnsupportedMedia
from qorgau.facts import Fact
from qorgau.front.envelope import from_http, from_kafka, log_key, read_json
from qorgau.instants import parse_instant

NOW = parse_instant("2026-04-14T19:20:00+05:00")
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "f04",
    "source": "102/KZ-75",
    "type": "qorgau.police.arrived.v1",
    "subject": "case-1",
    "time": "2026-04-14T19:15:00+05:00",
    "data": {"region": "KZ-75", "response": "incident", "injury": False, "sexual": False},
}

MALFORMED = {
    "empty": b"",
    "cut off": b'{"specversion": "1.0"',
    "NaN": b'{"data": NaN}',
    "infinity": b'{"data": 1e999}',
    "lone surrogate": b'{"id": "\\ud800"}',
    "not UTF-8": b'{"id": "\xff"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "doubled name": b'{"id": "a", "id": "b"}',
    "doubled name inside": b'{"data": {"region": "KZ-75", "region": "KZ-71"}}',
    "depth 9": b"[" * 9 + b"]" * 9,
    "depth 1,000": b"[" * 1000 + b"]" * 1000,
    "depth 1,000 of objects": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "depth 100,000": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_readers_of_json_disagree_about_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        read_json(body)
    assert caught.value.status == 400
    with pytest.raises(Malformed):
        from_http([("content-type", "application/cloudevents+json")], body)
    with pytest.raises(Malformed):
        from_kafka([("content-type", b"application/cloudevents+json")], body)


def test_structured_binary_and_batch_are_the_same_event() -> None:
    structured = json.dumps(EVENT).encode()
    attributes = [(f"ce-{name}", value) for name, value in EVENT.items() if name != "data"]
    body = json.dumps(EVENT["data"]).encode()
    for media in ("application/cloudevents+json", "application/cloudevents+json; charset=UTF-8", "application/json"):
        assert from_http([("Content-Type", media)], structured).events == (EVENT,)
    assert from_http([("Content-Type", "application/json"), *attributes], body).events == (EVENT,)
    assert from_http(attributes, body).events == (EVENT,)
    batch = from_http([("Content-Type", "application/cloudevents-batch+json")], b"[" + structured + b", 7]")
    assert (batch.batch, batch.events) == (True, (EVENT, 7))


def test_data_in_base64_is_unpacked() -> None:
    packed = {**EVENT, "data_base64": "eyJyZWdpb24iOiAiS1otNzUifQ=="}
    del packed["data"]
    read = from_http([("content-type", "application/cloudevents+json")], json.dumps(packed).encode())
    assert read.events == ({**EVENT, "data": {"region": "KZ-75"}},)


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/json; charset=latin-1"])
def test_another_content_type_is_unsupported(media: str) -> None:
    with pytest.raises(UnsupportedMedia):
        from_http([("content-type", media)], b"{}")
    with pytest.raises(UnsupportedMedia):
        from_kafka([("content-type", media.encode())], b"{}")


def test_a_header_given_twice_is_malformed() -> None:
    with pytest.raises(Malformed):
        from_http([("ce-id", "a"), ("CE-ID", "b")], b"{}")
    with pytest.raises(Malformed):
        from_kafka([("ce_id", b"a"), ("ce_id", b"b")], b"{}")


def test_header_values_are_percent_decoded_and_bad_utf8_is_malformed() -> None:
    assert from_http([("ce-source", "102%2FKZ-75")], b"{}").events == ({"source": "102/KZ-75", "data": {}},)
    with pytest.raises(Malformed):
        from_http([("ce-source", "%ff")], b"{}")
    with pytest.raises(Malformed):
        from_kafka([("ce_source", b"\xff")], b"{}")


def test_a_fact_without_a_case_is_keyed_by_court_or_region() -> None:
    item = {"region": "KZ-71", "court": "KZ-71-01", "category": "other", "registered_at": "2026-04-14T10:00:00Z"}
    fact = Fact("d1", "court/KZ-71-01", "court.docket_item_decided", NOW, NOW, None, item)
    assert log_key(fact) == "KZ-71-01"
    assert log_key(Fact("e1", "coordinator", "emergency.regime_lifted", NOW, NOW, None, {"region": "KZ-71"})) == "KZ-71"
