"""One call of a season as the facts of a whole case, each with the service that it is posted to."""

from collections.abc import Iterator
from dataclasses import dataclass

from qorgau.facts import WITHDRAWAL, Fact
from qorgau.instants import HOUR, MINUTE
from qorgau.season.cases import write_case
from qorgau.season.places import Place, World
from qorgau.season.quirks import as_recorded, slip, withdrawals
from qorgau.season.story import Dice, Story
from qorgau.vocabulary import FACT_TYPES

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


@dataclass(frozen=True, slots=True)
class Call:
    """When and where a call comes in, and by which channel, where that is not left to chance."""

    at: int
    place: Place
    channel: str | None = None


def time_of_day(dice: Dice) -> int:
    return dice.random.choices(range(24), _HOURS)[0] * HOUR + dice.between(0, 60, MINUTE)


def write(
    number: int, call: Call, pairs: dict[str, list[str]], dice: Dice, world: World
) -> Iterator[tuple[Fact, Fact]]:
    """All facts of the case that begins with this call, each with the fact whose type says where it belongs."""
    place = call.place
    known = pairs.setdefault(place.region, [])
    repeated = bool(known) and dice.share("same pair", _SAME_PAIR)
    pair = dice.random.choice(known) if repeated else dice.reference()
    known[:] = [*known, pair][-_PAIRS_REMEMBERED:]
    area = "rural" if dice.random.random() < place.rural else "urban"
    story = Story(number, dice.reference(), place, area, call.at, pair, dice, world, call.channel)
    write_case(story, repeated=repeated)
    slip(story)
    yield from as_recorded(story.facts, dice, world)
    for withdrawal, of in withdrawals(story):
        for fact, _ in as_recorded([withdrawal], dice, world):
            yield fact, of


def service_of(fact: Fact) -> str:
    """The one service that owns the type of a fact."""
    assert fact.type != WITHDRAWAL
    return FACT_TYPES[fact.type].services[0]
