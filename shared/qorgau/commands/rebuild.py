"""`qorgau rebuild`: the database of a service made again from Kafka, while the service runs."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from qorgau.arguments import add_servers, servers_of
from qorgau.commands import FAILED, OK, BadInput, Subparsers
from qorgau.vocabulary import SERVICES

if TYPE_CHECKING:
    from qorgau.shell.remaking import Servers


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    words = (
        "Lets the service read the log again and throws away what it had made from it; the service keeps running, and "
        "shows its cases as unknown until they are judged again. What is not in the log is kept. Flags are told anew "
        "only where they come out differently. Exit status 1 if nobody reads the log: the service then does so when it "
        "is started. An interrupted command can be repeated."
    )
    command = subparsers.add_parser("rebuild", help="make a service's database again from Kafka", description=words)
    command.add_argument("service", metavar="SERVICE", help=f"one of {', '.join(SERVICES)}")
    add_servers(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Makes it again; one row at the end."""
    if arguments.service not in SERVICES:
        raise BadInput(f"SERVICE is one of {', '.join(SERVICES)}")
    return asyncio.run(_remake(arguments.service, servers_of(arguments)))


async def _remake(service: str, servers: "Servers") -> int:
    from qorgau.bus import topic_names
    from qorgau.errors import NotFound, Unavailable
    from qorgau.output import progress, write_rows
    from qorgau.shell.edition import MadeAgain
    from qorgau.shell.remaking import NotRead, check_database, remake

    try:
        await topic_names(servers.kafka)
    except Unavailable:
        raise BadInput("Kafka does not answer; is the address right, and is it running?") from None
    try:
        await check_database(service, servers)
    except NotFound:
        raise BadInput(f"there is no database of {service} here; is the address right, did it ever run?") from None
    except Unavailable:
        raise BadInput("the database does not answer; is the address right, and is it running?") from None
    try:
        with progress(f"reading the log for {service}") as bar:
            write_rows([await remake(service, servers, bar)])
    except MadeAgain:
        return _failed("another command has just begun the same")
    except NotRead:
        return _failed(f"nobody reads the log: {service} makes its database again as soon as it runs")
    except Unavailable:
        return _failed("Kafka or the database does not answer any more; do it again when they do")
    return OK


def _failed(why: str) -> int:
    sys.stderr.write(f"qorgau: {why}\n")
    return FAILED
