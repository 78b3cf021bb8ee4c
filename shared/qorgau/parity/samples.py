"""Which facts tell how long a call or a docket item took, and in which cell it is compared. Pure.

What is kept of a fact are codes and instants.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from qorgau.calendar import Calendar
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.instants import DAY, MINUTE, parse_instant, to_datetime

CALL, ITEM = "police.call_recorded", "court.docket_item_decided"
Category: TypeAlias = Literal["domestic_violence", "emergency_regime"]
DOMESTIC: Category = "domestic_violence"
REGIME: Category = "emergency_regime"
CATEGORIES: Mapping[str, Category] = {DOMESTIC: DOMESTIC, REGIME: REGIME}

Band: TypeAlias = Literal["night", "morning", "day", "evening"]
BANDS: tuple[Band, ...] = ("night", "morning", "day", "evening")
"""Each is six hours of local time: from 00:00, 06:00, 12:00 and 18:00 on."""
_LENGTH = DAY // len(BANDS)
_QUARTER = 15 * MINUTE
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Sample:
    """How long one call or docket item took, in microseconds; None where nobody has come.

    `unit` is an agency code. A docket item has neither grade nor area: both are empty.
    """

    region: str
    unit: str
    grade: str
    area: str
    category: Category
    registered: int
    delay: int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A sample under the name of its fact, and when that was known."""

    id: str
    sample: Sample
    known: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """That a fact counts as never posted, from when on."""

    id: str
    known: int


class Cell(NamedTuple):
    """What is compared with each other: calls to one unit, of one grade, in one kind of area and one band of hours."""

    region: str
    unit: str
    grade: str
    area: str
    band: Band


def kept(fact: Fact) -> Kept | Withdrawn | None:
    """What is kept of a fact, or that it withdraws another one; None if it is neither.

    Left out are other categories, and what was over before it was registered: that is a slip of the pen and no delay.
    """
    if fact.case is not None:
        return None
    if fact.type == WITHDRAWAL:
        withdrawn = fact.data.get("fact_id")
        return Withdrawn(_name(fact, withdrawn), fact.known_at) if isinstance(withdrawn, str) else None
    sample = _sample(fact)
    return Kept(_name(fact, fact.id), sample, fact.known_at) if sample is not None else None


def band(instant: int, region: str, calendar: Calendar) -> Band:
    """The band of an instant in the local time of a region, as its zone was then."""
    since = instant // _QUARTER * _QUARTER
    return BANDS[(instant + _offset(calendar.zone(region), since)) % DAY // _LENGTH]


# Of the quarters of an hour of 90 days in all zones of the country each is worked out once.
@lru_cache(maxsize=65_536)
def _offset(zone: ZoneInfo, quarter: int) -> int:
    """How far a zone's clocks are ahead of UTC; since 1970 they have only been changed at whole quarters of an hour."""
    return (to_datetime(quarter).astimezone(zone).utcoffset() or timedelta()) // _MICROSECOND


def cell_of(sample: Sample, calendar: Calendar) -> Cell:
    """Where a sample is compared, by the local time of its registration."""
    at = band(sample.registered, sample.region, calendar)
    return Cell(sample.region, sample.unit, sample.grade, sample.area, at)


def _sample(fact: Fact) -> Sample | None:
    data = fact.data
    category = CATEGORIES.get(_text(data, "category"))
    region = _text(data, "region")
    registered = _instant(data, "registered_at")
    if category is None or registered is None or not region:
        return None
    if fact.type == CALL:
        arrived, unit = _instant(data, "arrived_at"), fact.source
        grade, area = _text(data, "priority"), _text(data, "area")
        known = bool(grade and area) and ("arrived_at" not in data or arrived is not None)
    elif fact.type == ITEM:
        arrived, unit = fact.time, f"court/{_text(data, 'court')}"
        grade = area = ""
        known = unit != "court/"
    else:
        return None
    if not known or (arrived is not None and arrived < registered):
        return None
    delay = None if arrived is None else arrived - registered
    return Sample(region, unit, grade, area, category, registered, delay)


def _name(fact: Fact, id: str) -> str:
    return f"{fact.source} {id}"


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _instant(data: Mapping[str, Any], name: str) -> int | None:
    try:
        return parse_instant(data.get(name))
    except ValueError:
        return None
