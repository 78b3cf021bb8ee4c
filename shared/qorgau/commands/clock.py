"""`qorgau clock`: shows the logical time of a clock file, or sets it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from qorgau.commands import OK, BadInput, Subparsers
from qorgau.output import write_rows

if TYPE_CHECKING:
    from qorgau.clock import ClockSetting


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    words = "Shows what a clock file says now. With --at or --factor sets it: what is not given stays as it is."
    command = subparsers.add_parser("clock", help="show or set a clock file", description=words)
    command.add_argument("file", metavar="FILE", type=Path, help="the clock file, as in QORGAU_CLOCK")
    command.add_argument("--at", metavar="TIME", help="what time it is from now on, ISO 8601 with an offset")
    command.add_argument("--factor", metavar="N", type=float, help="how fast it runs from now on; 0 stands still")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the clock as one row on stdout, after setting it if that was asked for."""
    from qorgau.clock import wall_ticks, write_clock
    from qorgau.instants import format_instant, parse_instant
    from qorgau.starting import StartRefused

    wall = wall_ticks()
    try:
        setting = _present(arguments.file, None if arguments.at is None else wall)
        if arguments.at is not None or arguments.factor is not None:
            at = setting.instant(wall) if arguments.at is None else parse_instant(arguments.at)
            factor = setting.factor if arguments.factor is None else arguments.factor
            setting = write_clock(arguments.file, at, factor, wall)
    except (StartRefused, ValueError) as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        raise BadInput(f"the clock file cannot be written: {error.strerror}") from None
    write_rows([{"now": format_instant(setting.instant(wall)), **setting.content()}])
    return OK


def _present(file: Path, otherwise: int | None) -> "ClockSetting":
    """What the file says; where it says nothing, real time from `otherwise` on. Raises StartRefused without that."""
    from qorgau.clock import ClockSetting, read_clock
    from qorgau.starting import StartRefused

    try:
        return read_clock(file)
    except StartRefused:
        if otherwise is None:
            raise
        return ClockSetting(otherwise, otherwise, 1)
