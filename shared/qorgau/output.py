"""Where a command's words go: rows as NDJSON on stdout for machines, tables and bars on stderr for people."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import orjson

if TYPE_CHECKING:
    from rich.console import Console


class Bar(Protocol):
    """Told how much of the work is done."""

    def __call__(self, done: int, total: int) -> None: ...


def write_rows(rows: Iterable[Any]) -> None:
    """Each row as a line of JSON on stdout, in UTF-8 whatever the locale."""
    write_lines(orjson.dumps(row) for row in rows)


def write_lines(lines: Iterable[bytes]) -> None:
    """Lines that are JSON already, without their line ends, on stdout."""
    sys.stdout.flush()
    out = sys.stdout.buffer
    for line in lines:
        out.write(line + b"\n")
    out.flush()


def write_text(text: str) -> None:
    """A line that is the whole answer, such as a token, on stdout."""
    write_lines([text.encode()])


def people() -> "Console | None":
    """The terminal on stderr, or None where nobody watches."""
    if not sys.stderr.isatty():
        return None
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people; nothing where nobody watches."""
    console = people()
    if console is None:
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    console.print(table)


@contextmanager
def progress(title: str) -> Iterator[Bar]:
    """A bar for people that vanishes at the end; nothing where nobody watches."""
    console = people()
    if console is None:
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(title, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
