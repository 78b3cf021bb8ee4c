"""Local days, ISO weeks and months as statistics have them: when they are over, and when that is looked at. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from qorgau.calendar import Calendar
from qorgau.instants import HOUR

# A desk writes down in the night what it was told in the night; at six it is in, and the coordinator not yet at work.
SETTLING = 6 * HOUR
ONE_DAY = timedelta(days=1)

Period = Literal["day", "week"]
LENGTHS: dict[Period, timedelta] = {"day": ONE_DAY, "week": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Days:
    """The days of one zone."""

    calendar: Calendar
    zone: ZoneInfo

    def of(self, instant: int) -> date:
        """The local day of an instant."""
        return self.calendar.local_date(instant, self.zone)

    def begin(self, day: date) -> int:
        """The instant at which a day begins."""
        return self.calendar.day_end(day - ONE_DAY, self.zone)

    def ready(self, first: date, period: Period = "day") -> int:
        """When the day, or the week that begins with it, is looked at: SETTLING after it is over."""
        return self.calendar.day_end(first + LENGTHS[period] - ONE_DAY, self.zone) + SETTLING

    def newest(self, at: int, period: Period = "day") -> date:
        """The first day of the newest period that is ready at an instant."""
        day = self.of(at - SETTLING) - ONE_DAY
        return day if period == "day" else monday(day + ONE_DAY) - LENGTHS["week"]

    def last_ready(self, at: int) -> int:
        """The newest instant, not after `at`, at which a day was ready: when tables are published."""
        return self.ready(self.newest(at))


def monday(day: date) -> date:
    """The first day of the ISO week of a day."""
    return day - timedelta(days=day.weekday())


def month_of(text: str) -> date | None:
    """The first day of a month `YYYY-MM` that can be asked for, or None."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return first if 1900 <= first.year < 2199 else None


def next_month(first: date) -> date:
    """The first day of the month after one."""
    return (first + timedelta(days=31)).replace(day=1)
