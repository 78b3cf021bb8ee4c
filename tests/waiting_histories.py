"""Random histories of one case, quick to make: every fact the legs look at, on few keys and a coarse grid of time."""

from random import Random
from typing import Any

from qorgau.attribution.table import LEGS
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.instants import DAY, HOUR, MINUTE, parse_instant
from qorgau.vocabulary import FACT_TYPES

BEGIN = parse_instant("2026-03-02T09:00:00+05:00")
TYPES = sorted({line.fact for leg in LEGS for line in (*leg.begins, *leg.ends)} | {"case.closed", "order.violated"})
SOURCES = (
    *("102/KZ-75", "helpline-150/KZ-75", "police-unit/KZ-75", "police-unit/KZ-19", "court/KZ-75-01", "court/KZ-75-02"),
    *("forensic/KZ-75", "clinic/KZ-75", "crisis-centre/KZ-75", "coordinator/KZ-75", "system/court-tracker"),
)
# Steps between facts: at once, clocks a moment apart, minutes, hours, days, weeks.
STEPS = (0, 0, 1, MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR, 7 * HOUR, DAY, 9 * DAY, -1, -MINUTE, -HOUR)
WORDS = ("KZ-75", "KZ-19")


def random_history(dice: Random, most: int = 40) -> list[Fact]:
    """Up to `most` facts of the case `c1` in any order: late, ahead of their time, copied, changed, withdrawn."""
    facts: list[Fact] = []
    at = BEGIN
    kinds = dice.sample(TYPES, dice.randint(2, len(TYPES)))
    for number in range(dice.randint(1, most)):
        at += dice.choice(STEPS)
        match dice.random():
            case chance if chance < 0.08 and facts:
                facts.append(_again(dice, dice.choice(facts)))
            case chance if chance < 0.16 and facts:
                facts.append(_withdrawal(dice, number, dice.choice(facts), at))
            case _:
                facts.append(_fact(dice, number, dice.choice(kinds), at))
    dice.shuffle(facts)
    return facts


def some_instant(dice: Random, facts: list[Fact]) -> int:
    """An instant to look at a history: when something becomes known, a moment before, or long after."""
    return dice.choice(facts).known_at + dice.choice((0, 0, -1, HOUR, 30 * DAY))


def _fact(dice: Random, number: int, type: str, at: int) -> Fact:
    data: dict[str, Any] = {"region": dice.choice(WORDS)}
    for name, words in sorted(FACT_TYPES[type].fields.items()):
        if name != "region" and dice.random() < 0.95:
            data[name] = _value(dice, name, words)
    return Fact(f"f{number}", dice.choice(SOURCES), type, at, at + _delay(dice), "c1", data)


def _value(dice: Random, name: str, words: frozenset[str] | None) -> Any:
    if words is not None:
        return dice.choice(sorted(words))
    if name.endswith("_id"):
        return dice.choice(("k1", "k1", "k2"))
    return dice.choice(SOURCES) if name == "to" else dice.choice((True, False))


def _delay(dice: Random) -> int:
    return dice.choice((0, 0, 0, 1, MINUTE, 3 * HOUR, 2 * DAY, -MINUTE))


def _again(dice: Random, fact: Fact) -> Fact:
    """A copy, recorded another time; it may say something else."""
    time = fact.time + dice.choice((0, 0, HOUR))
    return Fact(fact.id, fact.source, fact.type, time, fact.recorded + _delay(dice), "c1", fact.data)


def _withdrawal(dice: Random, number: int, of: Fact, at: int) -> Fact:
    data = {"region": "KZ-75", "fact_id": of.id, "reason": "wrong_data"}
    return Fact(f"w{number}", of.source, WITHDRAWAL, at, at + _delay(dice), "c1", data)
