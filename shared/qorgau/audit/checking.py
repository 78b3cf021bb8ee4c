"""Whether a chain is what it was: every kind of damage by its name, in one pass and bounded memory. Pure.

The links show what was done to single entries. Whoever makes all links anew, or takes entries off the end, is found by
the anchors: what the chain was, told to a place that the database's owner does not write.
"""

import bisect
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, TypeGuard

from qorgau.audit.chain import Head, digest, genesis
from qorgau.audit.checkpoint import CHECKPOINT, Checkpoint, complaint, read_checkpoint

EDITED, DELETED, REORDERED, INSERTED = "edited", "deleted", "reordered", "inserted"
TRUNCATED, FOREIGN, FORKED, UNFOUNDED = "truncated", "foreign", "forked", "unfounded"
Stored = tuple[object, Mapping[str, Any]]
"""The name under which an entry is stored, which is its number, and what is stored there."""

# So much of what is missing or astray is remembered, in case it turns up further on.
REMEMBERED = 10_000
# Fits whatever comes next to it: the hash of an entry that was changed says nothing.
_ANY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """One damage, and the numbers of the first and the last entry it is about."""

    service: str
    kind: str
    first: int
    last: int
    words: str


@dataclass(frozen=True, slots=True)
class _Point:
    """An entry as its neighbours see it: its number, what it follows, and the hashes that may follow it."""

    seq: int
    prev: str | None
    hashes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Before:
    """Where the chain stood before an entry that did not follow; missing and highest as they were."""

    point: _Point
    missing: int
    highest: int


class ChainCheck:
    """Looks at the entries of one service in the order in which they are stored. `checkpoint`: the one that lets go of
    most, by its own words; `gone`: whether anything it lets go is not there; `holes`: what of that is missing behind
    an entry, as where entries were taken out while they were read."""

    def __init__(self, service: str, deployment: str) -> None:
        self.service = service
        self.entries = 0
        self.checkpoint: Checkpoint | None = None
        self.gone = False
        self.holes: list[Finding] = []
        self._main = _Point(0, None, frozenset({genesis(service, deployment).hash}))
        self._before: _Before | None = None
        self._doubt: tuple[Finding, _Point] | None = None
        self._highest = 0
        self._missing: list[tuple[int, int]] = []
        self._astray: dict[int, _Point] = {}

    def take(self, place: object, body: Mapping[str, Any]) -> Iterator[Finding]:
        """What the next entry shows."""
        self.entries += 1
        seq, mine = body.get("seq"), digest(body)
        if not _is_number(place):
            yield self._found(INSERTED, self._main.seq, "something after it is stored under what is no number")
        elif mine is None or mine != body.get("hash") or not _is_number(seq):
            yield self._found(EDITED, place, "what is in it does not have the hash that is written there")
            yield from self._put(_Point(place, None, _ANY))
        elif body.get("service") != self.service:
            yield self._found(FOREIGN, place, "it is an entry of another service")
        else:
            if seq != place:
                yield self._found(REORDERED, seq, "it is stored under another number")
            if body.get("kind") == CHECKPOINT:
                yield from self._lets_go(seq, read_checkpoint(body))
            yield from self._put(_Point(seq, str(body.get("prev")), frozenset({mine})))

    def finish(self) -> Iterator[Finding]:
        """What only the end shows."""
        if self._doubt:
            yield self._doubt[0]
        end = self._main.seq + 1
        while end in self._astray:
            end += 1
        yield from self._caught_up(end)
        let_go = 0 if self.checkpoint is None else self.checkpoint.last
        for first, last in self._missing:
            self.gone |= first <= let_go
            if 1 < first <= let_go:
                self.holes.append(self._deleted(first, min(last, let_go)))
            if last > let_go:
                yield self._deleted(max(first, let_go + 1), last)
        for number in sorted(self._astray):
            yield self._stray(number)

    def _lets_go(self, number: int, said: Checkpoint | None) -> Iterator[Finding]:
        words = complaint(said)
        if words:
            yield self._found(UNFOUNDED, number, words)
        elif said and (self.checkpoint is None or said.last > self.checkpoint.last):
            self.checkpoint = said

    def _put(self, entry: _Point) -> Iterator[Finding]:
        doubt, self._doubt = self._doubt, None
        if doubt and not (entry.seq == self._main.seq and _fits(entry, doubt[1])):
            yield doubt[0]
        if self._astray.pop(entry.seq, None):
            yield self._stray(entry.seq)
        main, before = self._main, self._before
        if entry.seq == main.seq + 1 and (entry.seq > self._highest or self._fill(entry.seq)):
            self._follow(entry)
        elif before and entry.seq == before.point.seq + 1 and _fits(entry, before.point):
            yield from self._back(entry, before)
        elif entry.seq > main.seq:
            yield from self._ahead(entry)
        elif self._fill(entry.seq):
            yield self._found(REORDERED, entry.seq, "it stands after entries that follow it")
            self._before = _Before(main, len(self._missing), self._highest)
            self._main = entry
        else:
            if entry.seq == main.seq:
                # Which of the two is the right one, the next entry says.
                hashes = entry.hashes | main.hashes if entry.hashes and main.hashes else _ANY
                self._main = replace(main, hashes=hashes)
            yield self._stray(entry.seq)

    def _follow(self, entry: _Point) -> None:
        if not _fits(entry, self._main):
            # Not said yet: the entry itself may be the one that was put in, and the right one comes next.
            if self._main.seq:
                finding = self._found(EDITED, self._main.seq, "the next entry follows another one than what is there")
            else:
                finding = self._found(FOREIGN, entry.seq, "it does not begin the chain of this service and deployment")
            self._doubt = finding, self._main
        self._main, self._before = entry, None
        self._highest = max(self._highest, entry.seq)

    def _back(self, entry: _Point, before: _Before) -> Iterator[Finding]:
        """It follows what was there before the last one, so it is that one which stands in the wrong place."""
        if self._main.seq > before.point.seq:
            del self._missing[before.missing :]
            self._highest = before.highest
            self._astray[self._main.seq] = self._main
            if len(self._astray) > REMEMBERED:
                number = min(self._astray)
                del self._astray[number]
                yield self._stray(number)
        self._main, self._before = entry, None
        self._highest = max(self._highest, entry.seq)

    def _ahead(self, entry: _Point) -> Iterator[Finding]:
        self._before = _Before(self._main, len(self._missing), self._highest)
        first = max(self._highest, self._main.seq) + 1
        seen = yield from self._caught_up(entry.seq)
        for number in [*seen, entry.seq]:
            if first < number:
                self._missing.append((first, number - 1))
            first = number + 1
        self._main, self._highest = entry, max(self._highest, entry.seq)
        if len(self._missing) > REMEMBERED:
            yield self._deleted(*self._missing.pop(0))
            self._before = None

    def _caught_up(self, until: int) -> Generator[Finding, None, list[int]]:
        """Those before this number that stood too early, and here is their place; what is wrong is told of each."""
        last, seen = self._main, []
        for number in sorted(number for number in self._astray if self._main.seq < number < until):
            astray = self._astray.pop(number)
            if number == last.seq + 1 and not _fits(astray, last):
                yield self._stray(number)
            else:
                yield self._found(REORDERED, number, "it stands before entries that it follows")
                last = astray
                seen.append(number)
        return seen

    def _fill(self, number: int) -> bool:
        """Whether this number was missing; it no longer is."""
        at = bisect.bisect_left(self._missing, number + 1, key=itemgetter(0)) - 1
        if at < 0 or number > self._missing[at][1]:
            return False
        first, last = self._missing[at]
        left = [(first, number - 1), (number + 1, last)]
        self._missing[at : at + 1] = [part for part in left if part[0] <= part[1]]
        return True

    def _deleted(self, first: int, last: int) -> Finding:
        return Finding(self.service, DELETED, first, last, "it is not there")

    def _stray(self, number: int) -> Finding:
        return self._found(INSERTED, number, "an entry that does not belong there has this number")

    def _found(self, kind: str, number: int, words: str) -> Finding:
        return Finding(self.service, kind, number, number, words)


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _fits(entry: _Point, before: _Point) -> bool:
    return entry.prev is None or not before.hashes or entry.prev in before.hashes


class AnchorCheck:
    """Looks whether a chain still is what its anchors say it was; in any order, in batches."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.anchors = 0
        self.confirmed = 0
        self._lost: tuple[int, int] | None = None
        self._forked: tuple[int, int] | None = None

    def take(self, anchors: Iterable[Head], hashes: Mapping[int, str], end: int) -> None:
        """`hashes`: those of the entries that the anchors name, as far as they are there; `end`: the last number
        that is known, looked up after the anchors were read where one of them is beyond it."""
        for anchor in anchors:
            self.anchors += 1
            if anchor.seq > end:
                self._lost = _wider(self._lost, end + 1, anchor.seq)
            elif anchor.seq in hashes and hashes[anchor.seq] != anchor.hash:
                self._forked = _wider(self._forked, anchor.seq, anchor.seq)
            elif anchor.seq in hashes:
                self.confirmed = max(self.confirmed, anchor.seq)

    def finish(self) -> Iterator[Finding]:
        """What the anchors show."""
        if self._forked:
            yield Finding(self.service, FORKED, *self._forked, "anchors say that other entries stood there")
        if self._lost:
            yield Finding(self.service, TRUNCATED, *self._lost, "anchors say that the chain went on to here")


def _wider(span: tuple[int, int] | None, first: int, last: int) -> tuple[int, int]:
    return (first, last) if span is None else (min(span[0], first), max(span[1], last))
