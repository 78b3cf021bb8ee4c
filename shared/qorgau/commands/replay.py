"""`qorgau replay`: a file of facts judged case by case, one row a rule; with two policies, every flag that differs."""

import argparse
from typing import TYPE_CHECKING

import orjson

from qorgau.arguments import add_facts, add_service, case_file, check_service, read_instant, read_policy
from qorgau.commands import OK, BadInput, Subparsers
from qorgau.output import progress, show_table, write_lines, write_rows

if TYPE_CHECKING:
    from qorgau.plan import Plan
    from qorgau.replay.batch import OneCase
    from qorgau.replay.sums import Tally

_TITLES = ("policy", "rule", "title", "raised", "cleared", "late", "p50", "p90")


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("replay", help="what a policy, or another, makes of a file", description=__doc__)
    add_facts(command)
    command.add_argument("--policy", metavar="FILE", action="append", help="the rules; given twice, both are compared")
    add_service(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the flags that differ as they are found, case by case, then the rows of the rules."""
    from qorgau.heart.collecting import collect_seldom
    from qorgau.replay.batch import Job, judge_all
    from qorgau.replay.sums import Tally

    names = arguments.policy or ["default"]
    if len(names) > 2:
        raise BadInput("--policy can be given twice at most")
    until = read_instant("--as-of", arguments.as_of)
    service = check_service(arguments.service)
    policies = tuple(read_policy(name if arguments.policy else None) for name in names)
    tallies = tuple(Tally() for _ in policies)
    collect_seldom()
    with case_file(arguments.facts, policies) as file, progress("cases") as bar:
        until = file.until() if until is None else until
        if until is not None:
            for done, (found, differing) in enumerate(judge_all(file, Job(both, policies, until, service)), 1):
                for tally, more in zip(tallies, found, strict=True):
                    tally.add(more)
                write_lines(differing)
                bar(done, len(file))
    totals = zip(tallies, policies, names, strict=True)
    rows = [row for tally, policy, name in totals for row in tally.rows(policy, name, service)]
    write_rows(rows)
    busy = [row for row in rows if row["raised"] or row["deadlines"]]
    show_table("rules with a deadline or a flag", _TITLES, [[row[title] for title in _TITLES] for row in busy])
    return OK


def both(case: "OneCase", plans: "tuple[Plan, ...]", until: int) -> tuple[list["Tally"], list[bytes]]:
    """The sums of one case under each policy, and as JSON the flags on which two do not agree."""
    from qorgau.assess import case_assessment
    from qorgau.replay.sums import Tally, differences

    tallies, histories = [], []
    for plan, others in zip(plans, case.others, strict=True):
        history, deadlines = case_assessment(case.facts, plan, until, others)
        histories.append(history)
        tally = Tally()
        tally.add_flags(history)
        tally.add_deadlines(deadlines)
        tallies.append(tally)
    rows = differences(*histories) if len(histories) == 2 else []
    return tallies, [orjson.dumps(row) for row in rows]
