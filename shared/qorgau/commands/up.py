"""`qorgau up`: runs the whole system on this machine until Ctrl-C."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from qorgau.commands import FAILED, OK, BadInput, Subparsers
from qorgau.output import write_rows
from qorgau.vocabulary import SERVICES

if TYPE_CHECKING:
    from qorgau.embedded.up import Options

# As many partitions as a deployment has unless told otherwise; more replicas would have nothing to do.
_MOST = 12
_DATA = "where everything is kept; default: own/ or, with --feed, season/ below ~/.local/share/qorgau (XDG_DATA_HOME)"


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    words = (
        "Starts Kafka and the database (where QORGAU_KAFKA and QORGAU_MONGO name none) and the four services on free "
        "loopback ports, writes one line of JSON with their addresses and a token when all are ready, and stops what "
        "it started on Ctrl-C. What was accepted is there again after the next start with the same data folder."
    )
    command = subparsers.add_parser("up", help="run everything on this machine", description=words)
    command.add_argument("--data", metavar="DIR", type=Path, help=_DATA)
    command.add_argument("--feed", action="store_true", help="play a season of calls on a fast clock")
    command.add_argument("--watch", action="store_true", help="show cases and flags as they change")
    command.add_argument(
        "--replicas", metavar="NAME=N", action="append", default=[], help="run N of a service, several times"
    )
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs until SIGINT or SIGTERM, which is the ordinary end; 1 where something could not be started."""
    from qorgau.embedded.kept import data_folder, private_folder
    from qorgau.embedded.supervisor import until_signal
    from qorgau.embedded.up import Options
    from qorgau.starting import StartRefused

    data = arguments.data or data_folder(season=arguments.feed)
    options = Options(data, arguments.feed, replicas_wanted(arguments.replicas))
    try:
        private_folder(data)
        _log(data / "logs" if arguments.watch else None)
        asyncio.run(until_signal(_up(options, arguments.watch)))
    except StartRefused as error:
        sys.stderr.write(f"qorgau: {error}\n")
        return FAILED
    except OSError as error:
        sys.stderr.write(f"qorgau: {error.filename or data}: {error.strerror}\n")
        return FAILED
    return OK


def replicas_wanted(texts: Sequence[str]) -> dict[str, int]:
    """The replicas of each service that is named, from `NAME=N`; raises BadInput."""
    wanted = {}
    for text in texts:
        name, _, number = text.partition("=")
        if name not in SERVICES or not number.isascii() or not number.isdigit() or not 1 <= int(number) <= _MOST:
            raise BadInput(f"--replicas takes NAME=N, with a name of {', '.join(SERVICES)} and N from 1 to {_MOST}")
        wanted[name] = int(number)
    return wanted


def _log(folder: Path | None) -> None:
    """Deaths and new starts are told on stderr, or in a file of this folder where the view has the screen."""
    if folder is None:
        logging.basicConfig(format="%(message)s")
    else:
        folder.mkdir(exist_ok=True)
        logging.basicConfig(format="%(asctime)s %(message)s", filename=folder / "up.log")


async def _up(options: "Options", watch: bool) -> None:
    from qorgau.embedded.progress import on_stderr
    from qorgau.embedded.up import up

    async with AsyncExitStack() as running:
        with on_stderr() as progress:
            system = await running.enter_async_context(up(options, progress))
            progress.say("ready; Ctrl-C stops everything")
        line = system.line()
        write_rows([line])
        running.callback(sys.stderr.write, "stopping everything\n")
        if watch:
            from qorgau.watch import watch as show

            await show(line["services"], line["token"], Path(line["clock"]))
        await asyncio.Event().wait()
