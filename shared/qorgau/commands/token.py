"""`qorgau token`: a token for the services, by the issuer of `qorgau up`, or signed with the key that they share."""

import argparse
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qorgau.commands import OK, BadInput, Subparsers
from qorgau.output import write_text

if TYPE_CHECKING:
    from qorgau.identity.issuer import Issuer

_KEY = "QORGAU_TOKEN_KEY"
_WORDS = (
    f"Makes a token. With --data, or where {_KEY} is not set, the issuer of `qorgau up` in that folder signs it; "
    f"otherwise it is signed with {_KEY}."
)
_DATA = "the folder of `qorgau up` whose issuer signs; default: the one of its folders that was started last"


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("token", help="make a token", description=_WORDS)
    command.add_argument(
        "--agency", default="*", help="KIND or KIND/UNIT it speaks for, such as 102/KZ-75, or watchdog; * is any"
    )
    command.add_argument("--scope", action="append", metavar="SCOPE", help="what it may do, several times; default all")
    command.add_argument("--region", action="append", metavar="CODE", help="where, several times; default: everywhere")
    command.add_argument("--lifetime", default="PT12H", metavar="DURATION", help="how long it is good for (PT12H)")
    command.add_argument("--subject", default="development", help="whose it is, for the log")
    command.add_argument("--data", metavar="DIR", type=Path, help=_DATA)
    turn = command.add_mutually_exclusive_group()
    turn.add_argument("--rotate", action="store_true", help="sign with a new key from now on; older tokens go on")
    turn.add_argument("--withdraw", action="store_true", help="sign with a new key, and let no older token count")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the token on stdout and nothing else, so that it can stand in a shell variable."""
    from qorgau.identity.sender import SCOPES
    from qorgau.instants import parse_duration
    from qorgau.starting import StartRefused

    try:
        lifetime = timedelta(microseconds=parse_duration(arguments.lifetime))
        if not lifetime:
            raise BadInput("a token needs a lifetime")
        claims = {
            "agency": arguments.agency,
            "scopes": arguments.scope or SCOPES,
            "regions": arguments.region or ("*",),
            "subject": arguments.subject,
            "lifetime": lifetime,
        }
        token = _signed(arguments, claims)
    except (ValueError, OverflowError, StartRefused) as error:
        raise BadInput(str(error)) from None
    write_text(token)
    return OK


def _signed(arguments: argparse.Namespace, claims: dict[str, Any]) -> str:
    from qorgau.auth import make_token
    from qorgau.identity.claims import new_claims

    key = os.environ.get(_KEY)
    if key and arguments.data is None:
        if arguments.rotate or arguments.withdraw:
            raise BadInput(f"{_KEY} is one key; name the folder of `qorgau up` with --data")
        return make_token(key, **claims)
    # What cannot be signed turns no key.
    new_claims(**claims)
    issuer = _issuer(arguments.data)
    if arguments.rotate:
        issuer.rotate()
    elif arguments.withdraw:
        issuer.withdraw()
    return issuer.token(**claims)


def _issuer(folder: Path | None) -> "Issuer":
    from qorgau.embedded.kept import data_folder, issuer_of

    folders = [data_folder(season=season) for season in (False, True)] if folder is None else [folder]
    there = [issuer for issuer in map(issuer_of, folders) if issuer.exists]
    if not there:
        words = "`qorgau up` makes one" if folder is None else "it is no folder of `qorgau up`"
        raise BadInput(f"there is no issuer ({words}); or set {_KEY} to the secret of the services, at least 32 bytes")
    return max(there, key=lambda issuer: issuer.jwks.stat().st_mtime)
