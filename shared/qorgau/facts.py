"""What a fact is: one thing an agency says happened, as the heart sees it and as a line of a file or a CloudEvent.

Who may post which type, and with which data, is the owning service's `domain.py`; all names are in `vocabulary.py`.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from qorgau.instants import format_instant, parse_instant

WITHDRAWAL = "fact.withdrawn"
_PREFIX, _SUFFIX = "qorgau.", ".v1"


class NotAFact(ValueError):
    """The input cannot be read as a fact; the message says which field is wrong and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact; instants in microseconds UTC, `case` None for context facts; `known_at`: when it begins to count."""

    id: str
    source: str
    type: str
    time: int
    recorded: int
    case: str | None
    data: Mapping[str, Any]
    known_at: int = field(init=False)
    order: tuple[int, int, str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known_at = max(self.recorded, self.time)
        object.__setattr__(self, "known_at", known_at)
        object.__setattr__(self, "order", (self.time, known_at, self.source, self.id))

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two copies the same fact within a case."""
        return self.source, self.id


def precedence(fact: Fact) -> tuple[int, int, str, str, str]:
    """Of several copies of one fact the smallest counts (deadlines.md 1.3); texts are compared letter by letter."""
    text = json.dumps(fact.data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return fact.recorded, fact.time, fact.type, fact.case or "", text


def first_copy(one: Fact, other: Fact) -> Fact:
    """The copy that counts; the JSON text is compared only where the instants leave it open."""
    if one.recorded != other.recorded:
        return one if one.recorded < other.recorded else other
    return min(one, other, key=precedence)


def region_of(fact: Fact) -> str | None:
    """The region a fact names."""
    region = fact.data.get("region")
    return region if isinstance(region, str) else None


def event_type(fact_type: str) -> str:
    """`police.arrived` as the CloudEvents type `qorgau.police.arrived.v1`."""
    return f"{_PREFIX}{fact_type}{_SUFFIX}"


def fact_type(event_type: str) -> str:
    """The fact type inside a CloudEvents type; any other text is returned as it is."""
    if event_type.startswith(_PREFIX) and event_type.endswith(_SUFFIX) and len(event_type) > len(_PREFIX + _SUFFIX):
        return event_type[len(_PREFIX) : -len(_SUFFIX)]
    return event_type


def read_fact(line: bytes | str) -> Fact:
    """One line of a file: a fact in the file format or the same as a structured CloudEvent. Raises NotAFact."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise NotAFact("not a JSON object") from None
    return fact_from_json(value)


def fact_from_json(value: object) -> Fact:
    """A fact from parsed JSON of either form, whatever its type and data; raises NotAFact."""
    if not isinstance(value, dict):
        raise NotAFact("not a JSON object")
    is_event = "specversion" in value
    case = value.get("subject" if is_event else "case")
    recorded = value.get("recordedtime" if is_event else "recorded")
    time = _instant(value, "time")
    if case is not None and not isinstance(case, str):
        raise NotAFact("the case is not a text")
    return Fact(
        id=_text(value, "id"),
        source=_text(value, "source"),
        type=fact_type(_text(value, "type")),
        time=time,
        recorded=time if recorded is None else _instant(value, "recordedtime" if is_event else "recorded"),
        case=case,
        data=_data(value),
    )


def fact_to_json(fact: Fact) -> dict[str, Any]:
    """The file form of a fact (`id source type time recorded case data`), instants in UTC."""
    row: dict[str, Any] = {
        "id": fact.id,
        "source": fact.source,
        "type": fact.type,
        "time": format_instant(fact.time),
        "recorded": format_instant(fact.recorded),
    }
    if fact.case is not None:
        row["case"] = fact.case
    row["data"] = dict(fact.data)
    return row


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text:
        raise NotAFact(f"{name} is missing or not a text")
    return text


def _instant(value: Mapping[str, Any], name: str) -> int:
    try:
        return parse_instant(value.get(name))
    except ValueError as error:
        raise NotAFact(f"{name} is {error}") from None


def _data(value: Mapping[str, Any]) -> Mapping[str, Any]:
    data = value.get("data")
    if data is None and "data_base64" in value:
        try:
            data = orjson.loads(base64.b64decode(value["data_base64"], validate=True))
        except (TypeError, binascii.Error, ValueError):
            raise NotAFact("data_base64 is not JSON in base64") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise NotAFact("data is not an object")
    return data
