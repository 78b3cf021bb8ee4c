"""Rows of a court's list of hearings as facts. Pure: no file is read here, no clock, and a row depends on no other.

Case numbers and hearing numbers stay outside: what leaves is codes, instants and references made under a secret key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from qorgau.facts import Fact
from qorgau.importing.cells import Header
from qorgau.importing.making import Hearing, Keyed, Made, Record, Unused
from qorgau.importing.maps import CourtKind, CourtMap, Outcome
from qorgau.instants import SECOND, format_instant

_EVERY_ROW = CourtKind(match="*", category="domestic_violence", makes=("hearing",))
_LISTED = Outcome(makes="listed")


@dataclass(frozen=True, slots=True)
class _Row:
    """What one row says, before it is known which facts that makes; instants in microseconds UTC."""

    number: str
    region: dict[str, str]
    registered: int | None
    decided: int | None


class Hearings:
    """The rows of one list under one map. `key` is the secret that references are made with."""

    def __init__(self, court_map: CourtMap, header: Sequence[str], key: str) -> None:
        """Raises MissingColumn."""
        self._map = court_map
        self._keyed = Keyed(key)
        self._header = Header(court_map, header, _columns(court_map))

    def make(self, record: Record) -> Made:
        """The facts of one row; raises Unused."""
        cells, columns = self._header.cells(record), self._map.columns
        kind = self._kind(cells)
        number = self._header.text(cells, columns.number)
        if not number:
            raise Unused("number_missing", columns.number)
        notes: set[str] = set()
        region = {"region": self._header.choice(cells, self._map.region, "region")}
        registered = self._header.time(cells, columns.registered, None, notes)
        row = _Row(number, region, registered, self._header.time(cells, columns.decided, registered, notes))
        facts: list[Fact] = []
        if "hearing" in kind.makes:
            facts += [*self._case(cells, row), *self._hearing(cells, row, notes), *self._decision(cells, row, notes)]
        if "docket_item" in kind.makes:
            facts += self._docket_item(cells, row, kind)
        if not facts:
            raise Unused("no_fact", columns.decided or "")
        return Made(tuple(facts), frozenset(notes), self._header.dropped)

    def _kind(self, cells: Sequence[str]) -> CourtKind:
        categories = self._map.categories
        if categories is None:
            return _EVERY_ROW
        kind = categories.of(self._header.text(cells, categories.column))
        if kind is None:
            raise Unused("category_unknown", categories.column)
        if not kind.makes:
            raise Unused("not_selected", categories.column)
        return kind

    def _case(self, cells: Sequence[str], row: _Row) -> Iterator[Fact]:
        court_map = self._map
        if row.registered is None or court_map.court is None or court_map.arrest_eligible is None:
            return
        about = Hearing.of(self._keyed, court_map.system, row.number, "")
        data = {
            **row.region,
            "protocol_id": about.protocol_id,
            "court": self._header.choice(cells, court_map.court, "court"),
            "arrest_eligible": self._header.choice(cells, court_map.arrest_eligible, "arrest"),
        }
        made = self._keyed.digest(about.protocol_id, "case_registered")
        at = row.registered
        yield Fact(made, court_map.source, "court.case_registered", at, at, about.case, data)

    def _hearing(self, cells: Sequence[str], row: _Row, notes: set[str]) -> Iterator[Fact]:
        columns, court_map = self._map.columns, self._map
        listed = self._needed(cells, columns.listed, notes)
        scheduled = self._needed(cells, columns.scheduled, notes)
        own = self._header.text(cells, columns.hearing)
        if not own:
            notes.add("hearing_without_number")
        about = Hearing.of(self._keyed, court_map.system, row.number, own or str(scheduled // SECOND))
        said: dict[str, Any] = {**row.region, "scheduled_for": format_instant(scheduled)}
        mode = None if court_map.mode is None else self._header.choice(cells, court_map.mode, "state")
        if mode not in (None, "unsaid"):
            said["mode"] = mode
        told = (str(scheduled // SECOND), str(listed // SECOND))
        yield about.fact(self._keyed, court_map.source, "scheduled", listed, said, told)
        outcome, at = self._outcome(cells, scheduled, notes)
        if outcome.makes != "listed":
            fields = {**row.region, **outcome.data()}
            yield about.fact(self._keyed, court_map.source, outcome.makes, at, fields, (str(at // SECOND),))

    def _needed(self, cells: Sequence[str], column: str, notes: set[str]) -> int:
        instant = self._header.time(cells, column, None, notes)
        if instant is None:
            raise Unused("time_missing", column)
        return instant

    def _outcome(self, cells: Sequence[str], scheduled: int, notes: set[str]) -> tuple[Outcome, int]:
        """What happened to the hearing, and when; without a time of its own, when it was to be."""
        states = self._map.state
        if states is None:
            return _LISTED, scheduled
        outcome = states.of(self._header.text(cells, states.column))
        if outcome is None:
            raise Unused("state_unknown", states.column)
        at = self._header.time(cells, states.at, None, notes)
        if at is None and outcome.makes != "listed":
            notes.add("state_without_time")
        return outcome, scheduled if at is None else at

    def _decision(self, cells: Sequence[str], row: _Row, notes: set[str]) -> Iterator[Fact]:
        decision = self._map.decision
        if decision is None or not self._header.text(cells, decision.column):
            return
        sanction = self._header.choice(cells, decision, "decision")
        if row.decided is None:
            notes.add("decided_without_time")
            return
        about = Hearing.of(self._keyed, self._map.system, row.number, "")
        data = {**row.region, "protocol_id": about.protocol_id, "sanction": sanction}
        made = self._keyed.digest(about.protocol_id, "decision_issued")
        yield Fact(made, self._map.source, "court.decision_issued", row.decided, row.decided, about.case, data)

    def _docket_item(self, cells: Sequence[str], row: _Row, kind: CourtKind) -> Iterator[Fact]:
        """One anonymous item, once it is decided."""
        if row.registered is None or row.decided is None or self._map.court is None:
            return
        court = self._header.choice(cells, self._map.court, "court")
        said = {"court": court, "category": kind.category, "registered_at": format_instant(row.registered)}
        made = self._keyed.digest("court", self._map.system, row.number, "docket_item")
        at = row.decided
        yield Fact(made, self._map.source, "court.docket_item_decided", at, at, None, {**row.region, **said})


def _columns(court_map: CourtMap) -> Iterator[str | None]:
    columns, state = court_map.columns, court_map.state
    yield from (columns.number, columns.hearing, columns.registered, columns.decided, columns.listed, columns.scheduled)
    choices = (court_map.region, court_map.court, court_map.arrest_eligible, court_map.mode, court_map.decision)
    yield from (choice.column for choice in choices if choice is not None)
    if state is not None:
        yield from (state.column, state.at)
    if court_map.categories is not None:
        yield court_map.categories.column
