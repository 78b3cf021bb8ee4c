"""`qorgau import cad`: the calls of a dispatch system's export as facts, in a file or posted to police-dispatch."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qorgau.commands import FAILED, OK, REFUSED, BadInput, Subparsers

if TYPE_CHECKING:
    from qorgau.cad_map import CadMap
    from qorgau.importing import Import, Outlet

_STANDARD = "-"
_KEY = "QORGAU_IMPORT_KEY"
_KEY_BYTES = 32
# Redrawing a bar for every row would take longer than reading it.
_ROWS_A_TICK = 500


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    group = subparsers.add_parser("import", help="make facts of what another system exports")
    command = group.add_subparsers(metavar="KIND", required=True).add_parser(
        "cad",
        help="calls of a computer-aided dispatch system (CSV)",
        description="Makes facts of a CSV export, under a map (docs/import.md). Without --out or --to it only counts.",
    )
    command.add_argument("file", metavar="FILE", help="the export; - is standard input")
    command.add_argument("--map", required=True, metavar="MAP.yaml", help="what its columns and words mean")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--out", metavar="FACTS.ndjson", help="write the facts to a file; - is standard output")
    where.add_argument("--to", metavar="URL", help="post the facts to police-dispatch at this address")
    command.add_argument("--rejected", metavar="FILE", help="rows not used, and why; default: FILE.rejected.ndjson")
    command.add_argument("--token", help="the token to post with; better in QORGAU_TOKEN, where nobody else sees it")
    command.add_argument("--strict", action="store_true", help="exit with 1 if a row could not be used")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Imports and tells what came of every row: 0, 1 (not taken by the service; bad rows with --strict) or 2."""
    from qorgau.sending import NotSent

    cad_map, side = _map(arguments.map), _side_path(arguments)
    _refuse_the_same_file(arguments, side)
    stopped: NotSent | None = None
    try:
        with ExitStack() as stack:
            work = None
            try:
                for work in _steps(arguments, cad_map, side, stack):
                    pass
            except NotSent as error:
                if work is None:
                    raise
                stopped = error
    except OSError as error:
        raise BadInput(f"{error.filename or 'a file'}: {error.strerror}") from None
    return 0
