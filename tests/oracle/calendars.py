"""Local time of the oracle: zones of regions, day ends, months later and working days (deadlines.md 4.1, 4.3)."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from tests.oracle.values import EPOCH, MICROSECOND, as_datetime

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@lru_cache
def load_zone(name: str) -> ZoneInfo:
    """The zone from the tzdata package, so that the answer does not depend on the machine."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as stream:
        return ZoneInfo.from_file(stream, key=name)


def zone_of(data: dict[str, Any], policy: dict[str, Any]) -> ZoneInfo:
    """4.1: the zone of `region`, or the default where it is missing or unknown."""
    region = data.get("region")
    regions = policy["policy"]["zones"]["regions"]
    known = isinstance(region, str) and region in regions
    return load_zone(regions[region] if known else policy["policy"]["zones"]["default"])


def local(at: int, zone: ZoneInfo) -> datetime:
    """The wall clock at an instant."""
    return as_datetime(at).astimezone(zone)


def local_date(at: int, zone: ZoneInfo) -> date:
    """The date on the wall at an instant."""
    return local(at, zone).date()


def to_instant(day: date, clock: time, zone: ZoneInfo) -> int:
    """The instant of a local time; of one that occurs twice the first (4.1)."""
    wall = datetime.combine(day, clock.replace(fold=0), tzinfo=zone)
    return (wall.astimezone(UTC) - EPOCH) // MICROSECOND


def day_end(day: date, zone: ZoneInfo) -> int:
    """24:00 local."""
    return to_instant(day + timedelta(days=1), time(0), zone)


def months_later(at: int, months: int, zone: ZoneInfo) -> int:
    """The same local clock time that many calendar months later; a day the month lacks becomes its last day."""
    wall = local(at, zone)
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return to_instant(date(year, month + 1, min(wall.day, last)), wall.time(), zone)


@lru_cache
def _public(country: str, year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Days off and moved working days; the years around, because a day may be moved across New Year."""
    table = holidays.country_holidays(country, years=range(year - 1, year + 2))
    return frozenset(table), frozenset(table.weekend_workdays)


def _listed(day: date, dates: list[Any]) -> bool:
    return any(str(entry) == day.isoformat() for entry in dates)


def is_working_day(day: date, calendar: dict[str, Any]) -> bool:
    """4.3: the policy's own lists first, then moved working days, weekend and holidays."""
    if _listed(day, calendar.get("extra_days_off") or []):
        return False
    if _listed(day, calendar.get("extra_working_days") or []):
        return True
    off, moved_working = _public(calendar["country"], day.year)
    if day in moved_working:
        return True
    return WEEKDAYS[day.weekday()] not in calendar["weekend"] and day not in off


def nth_working_day(day: date, count: int, calendar: dict[str, Any]) -> date:
    """The count-th working day after the day."""
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day, calendar)
    return day
