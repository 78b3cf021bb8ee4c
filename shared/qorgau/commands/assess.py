"""`qorgau assess`: the flag history of a file of facts, or its deadlines, as rows of deadlines.md 9.4."""

import argparse
from typing import TYPE_CHECKING

import orjson

from qorgau.arguments import add_facts, add_rules, case_file, check_service, read_instant, read_policy
from qorgau.commands import OK, Subparsers
from qorgau.output import progress, write_lines

if TYPE_CHECKING:
    from qorgau.plan import Plan
    from qorgau.replay.batch import OneCase

Line = tuple[tuple[object, ...], bytes]


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("assess", help="the flag history of a file of facts", description=__doc__)
    add_facts(command)
    add_rules(command)
    command.add_argument("--deadlines", action="store_true", help="the deadlines at that instant instead")
    command.add_argument("--ids", action="store_true", help="with the id of each flag, for `qorgau explain`")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Judges what it is given, without the checks of a service's door."""
    from qorgau.heart.collecting import collect_seldom
    from qorgau.replay.batch import Job, judge_all

    until = read_instant("--as-of", arguments.as_of)
    service = check_service(arguments.service)
    policy = read_policy(arguments.policy)
    ask = deadlines_of if arguments.deadlines else flags_with_ids if arguments.ids else flags_of
    lines: list[Line] = []
    collect_seldom()
    with case_file(arguments.facts, [policy]) as file, progress("cases") as bar:
        until = file.until() if until is None else until
        if until is not None:
            for done, found in enumerate(judge_all(file, Job(ask, (policy,), until, service)), 1):
                lines += found
                bar(done, len(file))
    lines.sort(key=lambda line: line[0])
    write_lines(line for _, line in lines)
    return OK


def flags_of(case: "OneCase", plans: "tuple[Plan, ...]", until: int) -> list[Line]:
    """The flag rows of one case as JSON, each with what it is sorted by."""
    return _flags(case, plans, until, ids=False)


def flags_with_ids(case: "OneCase", plans: "tuple[Plan, ...]", until: int) -> list[Line]:
    """The same, with the id of each flag."""
    return _flags(case, plans, until, ids=True)


def deadlines_of(case: "OneCase", plans: "tuple[Plan, ...]", until: int) -> list[Line]:
    """The deadline rows of one case as JSON, each with what it is sorted by."""
    from qorgau.assess import case_deadlines
    from qorgau.rows import deadline_order

    rows = case_deadlines(case.facts, plans[0], until)
    return [(deadline_order(row), orjson.dumps(row.to_json())) for row in rows]


def _flags(case: "OneCase", plans: "tuple[Plan, ...]", until: int, *, ids: bool) -> list[Line]:
    from qorgau.assess import case_history
    from qorgau.rows import flag_order

    rows = case_history(case.facts, plans[0], until, case.others[0])
    return [(flag_order(row), orjson.dumps(({"id": row.id} if ids else {}) | row.to_json())) for row in rows]
