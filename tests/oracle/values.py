"""Instants, durations and JSON values as the oracle reads and prints them, inside as whole microseconds."""

import json
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
DAY = 86_400 * SECOND

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)")
DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,6})?)S)?)?")


def load_policy(path: str | Path) -> dict[str, Any]:
    """The policy file as plain dictionaries and lists."""
    loaded: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=100_000)
def _parsed(text: str) -> int | None:
    if not TIMESTAMP.fullmatch(text):
        return None
    try:
        return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND
    except ValueError:
        return None


def timestamp(value: object) -> int | None:
    """Microseconds since 1970, or None for anything that is no timestamp with an offset."""
    if isinstance(value, datetime):
        return (value - EPOCH) // MICROSECOND if value.tzinfo else None
    return _parsed(value) if isinstance(value, str) else None


def instant(value: object) -> int:
    """Microseconds since 1970; raises ValueError for anything else than a timestamp with an offset."""
    parsed = timestamp(value)
    if parsed is None:
        raise ValueError(f"no timestamp with an offset: {value!r}")
    return parsed


@lru_cache(maxsize=10_000)
def duration(text: str) -> int:
    """`PnDTnHnMnS` in microseconds."""
    found = DURATION.fullmatch(text)
    if not found or text.endswith(("P", "T")):
        raise ValueError(f"no duration: {text!r}")
    days, hours, minutes, seconds = (Fraction(part or 0) for part in found.groups())
    return int((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * SECOND)


def as_datetime(at: int) -> datetime:
    """The instant as a datetime in UTC."""
    return EPOCH + timedelta(microseconds=at)


def iso(at: int | None) -> str | None:
    """`2026-02-10T17:30:00Z`, with six digits after the point only where they are not all zero."""
    return None if at is None else as_datetime(at).isoformat().replace("+00:00", "Z")


def iso_duration(span: int | None) -> str | None:
    """`P51DT19H`, `PT0.000001S`, `PT0S`."""
    if span is None:
        return None
    seconds, micro = divmod(span, SECOND)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    fraction = f".{micro:06d}".rstrip("0") if micro else ""
    clock = (f"{hour}H" if hour else "") + (f"{minute}M" if minute else "")
    clock += f"{second}{fraction}S" if second or micro else ""
    date = f"{days}D" if days else ""
    return f"P{date}T{clock}" if clock else f"P{date}" if date else "PT0S"


def json_text(value: object) -> str:
    """JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def equal(one: object, other: object) -> bool:
    """JSON equality: true is not 1, 1 is 1.0, and what holds for a value holds inside lists and maps."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return bool(one == other)


def whole_number(value: object) -> bool:
    """A number of days: an integer, and a boolean is none."""
    return isinstance(value, int) and not isinstance(value, bool)
