"""What is answered about parity: who sees which cell, and the cells as JSON, small numbers withheld. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from qorgau.identity.sender import Sender
from qorgau.instants import format_instant
from qorgau.parity.bootstrap import LEVEL, Interval, Medians
from qorgau.parity.comparing import ALPHA, AT_LEAST, Judged, Line, Side, judged
from qorgau.parity.samples import DOMESTIC, REGIME, Cell
from qorgau.surge.suppression import BELOW

# Below a microsecond there is nothing to tell, and of a ratio three digits are more than enough.
_DIGITS = 6


def visible(line: Line, sender: Sender) -> bool:
    """To the unit itself, and to who supervises its region."""
    return sender.supervises(line.cell.region) or line.cell.unit == sender.agency


def wanted(lines: Iterable[Line], sender: Sender, region: str | None, unit: str | None) -> list[Line]:
    """The cells this sender may see, of this region and unit."""
    return [
        line
        for line in lines
        if visible(line, sender) and region in (None, line.cell.region) and unit in (None, line.cell.unit)
    ]


def answer(service: str, since: int, until: int, as_of: int, lines: Sequence[Line]) -> dict[str, Any]:
    """One answer; Holm's correction is over its cells."""
    found = judged(lines)
    return {
        "service": service,
        "since": format_instant(since),
        "until": format_instant(until),
        "as_of": format_instant(as_of),
        "level": LEVEL,
        "alpha": ALPHA,
        "at_least": AT_LEAST,
        "withheld_below": BELOW,
        "compared": sum(one.line.medians is not None for one in found),
        "cells": [cell_json(one) for one in found],
    }


def cell_json(one: Judged) -> dict[str, Any]:
    """A cell: `too_few` has counts and nothing else, `compared` every estimate with its interval."""
    line = one.line
    row: dict[str, Any] = {
        **_cell(line.cell),
        "status": "too_few" if line.medians is None else "compared",
        DOMESTIC: _side(line.domestic),
        REGIME: _side(line.regime),
    }
    if line.medians is None:
        return row | {"reason": f"fewer than {AT_LEAST} of {_short(line)} with a delay"}
    return row | _estimates(line.medians) | {"p": line.p, "holm_p": one.holm_p, "flagged": one.flagged}


def _cell(cell: Cell) -> dict[str, str | None]:
    return {name: value or None for name, value in cell._asdict().items()}


def _side(side: Side) -> dict[str, int | None]:
    return {"answered": _count(side.answered), "unanswered": _count(side.unanswered)}


def _count(count: int) -> int | None:
    return count if count >= BELOW else None


def _short(line: Line) -> str:
    """Which category is too small for a comparison."""
    sides = {DOMESTIC: line.domestic, REGIME: line.regime}
    return " and of ".join(name for name, side in sides.items() if side.answered < AT_LEAST)


def _estimates(found: Medians) -> dict[str, Any]:
    return {
        "median_seconds": {DOMESTIC: _interval(found.first), REGIME: _interval(found.second)},
        "difference_seconds": _interval(found.difference),
        "ratio": None if found.ratio is None else _interval(found.ratio),
    }


def _interval(found: Interval) -> dict[str, float]:
    ends = {"estimate": found.estimate, "lower": found.lower, "upper": found.upper}
    return {name: round(value, _DIGITS) for name, value in ends.items()}
