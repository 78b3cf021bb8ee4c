"""A record of a facts topic as a fact: what our own doors wrote is read fast, everything else is a dead letter.

Types and fields that this program does not know are read like all others and kept. Pure.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from qorgau.errors import DeadLettered
from qorgau.facts import Fact, fact_type
from qorgau.front.envelope import Headers
from qorgau.front.posted import FACT_ID, REFERENCE
from qorgau.instants import parse_instant

_CASE, _ID = re.compile(REFERENCE[1:-1]), re.compile(FACT_ID[1:-1])
# The longest a source can be is far below; what is longer is no agency code and would only fill the store.
_LONGEST = 128
# No type of fact has a quarter of it; and a case with as many facts as it can hold must fit into one document.
_LARGEST = 4_096
NAMES = ("ce_id", "ce_source", "ce_type", "ce_time", "ce_recordedtime", "ce_subject")


def read_logged(headers: Headers, value: bytes | None) -> Fact:
    """The fact of a record in binary mode; raises DeadLettered with the reason, which repeats nothing of it."""
    named = _named(headers)
    if len(value or b"") > _LARGEST:
        raise DeadLettered("data is too large for a fact")
    try:
        data = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        raise DeadLettered("data is not JSON") from None
    if not isinstance(data, dict):
        raise DeadLettered("data is not an object")
    case = named.get("ce_subject")
    if case is not None and not _CASE.fullmatch(case):
        raise DeadLettered("the subject is not a case")
    if not _ID.fullmatch(named.get("ce_id", "")):
        raise DeadLettered("the id is missing or malformed")
    time = _instant(named, "ce_time")
    return Fact(
        id=named["ce_id"],
        source=_text(named, "ce_source"),
        type=fact_type(_text(named, "ce_type")),
        time=time,
        recorded=_instant(named, "ce_recordedtime") if "ce_recordedtime" in named else time,
        case=case,
        data=data,
    )


def receiver(key: bytes | None) -> str:
    """The case that a copy is for; raises DeadLettered."""
    case = (key or b"").decode("ascii", "replace")
    if not _CASE.fullmatch(case):
        raise DeadLettered("the key is not a case")
    return case


def _named(headers: Headers) -> Mapping[str, str]:
    named: dict[str, Any] = {}
    try:
        for name, raw in headers:
            if name in NAMES:
                if name in named:
                    raise DeadLettered("a header stands twice")
                named[name] = raw.decode()
    except UnicodeDecodeError:
        raise DeadLettered("a header is not UTF-8") from None
    return named


def _text(named: Mapping[str, str], name: str) -> str:
    text = named.get(name, "")
    if not 0 < len(text) <= _LONGEST:
        raise DeadLettered(f"{name} is missing or too long")
    return text


def _instant(named: Mapping[str, str], name: str) -> int:
    try:
        return parse_instant(named.get(name))
    except ValueError as error:
        raise DeadLettered(f"{name} is {error}") from None
