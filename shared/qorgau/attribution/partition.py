"""Overlapping stretches of time made into one row of segments without gap or overlap, and what is left beside. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from operator import attrgetter

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A leg is open for an agency from `begin` until `end` (microseconds). Of several, the smallest is charged: the row
    of the table that comes first (`place`), then the wait that began first (`since`), then the agency by its code."""

    place: int
    since: int
    agency: str
    end: int
    begin: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Time from `begin` until `end` (microseconds) of one leg and one agency; never empty."""

    begin: int
    end: int
    leg: str
    agency: str

    @property
    def length(self) -> int:
        """In microseconds."""
        return self.end - self.begin


def charged(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """The time of all stretches in pieces, each of the smallest stretch that is open there, in order of time. Where the
    stretches leave no gap, the pieces leave none; they never overlap. Neighbours of one leg and agency are one."""
    last: Stretch | None = None
    for piece in _pieces(sorted(stretches, key=attrgetter("begin"))):
        if last is not None and (last.end, last.place, last.agency) == (piece.begin, piece.place, piece.agency):
            last = replace(last, end=piece.end)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


def _pieces(coming: Sequence[Stretch]) -> Iterator[Stretch]:
    """What is open changes where a stretch begins or the smallest ends; each piece lies between two such instants."""
    opened: list[Stretch] = []
    place, at = 0, 0
    while place < len(coming) or opened:
        if not opened:
            at = coming[place].begin
        while place < len(coming) and coming[place].begin <= at:
            heappush(opened, coming[place])
            place += 1
        while opened and opened[0].end <= at:
            heappop(opened)
        if opened:
            first = opened[0]
            until = min(first.end, coming[place].begin) if place < len(coming) else first.end
            yield replace(first, begin=at, end=until)
            at = until


def beside(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> Iterator[Stretch]:
    """What of the stretches was open while another was charged: for each leg and agency its open time without what is
    `taken` of it."""
    opened: defaultdict[tuple[int, str], list[Span]] = defaultdict(list)
    for one in stretches:
        opened[one.place, one.agency].append((one.begin, one.end))
    gone: defaultdict[tuple[int, str], list[Span]] = defaultdict(list)
    for one in taken:
        gone[one.place, one.agency].append((one.begin, one.end))
    for (place, agency), spans in opened.items():
        for begin, end in without(union(spans), gone[place, agency]):
            yield Stretch(place, begin, agency, end, begin)


def union(spans: Iterable[Span]) -> list[Span]:
    """Spans that touch or overlap as one, in order."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        elif end > begin:
            found.append((begin, end))
    return found


def without(spans: Iterable[Span], gone: Iterable[Span]) -> Iterator[Span]:
    """What of spans in order is left without others in order that lie inside them."""
    left = iter(gone)
    hole = next(left, None)
    for begin, end in spans:
        while hole is not None and hole[0] < end:
            if hole[0] > begin:
                yield begin, hole[0]
            begin, hole = hole[1], next(left, None)
        if begin < end:
            yield begin, end
