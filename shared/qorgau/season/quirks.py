"""How facts really reach the system: late, twice, out of order, ahead of time, taken back, or three days at once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from qorgau.facts import WITHDRAWAL, Fact
from qorgau.instants import HOUR, MINUTE, SECOND
from qorgau.season.places import World
from qorgau.season.story import MILLISECOND, Dice, Story

_WITHDRAWN_BY_CHANCE = 0.004
# A desk that enters the same thing again some time later; of these, some with another time.
_TWICE, _DIFFERENT = 0.025, 0.1


def as_recorded(facts: Sequence[Fact], dice: Dice, world: World) -> Iterator[tuple[Fact, Fact]]:
    """Each fact as it reaches the system, perhaps twice; beside it the fact whose type says where it belongs."""
    for fact in facts:
        recorded = fact.time + _delay(dice)
        arrived = replace(fact, recorded=_unless_silent(fact.source, recorded, world, dice))
        yield arrived, fact
        if dice.share("told twice", _TWICE):
            later = dice.between(1, 90, SECOND) if dice.share("at once", 0.6) else dice.span(60, 600)
            again = _unless_silent(fact.source, arrived.recorded + later, world, dice)
            copy = replace(arrived, recorded=again)
            yield (replace(copy, time=copy.time + SECOND) if dice.share("differs", _DIFFERENT) else copy), fact


def withdrawals(story: Story) -> Iterator[tuple[Fact, Fact]]:
    """What takes back the mistakes of a case, each with the fact it takes back."""
    for number, (fact, at) in enumerate(story.mistakes):
        data = {"region": story.place.region, "fact_id": fact.id, "reason": "wrong_case"}
        time = story.dice.noted(at)
        yield Fact(f"{story.case}-w{number}", fact.source, WITHDRAWAL, time, time, story.case, data), fact


def slip(story: Story) -> None:
    """Now and then a fact is entered that never happened, and goes again: a decision, a check, a shelter place."""
    for fact in list(story.facts):
        if fact.type in _SLIPS and story.dice.share(f"slip {fact.type}", _WITHDRAWN_BY_CHANCE * 5):
            time = max(story.begins + SECOND, fact.time - story.dice.between(0.2, 3, HOUR))
            wrong = replace(fact, id=f"{fact.id}x", time=time)
            story.facts.append(wrong)
            story.mistakes.append((wrong, wrong.time + story.dice.between(4, 170)))


_SLIPS = frozenset({"order.compliance_checked", "order.served", "shelter.admitted", "police.dispatched"})


def _delay(dice: Dice) -> int:
    """From happening to knowing: seconds for a live feed, sometimes minutes, seldom hours; a fast clock is ahead."""
    match dice.pick({"live": 0.957, "soon": 0.025, "late": 0.013, "ahead": 0.005}):
        case "live":
            return dice.between(0.2, 20, SECOND) + dice.random.randrange(MILLISECOND)
        case "soon":
            return dice.between(1, 6, MINUTE)
        case "late":
            return dice.span(90, 480)
        case _:
            return -dice.between(2, 40, SECOND)


def _unless_silent(source: str, recorded: int, world: World, dice: Dice) -> int:
    begins, ends = world.silent.get(source, (0, 0))
    return ends + dice.between(0, 40, SECOND) if begins <= recorded < ends else recorded
