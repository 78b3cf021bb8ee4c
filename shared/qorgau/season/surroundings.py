"""What happens around the cases and belongs to none: emergency, limits, capacities, other calls, dockets."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, MINUTE, SECOND
from qorgau.season.places import Place, World, in_daytime
from qorgau.season.story import Dice, stamp


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much there is besides the cases: so many courts tell their docket, with so many quarantine cases a day each
    in the lockdown, so many regions their capacity, and so many other calls a day are told."""

    courts: int = 9
    quarantine_cases: float = 1.6
    reporting: int = 6
    other_calls: int = 8


def surroundings(dice: Dice, world: World, amounts: Amounts = Amounts()) -> list[Fact]:
    """The facts without a case of a whole season, `recorded` when they happened."""
    facts: list[Fact] = []
    told_of = (_emergency(world), _dockets(dice, world, amounts), _capacities(dice, world, amounts.reporting))
    for told in (*told_of, _calls(dice, world, amounts.other_calls)):
        for kind, source, place, at, data in told:
            time = dice.noted(at)
            fields = {name.rstrip("_"): value for name, value in data.items()}
            context_id = f"c{at % DAY // SECOND:05d}-{len(facts):05d}"
            facts.append(Fact(context_id, source, kind, time, time, None, {"region": place.region, **fields}))
    return facts


_Told = Iterator[tuple[str, str, Place, int, dict[str, Any]]]


def _emergency(world: World) -> _Told:
    """Declared and lifted everywhere, a few hours apart; some courts and all shelters work less meanwhile."""
    begins, ends = world.lockdown
    for number, place in enumerate(world.places):
        coordinator, shelter = f"coordinator/{place.region}", f"shelter/{place.region}"
        later = number * 11 * MINUTE
        yield "emergency.regime_declared", coordinator, place, begins + later, {}
        yield "restriction.movement_imposed", coordinator, place, begins + 4 * HOUR + later, {}
        yield "shelter.intake_limited", shelter, place, begins + 9 * HOUR + later, {}
        yield "restriction.movement_lifted", coordinator, place, ends - DAY + later, {}
        yield "shelter.intake_restored", shelter, place, ends + 8 * HOUR + later, {}
        yield "emergency.regime_lifted", coordinator, place, ends + later, {}
        for court, (limited, restored) in world.limited_courts.items():
            if court.startswith(place.region) and court not in world.ends:
                span = {"from_": stamp(limited), "until": stamp(restored)}
                basis = {"legal_basis": "state_of_emergency", "tolls_term": True, "court": court}
                yield "court.operations_limited", f"court/{court}", place, limited, {**basis, **span}
                yield "court.operations_restored", f"court/{court}", place, restored, {"court": court}

        yield from _stop(number, place, world)


def _stop(number: int, place: Place, world: World) -> _Told:
    """All courts of a region stop, until further notice or until a day that is put off; in some no term stands."""
    court = place.court(0)
    if court not in world.ends:
        return
    source, (begins, ends) = f"court/{court}", world.limited_courts[court]
    basis = {"legal_basis": "state_of_emergency", "tolls_term": number % 5 != 4}
    if len(world.ends[court]) == 1:
        yield "court.operations_limited", source, place, begins - 9 * HOUR, {**basis, "from_": stamp(begins)}
        yield "court.operations_restored", source, place, ends, {}
        return
    for said, until in world.ends[court]:
        span = {"from_": stamp(begins), "until": stamp(until)}
        yield "court.operations_limited", source, place, said, {**basis, **span}
        begins = until


def _dockets(dice: Dice, world: World, amounts: Amounts) -> _Told:
    """What the larger courts decide in a day: in the lockdown mostly breaches of quarantine, within two days."""
    courts = [(place, place.court(number)) for number in range(2) for place in world.places if number < place.courts]
    limited = [(place, court) for place, court in courts if court in world.limited_courts]
    others = [(place, court) for place, court in courts if court not in world.limited_courts]
    for day in _days(world):
        for place, court in (limited + others)[: amounts.courts]:
            locked_down = world.locked_down(day)
            weights = {
                "emergency_regime": amounts.quarantine_cases if locked_down else 0.0,
                "domestic_violence": 0.3,
                "other": 0.5,
            }
            for category, mean in weights.items():
                for _ in range(_about(dice, mean)):
                    at = in_daytime(place, day + dice.between(9, 18, HOUR))
                    registered = stamp(at - dice.between(2, 44, HOUR))
                    data = {"court": court, "category": category, "registered_at": registered}
                    yield "court.docket_item_decided", f"court/{court}", place, at, data


def _capacities(dice: Dice, world: World, reporting: int) -> _Told:
    """Each morning shelters and forensic centres say what they can take."""
    for day in _days(world):
        for place in world.places[:reporting]:
            locked_down = world.locked_down(day)
            free = dice.random.randint(0, 2 if locked_down else 9)
            at = day + 8 * HOUR + dice.between(0, 50)
            quarantine = dice.random.randint(0, 3) if locked_down else 0
            data = {"places": 24, "free": free, "quarantine_free": quarantine}
            yield "shelter.capacity_reported", f"shelter/{place.region}", place, at, data
            reachable = not (locked_down and dice.share("cannot be reached", 0.2))
            data = {"on_duty": dice.random.randint(1, 2 if locked_down else 4), "reachable": reachable}
            yield "exam.capacity_reported", f"forensic/{place.region}", place, at + 20 * MINUTE, data


def _calls(dice: Dice, world: World, calls_a_day: int) -> _Told:
    """Other calls of the same dispatch, to see whether domestic ones are treated alike."""
    for day in _days(world):
        for _ in range(_about(dice, calls_a_day)):
            place = dice.random.choices(world.places, [place.calls for place in world.places])[0]
            emergency = 0.35 if world.locked_down(day) else 0.0
            category = dice.pick({"other": 0.7, "emergency_regime": emergency, "domestic_violence": 0.3})
            registered = day + dice.between(0, 24, HOUR)
            at = registered + dice.span(12.1, 40.3)
            data = {
                "category": category,
                "priority": dice.pick({"immediate": 0.3, "prompt": 0.5, "scheduled": 0.2}),
                "area": "rural" if dice.random.random() < place.rural else "urban",
                "registered_at": stamp(registered),
            }
            arrival = {} if dice.share("other call without arrival", 0.04) else {"arrived_at": stamp(at)}
            yield "police.call_recorded", f"102/{place.region}", place, at + MINUTE, {**data, **arrival}


def _days(world: World) -> range:
    return range(*world.season, DAY)


def _about(dice: Dice, mean: float) -> int:
    """How many come in a day when `mean` come on average."""
    chances = 40
    return sum(dice.random.random() < mean / chances for _ in range(chances))
