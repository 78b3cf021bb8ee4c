"""`qorgau import`: what other systems export or send as facts, in a file or posted to the service that owns them."""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from qorgau.commands import FAILED, OK, REFUSED, BadInput, Subparsers
from qorgau.files import write_whole

if TYPE_CHECKING:
    from qorgau.importing.fields import Standard
    from qorgau.importing.files import ExportReader
    from qorgau.importing.making import Maker
    from qorgau.importing.mapping import System
    from qorgau.importing.messages import MessageReader
    from qorgau.importing.run import Import, Outlet
    from qorgau.importing.sending import NotSent

    Map = TypeVar("Map", bound=System)

_STANDARD = "-"
_KEY = "QORGAU_IMPORT_KEY"
_KEY_BYTES = 32
# Redrawing a bar for every row would take longer than reading it.
_ROWS_A_TICK = 500


class _Kind(NamedTuple):
    """What can be imported, and who may post it: the service and the kind of agency."""

    help: str
    service: str
    agency: str
    rows: bool = False


_KINDS = {
    "cad": _Kind("calls of a computer-aided dispatch system (CSV)", "police-dispatch", "102", rows=True),
    "court": _Kind("a court's list of hearings (CSV)", "court-tracker", "court", rows=True),
    "eido": _Kind("incidents as NENA EIDO (JSON)", "police-dispatch", "102"),
    "niem": _Kind("court events as NIEM in the shape of the New Orleans JTMP exchange (XML)", "court-tracker", "court"),
    "hmcts": _Kind("hearings as the hearing service of HMCTS gives them (JSON)", "court-tracker", "court"),
}


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    group = subparsers.add_parser("import", help="make facts of what another system exports or sends")
    commands = group.add_subparsers(metavar="KIND", required=True)
    for name, kind in _KINDS.items():
        about = "Makes facts of it, under a map (docs/import.md). Without --out or --to it only counts."
        command = commands.add_parser(name, help=kind.help, description=f"Reads {kind.help}. {about}")
        many = "files, or folders of files; - is standard input"
        if kind.rows:
            command.add_argument("files", nargs=1, metavar="FILE", help="the export; - is standard input")
        else:
            command.add_argument("files", nargs="+", metavar="FILE", help=many)
        command.add_argument("--map", required=True, metavar="MAP.yaml", help="what its names, codes and words mean")
        where = command.add_mutually_exclusive_group()
        where.add_argument("--out", metavar="FACTS.ndjson", help="write the facts to a file; - is standard output")
        where.add_argument("--to", metavar="URL", help=f"post the facts to {kind.service} at this address")
        command.add_argument("--rejected", metavar="FILE", help="what was not used, and why; or FILE.rejected.ndjson")
        command.add_argument("--token", help="the token to post with; better in QORGAU_TOKEN, where nobody sees it")
        command.add_argument("--strict", action="store_true", help="exit with 1 if something could not be used")
        if name == "niem":
            said = "when the messages came; otherwise when each file was last changed"
            command.add_argument("--received", metavar="TIME", help=said)
        command.set_defaults(run=run, kind=name)


def run(arguments: argparse.Namespace) -> int:
    """Imports and tells what came of it: 0, 1 (the service did not take it; unusable ones with --strict) or 2."""
    from qorgau.importing.files import Unreadable

    side = _side_path(arguments)
    _refuse_to_overwrite(arguments, side)
    name = arguments.files[0]
    try:
        with _opened(arguments, side) as (work, reader, size):
            stopped = _import(work, reader, size)
    except Unreadable as error:
        raise BadInput(f"{name}, line {error.line}: {error}") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BadInput(f"{error.filename or name}: {error.strerror}") from None
    _tell(work, arguments, side)
    if stopped is not None:
        sys.stderr.write(f"qorgau: {stopped}. {work.unsettled} rows are unsettled; importing again is safe.\n")
        return REFUSED if stopped.bad_use else FAILED
    if _tell_bad_files(reader):
        return REFUSED
    return FAILED if arguments.strict and work.bad_rows else OK


def _import(work: "Import", reader: "ExportReader | MessageReader", size: int) -> "NotSent | None":
    """Everything; or why the service did not take it, which ends the import where it is."""
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
def _opened(arguments: argparse.Namespace, side: Path) -> "Iterator[tuple[Import, ExportReader | MessageReader, int]]":
    """The import with everything it reads and writes, and how many bytes it reads (0: not known)."""
    from qorgau.importing.files import side_file
    from qorgau.importing.run import Import

    with ExitStack() as stack:
        sheet = _KINDS[arguments.kind].rows
        maker, reader, size = _sheet(arguments, stack) if sheet else _messages(arguments)
        outlet = _outlet(arguments, stack)
        yield Import(maker, outlet, stack.enter_context(side_file(side))), reader, size


def _sheet(arguments: argparse.Namespace, stack: ExitStack) -> "tuple[Maker, ExportReader, int]":
    """What reads a CSV export and makes facts of its rows."""
    from qorgau.importing.cad import Calls
    from qorgau.importing.cells import MissingColumn
    from qorgau.importing.court import Hearings
    from qorgau.importing.files import ExportReader, open_export
    from qorgau.importing.maps import CadMap, CourtMap

    is_cad = arguments.kind == "cad"
    sheet: CadMap | CourtMap = _map(arguments.map, CadMap) if is_cad else _map(arguments.map, CourtMap)
    (name,) = arguments.files
    file, size = stack.enter_context(open_export(name))
    reader = ExportReader(file, sheet.encoding, sheet.delimiter)
    key = import_key(os.environ)
    try:
        if isinstance(sheet, CadMap):
            return Calls(sheet, reader.header, key), reader, size
        return Hearings(sheet, reader.header, key), reader, size
    except MissingColumn as error:
        message = f"the header needs the column {error} of the map, once (another delimiter or encoding?)"
        raise BadInput(f"{name}, line 1: {message}") from None


def _messages(arguments: argparse.Namespace) -> "tuple[Maker, MessageReader, int]":
    """What reads the messages of a standard and makes facts of them."""
    from qorgau.importing.fields import Translator
    from qorgau.importing.maps import MessageMap
    from qorgau.importing.messages import MessageReader
    from qorgau.instants import parse_instant

    standard = _standard(arguments.kind)
    message_map = _map(arguments.map, MessageMap, standard.asked_of_map)
    told = getattr(arguments, "received", None)
    if arguments.kind == "niem" and told is None and _STANDARD in arguments.files:
        raise BadInput("from standard input, say with --received when the message came")
    try:
        received = None if told is None else parse_instant(told)
    except ValueError as error:
        raise BadInput(f"--received: {error}") from None
    reader = MessageReader(standard, arguments.files, received)
    return Translator(standard, message_map, import_key(os.environ)), reader, reader.size


def _standard(kind: str) -> "Standard":
    from qorgau.importing.eido import EIDO
    from qorgau.importing.hmcts import HMCTS
    from qorgau.importing.niem import NIEM

    return {standard.name: standard for standard in (EIDO, NIEM, HMCTS)}[kind]


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
        agency = _KINDS[arguments.kind].agency
        raise BadInput(f"set QORGAU_TOKEN to a token of {agency} with the scope facts:write")
    try:
        return ToService(stack.enter_context(sending(arguments.to, token)))
    except ValueError as error:
        raise BadInput(f"--to, --token: {error}") from None


def _map(path: str, kind: "type[Map]", context: object = None) -> "Map":
    from qorgau.importing.mapping import BadMap, read_map

    try:
        return read_map(Path(path).read_text(encoding="utf-8-sig"), kind, context)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{path}, line 1: not UTF-8") from None
    except BadMap as error:
        raise BadInput(f"{path}, line {error.line}: {error}") from None


def _side_path(arguments: argparse.Namespace) -> Path:
    if arguments.rejected is not None:
        return Path(arguments.rejected)
    if _STANDARD in arguments.files:
        raise BadInput("from standard input, say with --rejected where it is written what cannot be used")
    return Path(f"{arguments.files[0].rstrip('/')}.rejected.ndjson")


def _refuse_to_overwrite(arguments: argparse.Namespace, side: Path) -> None:
    """No output may be what is read, nor the other output."""
    read = [Path(name).resolve() for name in (*arguments.files, arguments.map) if name != _STANDARD]
    written = [side.resolve(), *(Path(name).resolve() for name in (arguments.out,) if name not in (None, _STANDARD))]
    if len({*read, *written}) < len(read) + len(written) and not side.is_char_device():
        raise BadInput("what is read, the map, --out and --rejected are all different files")


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
    from qorgau.importing.reasons import DROPPED, NOTES, REASONS
    from qorgau.output import show_table, write_rows

    if arguments.out == _STANDARD:
        sys.stderr.write(json.dumps(work.summary()) + "\n")
    else:
        write_rows([work.summary()])
    counts = [("used", work.used, ""), *((name, count, REASONS[name]) for name, count in work.rejected.most_common())]
    show_table(f"{work.rows} read; what was not used is in {side}", ["read", "count", "meaning"], counts)
    show_table("Facts", ["type", "count"], work.facts.most_common())
    noted = [(name, count, NOTES[name]) for name, count in work.notes.most_common()]
    show_table("Decisions", ["about", "count", "meaning"], noted)
    left_out = [(part, count, DROPPED[why]) for (part, why), count in sorted(work.dropped.items())]
    show_table("Left out", ["part", "count", "why"], left_out)


def _tell_bad_files(reader: "ExportReader | MessageReader") -> bool:
    """Where each file is wrong that could not be read; whether there was one."""
    from qorgau.importing.messages import MessageReader
    from qorgau.importing.reasons import REASONS

    bad = reader.bad if isinstance(reader, MessageReader) else []
    for file in bad:
        place = f"{file.path}, line {file.error.line}, column {file.error.column}"
        sys.stderr.write(f"qorgau: {place}: {REASONS[file.error.reason]}\n")
    return bool(bad)
