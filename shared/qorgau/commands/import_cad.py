"""`qorgau import cad`: the calls of a dispatch system's export as facts, in a file or posted to police-dispatch."""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qorgau.commands import FAILED, OK, REFUSED, BadInput, Subparsers
from qorgau.files import write_whole

if TYPE_CHECKING:
    from qorgau.importing.files import ExportReader
    from qorgau.importing.mapping import CadMap
    from qorgau.importing.run import Import, Outlet
    from qorgau.importing.sending import NotSent

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
    from qorgau.importing.files import Unreadable

    cad_map, side = _map(arguments.map), _side_path(arguments)
    _refuse_to_overwrite(arguments, side)
    try:
        with _opened(arguments, cad_map, side) as (work, reader, size):
            stopped = _import(work, reader, size)
    except Unreadable as error:
        raise BadInput(f"{arguments.file}, line {error.line}: {error}") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BadInput(f"{error.filename or arguments.file}: {error.strerror}") from None
    _tell(work, arguments, side)
    if stopped is not None:
        sys.stderr.write(f"qorgau: {stopped}. {work.unsettled} rows are unsettled; importing again is safe.\n")
        return REFUSED if stopped.bad_use else FAILED
    return FAILED if arguments.strict and work.bad_rows else OK


def _import(work: "Import", reader: "ExportReader", size: int) -> "NotSent | None":
    """Every row; or why the service did not take them, which ends the import where it is."""
    from qorgau.importing.sending import NotSent
    from qorgau.output import progress

    try:
        with progress("bytes") as bar:
            for record in reader:
                work.take(record)
                if record.row % _ROWS_A_TICK == 0 and size:
                    bar(reader.done(), size)
        work.finish()
    except NotSent as error:
        return error
    return None


@contextmanager
def _opened(
    arguments: argparse.Namespace, cad_map: "CadMap", side: Path
) -> "Iterator[tuple[Import, ExportReader, int]]":
    """The import with everything it reads and writes, and the size of the export."""
    from qorgau.importing.cad import Export, MissingColumn
    from qorgau.importing.files import ExportReader, open_export, side_file
    from qorgau.importing.run import Import

    with ExitStack() as stack:
        file, size = stack.enter_context(open_export(arguments.file))
        reader = ExportReader(file, cad_map.encoding, cad_map.delimiter)
        try:
            export = Export(cad_map, reader.header, import_key(os.environ))
        except MissingColumn as error:
            message = f"the header needs the column {error} of the map, once (another delimiter or encoding?)"
            raise BadInput(f"{arguments.file}, line 1: {message}") from None
        outlet = _outlet(arguments, stack)
        yield Import(export, outlet, stack.enter_context(side_file(side))), reader, size


def _outlet(arguments: argparse.Namespace, stack: ExitStack) -> "Outlet":
    from qorgau.importing.files import fact_file
    from qorgau.importing.run import ToFile, ToNowhere, ToService
    from qorgau.importing.sending import sending

    if arguments.out is not None:
        return ToFile(stack.enter_context(fact_file(arguments.out)))
    if arguments.to is None:
        return ToNowhere()
    token = arguments.token or os.environ.get("QORGAU_TOKEN")
    if not token:
        raise BadInput("set QORGAU_TOKEN to a token of 102 with the scope facts:write")
    try:
        return ToService(stack.enter_context(sending(arguments.to, token)))
    except ValueError as error:
        raise BadInput(f"--to, --token: {error}") from None


def _map(path: str) -> "CadMap":
    from qorgau.importing.mapping import BadMap, read_map

    try:
        return read_map(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}, line 1: not UTF-8") from None
    except BadMap as error:
        raise BadInput(f"{path}, line {error.line}: {error}") from None


def _side_path(arguments: argparse.Namespace) -> Path:
    if arguments.rejected is not None:
        return Path(arguments.rejected)
    if arguments.file == _STANDARD:
        raise BadInput("from standard input, say with --rejected where the rows go that cannot be used")
    return Path(f"{arguments.file}.rejected.ndjson")


def _refuse_to_overwrite(arguments: argparse.Namespace, side: Path) -> None:
    """No output may be what is read, nor the other output."""
    read = [Path(name).resolve() for name in (arguments.file, arguments.map) if name != _STANDARD]
    written = [side.resolve(), *(Path(name).resolve() for name in (arguments.out,) if name not in (None, _STANDARD))]
    if len({*read, *written}) < len(read) + len(written) and not side.is_char_device():
        raise BadInput("the export, the map, --out and --rejected are four different files")


def import_key(environment: Mapping[str, str]) -> str:
    """The secret that ids are made with: QORGAU_IMPORT_KEY, or one that is made once for this user and kept.

    Incident numbers are short and can be guessed; without a secret their digests could be, too.
    """
    if given := environment.get(_KEY):
        if len(given.encode()) < _KEY_BYTES:
            raise BadInput(f"{_KEY} needs at least {_KEY_BYTES} bytes; `openssl rand -hex 32` makes one")
        return given
    folder = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "qorgau"
    path = folder / "import.key"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Another import may have made one in the meantime: it counts.
            with suppress(FileExistsError):
                write_whole(path, f"{secrets.token_hex(_KEY_BYTES)}\n".encode(), os.link)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; set {_KEY} instead") from None


def _tell(work: "Import", arguments: argparse.Namespace, side: Path) -> None:
    """The ledger: a line for machines on stdout (on stderr where stdout carries the facts), tables for people."""
    from qorgau.importing.cad import NOTES, REASONS
    from qorgau.output import show_table, write_rows

    if arguments.out == _STANDARD:
        sys.stderr.write(json.dumps(work.summary()) + "\n")
    else:
        write_rows([work.summary()])
    counts = [("used", work.used, ""), *((name, count, REASONS[name]) for name, count in work.rejected.most_common())]
    show_table(f"{work.rows} rows; those not used are in {side}", ["rows", "count", "meaning"], counts)
    show_table("Facts", ["type", "count"], work.facts.most_common())
    noted = [(name, count, NOTES[name]) for name, count in work.notes.most_common()]
    show_table("Decisions", ["rows with", "count", "meaning"], noted)
