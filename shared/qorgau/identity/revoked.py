"""Agencies whose tokens no longer count, whatever their signature: one a line in a file, read again when it changes."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from qorgau.identity.sender import can_speak

# How soon a line counts; looking at a file oftener than that for each request would be waste.
LOOKED_AT_EVERY = timedelta(seconds=1)
_COMMENT = "#"
_log = logging.getLogger("qorgau.identity")


class Revoked:
    """The list of one file. A kind alone stands for all its units. A file that cannot be read, or has a line that is no
    agency, leaves the last good list in force: an error of the editor must let nobody in again."""

    def __init__(self, path: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._now = now
        self._looked = float("-inf")
        self._state: tuple[int, int, int] | None = None
        self._agencies: frozenset[str] = frozenset()

    def has(self, agency: str) -> bool:
        """Whether the tokens of this agency are refused."""
        if self._now() - self._looked >= LOOKED_AT_EVERY.total_seconds():
            self._looked = self._now()
            self._look()
        return agency in self._agencies or agency.partition("/")[0] in self._agencies

    def _look(self) -> None:
        try:
            found = self._path.stat()
            state = found.st_mtime_ns, found.st_size, found.st_ino
            if state == self._state:
                return
            self._agencies = read_revoked(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            _log.error("the list of revoked agencies cannot be read; the last one stays in force")
            return
        self._state = state
        _log.info("%d agencies are revoked", len(self._agencies))


def read_revoked(text: str) -> frozenset[str]:
    """The agencies of such a file, without empty lines and `#` comments; ValueError names a line that is none."""
    agencies = set()
    for number, line in enumerate(text.splitlines(), 1):
        agency = line.partition(_COMMENT)[0].strip()
        if agency and not can_speak(agency):
            raise ValueError(f"line {number} is no agency, KIND or KIND/UNIT")
        agencies.add(agency)
    return frozenset(agencies - {""})
