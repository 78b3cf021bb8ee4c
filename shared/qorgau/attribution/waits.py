"""What a case waited for and when: each row of the table laid over the facts that count. Pure."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter

from qorgau.attribution.leg import Already, Ending, Leg
from qorgau.attribution.table import LEGS
from qorgau.facts import Fact
from qorgau.heart.matching import KeyOf, Predicate, key_of, where
from qorgau.rules import Line

ByType = Mapping[str, list[Fact]]
"""The facts that count, by type, each list in fact order (deadlines.md 1.4)."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A case waits from `begin` until `end` (microseconds; None: it still does) for what the row of the table with this
    place says; `by` is the fact with which it began."""

    place: int
    begin: int
    end: int | None
    by: Fact


@dataclass(frozen=True, slots=True)
class _Ending:
    type: str
    matches: Predicate
    key: KeyOf
    final: bool


@dataclass(frozen=True, slots=True)
class _Row:
    place: int
    begins: tuple[tuple[str, Predicate], ...]
    ends: tuple[_Ending, ...]
    unless: Already | None


def by_type(facts: Iterable[Fact]) -> ByType:
    """Facts as `waits` looks at them."""
    found: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in sorted(facts, key=attrgetter("order")):
        found[fact.type].append(fact)
    return found


def waits(known: ByType) -> list[Wait]:
    """Every wait of a case with these facts, in no particular order; several of one row may overlap. What ends as it
    begins is left out."""
    return [wait for row in _ROWS for wait in _waits_of(row, known)]


def waits_of(name: str, known: ByType) -> list[Wait]:
    """The waits of one row, by its name."""
    return list(_waits_of(next(row for row in _ROWS if LEGS[row.place].name == name), known))


def _waits_of(row: _Row, known: ByType) -> Iterator[Wait]:
    begins = [fact for type, matches in row.begins for fact in known.get(type, ()) if matches(fact.data)]
    if not begins:
        return
    ends = [(ending, _times(ending, known)) for ending in row.ends if ending.type in known]
    for fact in begins:
        if row.unless is not None and _already(row.unless, fact.time, known):
            continue
        end = _end(fact, ends)
        if end is None or end > fact.time:
            yield Wait(row.place, fact.time, end, fact)


def _times(ending: _Ending, known: ByType) -> Mapping[str, list[int]]:
    """When facts of such an ending happened, by what has to agree."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for fact in known[ending.type]:
        if ending.matches(fact.data):
            found[ending.key(fact.data)].append(fact.time)
    return found


def _end(fact: Fact, ends: Iterable[tuple[_Ending, Mapping[str, list[int]]]]) -> int | None:
    """The earliest ending at or after the begin; the begin itself where a final one lies before it."""
    first: int | None = None
    for ending, found in ends:
        times = found.get(ending.key(fact.data))
        if not times:
            continue
        if ending.final and times[0] <= fact.time:
            return fact.time
        place = bisect_left(times, fact.time)
        if place < len(times) and (first is None or times[place] < first):
            first = times[place]
    return first


def _already(unless: Already, at: int, known: ByType) -> bool:
    since = max((_last(known.get(type, []), at) for type in unless.since), default=_NEVER)
    return since <= _last(known.get(unless.fact, []), at) > _NEVER


def _last(facts: list[Fact], at: int) -> int:
    """The time of the last of these facts up to an instant."""
    place = bisect_right(facts, at, key=attrgetter("time"))
    return facts[place - 1].time if place else _NEVER


def _row(place: int, leg: Leg) -> _Row:
    return _Row(
        place, tuple((line.fact, _matches(line)) for line in leg.begins), tuple(map(_ending, leg.ends)), leg.unless
    )


def _ending(line: Ending) -> _Ending:
    return _Ending(line.fact, _matches(line), key_of(line.same), line.final)


def _matches(line: Line) -> Predicate:
    return where(line.where, line.where_any)


_NEVER = -(1 << 62)
_ROWS = tuple(_row(place, leg) for place, leg in enumerate(LEGS))
