"""A record that was made again, or restored from an old copy, and what the flags topic already tells of its case. Pure.

It stays silent until it has passed the newest instant that was told; then it tells every row that differs and takes
back open flags that its history lacks, with numbers that go on after the largest told (design.md 4.1).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from qorgau.front.reading import flag_item
from qorgau.instants import parse_duration, parse_instant
from qorgau.rows import Change, FlagEvent, FlagRow
from qorgau.shell.documents import Stored, Told

# Added when an event is made, so no part of what a history says.
_OF_THE_EVENT = frozenset({"emitted_at", "seq"})


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """One event of this service read back from the flags topic: its instant and the data it carried."""

    at: int
    item: Mapping[str, Any]

    @property
    def seq(self) -> int:
        return int(self.item["seq"])


def remember(stored: Stored, events: Iterable[ToldEvent]) -> Stored:
    """The case with those events that its record does not know of; the same case if it knows them all."""
    known = stored.record.seq if stored.told is None else stored.told.seq
    new = sorted((event for event in events if event.seq > known), key=lambda event: event.seq)
    if not new:
        return stored
    told = stored.told or Told(at=new[0].at, seq=known, rows=_rows(stored))
    rows = dict(told.rows)
    for event in new:
        rows[str(event.item["id"])] = {name: v for name, v in event.item.items() if name not in _OF_THE_EVENT}
    # Events are published in the order of their numbers: whatever waits in the outbox has been told before these.
    return replace(stored, outbox=(), told=Told(max(told.at, *(event.at for event in new)), new[-1].seq, rows))


def reconciled(stored: Stored, until: int) -> tuple[Stored, tuple[FlagEvent, ...]]:
    """The case, judged up to `until`, and what must be told now; nothing while it has not passed what was told."""
    told = stored.told
    if told is None or until < told.at:
        return stored, ()
    at = max(told.at, stored.record.as_of or told.at)
    own = {row.id: row for row in stored.record.flags}
    changes = [change for row in own.values() for change in _differing(row, told.rows.get(row.id))]
    lost = (item for name, item in told.rows.items() if name not in own and item["cleared_at"] is None)
    changes += [("cleared", replace(told_row(item), cleared_at=at, outcome="void")) for item in lost]
    changes.sort(key=lambda change: (change[1].raised_at, change[1].id))
    events = tuple(
        FlagEvent(change, row, at, told.seq + number, _detail(change, row))
        for number, (change, row) in enumerate(changes, 1)
    )
    record = replace(stored.record, seq=max(stored.record.seq, told.seq + len(events)))
    return replace(stored, record=record, told=None), events


def _differing(row: FlagRow, told: Mapping[str, Any] | None) -> list[tuple[Change, FlagRow]]:
    """What brings a reader who was told `told` to the row; every event carries the whole row."""
    if told is None:
        raised: list[tuple[Change, FlagRow]] = [("raised", row)]
        return raised if row.cleared_at is None else [*raised, ("cleared", row)]
    if dict(told) == flag_item(row):
        return []
    if row.cleared_at is not None:
        return [("cleared", row)]
    if told["cleared_at"] is not None:
        return [("raised", row)]
    return [("updated" if told["due_at"] != flag_item(row)["due_at"] else "escalated", row)]


def _detail(change: Change, row: FlagRow) -> str:
    if change == "updated":
        return str(flag_item(row)["due_at"])
    return row.escalations[-1][0] if change == "escalated" and row.escalations else ""


def _rows(stored: Stored) -> Mapping[str, Mapping[str, Any]]:
    """What readers know from a record that was restored from an old copy: everything it had told itself."""
    return {row.id: flag_item(row) for row in stored.record.flags}


def told_row(item: Mapping[str, Any]) -> FlagRow:
    """The row an event's data tells of; raises what reading something else raises."""

    def instant(name: str) -> int | None:
        return None if item[name] is None else parse_instant(item[name])

    return FlagRow(
        case=item["case"],
        rule=item["rule"],
        key=item["key"],
        level=item["level"],
        severity=item["severity"],
        start_at=instant("start_at"),
        due_at=instant("due_at"),
        raised_at=parse_instant(item["raised_at"]),
        cleared_at=instant("cleared_at"),
        late_by=None if item["late_by"] is None else parse_duration(item["late_by"]),
        outcome=item["outcome"],
        escalations=tuple((step, parse_instant(at)) for step, at in item["escalations"].items()),
        region=item["region"],
        agency=item["agency"],
    )
