"""Cases of the season to which everything happens that can happen to a case: closed and opened again, merged and
un-merged, handed on, and whatever was posted withdrawn."""

from functools import cache
from random import Random

from qorgau.assess import by_case
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.instants import DAY, HOUR, MINUTE
from tests.measured import season_facts

COORDINATOR, CENTRE = "coordinator/KZ-75", "crisis-centre/KZ-75"
CASE = "c1"


@cache
def _stories() -> tuple[tuple[Fact, ...], ...]:
    """The cases of the season of which there is something to tell, longest first."""
    own = [tuple(facts) for case, facts in by_case(season_facts()).items() if case is not None and len(facts) > 8]
    return tuple(sorted(own, key=len, reverse=True)[:200])


def eventful(dice: Random) -> list[Fact]:
    """One case as posted, in no order."""
    facts = [_of_case(fact) for fact in dice.choice(_stories())]
    begin, end = min(fact.time for fact in facts), max(fact.known_at for fact in facts) + 10 * DAY
    region = facts[0].data.get("region")
    for number in range(dice.randint(1, 4)):
        at = dice.randint(begin, end)
        facts += dice.choice((_closed, _merged, _handed_on))(dice, f"e{number}", at, region, facts)
    for number, gone in enumerate(dice.sample(facts, dice.randint(0, 4))):
        at = gone.time + dice.randint(0, 5 * DAY)
        data = {"region": region, "fact_id": gone.id, "reason": "entered_in_error"}
        facts.append(Fact(f"w{number}", gone.source, WITHDRAWAL, at, at + _late(dice), CASE, data))
    dice.shuffle(facts)
    return facts


def _of_case(fact: Fact) -> Fact:
    return Fact(fact.id, fact.source, fact.type, fact.time, fact.recorded, CASE, fact.data)


def _late(dice: Random) -> int:
    return dice.choice((0, 0, MINUTE, 7 * HOUR, 3 * DAY))


def _closed(dice: Random, id: str, at: int, region: object, _: list[Fact]) -> list[Fact]:
    """Closed, and mostly opened again: at once, the same day, or weeks later."""
    data = {"region": region, "reason": dice.choice(("decided", "survivor_withdrew", "no_contact"))}
    found = [Fact(f"{id}-x", COORDINATOR, "case.closed", at, at + _late(dice), CASE, data)]
    if dice.random() < 0.8:
        again = at + dice.choice((0, MINUTE, 9 * HOUR, 20 * DAY))
        opened = {"region": region, "reason": "new_facts"}
        found.append(Fact(f"{id}-o", COORDINATOR, "case.reopened", again, again + _late(dice), CASE, opened))
    return found


def _merged(dice: Random, id: str, at: int, region: object, facts: list[Fact]) -> list[Fact]:
    """A report of the case, or one of another case, is said to be a duplicate."""
    own = [fact.data["report_id"] for fact in facts if "report_id" in fact.data]
    data = {"region": region, "report_id": dice.choice([*own, "elsewhere"]), "into_report_id": "another"}
    return [Fact(f"{id}-m", "102/KZ-75", "report.merged", at, at + _late(dice), CASE, data)]


def _handed_on(dice: Random, id: str, at: int, region: object, _: list[Fact]) -> list[Fact]:
    """Offered to an agency, and mostly answered."""
    data = {"region": region, "transfer_id": id, "to": CENTRE}
    found = [Fact(f"{id}-t", COORDINATOR, "case.transfer_offered", at, at + _late(dice), CASE, data)]
    answer = dice.choice(("accepted", "declined", None))
    if answer is not None:
        then = at + dice.randint(0, 3 * DAY)
        said = {"region": region, "transfer_id": id} | ({"reason": "no_capacity"} if answer == "declined" else {})
        found.append(Fact(f"{id}-a", CENTRE, f"case.transfer_{answer}", then, then + _late(dice), CASE, said))
    return found
