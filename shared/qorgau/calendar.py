"""Zones, local days and working days, from the `tzdata` and `holidays` packages and nothing of the machine."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from zoneinfo import ZoneInfo

import holidays

from qorgau.instants import from_datetime, to_datetime
from qorgau.rules import CalendarRules, Zones

_ONE_DAY = timedelta(days=1)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


@lru_cache(maxsize=64)
def load_zone(name: str) -> ZoneInfo:
    """An IANA zone from the `tzdata` package, so that every machine judges with the same data; raises ValueError."""
    resource = files("tzdata").joinpath("zoneinfo", *name.split("/"))
    if not _ZONE_NAME.fullmatch(name) or not resource.is_file():
        raise ValueError("not a zone of the IANA database")
    with resource.open("rb") as data:
        try:
            return ZoneInfo.from_file(data, key=name)
        except ValueError:
            raise ValueError("not a zone of the IANA database") from None


def data_version() -> str:
    """Which zone and holiday data this process judges with."""
    return f"tzdata {version('tzdata')}, holidays {version('holidays')}"


class Calendar:
    """Answers which zone, which local day and which working day; immutable once made, though it remembers answers."""

    def __init__(self, rules: CalendarRules, zones: Zones) -> None:
        self._zones = {region: load_zone(name) for region, name in zones.regions.items()}
        self._default = load_zone(zones.default)
        self._weekend = {_WEEKDAYS.index(day) for day in rules.weekend}
        self._days_off = set(rules.extra_days_off)
        self._working = set(rules.extra_working_days)
        self._holidays = holidays.country_holidays(rules.country)
        self.is_working_day: Callable[[date], bool] = lru_cache(maxsize=4096)(self._is_working_day)

    def zone(self, region: object) -> ZoneInfo:
        """The zone of a region code; the default for a missing or unknown one."""
        return self._zones.get(region, self._default) if isinstance(region, str) else self._default

    def local_date(self, instant: int, zone: ZoneInfo) -> date:
        """The local date of an instant."""
        return to_datetime(instant).astimezone(zone).date()

    def local_instant(self, day: date, at: time, zone: ZoneInfo) -> int:
        """The instant of a local time; of one that occurs twice, the first."""
        return from_datetime(datetime.combine(day, at, tzinfo=zone))

    def day_end(self, day: date, zone: ZoneInfo) -> int:
        """24:00 local of a date."""
        return self.local_instant(day + _ONE_DAY, time(), zone)

    def nth_working_day(self, day: date, count: int) -> date:
        """The count-th working day after a date, which is itself never counted."""
        while count:
            day += _ONE_DAY
            count -= self.is_working_day(day)
        return day

    def days_off_between(self, day: date, last: date) -> tuple[date, ...]:
        """The days after `day` and up to `last` that were not counted."""
        days = (day + timedelta(days=n) for n in range(1, (last - day).days + 1))
        return tuple(one for one in days if not self.is_working_day(one))

    def months_later(self, instant: int, count: int, zone: ZoneInfo) -> int:
        """The same local clock time `count` calendar months later; a day that month lacks becomes its last one."""
        local = to_datetime(instant).astimezone(zone)
        year, month = divmod(local.year * 12 + local.month - 1 + count, 12)
        first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
        day = min(local.day, (first_of_next - _ONE_DAY).day)
        return self.local_instant(date(year, month + 1, day), local.time(), zone)

    def _is_working_day(self, day: date) -> bool:
        if day in self._days_off:
            return False
        if day in self._working:
            return True
        if day in self._holidays:
            return False
        return day.weekday() not in self._weekend or day in self._holidays.weekend_workdays
