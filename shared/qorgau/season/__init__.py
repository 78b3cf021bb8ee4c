"""A season of calls, made up: weeks in the life of all agencies, calibrated to real ones, the same for the same seed.

Nobody in it exists. The spans from call to arrival, their oddities and the rise in lockdown are measured on real,
anonymous calls for service and helpline figures; the way from police to court is written on top of them.
"""

import heapq
from collections.abc import Iterator
from itertools import count
from random import Random

from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, parse_instant
from qorgau.season.calls import Call, Planned, service_of, time_of_day, write
from qorgau.season.places import PLACES, World, make_world
from qorgau.season.quirks import as_recorded
from qorgau.season.story import Dice
from qorgau.season.surroundings import surroundings

__all__ = ["BEGINS", "CALLS_A_DAY", "SEED", "WEEKS", "Planned", "season"]

# The first spring of the pandemic, from a Sunday on: an emergency is declared two weeks later.
BEGINS = parse_instant("2020-03-01T00:00:00+06:00")
SEED, WEEKS, CALLS_A_DAY = 2020, 8, 9.0
# Helpline calls of 20 March to 31 May 2020 against those of the weeks before.
LOCKDOWN_RISE = 1.3

# For some days of the lockdown the number of a helpline is shown on television: in the largest city so many more call
# it a day, as a share of all calls a day. A shorter season would not know what was usual before.
_SHOWN_FOR, _SHOWN_AFTER, _SHOWN_FROM_WEEKS = 4, 14 * DAY, 5
_SHOWN_CHANNEL, _SHOWN_SHARE = "150", 0.9


def season(
    seed: int = SEED, begins: int = BEGINS, weeks: int = WEEKS, calls_a_day: float = CALLS_A_DAY
) -> Iterator[Planned]:
    """The facts of `weeks` weeks from `begins` (microseconds, midnight of a day) on, in the order of `at`.

    `calls_a_day` is the mean before the lockdown. Every case goes on to court and closing; what would be learned
    after the end is left out. Ids depend on the seed and on `begins`, so other seasons are other cases.
    """
    dice = Dice(Random(f"{seed} {begins} {weeks} {calls_a_day}"))
    world = make_world(begins, weeks * 7 * DAY)
    number = count()
    coming = [(fact.recorded, next(number), Planned(fact, service_of(of))) for fact, of in _around(dice, world)]
    heapq.heapify(coming)
    pairs: dict[str, list[str]] = {}
    calls = [*_calls(dice, world, calls_a_day), *_campaign(seed, world, weeks, calls_a_day)]
    for ordinal, call in enumerate(sorted(calls, key=lambda call: (call.at, call.place.region))):
        yield from _until(coming, call.at - HOUR)
        for fact, of in write(ordinal, call, pairs, dice, world):
            heapq.heappush(coming, (fact.recorded, next(number), Planned(fact, service_of(of))))
    yield from _until(coming, world.season[1])


def _until(coming: list[tuple[int, int, Planned]], until: int) -> Iterator[Planned]:
    while coming and coming[0][0] < until:
        yield heapq.heappop(coming)[2]


def _around(dice: Dice, world: World) -> Iterator[tuple[Fact, Fact]]:
    return as_recorded(surroundings(dice, world), dice, world)


def _calls(dice: Dice, world: World, calls_a_day: float) -> list[Call]:
    """The calls of the season."""
    calls = []
    shares = [place.calls for place in PLACES]
    left_over = 0.0
    for day in range(*world.season, DAY):
        left_over += calls_a_day * (LOCKDOWN_RISE if world.locked_down(day) else 1.0) * dice.random.uniform(0.6, 1.4)
        for _ in range(int(left_over)):
            at = day + time_of_day(dice)
            calls.append(Call(at, dice.random.choices(PLACES, shares)[0]))
        left_over %= 1.0
    return calls


def _campaign(seed: int, world: World, weeks: int, calls_a_day: float) -> Iterator[Call]:
    """The calls that come because a number is shown on television."""
    if weeks < _SHOWN_FROM_WEEKS:
        return
    # Dice of their own: without these calls the season would be the same.
    dice = Dice(Random(f"campaign {seed} {world.season[0]}"))
    midnight = world.season[0] + (world.lockdown[0] + _SHOWN_AFTER - world.season[0]) // DAY * DAY
    for day in range(_SHOWN_FOR):
        for _ in range(round(calls_a_day * _SHOWN_SHARE * dice.random.uniform(0.8, 1.2))):
            yield Call(midnight + day * DAY + time_of_day(dice), PLACES[0], _SHOWN_CHANNEL)
