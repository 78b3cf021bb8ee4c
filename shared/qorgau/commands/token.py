"""`qorgau token`: a token for the services, signed with the key they share."""

import argparse
import os
from datetime import timedelta

from qorgau.commands import OK, BadInput, Subparsers
from qorgau.output import write_text

_KEY = "QORGAU_TOKEN_KEY"


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("token", help="make a token", description=f"Makes a token, signed with {_KEY}.")
    command.add_argument("--agency", default="*", help="KIND or KIND/UNIT it speaks for, such as 102/KZ-75; * is any")
    command.add_argument("--scope", action="append", metavar="SCOPE", help="what it may do, several times; default all")
    command.add_argument("--region", action="append", metavar="CODE", help="where, several times; default: everywhere")
    command.add_argument("--lifetime", default="PT12H", metavar="DURATION", help="how long it is good for (PT12H)")
    command.add_argument("--subject", default="development", help="whose it is, for the log")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the token on stdout and nothing else, so that it can stand in a shell variable."""
    from qorgau.auth import SCOPES, make_token
    from qorgau.instants import parse_duration

    key = os.environ.get(_KEY)
    if not key:
        raise BadInput(f"set {_KEY} to the secret of the services, at least 32 bytes")
    try:
        lifetime = timedelta(microseconds=parse_duration(arguments.lifetime))
        if not lifetime:
            raise BadInput("a token needs a lifetime")
        token = make_token(
            key,
            agency=arguments.agency,
            scopes=arguments.scope or SCOPES,
            regions=arguments.region or ("*",),
            subject=arguments.subject,
            lifetime=lifetime,
        )
    except (ValueError, OverflowError) as error:
        raise BadInput(str(error)) from None
    write_text(token)
    return OK
