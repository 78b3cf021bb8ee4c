"""A series of counts from lines of CSV: a column `date` and a column of whole numbers."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from qorgau.surge.counts import Series, series

if TYPE_CHECKING:
    import _csv

DATE = "date"
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# More than there are people; longer numbers would not fit into what they are computed with.
_COUNT = re.compile(r"\d{1,10}", re.ASCII)
# A mistyped century would otherwise be a million missing days.
_LONGEST_DAYS = 36_600


class BadLine(ValueError):
    """A file that is no series; the message says why and repeats nothing of it, `line` says where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def read_series(lines: Iterable[str], column: str) -> Series:
    """Reads days in ascending order, each once; an empty count is a gap, as is a day without a line.

    Raises BadLine.
    """
    reader = csv.reader(lines, strict=True)
    try:
        counted = list(_rows(reader, column))
    except csv.Error:
        raise BadLine(max(1, reader.line_num), "not a line of CSV") from None
    if not counted:
        raise BadLine(reader.line_num, "no count follows the header")
    return series(counted)


def _rows(reader: "_csv.Reader", column: str) -> Iterator[tuple[date, int | None]]:
    header = [name.strip() for name in next(reader, [])]
    for name in (DATE, column):
        if header.count(name) != 1:
            raise BadLine(1, f"the header needs a column {name}, once; --column names another one for the counts")
    first: date | None = None
    last: date | None = None
    for cells in reader:
        if not cells:
            continue
        line = reader.line_num
        if len(cells) != len(header):
            raise BadLine(line, "not as many cells as the header has")
        day = _day(cells[header.index(DATE)], line)
        if last is not None and day <= last:
            raise BadLine(line, "the date stands in an earlier line" if day == last else "the dates do not ascend")
        first, last = first or day, day
        if (last - first).days > _LONGEST_DAYS:
            raise BadLine(line, "more than a hundred years after the first date")
        yield day, _count(cells[header.index(column)], line)


def _day(text: str, line: int) -> date:
    try:
        if not _DATE.fullmatch(text.strip()):
            raise ValueError
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadLine(line, "the date is not one of the form YYYY-MM-DD") from None


def _count(text: str, line: int) -> int | None:
    if not text.strip():
        return None
    if not _COUNT.fullmatch(text.strip()):
        raise BadLine(line, "the count is not a whole number of at most ten digits, 0 or more")
    return int(text)
