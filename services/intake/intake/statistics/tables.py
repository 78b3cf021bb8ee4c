"""Monthly tables of reports by region and channel: counted, withheld where they must be, and written out. Pure."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from intake.domain import ReportReceived
from intake.statistics.counting import Report
from intake.statistics.periods import Days
from qorgau.instants import format_instant
from qorgau.surge.suppression import BELOW, TOTAL, Cell, suppress
from qorgau.vocabulary import FACT_TYPES

CHANNELS = tuple(sorted(FACT_TYPES[ReportReceived.type].fields["channel"] or ()))
Table = Mapping[Cell, int | None]
Status = Literal["published", "provisional"]
COLUMNS = ("month", "status", "revision", "as_of", "region", "channel", "reports", "withheld")


@dataclass(frozen=True, slots=True)
class Revision:
    """A table as it was published: the first is number 1, `as_of` when it was; None in it is withheld."""

    month: str
    number: int
    as_of: int
    table: Table


def count(reports: Iterable[Report], month: date, end: date, at: int, days: Mapping[str, Days]) -> Counter[Cell]:
    """The reports of a month, before the day `end`, that count at an instant, by region and channel; `days` are those
    of each region."""
    found: Counter[Cell] = Counter()
    for report in reports:
        of = days.get(report.region)
        if of is not None and month <= of.of(report.time) < end and report.counts_at(at):
            found[report.region, report.channel] += 1
    return found


def table(
    counts: Mapping[Cell, int], regions: Iterable[str], earlier: Sequence[Table] = (), below: int = BELOW
) -> Table:
    """The table with its sums, small counts and what would give them away withheld; the same for the same counts.

    `earlier`: every revision that was published of it. Regions and channels of those and of the counts are rows too.
    """
    seen = {cell for given in (counts, *earlier) for cell in given}
    levels = [
        sorted({*names, *(cell[axis] for cell in seen)} - {TOTAL}) for axis, names in enumerate((regions, CHANNELS))
    ]
    return suppress(counts, levels, below, earlier)


def as_json(revision: Revision, status: Status, history: Sequence[tuple[int, int]], below: int) -> dict[str, Any]:
    """The answer: cells in the order of region and channel, `total` for sums; `history` are number and instant of the
    revisions up to this one."""
    return {
        "month": revision.month,
        "status": status,
        "revision": revision.number or None,
        "as_of": format_instant(revision.as_of),
        "withheld_below": below,
        "revisions": [{"revision": number, "as_of": format_instant(at)} for number, at in history],
        "cells": [
            {"region": region, "channel": channel, "reports": value, "withheld": value is None}
            for (region, channel), value in _sorted(revision.table)
        ],
    }


def as_csv(revision: Revision, status: Status) -> str:
    """The same as lines under a header; the count of a withheld cell is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    about = revision.month, status, revision.number or "", format_instant(revision.as_of)
    for (region, channel), value in _sorted(revision.table):
        writer.writerow([*about, region, channel, "" if value is None else value, "yes" if value is None else "no"])
    return text.getvalue()


def _sorted(cells: Table) -> list[tuple[Cell, int | None]]:
    """Sums last."""
    return sorted(cells.items(), key=lambda item: [(name == TOTAL, name) for name in item[0]])
