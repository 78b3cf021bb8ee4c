"""The facts that are measured with: a made-up season, and cases of a given length made of it. The same in every run."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from qorgau.facts import Fact
from qorgau.instants import DAY, format_instant, parse_instant
from qorgau.season import BEGINS, season
from qorgau.season.story import stamp

SEED = 11
# From one call to the next of the same family, where a long case is made of many short ones.
_AGAIN = 10 * DAY
_ENDINGS = ("case.closed", "case.reopened")


def season_cases(weeks: int = 8, calls_a_day: float = 20.0, begins: int = BEGINS) -> list[list[Fact]]:
    """The facts of each case of a season, as they become known."""
    cases: defaultdict[str, list[Fact]] = defaultdict(list)
    for planned in season(SEED, begins, weeks, calls_a_day):
        if planned.fact.case is not None:
            cases[planned.fact.case].append(planned.fact)
    return list(cases.values())


def cases_of(length: int, facts: int, cases: Sequence[Sequence[Fact]]) -> list[list[Fact]]:
    """As many cases of exactly this length as hold so many facts, each a family that calls again every ten days."""
    made: list[list[Fact]] = []
    at = 0
    while len(made) * length < facts:
        name = f"{length}-{len(made)}"
        own: list[Fact] = []
        while len(own) < length:
            call = [fact for fact in cases[at % len(cases)] if fact.type not in _ENDINGS]
            begins = own[0].time + len(own) // 10 * _AGAIN if own else call[0].time
            own += [later(fact, begins - call[0].time, name, f"{at}-") for fact in call]
            at += 1
        made.append(own[:length])
    return made


def later(fact: Fact, by: int, case: str | None, prefix: str = "") -> Fact:
    """The same fact so many microseconds later, in another case, under another id and about other things."""
    return replace(
        fact,
        id=prefix + fact.id,
        time=fact.time + by,
        recorded=fact.recorded + by,
        case=case,
        data={name: _later(name, value, by, prefix, f"pair-{case}") for name, value in fact.data.items()},
    )


def renamed(facts: Iterable[Fact], prefix: str) -> list[Fact]:
    """The same facts in cases of other names, under other ids."""
    return [
        replace(fact, id=prefix + fact.id, case=None if fact.case is None else prefix + fact.case) for fact in facts
    ]


def _later(name: str, value: Any, by: int, prefix: str, pair: str) -> Any:
    if not isinstance(value, str):
        return value
    if name == "pair_ref":
        return pair
    if name.endswith(("_at", "_for")):
        return stamp(parse_instant(value) + by)
    return prefix + value if name.endswith("_id") else value


def lines(cases: Iterable[Sequence[Fact]]) -> Iterable[Mapping[str, Any]]:
    """As rows of a file of facts, as they become known."""
    for fact in sorted((fact for case in cases for fact in case), key=lambda fact: fact.recorded):
        yield {
            "id": fact.id,
            "source": fact.source,
            "type": fact.type,
            "time": format_instant(fact.time),
            "recorded": format_instant(fact.recorded),
            "case": fact.case,
            "data": dict(fact.data),
        }
