"""The form of a worked example and short ways to write its facts and rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """Facts and what must come of them at `as_of`.

    `flags` and `deadlines` are complete for the rules in `rules` and name only the fields they are about; None means
    that the example is not about them. `tweak` changes a policy loaded from the default file in place.
    """

    name: str
    rules: tuple[str, ...]
    as_of: str
    facts: Sequence[Row]
    flags: Sequence[Row] | None = None
    deadlines: Sequence[Row] | None = None
    tweak: Callable[[dict[str, Any]], None] | None = None

    def __str__(self) -> str:
        return self.name.replace(" ", "_")


def local(text: str) -> str:
    """`2026-06-03 10:00[:00[.000001]][+06:00]`; without an offset UTC+5."""
    stamp = text.replace(" ", "T")
    clock, plus, offset = stamp.partition("+")
    clock += ":00" if clock.count(":") == 1 else ""
    return f"{clock}{plus or '+'}{offset or '05:00'}"


def fact(id: str, type: str, time: str, recorded: str | None = None, **data: object) -> Row:
    """A fact of the case `c1` from one source for all; the region is Almaty if none is given, absent if it is None."""
    row: Row = {"id": id, "source": "102/KZ-75", "type": type, "time": local(time), "case": "c1"}
    if recorded:
        row["recorded"] = local(recorded)
    fields = {"region": "KZ-75", **data}
    row["data"] = {name: value for name, value in fields.items() if value is not None}
    return row


def context(id: str, type: str, time: str, **data: object) -> Row:
    """A fact without a case."""
    row = fact(id, type, time, None, **data)
    del row["case"]
    return row


def withdrawal(of: Row, time: str, recorded: str | None = None) -> Row:
    """The withdrawal of a fact by its own source."""
    return fact(f"w-{of['id']}", "fact.withdrawn", time, recorded, fact_id=of["id"], reason="entered_in_error")


def flag(rule: str, level: str, raised: str, cleared: str | None, outcome: str, **more: object) -> Row:
    """A flag row; `due` is a local time, further fields as they are."""
    row: Row = {"rule": rule, "level": level, "raised_at": local(raised), "outcome": outcome}
    row["cleared_at"] = local(cleared) if cleared else None
    return row | _stamped(more)


def deadline(rule: str, start: str, due: str | None, state: str, **more: object) -> Row:
    """A deadline row."""
    row: Row = {"rule": rule, "start_at": local(start), "due_at": local(due) if due else None, "state": state}
    return row | _stamped(more)


def _stamped(fields: dict[str, Any]) -> Row:
    row: Row = {}
    for name, value in fields.items():
        if name == "due":
            row["due_at"] = local(value)
        elif name == "escalations":
            row[name] = {step: local(at) for step, at in value.items()}
        else:
            row[name] = value
    return row
