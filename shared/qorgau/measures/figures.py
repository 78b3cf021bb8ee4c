"""The figures of each phase in a month: how many, how many in time, p50 and p90, and which of them are shown. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from qorgau import rules
from qorgau.instants import MINUTE, format_duration
from qorgau.measures.phases import Row
from qorgau.surge.suppression import BELOW, TOTAL, Cell, suppress
from qorgau.vocabulary import FACT_TYPES

Dimension = Literal["region", "channel", "area", "agency"]
# With three most cells hold fewer than five.
MOST_DIMENSIONS = 2
# A value that no report said.
UNKNOWN = "unknown"
# What says nothing of how fast an agency was; each is counted by itself.
APART = ("declined", "cancelled", "window_passed")


@dataclass(slots=True)
class Figures:
    """The deadlines of one cell: spans of those fulfilled in microseconds, how many were not, how many in time."""

    spans: list[int] = field(default_factory=list)
    unfulfilled: int = 0
    in_time: int = 0

    @property
    def n(self) -> int:
        """How many are judged."""
        return len(self.spans) + self.unfulfilled

    def add(self, row: Row) -> None:
        """Count a row that is judged."""
        if row["span"] is None:
            self.unfulfilled += 1
        else:
            self.spans.append(row["span"])
        self.in_time += row["outcome"] == "in_time"

    def percentile(self, percent: int) -> int | None:
        """The nearest-rank percentile (the smallest span that at least so many of a hundred do not exceed); what is
        not fulfilled counts as longer than all others, None where the rank falls there. Raises IndexError of none."""
        rank = -(-self.n * percent // 100)
        return sorted(self.spans)[rank - 1] if rank <= len(self.spans) else None


def figures(
    rows: Iterable[Row], by: Sequence[Dimension], policy: rules.Policy, below: int = BELOW
) -> list[dict[str, Any]]:
    """For each rule that has any row, in the order of the policy, its target and the cells that may be shown, sums
    (`total`) last. All rows are of one month; months are tables of their own, and no sum over them is ever told.

    A cell that is not there has a count below `below`, zero included, or would give one away that has.
    """
    sorted_out: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        sorted_out.setdefault((row["rule"], row["against"]), []).append(row)
    order = {rule.id: place for place, rule in enumerate(policy.rules)}
    names = sorted(sorted_out, key=lambda name: (order.get(name[0], len(order)), name))
    return [
        {
            "rule": rule,
            "against": against,
            "targets": targets(rule, policy),
            "cells": _cells(sorted_out[rule, against], by, policy, below),
        }
        for rule, against in names
    ]


def _cells(rows: Sequence[Row], by: Sequence[Dimension], policy: rules.Policy, below: int) -> list[dict[str, Any]]:
    levels = [_level(name, rows, policy) for name in by]
    judged: dict[Cell, Figures] = {}
    apart = {name: Counter[Cell]() for name in APART}
    for row in rows:
        cell = tuple(row[name] or UNKNOWN for name in by)
        if row["outcome"] in apart:
            apart[row["outcome"]][cell] += 1
        else:
            for place in _sums_of(cell):
                judged.setdefault(place, Figures()).add(row)
    counts = {cell: found.n for cell, found in judged.items() if TOTAL not in cell}
    shown = published(counts, levels, below)
    others = {name: published(counts, levels, below) for name, counts in apart.items()}
    cells = sorted({*shown, *(cell for one in others.values() for cell in one)}, key=_sums_last)
    return [
        {
            **dict(zip(by, cell, strict=True)),
            **_described(judged[cell] if cell in shown else None),
            **{name: one.get(cell) for name, one in others.items()},
        }
        for cell in cells
    ]


def published(counts: Mapping[Cell, int], levels: Sequence[Sequence[str]], below: int = BELOW) -> dict[Cell, int]:
    """The cells of a table, sums included, that may be told; without dimensions the one sum under the empty cell."""
    count = sum(counts.values())
    if not levels or count < below:
        return {(): count} if count >= below else {}
    return {cell: count for cell, count in suppress(counts, levels, below).items() if count is not None}


def targets(rule: str, policy: rules.Policy) -> list[dict[str, Any]]:
    """Every term of a rule as the policy has it, the line of `cases` it is for beside it; versions in their order."""
    found: list[dict[str, Any]] = []
    for row in (row for row in policy.rules if row.id == rule):
        lines: list[rules.CaseLine | rules.Rule] = [*row.cases]
        if not any(line.otherwise for line in row.cases):
            lines.append(row)
        for line in lines:
            within = row.within if line.within is None else line.within
            count = row.count if line.count is None else line.count
            when = line.when if isinstance(line, rules.CaseLine) else None
            term = {
                "clock": row.clock,
                **({"within": format_duration(within)} if row.clock == "elapsed" and within is not None else {}),
                **({"count": count} if row.clock in ("working_days", "months") else {}),
                **({"when": when.model_dump(exclude_none=True, exclude_defaults=True)} if when else {}),
            }
            if term not in found:
                found.append(term)
    return found


def _described(found: Figures | None) -> dict[str, Any]:
    """A single long span would tell whose it was: lengths are rounded up to minutes, which changes no comparison with
    a target of whole minutes."""
    if found is None:
        return dict.fromkeys(("n", "share_in_time", "p50", "p90"))
    lengths = {f"p{percent}": found.percentile(percent) for percent in (50, 90)}
    rounded = {name: None if span is None else -(-span // MINUTE) * MINUTE for name, span in lengths.items()}
    written = {name: None if span is None else format_duration(span) for name, span in rounded.items()}
    return {"n": found.n, "share_in_time": round(found.in_time / found.n, 3), **written}


def _level(name: Dimension, rows: Iterable[Row], policy: rules.Policy) -> list[str]:
    """The names along a dimension: all there are, not all that were seen, because who sees that all others together
    had none knows of each that it had none. Nobody knows all agencies; one that is never seen stands for them."""
    known = {
        "region": list(policy.policy.zones.regions),
        "channel": sorted(FACT_TYPES["report.received"].fields["channel"] or ()),
        "area": sorted(FACT_TYPES["report.received"].fields["area"] or ()),
        "agency": [UNKNOWN],
    }
    return sorted({*known[name], *(row[name] or UNKNOWN for row in rows)})


def _sums_of(cell: Cell) -> Iterable[Cell]:
    """A cell and every sum that it is in."""
    places: list[Cell] = [()]
    for name in cell:
        places = [(*place, part) for place in places for part in (name, TOTAL)]
    return places


def _sums_last(cell: Cell) -> list[tuple[bool, str]]:
    return [(name == TOTAL, name) for name in cell]
