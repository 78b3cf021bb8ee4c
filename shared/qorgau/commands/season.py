"""`qorgau season`: made-up facts as a file, for whoever wants to see what the commands make of many cases."""

import argparse
from typing import TYPE_CHECKING

from qorgau.commands import OK, BadInput, Subparsers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qorgau.season import Planned

# Written at once, so that a million lines are not a million journeys.
_AT_ONCE = 5_000


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    group = subparsers.add_parser("season", help="made-up facts of many cases, the same for the same seed")
    kinds = group.add_subparsers(metavar="KIND", required=True)
    weeks = kinds.add_parser("weeks", help="the eight weeks that `qorgau up --feed` posts", description=__doc__)
    weeks.set_defaults(run=run, cases=None)
    spring = kinds.add_parser(
        "spring",
        help="the spring of 2020: courts stopped, quarantine cases, shelters closed",
        description="Case after case and not in the order of time: memory does not grow with the cases.",
    )
    spring.add_argument("--cases", metavar="N", type=int, default=100_000, help="so many cases; default: 100000")
    spring.set_defaults(run=run)
    for kind in (weeks, spring):
        kind.add_argument("--seed", metavar="N", type=int, default=2020, help="other cases; default: 2020")


def run(arguments: argparse.Namespace) -> int:
    """Writes the facts, one a line."""
    from itertools import islice

    import orjson

    from qorgau.facts import fact_to_json
    from qorgau.output import write_lines

    coming = _planned(arguments.cases, arguments.seed)
    while lines := [orjson.dumps(fact_to_json(one.fact)) for one in islice(coming, _AT_ONCE)]:
        write_lines(lines)
    return OK


def _planned(cases: int | None, seed: int) -> "Iterator[Planned]":
    from qorgau.season import season
    from qorgau.season.spring import spring

    if cases is None:
        return season(seed)
    if cases < 1:
        raise BadInput("--cases is at least 1")
    return spring(cases, seed)
