"""CloudEvents 1.0 on the wire: HTTP (structured, binary, batch) and Kafka (binary, structured), read strictly.

What comes out of reading is plain JSON of one event; whether it is a fact that may be posted is for `door.py` to say.
"""

import binascii
import json
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from qorgau.errors import Malformed, UnsupportedMedia
from qorgau.facts import Fact, event_type
from qorgau.instants import format_instant

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
# An event is an object with an object in it; whatever is deeper is no event, and no recursion ever meets it.
MAX_DEPTH = 8
# An event has thirty values at most, so these are more than a full batch has; one object of ours has at most sixty-four
# names. What has more costs seconds to look at, and is nothing that anybody sends by mistake.
MAX_VALUES, MAX_NAMES = 50_000, 256

ATTRIBUTES = frozenset(
    (
        *("specversion", "id", "source", "type", "subject", "time", "recordedtime", "dataschema", "datacontenttype"),
        # Of the transport: read by others, never stored.
        *("traceparent", "tracestate", "partitionkey"),
    )
)
Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Posted:
    """What one request carries: JSON values that should be events, and whether they came as a batch."""

    events: tuple[object, ...]
    batch: bool


def read_json(body: bytes) -> Any:
    """Parse JSON; raises Malformed for what readers disagree about (NaN, lone surrogates, doubled names), and for what
    is nested deeper or has more values than anything of ours."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("Send well-formed JSON in UTF-8.") from None
    _check_extent(value)
    # The fast parser keeps the last of two equal names without a word; only now is the slow one safe to ask.
    json.loads(body, object_pairs_hook=_once)
    return value


def from_http(headers: Iterable[tuple[str, str]], body: bytes) -> Posted:
    """The events of a request, by its content type; raises Malformed or UnsupportedMedia."""
    named: dict[str, str] = {}
    for name, text in headers:
        lower = name.lower()
        if lower in named and (lower.startswith("ce-") or lower == "content-type"):
            raise Malformed("Send each CloudEvents header once.")
        named[lower] = text
    media = _media_type(named.get("content-type", ""))
    if media == BATCH:
        return Posted(_elements(read_json(body)), batch=True)
    if media == STRUCTURED:
        return Posted((_with_data(read_json(body)),), batch=False)
    if media not in ("", JSON):
        raise UnsupportedMedia(f"Send {STRUCTURED}, {BATCH}, or {JSON} with ce- headers.")
    attributes = {name[3:]: _percent_decoded(text) for name, text in named.items() if name.startswith("ce-")}
    if attributes:
        return Posted(({**attributes, "data": read_json(body)},), batch=False)
    value = read_json(body)
    if isinstance(value, list):
        return Posted(_elements(value), batch=True)
    return Posted((_with_data(value),), batch=False)


def from_kafka(headers: Iterable[tuple[str, bytes]], value: bytes | None) -> object:
    """The one event of a Kafka record, binary or structured; raises Malformed or UnsupportedMedia."""
    named: dict[str, str] = {}
    for name, raw in headers:
        if name in named:
            raise Malformed("Send each header once.")
        try:
            named[name] = raw.decode()
        except UnicodeDecodeError:
            raise Malformed("Send headers in UTF-8.") from None
    media = _media_type(named.get("content-type", ""))
    if media == STRUCTURED:
        return _with_data(read_json(value or b""))
    if media not in ("", JSON):
        raise UnsupportedMedia(f"Send {STRUCTURED} or {JSON} with ce_ headers.")
    attributes: dict[str, Any] = {name[3:]: text for name, text in named.items() if name.startswith("ce_")}
    return {**attributes, "data": read_json(value or b"")}


def to_kafka(fact: Fact) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers of a fact on its topic, in binary mode; instants in UTC."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", fact.id.encode()),
        ("ce_source", fact.source.encode()),
        ("ce_type", event_type(fact.type).encode()),
        ("ce_time", format_instant(fact.time).encode()),
        ("ce_recordedtime", format_instant(fact.recorded).encode()),
        ("content-type", JSON.encode()),
    ]
    if fact.case is not None:
        headers.append(("ce_subject", fact.case.encode()))
    return log_key(fact).encode(), orjson.dumps(dict(fact.data)), headers


def log_key(fact: Fact) -> str:
    """The key that decides the partition: the case, or the court or region of a fact without one."""
    return fact.case or str(fact.data.get("court") or fact.data.get("region") or fact.source)


def _media_type(text: str) -> str:
    media, _, parameters = text.partition(";")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if "charset=" in charset and "charset=utf-8" not in charset:
        raise UnsupportedMedia("Send UTF-8.")
    return media.strip().lower()


def _elements(value: object) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise Malformed("A batch is an array of events.")
    return tuple(_with_data(element) for element in value)


def _with_data(event: object) -> object:
    """The event with `data_base64` unpacked; one that cannot be unpacked keeps it, and is refused at the door."""
    if not isinstance(event, dict) or not isinstance(event.get("data_base64"), str) or "data" in event:
        return event
    try:
        data = read_json(b64decode(event["data_base64"], validate=True))
    except (binascii.Error, ValueError, Malformed):
        return event
    return {name: value for name, value in event.items() if name != "data_base64"} | {"data": data}


def _percent_decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise Malformed("Send header values in percent-encoded UTF-8.") from None


def _once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Malformed("Send each name of an object once.")
    return value


def _check_extent(value: object) -> None:
    """Level by level, so that neither depth nor number costs more than the bounds allow."""
    level, values, depth = [value], 1, 0
    while level:
        below: list[object] = []
        for one in level:
            if isinstance(one, dict):
                if len(one) > MAX_NAMES:
                    raise Malformed(f"Send objects with at most {MAX_NAMES} names.")
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
            else:
                continue
            if depth == MAX_DEPTH:
                raise Malformed(f"Send JSON that is nested at most {MAX_DEPTH} deep.")
        level, values, depth = below, values + len(below), depth + 1
        if values > MAX_VALUES:
            raise Malformed(f"Send at most {MAX_VALUES} values at once; cut a batch into smaller ones.")
