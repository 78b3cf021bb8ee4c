"""`qorgau audit`: whether the audit chains are what they were."""

import argparse
import asyncio
from typing import TYPE_CHECKING

from qorgau.arguments import add_servers, read_retention, servers_of
from qorgau.commands import FAILED, OK, BadInput, Subparsers
from qorgau.vocabulary import SERVICES

if TYPE_CHECKING:
    from qorgau.audit.checkpoint import Anchor
    from qorgau.shell.remaking import Servers


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    group = subparsers.add_parser("audit", help="the record of who did what, and whether it is whole")
    commands = group.add_subparsers(metavar="ACTION", required=True)
    command = commands.add_parser(
        "verify",
        help="find what was edited, deleted, reordered, inserted or cut off",
        description="Reads the audit chains from the database and their anchors from Kafka, while the services run. A "
        "row for each finding, and one for each chain with its length and last hash; exit status 1 if something was "
        "found. Keep the last hash where nobody of the system can change it, and give it as --anchor next time.",
    )
    command.add_argument("--service", metavar="NAME", help=f"only one of {', '.join(SERVICES)}; default: all")
    command.add_argument(
        "--anchor", action="append", default=[], metavar="SEQ:HASH", help="what was kept elsewhere; with --service"
    )
    command.add_argument(
        "--retention", metavar="FILE", help="the policy that says how long lines are kept; default: QORGAU_RETENTION"
    )
    add_servers(command)
    command.set_defaults(run=verify)


def verify(arguments: argparse.Namespace) -> int:
    """Checks the chains; rows as NDJSON."""
    from qorgau.audit.letting import audit_period
    from qorgau.errors import Unavailable

    if arguments.service not in (None, *SERVICES):
        raise BadInput(f"--service is one of {', '.join(SERVICES)}")
    anchors = [_anchor(arguments.service, text) for text in arguments.anchor]
    period, servers = audit_period(read_retention(arguments.retention)), servers_of(arguments)
    services = SERVICES if arguments.service is None else (arguments.service,)
    try:
        return asyncio.run(_verify(services, servers, anchors, period.after))
    except Unavailable:
        raise BadInput("Kafka or the database does not answer; are the addresses right, are they running?") from None


async def _verify(services: tuple[str, ...], servers: "Servers", anchors: list["Anchor"], period: int) -> int:
    from qorgau.audit.book import AuditBook
    from qorgau.audit.verifying import check_chain
    from qorgau.output import write_rows
    from qorgau.shell.remaking import database_of

    deployment, checked = servers.database, []
    for service in services:
        async with database_of(service, servers) as database:
            book = AuditBook(database, service, deployment)
            one = await check_chain(
                book, servers.kafka, service, deployment, lambda finding: write_rows([finding]), anchors, period
            )
            # A service that has nothing to audit has no chain, unless there was one once.
            if one.entries or one.anchors:
                write_rows([one])
                checked.append(one)
    if not checked:
        raise BadInput("there is no audit chain here; are the addresses right, and was anything done yet?")
    return FAILED if any(one.findings for one in checked) else OK


def _anchor(service: str | None, text: str) -> "Anchor":
    from qorgau.audit.checkpoint import Anchor

    seq, _, hashed = text.partition(":")
    if service is None or not seq.isdecimal() or len(seq) > 15 or len(hashed) != 64:
        raise BadInput("--anchor is SEQ:HASH as a check before has told them, and needs --service")
    return Anchor(service, int(seq), hashed.lower())
