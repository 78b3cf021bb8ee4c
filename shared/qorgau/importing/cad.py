"""Rows of a dispatch system's export as facts. Pure: no file is read here, no clock, and a row depends on no other.

Incident numbers and texts of the export stay outside: what leaves is codes, instants and digests under a secret key.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qorgau.facts import Fact
from qorgau.importing.cells import Header
from qorgau.importing.making import Keyed, Made, Record, Unused
from qorgau.importing.maps import DISPATCH, CadMap, Kind
from qorgau.instants import SECOND, format_instant


@dataclass(frozen=True, slots=True)
class _Times:
    """The instants of a call in microseconds UTC, None for what did not happen or was not written down."""

    start: int
    dispatched: int | None
    arrived: int | None
    cancelled: int | None


class Calls:
    """The calls of one export under one map. `key` is the secret that ids are made with."""

    def __init__(self, cad_map: CadMap, header: Sequence[str], key: str) -> None:
        """Raises MissingColumn."""
        self._map = cad_map
        self._keyed = Keyed(key)
        self._header = Header(cad_map, header, _columns(cad_map))

    def make(self, record: Record) -> Made:
        """The facts of one row; raises Unused."""
        cells = self._header.cells(record)
        kind = self._kind(cells)
        number = self._header.text(cells, self._map.columns.number)
        if not number:
            raise Unused("number_missing", self._map.columns.number)
        notes: set[str] = set()
        times = self._times(cells, notes)
        data: dict[str, str] = {
            "region": self._header.choice(cells, self._map.region, "region"),
            "priority": self._header.choice(cells, self._map.priority, "priority"),
            "area": self._header.choice(cells, self._map.area, "area"),
        }
        facts = self._facts(kind, number, times, data, self._reason(cells, times, notes))
        return Made(tuple(facts), frozenset(notes | set(_oddities(kind, times))), self._header.dropped)

    def _kind(self, cells: Sequence[str]) -> Kind:
        column = self._map.categories.column
        kind = self._map.categories.of(self._header.text(cells, column))
        if kind is None:
            raise Unused("category_unknown", column)
        if not kind.makes:
            raise Unused("not_selected", column)
        return kind

    def _times(self, cells: Sequence[str], notes: set[str]) -> _Times:
        columns, cancelled = self._map.columns, self._map.cancelled
        start = self._header.time(cells, columns.start, None, notes)
        if start is None:
            raise Unused("start_missing", columns.start)
        dispatched = self._header.time(cells, columns.dispatched, start, notes)
        arrived = self._header.time(cells, columns.arrived, start, notes)
        ended = cancelled is not None and cancelled.of(self._header.text(cells, cancelled.column)) is not None
        at = self._header.time(cells, cancelled.at, start, notes) if cancelled is not None and ended else None
        return _Times(start, dispatched, arrived, at)

    def _reason(self, cells: Sequence[str], times: _Times, notes: set[str]) -> str | None:
        """Why the call was cancelled; police who came were not called off, whatever the call was closed with."""
        cancelled = self._map.cancelled
        if cancelled is None or times.arrived is not None:
            return None
        reason = cancelled.of(self._header.text(cells, cancelled.column))
        if reason is not None and times.cancelled is None:
            notes.add("cancelled_without_time")
            return None
        return reason

    def _facts(
        self, kind: Kind, number: str, times: _Times, data: Mapping[str, str], cancelled: str | None
    ) -> Iterator[Fact]:
        # Seconds, because fractions are in one export and not in the next.
        call = (self._map.system, number, str(times.start // SECOND))
        source = self._map.source or f"{DISPATCH}/{data['region']}"
        region = {"region": data["region"]}

        def fact(name: str, time: int, fields: Mapping[str, Any], case: str | None) -> Fact:
            return Fact(self._keyed.digest(*call, name), source, f"police.{name}", time, time, case, fields)

        if "case" in kind.makes:
            case = self._keyed.digest(*call, "case")
            yield fact("incident_registered", times.start, data, case)
            if times.dispatched is not None:
                yield fact("dispatched", times.dispatched, region, case)
            if times.arrived is not None:
                yield fact("arrived", times.arrived, region | _found(kind, times.start), case)
            if cancelled is not None and times.cancelled is not None:
                yield fact("call_cancelled", times.cancelled, region | {"reason": cancelled}, case)
        if "call" in kind.makes:
            # Dated when all of it was known, so that a replay does not know of an arrival before it happened.
            known = max(times.start, times.arrived or times.start)
            yield fact("call_recorded", known, {**data, "category": kind.category, **_spoken(times)}, None)


def _columns(cad_map: CadMap) -> Iterator[str]:
    columns, cancelled = cad_map.columns, cad_map.cancelled
    chosen = (cad_map.region.column, cad_map.area.column, cad_map.priority.column)
    ended = () if cancelled is None else (cancelled.column, cancelled.at)
    named = (columns.number, columns.start, columns.dispatched, columns.arrived, cad_map.categories.column)
    yield from (name for name in (*named, *chosen, *ended) if name is not None)


def _found(kind: Kind, start: int) -> dict[str, Any]:
    """What the kind of call says of the incident, which had happened at the latest when the call was received."""
    said: dict[str, Any] = {"response": "incident", "injury": kind.injury, "sexual": kind.sexual}
    return said | ({"occurred_at": format_instant(start)} if kind.injury or kind.sexual else {})


def _spoken(times: _Times) -> dict[str, str]:
    arrived = {} if times.arrived is None else {"arrived_at": format_instant(times.arrived)}
    return {"registered_at": format_instant(times.start), **arrived}


def _oddities(kind: Kind, times: _Times) -> Iterator[str]:
    if times.arrived is None and "case" in kind.makes:
        yield "no_arrival"
    if times.arrived is not None and times.arrived < times.start:
        yield "arrived_before_start"
    if times.arrived is not None and times.dispatched is not None and times.arrived < times.dispatched:
        yield "arrived_before_dispatched"
    if times.dispatched is not None and times.dispatched < times.start:
        yield "dispatched_before_start"
