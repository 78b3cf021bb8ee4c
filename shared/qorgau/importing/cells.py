"""The cells of a CSV export under a map, by the names of its header. Pure: no file is read here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qorgau.calendar import load_zone
from qorgau.importing.making import Record, Unused, is_text, moment, to_instant
from qorgau.importing.mapping import Choice, Sheet, same


class MissingColumn(ValueError):
    """The header lacks a column of the map, or has it twice; the text is the name as the map has it."""


class Header:
    """Where the columns of a map are in an export, and how their cells are read."""

    def __init__(self, sheet: Sheet, header: Sequence[str], columns: Iterable[str | None]) -> None:
        """Raises MissingColumn for one of the columns that are named (None: not used)."""
        self._sheet = sheet
        self._zone = load_zone(sheet.zone)
        self._width = len(header)
        self._places = {name: _place(header, name) for name in columns if name is not None}
        self.dropped: Mapping[tuple[str, str], int] = {
            (f"column {place + 1}", "not_in_map"): 1
            for place in range(self._width)
            if place not in set(self._places.values())
        }

    def cells(self, record: Record) -> Sequence[str]:
        """The cells of a row that has those of the header; raises Unused."""
        cells: Sequence[str] = record.content
        if len(cells) < self._width or any(map(str.strip, cells[self._width :])):
            raise Unused("columns_differ")
        return cells

    def text(self, cells: Sequence[str], column: str | None) -> str:
        """The text of a column, empty where it is not used or the map says that its words mean nothing."""
        if column is None:
            return ""
        text = cells[self._places[column]].strip()
        if not is_text(text):
            raise Unused("text_unreadable", column)
        return "" if same(text) in self._sheet.empty else text

    def choice(self, cells: Sequence[str], choice: Choice[Any], name: str) -> Any:
        """What the map makes of a row; raises Unused where it does not say."""
        value = choice.of(self.text(cells, choice.column))
        if value is None:
            raise Unused(f"{name}_unknown", choice.column or "")
        return value

    def time(self, cells: Sequence[str], column: str | None, start: int | None, notes: set[str]) -> int | None:
        """The instant of a column, None where it is empty; notes what had to be decided about it."""
        text = self.text(cells, column)
        if not text:
            return None
        written = moment(text, self._sheet.time_formats)
        if written is None:
            raise Unused("time_unreadable", column or "")
        instant, note = to_instant(written, self._zone, start)
        notes.update({note} if note else ())
        return instant


def _place(header: Sequence[str], column: str) -> int:
    places = [place for place, name in enumerate(header) if name.strip() == column.strip()]
    if len(places) != 1:
        raise MissingColumn(column)
    return places[0]
