"""The facts of other cases and of no case, filed once for all cases by what F3 and F5 look for; pure.

Withdrawals are final and everything here was learnt already, so when each fact begins and ceases to count is known.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from qorgau.facts import WITHDRAWAL, Fact, first_copy
from qorgau.heart.matching import same_value
from qorgau.heart.reactions import OvertakenBy, RepeatOf
from qorgau.heart.tolls import FOREVER
from qorgau.instants import parse_instant
from qorgau.plan import Plan

Span = tuple[int, int]
"""From the first instant at which a fact counts to the first at which it no longer does."""
Identity = tuple[str | None, str, str]


def withdrawals(facts: Iterable[Fact]) -> dict[Identity, int]:
    """For each fact withdrawn (case, source, id) the instant since when it counts as never posted (1.7)."""
    gone: dict[Identity, int] = {}
    for fact in facts:
        withdrawn = fact.data.get("fact_id") if fact.type == WITHDRAWAL else None
        if isinstance(withdrawn, str):
            identity = fact.case, fact.source, withdrawn
            gone[identity] = min(fact.known_at, gone.get(identity, FOREVER))
    return gone


@dataclass(frozen=True, slots=True)
class Item:
    """A fact that an overtaken flag counts, while it counts; `registered` is the instant in its data."""

    known_at: int
    until: int
    registered: int


class Queue:
    """The items of one court (or whatever the flag compares), in the order in which they became known."""

    def __init__(self, items: list[Item], longest: int) -> None:
        self._items = sorted(items, key=lambda item: item.known_at)
        self._known = [item.known_at for item in self._items]
        self._longest = longest

    def overtaken(self, start: int, at_least: int, at: int) -> tuple[bool, int | None]:
        """Whether at an instant at least so many items registered after a start count, and when that will change."""
        counting = self._counting(start, at_least, at)
        if len(counting) < at_least:
            return False, self._up_again(start, at_least, at, counting)
        # These count until the first of them is over; so it stays up as long as then others are enough.
        while len(counting) == at_least:
            at = min(counting)
            counting = self._counting(start, at_least, at)
        return True, at

    def _counting(self, start: int, at_most: int, at: int) -> list[int]:
        """When the items that count at an instant will be over, the last known first, at most so many."""
        found: list[int] = []
        for place in range(bisect_right(self._known, at) - 1, -1, -1):
            # No item counts for longer than the window, so those known before it are over.
            if len(found) == at_most or self._known[place] <= at - self._longest:
                break
            item = self._items[place]
            if item.until > at and item.registered > start:
                found.append(item.until)
        return found

    def _up_again(self, start: int, at_least: int, at: int, counting: list[int]) -> int | None:
        """The first later instant at which enough items count."""
        heapify(counting)
        for place in range(bisect_right(self._known, at), len(self._items)):
            item = self._items[place]
            if item.registered <= start:
                continue
            while counting and counting[0] <= item.known_at:
                heappop(counting)
            heappush(counting, item.until)
            if len(counting) >= at_least:
                return item.known_at
        return None


NOBODY = Queue([], 0)


@dataclass(frozen=True, slots=True)
class Report:
    """A fact that a repeat flag counts, and the instant since when it counts as never posted."""

    fact: Fact
    gone: int


@dataclass(frozen=True, slots=True)
class Merged:
    """A span in which a fact of a case takes those out of the count that carry the same value as it."""

    case: str | None
    span: Span


class Others:
    """What F3 and F5 look at beyond one case. Made once for a file; `facts` may contain the cases themselves."""

    def __init__(self, facts: Iterable[Fact], plan: Plan) -> None:
        self._queues: dict[str, dict[Hashable, Queue]] = {}
        self._reports: dict[str, dict[Hashable, list[Report]]] = {}
        self._merged: dict[str, dict[Hashable, list[Merged]]] = {}
        crossing = [flag for flag in plan.flags.values() if flag.overtaken or flag.repeat]
        known = _first_copies(facts) if crossing else []
        gone = withdrawals(known)
        for flag in crossing:
            if flag.overtaken:
                self._queues[flag.id] = _queues(known, flag.overtaken, gone)
            if flag.repeat:
                self._reports[flag.id] = reports(known, flag.repeat, gone)
                self._merged[flag.id] = merged(known, flag.repeat, gone)

    def has_items(self, flag: str) -> bool:
        """Whether there is anything that an overtaken flag may count."""
        return bool(self._queues.get(flag))

    def queue(self, flag: str, value: Hashable) -> Queue:
        """The items whose field has a value."""
        return self._queues.get(flag, {}).get(value, NOBODY)

    def reports(self, flag: str, value: Hashable, case: str) -> list[Report]:
        """The reports of other cases than one whose field has a value."""
        found = self._reports.get(flag, {}).get(value, [])
        return [report for report in found if report.fact.case not in (None, case)]

    def merged(self, flag: str, value: Hashable, case: str) -> list[Span]:
        """When facts of other cases than one took reports with a value out of the count."""
        found = self._merged.get(flag, {}).get(value, [])
        return [merge.span for merge in found if merge.case != case]


def _first_copies(facts: Iterable[Fact]) -> list[Fact]:
    kept: dict[Identity, Fact] = {}
    for fact in facts:
        identity = fact.case, fact.source, fact.id
        known = kept.get(identity)
        kept[identity] = fact if known is None else first_copy(known, fact)
    return list(kept.values())


def _queues(facts: Iterable[Fact], flag: OvertakenBy, gone: dict[Identity, int]) -> dict[Hashable, Queue]:
    row = flag.row
    found: defaultdict[Hashable, list[Item]] = defaultdict(list)
    for fact in facts:
        if fact.type != row.items.fact or fact.case is not None or row.same_field not in fact.data:
            continue
        try:
            registered = parse_instant(fact.data.get(row.registered_field))
        except ValueError:
            continue
        until = min(fact.time + row.in_last, gone.get((None, fact.source, fact.id), FOREVER))
        if until > fact.known_at and flag.matches(fact.data):
            found[same_value(fact.data[row.same_field])].append(Item(fact.known_at, until, registered))
    return {value: Queue(items, row.in_last) for value, items in found.items()}


def reports(facts: Iterable[Fact], flag: RepeatOf, gone: dict[Identity, int]) -> dict[Hashable, list[Report]]:
    """The facts that a repeat flag counts, by the value that they share."""
    found: defaultdict[Hashable, list[Report]] = defaultdict(list)
    for fact in facts:
        matches = flag.counts.get(fact.type)
        if matches is not None and flag.row.same_field in fact.data and matches(fact.data):
            until = gone.get((fact.case, fact.source, fact.id), FOREVER)
            if until > fact.known_at:
                found[same_value(fact.data[flag.row.same_field])].append(Report(fact, until))
    return dict(found)


def merged(facts: Iterable[Fact], flag: RepeatOf, gone: dict[Identity, int]) -> dict[Hashable, list[Merged]]:
    """The facts that take others out of the count, by the value that says which."""
    found: defaultdict[Hashable, list[Merged]] = defaultdict(list)
    rule = flag.row.not_counted
    for fact in facts:
        if rule is not None and fact.type == rule.fact and rule.by in fact.data:
            until = gone.get((fact.case, fact.source, fact.id), FOREVER)
            if until > fact.known_at:
                found[same_value(fact.data[rule.by])].append(Merged(fact.case, (fact.known_at, until)))
    return dict(found)


def counted_spans(known: int, gone: int, taken_out: Iterable[Span]) -> Iterator[Span]:
    """The spans in which a report counts that is known and withdrawn at these instants, and that others take out of the
    count for a while."""
    since = known
    for begin, end in sorted(taken_out):
        if begin >= gone:
            break
        if begin > since:
            yield since, begin
        since = max(since, end)
    if since < gone:
        yield since, gone
