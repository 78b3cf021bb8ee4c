"""Months as figures have them: which one an instant is in, which are over, and which lie between two. Pure."""

from collections.abc import Iterable
from datetime import date, timedelta

from qorgau.calendar import Calendar

# A year of months is a table for each; whoever wants more asks again.
MOST_MONTHS = 12
MONTH = r"^(19|2[01])\d\d-(0[1-9]|1[0-2])$"


def months_between(since: str, until: str) -> list[str]:
    """Every month from one to another, `YYYY-MM`, at most MOST_MONTHS of them; none if the second is before."""
    found, at = list[str](), date.fromisoformat(f"{since}-01")
    while f"{at:%Y-%m}" <= until and len(found) < MOST_MONTHS:
        found.append(f"{at:%Y-%m}")
        at = _next(at)
    return found


def is_over(month: str, regions: Iterable[str], calendar: Calendar, now: int) -> bool:
    """Whether all regions have had the last day of a month."""
    last = _next(date.fromisoformat(f"{month}-01")) - timedelta(days=1)
    return all(calendar.day_end(last, calendar.zone(region)) <= now for region in regions)


def _next(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
