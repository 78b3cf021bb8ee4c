"""The command line as a person uses it, in this process: what it printed, and how it ended."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qorgau.cli import main

Row = dict[str, Any]


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[Row]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Shell:
    """Runs commands and keeps files for them."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: object) -> Ended:
        """Runs `qorgau` with these arguments."""
        self.capture.readouterr()
        status = main([str(argument) for argument in arguments])
        printed = self.capture.readouterr()
        return Ended(status, printed.out, printed.err)

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def facts(self, facts: Iterable[Row], name: str = "facts.ndjson") -> Path:
        """Facts as scenario files have them, a line each."""
        return self.file(name, "".join(json.dumps(fact, default=str) + "\n" for fact in facts))
