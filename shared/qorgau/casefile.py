"""A file of facts, case by case: where the facts of each case lie, and which of other cases its flags look at.

Only places in the file are kept, not the facts, so that a million of them fit, and any process can read its own cases.
"""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from qorgau.facts import WITHDRAWAL, Fact, NotAFact, read_fact
from qorgau.matching import Predicate, same_value, where
from qorgau.rules import Overtaken, Policy, Repeat

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# So many facts that cases share are kept by whoever reads them.
_SHARED = 50_000
Tie = tuple[str, Hashable]


class BadLine(ValueError):
    """A line that is not a fact; `number` counts from 1, the message repeats nothing of it."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"line {number}: {reason}")
        self.number = number


@dataclass(frozen=True, slots=True)
class Ties:
    """By which fields of which facts the flags of some policies look from one case at others.

    A case with a fact in `looks` looks at all cases with the same value in a fact of `seen`, and at the context facts
    that match `items` and have the same value; at those dated longer than `back` before it began, no more.
    """

    looks: frozenset[tuple[str, str]]
    seen: frozenset[tuple[str, str]]
    items: tuple[tuple[str, str, Predicate], ...]
    back: int

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> Self:
        """The ties that the flags of these policies make."""
        looks: set[tuple[str, str]] = set()
        seen: set[tuple[str, str]] = set()
        items: list[tuple[str, str, Predicate]] = []
        back = 0
        for policy in policies:
            for flag in policy.flags:
                if isinstance(flag, Repeat):
                    pairs = {(line.fact, flag.same_field) for line in flag.counts}
                    looks, seen = looks | pairs, seen | pairs
                    if flag.not_counted is not None:
                        looks |= {(line.fact, flag.not_counted.by) for line in flag.counts}
                        seen |= {(flag.not_counted.fact, flag.not_counted.by)}
                elif isinstance(flag, Overtaken):
                    watched = [rule for rule in policy.rules if rule.id in flag.watches]
                    looks |= {(line.fact, flag.same_field) for rule in watched for line in [*rule.starts, *rule.stops]}
                    items.append((flag.items.fact, flag.same_field, where(flag.items.where, flag.items.where_any)))
                    back = max(back, flag.in_last)
        return cls(frozenset(looks), frozenset(seen), tuple(items), back)


@dataclass(frozen=True, slots=True)
class CasePlaces:
    """A case and where in the file its facts begin, and those of other cases and of the context that it looks at."""

    case: str
    own: "array[int]"
    others: "array[int]"


class CaseFile:
    """The places of all facts of a file. `until` is the largest `known_at` of them, None if there is none."""

    def __init__(self, path: Path, ties: Ties) -> None:
        """Reads the file once; raises BadLine, or OSError."""
        self.path = path
        self.until: int | None = None
        self.count = 0
        self._cases: dict[str, array[int]] = {}
        self._context: dict[int, int] = {}
        # Context facts that every case must know of: withdrawals, and all copies of a fact that has several.
        self._always: set[int] = set()
        self._looks: defaultdict[str, set[Tie]] = defaultdict(set)
        self._seen: defaultdict[Tie, set[str]] = defaultdict(set)
        # When the context facts with a tie happened and where they lie, in the order of time.
        self._items: defaultdict[Tie, list[tuple[int, int]]] = defaultdict(list)
        self._began: dict[str, int] = {}
        self._back = ties.back
        for place, fact in _facts_of(path):
            self._file(place, fact, ties)
        for items in self._items.values():
            items.sort()

    def cases(self) -> Iterator[CasePlaces]:
        """Every case in the order of their names."""
        for case in sorted(self._cases):
            yield CasePlaces(case, self._cases[case], self._others(case))

    def __len__(self) -> int:
        return len(self._cases)

    def _file(self, place: int, fact: Fact, ties: Ties) -> None:
        self.count += 1
        self.until = fact.known_at if self.until is None else max(self.until, fact.known_at)
        if fact.case is None:
            self._file_context(place, fact, ties)
            return
        self._cases.setdefault(fact.case, array("q")).append(place)
        self._began[fact.case] = min(fact.known_at, self._began.get(fact.case, fact.known_at))
        for field, value in fact.data.items():
            kind = fact.type, field
            if kind in ties.looks:
                self._looks[fact.case].add((field, same_value(value)))
            if kind in ties.seen:
                self._seen[field, same_value(value)].add(fact.case)

    def _file_context(self, place: int, fact: Fact, ties: Ties) -> None:
        for kind, field, matches in ties.items:
            if fact.type == kind and field in fact.data and matches(fact.data):
                self._items[field, same_value(fact.data[field])].append((fact.time, place))
        first = self._context.setdefault(hash(fact.identity), place)
        if first != place:
            self._always |= {first, place}
        elif fact.type == WITHDRAWAL:
            self._always.add(place)

    def _others(self, case: str) -> "array[int]":
        """Whole cases that share a tie, and those that share one with these: a report of another case on the same pair,
        and its merging, which may be in a third case."""
        near = self._near({case})
        places = set(self._always)
        for other in self._near(near | {case}) - {case}:
            places.update(self._cases[other])
        since = self._began[case] - self._back
        for tie in self._looks.get(case, ()):
            items = self._items.get(tie, [])
            places.update(place for _, place in items[bisect_right(items, (since, 0)) :])
        return array("q", sorted(places))

    def _near(self, cases: set[str]) -> set[str]:
        return {other for case in cases for tie in self._looks.get(case, ()) for other in self._seen.get(tie, ())}


class FactReader:
    """Reads facts of a file by their places."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")
        self._shared: dict[int, Fact] = {}

    def read(self, places: Sequence[int]) -> list[Fact]:
        """The facts that begin at these places."""
        return [self._read(place) for place in places]

    def read_shared(self, places: Sequence[int]) -> list[Fact]:
        """The same for facts that many cases look at, such as the docket of a court: they are kept for the next one."""
        if len(self._shared) > _SHARED:
            self._shared.clear()
        for place in places:
            if place not in self._shared:
                self._shared[place] = self._read(place)
        return [self._shared[place] for place in places]

    def _read(self, place: int) -> Fact:
        self._file.seek(place)
        return read_fact(_bare(self._file.readline(), place))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _facts_of(path: Path) -> Iterator[tuple[int, Fact]]:
    place = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            bare = _bare(line, place)
            if bare and not bare.isspace():
                try:
                    yield place, read_fact(bare)
                except NotAFact as error:
                    raise BadLine(number, str(error)) from None
            place += len(line)


def _bare(line: bytes, place: int) -> bytes:
    return line.removeprefix(_BYTE_ORDER_MARK) if place == 0 else line
