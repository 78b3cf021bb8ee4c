"""Where the season plays: regions with their share of calls, their agencies' codes, local hours, and the emergency."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from qorgau.calendar import load_zone
from qorgau.instants import DAY, HOUR, from_datetime, to_datetime

Span = tuple[int, int]
_OPENS, _CLOSES = 9, 18
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A region: its share of the calls, how much of it is countryside, its courts and police units."""

    region: str
    zone: str
    calls: float
    rural: float = 0.45
    courts: int = 1
    units: int = 2

    def court(self, number: int) -> str:
        """The code of one of its courts, the same for the same number."""
        return f"{self.region}-{number % self.courts + 1:02d}"

    def unit(self, number: int) -> str:
        """The agency code of one of its police units."""
        return f"police-unit/{self.region}-{number % self.units + 1}"


# Shares of the calls follow the population. Abai, Zhetisu and Ulytau were made only in 2022.
PLACES = (
    Place("KZ-75", "Asia/Almaty", 15, rural=0.0, courts=2, units=4),
    Place("KZ-71", "Asia/Almaty", 11, rural=0.0, courts=2, units=3),
    Place("KZ-79", "Asia/Almaty", 8, rural=0.0, units=2),
    Place("KZ-61", "Asia/Almaty", 9, rural=0.7),
    Place("KZ-19", "Asia/Almaty", 9, rural=0.75),
    Place("KZ-35", "Asia/Almaty", 7, rural=0.2, units=3),
    Place("KZ-63", "Asia/Almaty", 6),
    Place("KZ-31", "Asia/Almaty", 5, rural=0.6),
    Place("KZ-15", "Asia/Aqtobe", 5, rural=0.3),
    Place("KZ-39", "Asia/Qostanay", 5),
    Place("KZ-43", "Asia/Qyzylorda", 4, rural=0.55),
    Place("KZ-55", "Asia/Almaty", 4, rural=0.3),
    Place("KZ-11", "Asia/Almaty", 3, rural=0.5),
    Place("KZ-47", "Asia/Aqtau", 3, rural=0.6),
    Place("KZ-23", "Asia/Atyrau", 3, rural=0.5),
    Place("KZ-27", "Asia/Oral", 3, rural=0.5),
    Place("KZ-59", "Asia/Almaty", 3, rural=0.55),
)


@dataclass(frozen=True, slots=True)
class World:
    """What is the same for all cases: the season, the lockdown in it, and who works less or falls silent when.

    Spans are [from, until) in microseconds. `silent`: agencies whose facts of that span all come at its end. `ends`: of
    a court that is limited, when it says so and until when, one after the other; without it the courts post themselves
    which of their hearings stand, with it that follows. `slower`: how much longer a call waits in the lockdown.
    """

    season: Span
    lockdown: Span
    limited_courts: Mapping[str, Span]
    silent: Mapping[str, Span]
    places: tuple[Place, ...] = PLACES
    ends: Mapping[str, tuple[Span, ...]] = field(default_factory=lambda: MappingProxyType({}))
    slower: float = 1.0

    def locked_down(self, at: int) -> bool:
        return self.lockdown[0] <= at < self.lockdown[1]

    def court_limited(self, court: str, at: int) -> bool:
        begins, ends = self.limited_courts.get(court, (0, 0))
        return begins <= at < ends

    def said_end(self, court: str, at: int) -> int:
        """Until when a limited court has said by an instant that it is."""
        return max((until for said, until in self.ends[court] if said <= at), default=self.ends[court][0][1])


def make_world(begins: int, length: int) -> World:
    """The world of a season: lockdown after a quarter of it, lifted shortly before its end."""
    lockdown = (begins + length // 4, begins + length - length // 10)
    limited = (lockdown[0] + HOUR, lockdown[0] + length * 3 // 8)
    silent = (begins + length // 2, begins + length // 2 + min(3 * DAY, length // 10))
    return World(
        season=(begins, begins + length),
        lockdown=lockdown,
        limited_courts=MappingProxyType({"KZ-71-01": limited, "KZ-75-02": limited, "KZ-35-01": limited}),
        silent=MappingProxyType({"police-unit/KZ-61-1": silent, "102/KZ-47": silent, "court/KZ-19-01": silent}),
    )


def in_daytime(place: Place, at: int, *, weekends: bool = False) -> int:
    """The instant itself if offices are open then, otherwise as many minutes after they open next as it has minutes."""
    zone = _zone(place)
    local = to_datetime(at).astimezone(zone)
    if local.hour >= _CLOSES:
        local = (local + timedelta(days=1)).replace(hour=_OPENS)
    elif local.hour < _OPENS:
        local = local.replace(hour=_OPENS)
    while not weekends and local.weekday() >= _SATURDAY:
        local = (local + timedelta(days=1)).replace(hour=_OPENS)
    return from_datetime(local)


def _zone(place: Place) -> ZoneInfo:
    return load_zone(place.zone)
