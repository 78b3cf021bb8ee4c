"""Instants as integers (microseconds since 1970 in UTC) and their text forms; no clock is read here."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

MICROSECOND = 1
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_AS_WRITTEN = _EPOCH.replace(tzinfo=None)
_STEP = timedelta(microseconds=1)
# What the calendar and every later sum of terms can still express; a year outside it is a typing error, not a fact.
_EARLIEST, _LATEST = 1900, 2199

_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?([Zz]|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)",
    re.ASCII,
)
_DURATION = re.compile(
    r"P(?:(?P<days>\d{1,6})D)?(?:T(?=\d)(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,11})(?:\.(?P<fraction>\d{1,6}))?S)?)?",
    re.ASCII,
)


def parse_instant(text: object) -> int:
    """Read an ISO 8601 timestamp with an offset, at most microseconds, years 1900 to 2199.

    Raises ValueError (which repeats nothing of the input) for anything else.
    """
    if not isinstance(text, str) or not _TIMESTAMP.fullmatch(text):
        raise ValueError("not an ISO 8601 timestamp with an offset and at most microseconds")
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("a date that does not exist") from None
    if not _EARLIEST <= moment.year <= _LATEST:
        raise ValueError("a year outside 1900 to 2199")
    return (moment - _EPOCH) // _STEP


# The instants of a flag are written in its id, in its row and in the headers of its events.
@lru_cache(maxsize=4_096)
def format_instant(instant: int) -> str:
    """Write an instant in UTC with `Z`; microseconds only where there are any."""
    return (_EPOCH_AS_WRITTEN + timedelta(0, 0, instant)).isoformat() + "Z"


def to_datetime(instant: int) -> datetime:
    """The same instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def from_datetime(moment: datetime) -> int:
    """The instant of an aware datetime; raises TypeError for a naive one."""
    return (moment - _EPOCH) // _STEP


def parse_duration(text: object) -> int:
    """Read `PnDTnHnMnS` (days of 24 hours) in microseconds; raises ValueError. Months and years are refused."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        raise ValueError("not a duration of the form PnDTnHnMnS")
    part = {name: int(value or 0) for name, value in match.groupdict().items() if name != "fraction"}
    fraction = int((match["fraction"] or "").ljust(6, "0"))
    whole = part["days"] * DAY + part["hours"] * HOUR + part["minutes"] * MINUTE + part["seconds"] * SECOND
    return whole + fraction


def format_duration(length: int) -> str:
    """Write microseconds as an ISO 8601 duration, such as `P51DT19H`, `PT35M`, `PT0.000001S` or `PT0S`."""
    sign, length = ("-", -length) if length < 0 else ("", length)
    days, rest = divmod(length, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds, micros = divmod(rest, SECOND)
    second = f"{seconds}.{micros:06d}".rstrip("0") if micros else str(seconds)
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M")) if n) + (f"{second}S" if rest else "")
    if not days and not clock:
        return "PT0S"
    return f"{sign}P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
