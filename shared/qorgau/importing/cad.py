"""Rows of a dispatch system's export as facts. Pure: no file is read here, no clock, and a row depends on no other.

Incident numbers and texts of the export stay outside: what leaves is codes, instants and digests under a secret key.
"""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from qorgau.calendar import load_zone
from qorgau.facts import Fact
from qorgau.importing.mapping import DISPATCH, ISO, CadMap, Choice, Kind, same
from qorgau.instants import SECOND, format_instant, from_datetime

# Why a row became no fact, or not only facts that can be used. docs/import.md says what to do about each.
REASONS: Mapping[str, str] = {
    "not_selected": "the map says that calls of this kind are not imported",
    "repeated": "an earlier row has the same number and start, and this one says nothing new",
    "category_unknown": "the map does not say what this kind of call is",
    "priority_unknown": "the map does not say what this priority is",
    "area_unknown": "the map does not say whether this is urban or rural",
    "region_unknown": "the map does not say which region this is",
    "number_missing": "there is no incident number",
    "start_missing": "there is no time at which the call was received",
    "time_unreadable": "a time is in none of the formats of the map",
    "text_unreadable": "a cell that is needed is not text in the encoding of the map",
    "columns_differ": "the row has more or fewer cells than the header",
    "row_unreadable": "the row is not well-formed CSV",
    "refused": "the service refused a fact of the row",
}
# These rows are as they should be; every other reason is something wrong with the row or the map.
EXPECTED = frozenset({"not_selected", "repeated"})
# What was decided about a row that was used.
NOTES: Mapping[str, str] = {
    "no_arrival": "a case without an arrival",
    "arrived_before_dispatched": "the arrival is dated before the dispatch",
    "arrived_before_start": "the arrival is dated before the call: it ends no deadline",
    "dispatched_before_start": "the dispatch is dated before the call: it ends no deadline",
    "cancelled_without_time": "cancelled, but not said when: no fact was made of the cancellation",
    "local_time_twice": "a local time that occurs twice, when clocks are put back",
    "local_time_skipped": "a local time that does not occur, when clocks are put forward",
}
# Enough for weeks of a large city; repeats that lie farther apart are made again, under the same ids.
REMEMBERED = 50_000

_DIGITS_OF_ID = 32
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*", re.ASCII)
_EARLIEST, _LATEST = 1900, 2199
_BAD_BYTE = re.compile("[\ud800-\udfff]")


class Unused(Exception):
    """A row that becomes no fact: the reason, and the column it is about, if it is about one."""

    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


class MissingColumn(ValueError):
    """The header lacks a column of the map, or has it twice; the text is the name as the map has it."""


@dataclass(frozen=True, slots=True)
class Call:
    """What one row became: its facts, and which decisions (NOTES) it took."""

    facts: tuple[Fact, ...]
    notes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Times:
    """The instants of a call in microseconds UTC, None for what did not happen or was not written down."""

    start: int
    dispatched: int | None
    arrived: int | None
    cancelled: int | None


class Export:
    """One export under one map: `call` makes facts of a row. `key` is the secret that ids are made with."""

    def __init__(self, cad_map: CadMap, header: Sequence[str], key: str) -> None:
        """Raises MissingColumn."""
        self._map = cad_map
        self._zone = load_zone(cad_map.zone)
        self._key = hashlib.sha256(f"qorgau import {key}".encode()).digest()
        self._width = len(header)
        self._places = {name: _place(header, name) for name in _columns(cad_map)}

    def call(self, cells: Sequence[str]) -> Call:
        """The facts of one row; raises Unused."""
        if len(cells) < self._width or any(map(str.strip, cells[self._width :])):
            raise Unused("columns_differ")
        kind = self._kind(cells)
        number = self._cell(cells, self._map.columns.number)
        if not number:
            raise Unused("number_missing", self._map.columns.number)
        notes: set[str] = set()
        times = self._times(cells, notes)
        data: dict[str, str] = {
            "region": self._choice(cells, self._map.region, "region"),
            "priority": self._choice(cells, self._map.priority, "priority"),
            "area": self._choice(cells, self._map.area, "area"),
        }
        facts = self._facts(kind, number, times, data, self._reason(cells, times, notes))
        return Call(tuple(facts), frozenset(notes | set(_oddities(kind, times))))

    def _kind(self, cells: Sequence[str]) -> Kind:
        column = self._map.categories.column
        kind = self._map.categories.of(self._cell(cells, column))
        if kind is None:
            raise Unused("category_unknown", column)
        if not kind.makes:
            raise Unused("not_selected", column)
        return kind

    def _cell(self, cells: Sequence[str], column: str) -> str:
        """The text of a column, empty where the map says that its words mean nothing."""
        text = cells[self._places[column]].strip()
        if _BAD_BYTE.search(text):
            raise Unused("text_unreadable", column)
        return "" if same(text) in self._map.empty else text

    def _choice(self, cells: Sequence[str], choice: Choice[Any], name: str) -> str:
        value = choice.of("" if choice.column is None else self._cell(cells, choice.column))
        if value is None:
            raise Unused(f"{name}_unknown", choice.column or "")
        return str(value)

    def _times(self, cells: Sequence[str], notes: set[str]) -> _Times:
        columns, cancelled = self._map.columns, self._map.cancelled
        start = self._time(cells, columns.start, None, notes)
        if start is None:
            raise Unused("start_missing", columns.start)
        dispatched = self._time(cells, columns.dispatched, start, notes)
        arrived = self._time(cells, columns.arrived, start, notes)
        was_cancelled = cancelled is not None and cancelled.of(self._cell(cells, cancelled.column)) is not None
        at = self._time(cells, cancelled.at, start, notes) if cancelled is not None and was_cancelled else None
        return _Times(start, dispatched, arrived, at)

    def _time(self, cells: Sequence[str], column: str | None, start: int | None, notes: set[str]) -> int | None:
        text = "" if column is None else self._cell(cells, column)
        if not text:
            return None
        moment = _moment(text, self._map.time_formats)
        if moment is None:
            raise Unused("time_unreadable", column or "")
        instant, note = to_instant(moment, self._zone, start)
        notes.update({note} if note else ())
        return instant

    def _reason(self, cells: Sequence[str], times: _Times, notes: set[str]) -> str | None:
        """Why the call was cancelled; police who came were not called off, whatever the call was closed with."""
        cancelled = self._map.cancelled
        if cancelled is None or times.arrived is not None:
            return None
        reason = cancelled.of(self._cell(cells, cancelled.column))
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
            return Fact(self._digest(*call, name), source, f"police.{name}", time, time, case, fields)

        if "case" in kind.makes:
            case = self._digest(*call, "case")
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

    def _digest(self, *parts: str) -> str:
        text = "\x1f".join(parts)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:_DIGITS_OF_ID]


class Seen:
    """Remembers the last so many fact ids, so that a repeated row is noticed in bounded memory."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def new(self, facts: Sequence[Fact]) -> tuple[Fact, ...]:
        """Those facts that were not seen before; raises Unused where there are none."""
        new = tuple(fact for fact in facts if fact.id not in self._ids)
        if not new:
            raise Unused("repeated")
        self._ids.update((fact.id, None) for fact in new)
        while len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return new


def to_instant(moment: datetime, zone: ZoneInfo, start: int | None) -> tuple[int, str | None]:
    """The instant of a time of the export, and the note on it. `start` is that of the call, or None for itself.

    Of a local time that occurs twice the first counts, unless only the second is not before the start. One that does
    not occur was written by a clock not yet put forward, and is read so.
    """
    if moment.tzinfo is not None:
        return from_datetime(moment), None
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    # datetime compares by the clock within one zone; instants do not.
    one, other = from_datetime(first), from_datetime(second)
    if one == other:
        return one, None
    if one > other:
        return one, "local_time_skipped"
    return (other if start is not None and one < start <= other else one), "local_time_twice"


def _columns(cad_map: CadMap) -> Iterator[str]:
    columns, cancelled = cad_map.columns, cad_map.cancelled
    chosen = (cad_map.region.column, cad_map.area.column, cad_map.priority.column)
    ended = () if cancelled is None else (cancelled.column, cancelled.at)
    named = (columns.number, columns.start, columns.dispatched, columns.arrived, cad_map.categories.column)
    yield from (name for name in (*named, *chosen, *ended) if name is not None)


def _place(header: Sequence[str], column: str) -> int:
    places = [place for place, name in enumerate(header) if name.strip() == column.strip()]
    if len(places) != 1:
        raise MissingColumn(column)
    return places[0]


def _moment(text: str, formats: Sequence[str]) -> datetime | None:
    for form in formats:
        try:
            if form != ISO:
                moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone of the map is added by to_instant
            elif _ISO_TIME.fullmatch(text):
                moment = datetime.fromisoformat(text.upper())
            else:
                continue
        except ValueError:
            continue
        if _EARLIEST < moment.year < _LATEST:
            return moment
    return None


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
