"""What people see on stderr while the embedded run is made ready: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

LINE_EVERY = 10
MEGABYTE = 1_000_000


class Progress(Protocol):
    """Told what goes on; called from the event loop only."""

    def say(self, words: str) -> None: ...

    def fetched(self, done: int, total: int, size: int) -> None:
        """`done` of `total` artifacts are there; `size` bytes of them were fetched now."""


class Silence:
    """For callers that show nothing."""

    def say(self, words: str) -> None:
        return

    def fetched(self, done: int, total: int, size: int) -> None:
        return


class Lines:
    """For a log file or a pipe: a line now and then."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def say(self, words: str) -> None:
        self._out.write(words + "\n")
        self._out.flush()

    def fetched(self, done: int, total: int, size: int) -> None:
        if done % LINE_EVERY == 0 or done == total:
            self.say(f"fetched {done} of {total} artifacts of Apache Kafka ({size / MEGABYTE:.1f} MB)")


class Bar:
    """For a terminal."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = None if bars.tasks else bars.add_task("Apache Kafka", total=None, visible=False, size="")

    def say(self, words: str) -> None:
        self._bars.console.print(words, style="dim", highlight=False)

    def fetched(self, done: int, total: int, size: int) -> None:
        if self._task is not None:
            megabytes = f"{size / MEGABYTE:.1f} MB"
            self._bars.update(self._task, completed=done, total=total, visible=done < total, size=megabytes)


@contextmanager
def on_stderr() -> Iterator[Progress]:
    """The progress for the command line: on a terminal a bar that vanishes at the end, otherwise plain lines."""
    if not sys.stderr.isatty():
        yield Lines(sys.stderr)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[size]}"))
    with Bars(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bars:
        yield Bar(bars)
