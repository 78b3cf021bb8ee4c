"""`qorgau stats surge`: where a file of counts rises above what is usual, a row a day or week and method."""

import argparse
import sys
from io import StringIO
from typing import TYPE_CHECKING

from qorgau.arguments import named
from qorgau.commands import OK, BadInput, Subparsers

if TYPE_CHECKING:
    from qorgau.surge.counts import Series
    from qorgau.surge.methods import Judged

# Those of qorgau.surge.methods, whose import takes half a second; a test compares.
_METHODS = ("c1", "c2", "c3", "farrington", "cusum")
_TITLES = ("date", "method", "count", "expected", "excess", "p")
# More alarms than fit on a screen tell a person nothing; the rows have them all.
_SHOWN = 40


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    group = subparsers.add_parser("stats", help="statistics over many cases")
    command = group.add_subparsers(metavar="KIND", required=True).add_parser(
        "surge",
        help="where counts rise above what is usual",
        description="Judges a CSV file of counts by day or week (docs/statistics.md). farrington always judges weeks.",
    )
    command.add_argument("file", metavar="FILE", help="CSV with the columns date and count; - is standard input")
    command.add_argument("--method", choices=_METHODS, help="only this one; otherwise all, one after the other")
    command.add_argument("--weekly", action="store_true", help="sum days to weeks (Monday to Sunday) for every method")
    command.add_argument("--column", metavar="NAME", default="count", help="the column of the counts; default: count")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the rows, then for people the alarms; gaps are told on stderr. Returns 0, whatever was found."""
    from qorgau.output import write_rows
    from qorgau.surge.counts import weeks
    from qorgau.surge.methods import judge

    counted = _series(arguments.file, arguments.column)
    _tell_gaps(counted)
    if arguments.weekly:
        whole = weeks(counted)
        if whole is None:
            raise BadInput(f"{named(arguments.file)}: not one week from Monday to Sunday")
        counted = whole
    judged = list(judge(counted, [arguments.method] if arguments.method else _METHODS))
    write_rows(period.row() for period in judged)
    _show(judged)
    return OK


def _series(path: str, column: str) -> "Series":
    from qorgau.importing.files import open_export
    from qorgau.surge.reading import BadLine, read_series

    name = named(path)
    try:
        with open_export(path) as (file, _):
            content = file.read()
        return read_series(StringIO(content.decode("utf-8-sig"), newline=""), column)
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadInput(f"{name}, line {line}: not UTF-8") from None
    except BadLine as error:
        raise BadInput(f"{name}, line {error.line}: {error}") from None


def _tell_gaps(counted: "Series") -> None:
    gaps = counted.gaps()
    if gaps:
        unit = "days" if counted.days == 1 else "weeks"
        words = f"{len(gaps)} of {len(counted.counts)} {unit} have no count, the first {gaps[0]}, the last {gaps[-1]}"
        sys.stderr.write(f"qorgau: {words}; they are gaps, not zeros\n")


def _show(judged: "list[Judged]") -> None:
    from qorgau.output import show_table

    alarms = [(period, period.reading) for period in judged if period.reading is not None and period.reading.alarm]
    rows = [
        (
            period.date,
            period.method,
            period.count,
            f"{found.expected:.1f}",
            f"{100 * ((period.count or 0) / found.expected - 1):+.0f} %" if found.expected else "",
            f"{found.p:.2g}",
        )
        for period, found in alarms[-_SHOWN:]
    ]
    said = sum(period.reading is not None for period in judged)
    title = f"{len(alarms)} alarms in {said} judgements" + ("; the last" if len(alarms) > _SHOWN else "")
    show_table(title, _TITLES, rows)
