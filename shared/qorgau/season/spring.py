"""The spring of 2020 made up for a whole country: courts that stop, quarantine, shelters that close, and every case.

It is the season of this package made larger. Nobody in it exists. What is real are the days: the emergency and the stop
of the courts from 16 March to 11 May, its first two ends put off, and a quarter more reports than usual meanwhile.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from random import Random
from types import MappingProxyType

from qorgau.calendar import load_zone
from qorgau.facts import Fact
from qorgau.hearings.deriving import said_in_time
from qorgau.hearings.limits import LIMITED, RESTORED
from qorgau.instants import DAY, HOUR, from_datetime, parse_instant
from qorgau.record import CaseRecord, learn
from qorgau.season.calls import Call, Planned, service_of, time_of_day, write
from qorgau.season.places import PLACES, Place, World
from qorgau.season.quirks import as_recorded
from qorgau.season.story import Dice
from qorgau.season.surroundings import Amounts, surroundings
from qorgau.vocabulary import COURT

__all__ = ["BEGINS", "CASES", "ENDS", "LEFT_OPEN", "SEED", "SPRING_PLACES", "spring"]

BEGINS, ENDS = parse_instant("2020-03-01T00:00:00+06:00"), parse_instant("2020-06-01T00:00:00+06:00")
SEED, CASES = 2020, 100_000
_STOP, _FIRST_END, _SECOND_END, _RESTORED = date(2020, 3, 16), date(2020, 4, 15), date(2020, 5, 1), date(2020, 5, 11)
# Reports in the lockdown against those of the weeks before; a tenth more or less from day to day is chance.
_RISE, _FROM_DAY_TO_DAY = 1.25, 0.1
_SLOWER = 1.3
_AMOUNTS = Amounts(courts=99, quarantine_cases=4.0, reporting=99, other_calls=30)
# The three regions that were made in 2022 as well, so that all of today's are there.
SPRING_PLACES = (
    *PLACES,
    Place("KZ-10", "Asia/Almaty", 3),
    Place("KZ-33", "Asia/Almaty", 3, rural=0.55),
    Place("KZ-62", "Asia/Almaty", 1, rural=0.2),
)
# In these regions the courts stop until further notice; in the others an end is said, and put off twice.
LEFT_OPEN = frozenset(place.region for place in SPRING_PLACES[1::4])


def spring(cases: int = CASES, seed: int = SEED) -> Iterator[Planned]:
    """The facts of a spring with exactly so many cases: first what belongs to none, then case after case in the order
    of the calls, so that only one case is in memory; what would be learned after `ENDS` is left out.

    Beside what is posted there is what court-tracker says itself of each hearing that stands because its court stopped.
    """
    dice, world = Dice(Random(f"spring {seed} {cases}")), _world()
    around = list(as_recorded(surroundings(dice, world, _AMOUNTS), dice, world))
    yield from (Planned(fact, service_of(of)) for fact, of in around if fact.recorded < ENDS)
    stops = _stops([fact for fact, _ in around])
    pairs: dict[str, list[str]] = {}
    for number, call in enumerate(_calls(dice, world, cases)):
        told = [one for one in write(number, call, pairs, dice, world) if one[0].recorded < ENDS]
        yield from (Planned(fact, service_of(of)) for fact, of in told)
        yield from (Planned(fact, COURT) for fact in _said([fact for fact, _ in told], stops[call.place.region]))


def _calls(dice: Dice, world: World, cases: int) -> Iterator[Call]:
    """So many calls, day by day."""
    shares, days = [place.calls for place in SPRING_PLACES], range(BEGINS, ENDS, DAY)
    chance = [dice.random.uniform(1 - _FROM_DAY_TO_DAY, 1 + _FROM_DAY_TO_DAY) for _ in days]
    weights = [one * (_RISE if world.locked_down(day) else 1.0) for one, day in zip(chance, days, strict=True)]
    so_far, called = 0.0, 0
    for day, weight in zip(days, weights, strict=True):
        so_far += weight
        by_then = cases if day == days[-1] else int(so_far / sum(weights) * cases)
        for at in sorted(day + time_of_day(dice) for _ in range(by_then - called)):
            yield Call(at, dice.random.choices(SPRING_PLACES, shares)[0])
        called = by_then


def _said(told: Sequence[Fact], stops: Sequence[Fact]) -> list[Fact]:
    case = told[0].case if told else None
    return [] if case is None else said_in_time(case, learn(CaseRecord(case), told).facts, stops)


def _stops(facts: Sequence[Fact]) -> dict[str, list[Fact]]:
    """What limits and restores the courts of each region: the copies that count."""
    posted = [fact for fact in facts if fact.type in (LIMITED, RESTORED) and fact.recorded < ENDS]
    counting = learn(CaseRecord(""), posted).facts
    return {place.region: [one for one in counting if one.data["region"] == place.region] for place in SPRING_PLACES}


def _world() -> World:
    limited: dict[str, tuple[int, int]] = {}
    ends: dict[str, tuple[tuple[int, int], ...]] = {}
    for place in SPRING_PLACES:
        stop, first, second, restored = (_midnight(place, day) for day in (_STOP, _FIRST_END, _SECOND_END, _RESTORED))
        put_off = ((stop - 9 * HOUR, first), (first - 38 * HOUR, second), (second - 30 * HOUR, restored))
        for court in {place.court(one) for one in range(place.courts)}:
            limited[court] = (stop, restored)
            ends[court] = ((stop - 9 * HOUR, restored),) if place.region in LEFT_OPEN else put_off
    quiet = (parse_instant("2020-04-10T00:00:00+06:00"), parse_instant("2020-04-13T00:00:00+06:00"))
    return World(
        season=(BEGINS, ENDS),
        lockdown=(_midnight(PLACES[0], _STOP), _midnight(PLACES[0], _RESTORED)),
        limited_courts=MappingProxyType(limited),
        silent=MappingProxyType({"police-unit/KZ-61-1": quiet, "102/KZ-47": quiet, "court/KZ-19-01": quiet}),
        places=SPRING_PLACES,
        ends=MappingProxyType(ends),
        slower=_SLOWER,
    )


def _midnight(place: Place, day: date) -> int:
    return from_datetime(datetime.combine(day, time(0), tzinfo=load_zone(place.zone)))
