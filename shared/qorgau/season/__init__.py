"""A season of calls, made up: weeks in the life of all agencies, calibrated to real ones, the same for the same seed.

Nobody in it exists. The spans from call to arrival, their oddities and the rise in lockdown are measured on real,
anonymous calls for service and helpline figures; the way from police to court is written on top of them.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from qorgau.facts import WITHDRAWAL, Fact
from qorgau.instants import DAY, HOUR, MINUTE, parse_instant
from qorgau.season.cases import write_case
from qorgau.season.places import PLACES, Place, World, make_world
from qorgau.season.quirks import as_recorded, slip, withdrawals
from qorgau.season.story import Dice, Story
from qorgau.season.surroundings import surroundings
from qorgau.vocabulary import FACT_TYPES

__all__ = ["BEGINS", "CALLS_A_DAY", "SEED", "WEEKS", "Planned", "season"]

# The first spring of the pandemic, from a Sunday on: an emergency is declared two weeks later.
BEGINS = parse_instant("2020-03-01T00:00:00+06:00")
SEED, WEEKS, CALLS_A_DAY = 2020, 8, 9.0
# Helpline calls of 20 March to 31 May 2020 against those of the weeks before.
LOCKDOWN_RISE = 1.3

# Domestic calls over the hours of a day: least at dawn, most in the late evening.
_HOURS = (5, 4, 3, 2, 1.5, 1.5, 1.5, 2, 3, 3.5, 4, 4, 4, 4, 4, 4, 4.5, 5, 6, 7, 8, 8, 7.5, 6.5)
# The same two people again: within weeks, which two reports in thirty days show.
_SAME_PAIR, _PAIRS_REMEMBERED = 0.05, 25


@dataclass(frozen=True, slots=True)
class Planned:
    """A fact of the season, and the service it is posted to, at the instant `at` of the logical clock."""

    fact: Fact
    service: str

    @property
    def at(self) -> int:
        """When the system learns of it: what is posted as `recordedtime`."""
        return self.fact.recorded


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
    coming = [(fact.recorded, next(number), Planned(fact, _service(of))) for fact, of in _around(dice, world)]
    heapq.heapify(coming)
    pairs: dict[str, list[str]] = {}
    for ordinal, (at, place) in enumerate(_calls(dice, world, calls_a_day)):
        yield from _until(coming, at - HOUR)
        for fact, of in _case(ordinal, at, place, pairs, dice, world):
            heapq.heappush(coming, (fact.recorded, next(number), Planned(fact, _service(of))))
    yield from _until(coming, world.season[1])


def _until(coming: list[tuple[int, int, Planned]], until: int) -> Iterator[Planned]:
    while coming and coming[0][0] < until:
        yield heapq.heappop(coming)[2]


def _around(dice: Dice, world: World) -> Iterator[tuple[Fact, Fact]]:
    return as_recorded(surroundings(dice, world), dice, world)


def _calls(dice: Dice, world: World, calls_a_day: float) -> list[tuple[int, Place]]:
    """When and where the calls of the season come in, in order."""
    calls = []
    shares = [place.calls for place in PLACES]
    left_over = 0.0
    for day in range(*world.season, DAY):
        left_over += calls_a_day * (LOCKDOWN_RISE if world.locked_down(day) else 1.0) * dice.random.uniform(0.6, 1.4)
        for _ in range(int(left_over)):
            hour = dice.random.choices(range(24), _HOURS)[0]
            at = day + hour * HOUR + dice.between(0, 60, MINUTE)
            calls.append((at, dice.random.choices(PLACES, shares)[0]))
        left_over %= 1.0
    return sorted(calls, key=lambda call: (call[0], call[1].region))


def _case(
    number: int, at: int, place: Place, pairs: dict[str, list[str]], dice: Dice, world: World
) -> Iterator[tuple[Fact, Fact]]:
    """All facts of the case that begins with this call, each with the fact whose type says where it belongs."""
    known = pairs.setdefault(place.region, [])
    repeated = bool(known) and dice.share("same pair", _SAME_PAIR)
    pair = dice.random.choice(known) if repeated else dice.reference()
    known[:] = [*known, pair][-_PAIRS_REMEMBERED:]
    area = "rural" if dice.random.random() < place.rural else "urban"
    story = Story(number, dice.reference(), place, area, at, pair, dice, world)
    write_case(story, repeated=repeated)
    slip(story)
    yield from as_recorded(story.facts, dice, world)
    for withdrawal, of in withdrawals(story):
        for fact, _ in as_recorded([withdrawal], dice, world):
            yield fact, of


def _service(fact: Fact) -> str:
    """The one service that owns the type of a fact."""
    assert fact.type != WITHDRAWAL
    return FACT_TYPES[fact.type].services[0]
