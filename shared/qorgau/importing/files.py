"""The files of an import: rows of an export and messages as they are read, the facts made, and what was not used."""

import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

import orjson

from qorgau.facts import Fact, fact_to_json
from qorgau.importing.making import Record

STANDARD = "-"
# The side file may hold what people said; only its owner reads it.
_OWNER_ONLY = 0o600


class Unreadable(ValueError):
    """The export cannot be read any further; `line` is where."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class ExportReader:
    """An export that is read once from its beginning to its end, in bounded memory."""

    def __init__(self, file: BinaryIO, encoding: str, delimiter: str) -> None:
        """Raises Unreadable where there is no header."""
        self._file = file
        # A byte that is no text spoils its cell, not the row: the cell may be one that nobody needs.
        text = TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="")
        self._reader = csv.reader(text, delimiter=delimiter, strict=True)
        header = next(self._records(), None)
        if header is None or header.content is None:
            raise Unreadable(1, "there is no header")
        self.header: Sequence[str] = header.content

    def __iter__(self) -> Iterator[Record]:
        """The rows after the header; blank lines are none."""
        return self._records()

    def done(self) -> int:
        """How many bytes were read; 0 where that cannot be known."""
        return self._file.tell() if self._file.seekable() else 0

    def _records(self) -> Iterator[Record]:
        row = 0
        while True:
            cells: Sequence[str] | None
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error:
                cells = None
            except UnicodeError:
                raise Unreadable(self._reader.line_num + 1, "not text in the encoding of the map") from None
            if cells is None or cells:
                row += 1
                yield Record(row, self._reader.line_num, cells)


@contextmanager
def open_export(path: str) -> Iterator[tuple[BinaryIO, int]]:
    """An export and its size in bytes (0: not known); `-` is standard input. Raises OSError."""
    if path == STANDARD:
        yield sys.stdin.buffer, 0
        return
    with Path(path).open("rb") as file:
        yield file, Path(path).stat().st_size


class SideFile:
    """The rows that were not used, a line of JSON each; it stays with the owner of the export."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, record: Record, reason: str, *, whole: bool, **details: str) -> None:
        """A row or message and why; `whole`: with its cells, for rows that somebody has to look at."""
        line: dict[str, object] = {"row": record.row, "line": record.line, "reason": reason}
        line |= {name: text for name, text in (("file", record.file), *details.items()) if text}
        if whole and isinstance(record.content, list) and not record.file:
            line["cells"] = record.content
        self._out.write(json.dumps(line) + "\n")


@contextmanager
def side_file(path: Path) -> Iterator[SideFile]:
    """A new side file, readable by its owner only. Raises OSError."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(opened, "w", encoding="ascii") as out:
        if path.is_file():
            os.fchmod(opened, _OWNER_ONLY)
        yield SideFile(out)


class FactFile:
    """Facts as NDJSON."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, facts: Sequence[Fact]) -> None:
        """Each fact on a line of its own."""
        self._out.write(b"".join(orjson.dumps(fact_to_json(fact)) + b"\n" for fact in facts))


@contextmanager
def fact_file(path: str) -> Iterator[FactFile]:
    """A file of facts that is there when it is whole; `-` is standard output. Raises OSError."""
    if path == STANDARD:
        yield FactFile(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    if Path(path).exists() and not Path(path).is_file():
        # A device or a pipe is written to, never replaced.
        with Path(path).open("wb") as out:
            yield FactFile(out)
        return
    part = Path(f"{path}.part")
    try:
        with part.open("wb") as out:
            yield FactFile(out)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
