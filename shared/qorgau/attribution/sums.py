"""Attribution in sum: the rows that are kept of each case, and their table by region, month and leg. Pure.

A cell of so few cases that a reader could find somebody in it is left out, and looks as one without any. No sums of
cells are given, so that what is left out cannot be worked out from the rest.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from qorgau.attribution.account import attribute
from qorgau.attribution.table import LEGS
from qorgau.calendar import Calendar
from qorgau.facts import Fact
from qorgau.instants import SECOND, format_duration
from qorgau.surge.suppression import BELOW

Row = dict[str, Any]
KIND = "leg"
WHOLE = "whole"
"""Stands for a leg: the time of all legs together."""


def measured(facts: Iterable[Fact], as_of: int, calendar: Calendar) -> tuple[Row, ...]:
    """What is kept of a case for the sums, anew after each change, as JSON values: a row for each leg and agency that
    is charged, and one of the whole.

    Each has case, region and local month (`YYYY-MM`) of the report, leg, agency (None for the whole), `micros`, whether
    the account is `open`, and, if so, whether this row is still `running` at `as_of`: without another fact it goes on.
    """
    account = attribute(facts, as_of)
    if account is None:
        return ()
    begun = calendar.local_date(account.begin, calendar.zone(account.region))
    of = {
        "kind": KIND,
        "case": account.case,
        "region": account.region,
        "month": f"{begun:%Y-%m}",
        "open": account.ended is None,
        "as_of": as_of,
    }
    charged = {(one.leg, one.agency): one.charged for one in account.shares()}
    if account.running is not None:
        charged.setdefault(account.running, 0)
    legs = [
        {**of, "leg": name[0], "agency": name[1], "micros": micros, "running": name == account.running}
        for name, micros in charged.items()
        if micros or name == account.running
    ]
    whole = {"leg": WHOLE, "agency": None, "micros": account.total, "running": account.running is not None}
    return (*legs, {**of, **whole})


def summed(rows: Iterable[Mapping[str, Any]], at: int, below: int = BELOW) -> list[Row]:
    """The table of kept rows at an instant (microseconds, not before they were measured), in order: for each region,
    month and leg, apart for accounts that are still `open`, how many cases, and sum, median and 90th percentile of
    their time as ISO 8601 durations, cut to whole seconds. Cells of fewer than `below` cases are left out.

    Both percentiles are by nearest rank: the smallest time that half (nine tenths) of the cases do not exceed.
    """
    cells: defaultdict[tuple[str, str, int, bool], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        since = max(at - row["as_of"], 0) if row["running"] else 0
        # A case can be charged one leg at several agencies, and counts once.
        name = row["region"] or "", row["month"], _PLACES[row["leg"]], row["open"]
        cells[name][row["case"]] += row["micros"] + since
    return [_cell(name, sorted(cells[name].values())) for name in sorted(cells) if len(cells[name]) >= below]


def _cell(name: tuple[str, str, int, bool], times: list[int]) -> Row:
    region, month, place, is_open = name
    return {
        "region": region or None,
        "month": month,
        "leg": _NAMES[place],
        "open": is_open,
        "cases": len(times),
        "sum": _seconds(sum(times)),
        "median": _seconds(_percentile(times, 50)),
        "p90": _seconds(_percentile(times, 90)),
    }


def _percentile(times: list[int], percent: int) -> int:
    return times[-(-len(times) * percent // 100) - 1]


def _seconds(length: int) -> str:
    return format_duration(length - length % SECOND)


_NAMES = (*(leg.name for leg in LEGS), WHOLE)
_PLACES: Mapping[str, int] = {name: place for place, name in enumerate(_NAMES)}
