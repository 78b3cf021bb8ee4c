"""`qorgau`, the command line: finds the commands, reads the arguments, turns what goes wrong into an exit status."""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence

from qorgau import commands
from qorgau.commands import OK, REFUSED, BadInput

_INTERRUPTED = 130
_DESCRIPTION = "Follows cases across agencies: who is late, on what, by how much, and who has been told."


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; every module of `qorgau.commands` registers its own."""
    made = argparse.ArgumentParser(prog="qorgau", description=_DESCRIPTION)
    subparsers = made.add_subparsers(metavar="COMMAND", required=True)
    for module in sorted(pkgutil.iter_modules(commands.__path__), key=lambda found: found.name):
        importlib.import_module(f"{commands.__name__}.{module.name}").register(subparsers)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0, 1 (a check failed) or 2 (bad use or input)."""
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else REFUSED
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except BadInput as error:
        sys.stderr.write(f"qorgau: {error}\n")
        return REFUSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python must not complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return status
