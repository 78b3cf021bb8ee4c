"""What the feed of a case tells, in order, and where in it a reader goes on: of the stored case alone, and pure.

Everything that comes later is known later: what a case learns is known after the instant it was judged last, and flags
change only at such instants (design.md 4.1). So what is told up to there is only ever added to, at its end.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from operator import attrgetter
from typing import Any

from qorgau.errors import Gone, Invalid
from qorgau.facts import Fact, event_type, fact_to_json
from qorgau.front.reading import flag_item
from qorgau.instants import format_instant
from qorgau.record import CaseRecord
from qorgau.rows import FlagRow

FIELD = "Last-Event-ID"
_ID = re.compile(r"([0-9]{1,6})-([0-9a-f]{16})")
_FACTS, _FLAGS = 0, 1


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One thing that became known of a case at an instant in microseconds: a fact, or a change of a flag. `name` is the
    same wherever and however often the case is judged."""

    at: int
    order: tuple[int, int, str, str]
    kind: str
    name: str
    data: dict[str, Any]


def case_events(record: CaseRecord) -> list[CaseEvent]:
    """All that is known of a case up to the instant it was judged last: of each instant first its facts, then what they
    changed of the flags."""
    as_of = record.as_of
    if as_of is None:
        return []
    found = [_fact(fact) for fact in record.facts if fact.known_at <= as_of]
    found += [one for place, row in enumerate(record.flags) for one in _flag(place, row)]
    return sorted(found, key=attrgetter("at", "order"))


def _fact(fact: Fact) -> CaseEvent:
    order = (_FACTS, fact.recorded, *fact.identity)
    name = f"{fact.source} {fact.id}"
    return CaseEvent(fact.known_at, order, event_type(fact.type), name, fact_to_json(fact))


def _flag(place: int, row: FlagRow) -> Iterator[CaseEvent]:
    """A flag as it was when it was raised, at each step of its ladder, and when it was cleared. Where its due moved in
    between is not kept with the case."""
    outcome = "window_passed" if row.level == "info" else "open"
    up = replace(row, cleared_at=None, late_by=None, outcome=outcome, escalations=())
    yield _change(place, 0, "raised", "", row.raised_at, up)
    for number, (step, at) in enumerate(row.escalations, start=1):
        yield _change(place, number, "escalated", step, at, replace(up, escalations=row.escalations[:number]))
    if row.cleared_at is not None:
        yield _change(place, len(row.escalations) + 1, "cleared", "", row.cleared_at, row)


def _change(place: int, number: int, change: str, step: str, at: int, row: FlagRow) -> CaseEvent:
    data = flag_item(row) | {"at": format_instant(at)}
    order = (_FLAGS, place, f"{number:03d}", "")
    return CaseEvent(at, order, f"qorgau.flag.{change}.v1", f"{row.id} {change} {step}", data)


class Places:
    """The ids of a feed: how many events a reader has had, and which. A feed that was made again and is another up to
    there does not take the id of before for one of its own."""

    def __init__(self, events: Sequence[CaseEvent]) -> None:
        self._marks = [0]
        for one in events:
            self._marks.append(self._marks[-1] ^ _mark(one))

    @property
    def end(self) -> int:
        """How many there are."""
        return len(self._marks) - 1

    def id(self, count: int) -> str:
        """The id after so many of them."""
        return f"{count}-{self._marks[count]:016x}"

    def after(self, last: str | None) -> int:
        """How many of them a reader has had who names this id: all, where it names none and begins now. Raises Invalid
        for what is no id of such a feed, Gone for one of another case or of a feed that was made again."""
        if last is None:
            return self.end
        if last == "0":
            return 0
        named = _ID.fullmatch(last)
        if named is None:
            raise Invalid("It is no id of an event of this feed; leave it out to begin now.", field=FIELD)
        count = int(named[1])
        if count > self.end or last != self.id(count):
            raise Gone("This feed has no such place (any more); begin again with 0.", field=FIELD)
        return count


def _mark(one: CaseEvent) -> int:
    return int.from_bytes(sha256(one.name.encode()).digest()[:8])
