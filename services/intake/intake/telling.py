"""What intake tells of nobody's case (a surge, a silence): written down as a case is, without facts. Pure.

Rows, numbers and outbox stand in one document; `extra` has what is known of them besides, and `up` among it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from qorgau.rows import Change, FlagEvent, FlagRow
from qorgau.shell.documents import Stored, with_events
from qorgau.shell.restoring import told_row


def with_changes(
    stored: Stored,
    changes: Sequence[tuple[Change, FlagRow]],
    at: int,
    emitted_at: int,
    extra: Mapping[str, Any],
) -> Stored:
    """The document after these changes of flags at an instant, told in their order; `extra`: its further fields."""
    record = stored.record
    events = tuple(FlagEvent(change, row, at, record.seq + number) for number, (change, row) in enumerate(changes, 1))
    rows = {row.id: row for row in (*record.flags, *(row for _, row in changes))}
    record = replace(record, flags=tuple(rows.values()), seq=events[-1].seq, as_of=at)
    noted = {**stored.extra, **extra, "up": any(row.cleared_at is None for row in rows.values())}
    return with_events(replace(stored, record=record, extra=noted), events, emitted_at)


def remembered(
    stored: Stored, items: Iterable[Mapping[str, Any]], extra_of: Callable[[Sequence[FlagRow]], Mapping[str, Any]]
) -> Stored:
    """The document with what the flags topic tells of it and the database does not know: it was lost, or put back.
    `extra_of`: its further fields, as far as its rows tell them."""
    new = sorted((item for item in items if item["seq"] > stored.record.seq), key=lambda item: int(item["seq"]))
    if not new:
        return stored
    rows = {row.id: row for row in stored.record.flags}
    for item in new:
        rows[str(item["id"])] = told_row(item)
    flags = tuple(rows.values())
    at = max(row.raised_at if row.cleared_at is None else row.cleared_at for row in flags)
    record = replace(stored.record, flags=flags, seq=int(new[-1]["seq"]), as_of=at)
    up = any(row.cleared_at is None for row in flags)
    extra = {"evidence": {}, **stored.extra, **extra_of(flags), "up": up}
    # Events are published in the order of their numbers: whatever waits in the outbox has been told before these.
    return replace(stored, record=record, outbox=(), extra=extra)
