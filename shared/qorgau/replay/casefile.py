"""A file of facts, case by case: where the facts of each case lie, and which of other cases its flags look at.

Only places in the file are kept, not the facts, so that a million of them fit, and any process can read its own cases.
"""

from array import array
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import orjson

from qorgau.facts import WITHDRAWAL, Fact, NotAFact, read_fact
from qorgau.heart.matching import Predicate, same_value, where
from qorgau.record import CaseRecord, learn
from qorgau.rules import Overtaken, Policy, Repeat

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# In the export of a case, beside a fact of another one: the case that has heard of it.
HEARD_BY = "heard_by"
HEARD_BY_KEY = f'"{HEARD_BY}"'.encode()
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
    that match `items` and have the same value.
    """

    looks: frozenset[tuple[str, str]]
    seen: frozenset[tuple[str, str]]
    items: tuple[tuple[str, str, Predicate], ...]

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> Self:
        """The ties that the flags of these policies make."""
        looks: set[tuple[str, str]] = set()
        seen: set[tuple[str, str]] = set()
        items: list[tuple[str, str, Predicate]] = []
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
        return cls(frozenset(looks), frozenset(seen), tuple(items))


@dataclass(frozen=True, slots=True)
class CasePlaces:
    """A case and where in the file its facts begin, those of the cases near it, and the context facts it looks at.

    Cases with the same `ties` look at the same context.
    """

    case: str
    own: "array[int]"
    near: "array[int]"
    ties: frozenset[Tie]
    context: "array[int]"


class CaseFile:
    """The places of all facts of a file; `count` says how many there are."""

    def __init__(self, path: Path, ties: Ties) -> None:
        """Reads the file once; raises BadLine, or OSError."""
        self.path = path
        self.count = 0
        self._ties = ties
        self._cases: dict[str, array[int]] = {}
        self._context = array("q")
        # Of each case, and of what belongs to none, the largest known_at of any copy.
        self._last: dict[str | None, int] = {}
        self._looks: defaultdict[str, set[Tie]] = defaultdict(set)
        self._seen: defaultdict[Tie, set[str]] = defaultdict(set)
        self._items: defaultdict[Tie, array[int]] = defaultdict(lambda: array("q"))
        self._copies: dict[int, int] = {}
        # Context facts that every case must know of: withdrawals, and all copies of a fact that has several.
        self._always: set[int] = set()
        self._contexts: dict[frozenset[Tie], array[int]] = {}
        # A case of which others have only heard is not judged: the rest of it is not here.
        self._judged: set[str] = set()
        for place, fact, heard in _facts_of(path):
            self.count += 1
            self._last[fact.case] = max(fact.known_at, self._last.get(fact.case, fact.known_at))
            if fact.case is not None and not heard:
                self._judged.add(fact.case)
            (self._file_context if fact.case is None else self._file)(place, fact)

    def __len__(self) -> int:
        return len(self._judged)

    def cases(self) -> Iterator[CasePlaces]:
        """Every case that is to be judged, in the order of their names."""
        for case in sorted(self._judged):
            ties = frozenset(tie for tie in self._looks.get(case, ()) if tie in self._items)
            yield CasePlaces(case, self._cases[case], self._near(case), ties, self._context_of(ties))

    def until(self) -> int | None:
        """The largest known_at of a copy that counts, None if there is no fact."""
        with FactReader(self.path) as reader:
            best: int | None = None
            for case, last in sorted(self._last.items(), key=lambda item: -item[1]):
                if best is not None and last <= best:
                    break
                places = self._context if case is None else self._cases[case]
                counting = learn(CaseRecord(case or ""), reader.read(places)).facts
                known = max(fact.known_at for fact in counting)
                best = known if best is None else max(best, known)
            return best

    def _file(self, place: int, fact: Fact) -> None:
        assert fact.case is not None
        self._cases.setdefault(fact.case, array("q")).append(place)
        for field, value in fact.data.items():
            kind = fact.type, field
            if kind in self._ties.looks:
                self._looks[fact.case].add((field, same_value(value)))
            if kind in self._ties.seen:
                self._seen[field, same_value(value)].add(fact.case)

    def _file_context(self, place: int, fact: Fact) -> None:
        self._context.append(place)
        for kind, field, matches in self._ties.items:
            if fact.type == kind and field in fact.data and matches(fact.data):
                self._items[field, same_value(fact.data[field])].append(place)
        first = self._copies.setdefault(hash(fact.identity), place)
        if first != place:
            self._always |= {first, place}
        elif fact.type == WITHDRAWAL:
            self._always.add(place)

    def _near(self, case: str) -> "array[int]":
        """Whole cases that this one looks at, and those that these look at: a report of another case on the same pair,
        and its merging, which may be in a third case."""
        near = self._seen_by({case})
        return array("q", sorted(p for other in self._seen_by(near | {case}) - {case} for p in self._cases[other]))

    def _seen_by(self, cases: set[str]) -> set[str]:
        return {other for case in cases for tie in self._looks.get(case, ()) for other in self._seen.get(tie, ())}

    def _context_of(self, ties: frozenset[Tie]) -> "array[int]":
        if ties not in self._contexts:
            places = self._always.union(*(self._items[tie] for tie in ties)) if ties else set()
            self._contexts[ties] = array("q", sorted(places))
        return self._contexts[ties]


class FactReader:
    """Reads facts of a file by their places."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")

    def read(self, places: Sequence[int]) -> list[Fact]:
        """The facts that begin at these places."""
        return [self._read(place) for place in places]

    def _read(self, place: int) -> Fact:
        self._file.seek(place)
        return read_fact(_bare(self._file.readline(), place))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _facts_of(path: Path) -> Iterator[tuple[int, Fact, bool]]:
    """Place and fact of each line, and whether it is a copy in the export of another case."""
    place = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            bare = _bare(line, place)
            if bare and not bare.isspace():
                try:
                    yield place, read_fact(bare), HEARD_BY_KEY in bare and HEARD_BY in orjson.loads(bare)
                except NotAFact as error:
                    raise BadLine(number, str(error)) from None
            place += len(line)


def _bare(line: bytes, place: int) -> bytes:
    return line.removeprefix(_BYTE_ORDER_MARK) if place == 0 else line
