"""Messages as they come: one in a file, several in a list, a line each, or a folder of files; in bounded memory."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from qorgau.importing.fields import Standard
from qorgau.importing.files import STANDARD
from qorgau.importing.making import Record
from qorgau.importing.strict import LARGEST, BadMessage

_LINES = (".ndjson", ".jsonl")
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file no message of which can be read: where that was noticed, and the reason (REASONS)."""

    path: str
    error: BadMessage


class MessageReader:
    """The messages of files and folders, read once from the first to the last.

    `received` is when they came, in microseconds UTC; without it, when each file was last changed. `bad` is filled
    while they are read: a file of one message that cannot be read, so that the others are imported all the same.
    """

    def __init__(self, standard: Standard, paths: Sequence[str], received: int | None) -> None:
        """Raises OSError for what is not there."""
        self._standard = standard
        self._files = [file for path in paths for file in _files(path, standard.endings)]
        self._received = received
        self._done = 0
        self.size = sum(Path(file).stat().st_size for file in self._files if file != STANDARD)
        self.bad: list[BadFile] = []

    def done(self) -> int:
        """How many bytes of whole files were read."""
        return self._done

    def __iter__(self) -> Iterator[Record]:
        row = 0
        for path in self._files:
            for record in self._of(path):
                # Of messages that came together the order is kept: their facts would otherwise have one instant.
                received = record.received if self._received is None else self._received + row
                row += 1
                yield replace(record, row=row, file=path, received=received)
            self._done += 0 if path == STANDARD else Path(path).stat().st_size

    def _of(self, path: str) -> Iterator[Record]:
        if path == STANDARD:
            in_lines = self._standard.endings[0] == ".json"
            yield from (self._lines if in_lines else self._whole)(sys.stdin.buffer, path, self._received or 0)
            return
        # When a file was last changed, where it is not said when it came.
        changed = Path(path).stat().st_mtime_ns // 1_000
        received = changed if self._received is None else self._received
        with Path(path).open("rb") as file:
            yield from (self._lines if Path(path).suffix.lower() in _LINES else self._whole)(file, path, received)

    def _whole(self, file: BinaryIO, path: str, received: int) -> Iterator[Record]:
        """A file that is one message, or a list of them."""
        try:
            tree = self._standard.read(file.read(LARGEST + 1))
        except BadMessage as error:
            self.bad.append(BadFile(path, error))
            yield Record(0, error.line, None, error.reason)
            return
        for message in tree if isinstance(tree, list) else [tree]:
            yield Record(0, 1, message, received=received)

    def _lines(self, file: BinaryIO, _: str, received: int) -> Iterator[Record]:
        """A message a line; blank lines are none. A line that is too long is passed over without being held."""
        for number, line in enumerate(_bounded(file), 1):
            if not line.strip():
                continue
            try:
                yield Record(0, number, self._standard.read(line), received=received)
            except BadMessage as error:
                yield Record(0, number, None, error.reason)


def _files(path: str, endings: Sequence[str]) -> Iterator[str]:
    """The file itself, or the files in a folder that have one of the endings, by name."""
    if path == STANDARD or not Path(path).is_dir():
        yield path
        return
    yield from (str(file) for file in sorted(Path(path).iterdir()) if file.suffix.lower() in endings)


def _bounded(file: BinaryIO) -> Iterator[bytes]:
    """Lines, of which one that is longer than any message is cut after the first byte that is too many."""
    while line := file.readline(LARGEST + 1):
        yield line
        while len(line) > LARGEST and not line.endswith(b"\n"):
            rest = file.readline(_CHUNK)
            if not rest or rest.endswith(b"\n"):
                break
