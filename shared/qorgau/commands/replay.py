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
    from qorgau.replay.summary import Summary
    from qorgau.replay.sums import Tally

_TITLES = ("policy", "rule", "title", "raised", "cleared", "late", "p50", "p90")


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("replay", help="what a policy, or another, makes of a file", description=__doc__)
    add_facts(command)
    command.add_argument("--policy", metavar="FILE", action="append", help="the rules; given twice, both are compared")
    add_service(command)
    command.add_argument("--summary", action="store_true", help="also flags by week, what stops of courts cost, legs")
    command.add_argument("--jobs", metavar="N", type=int, help="so many processes; by default what pays")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the flags that differ as they are found, case by case, then the rows of the rules and of the summary."""
    from qorgau.heart.collecting import collect_seldom
    from qorgau.replay.batch import Job, judge_all
    from qorgau.replay.summary import Summary
    from qorgau.replay.sums import Tally

    names = arguments.policy or ["default"]
    _check(arguments, len(names))
    until = read_instant("--as-of", arguments.as_of)
    service = check_service(arguments.service)
    policies = tuple(read_policy(name if arguments.policy else None) for name in names)
    tallies, summary = tuple(Tally() for _ in policies), Summary()
    ask = with_summary if arguments.summary else both
    collect_seldom()
    with case_file(arguments.facts, policies) as file, progress("cases") as bar:
        until = file.until() if until is None else until
        if until is not None:
            judged = judge_all(file, Job(ask, policies, until, service), arguments.jobs)
            for done, (found, differing, more_of) in enumerate(judged, 1):
                for tally, more in zip(tallies, found, strict=True):
                    tally.add(more)
                summary.add(more_of)
                write_lines(differing)
                bar(done, len(file))
    totals = zip(tallies, policies, names, strict=True)
    rows = [row for tally, policy, name in totals for row in tally.rows(policy, name, service)]
    write_rows(rows)
    if arguments.summary and until is not None:
        write_rows(summary.rows(names[0], until))
    busy = [row for row in rows if row["raised"] or row["deadlines"]]
    show_table("rules with a deadline or a flag", _TITLES, [[row[title] for title in _TITLES] for row in busy])
    return OK


def _check(arguments: argparse.Namespace, policies: int) -> None:
    if policies > 2:
        raise BadInput("--policy can be given twice at most")
    if arguments.summary and policies > 1:
        raise BadInput("--summary is of one policy")
    if arguments.jobs is not None and arguments.jobs < 1:
        raise BadInput("--jobs is at least 1")


def both(case: "OneCase", plans: "tuple[Plan, ...]", until: int) -> "tuple[list[Tally], list[bytes], Summary]":
    """The sums of one case under each policy, and as JSON the flags on which two do not agree."""
    from qorgau.assess import case_assessment
    from qorgau.replay.summary import Summary
    from qorgau.replay.sums import Tally, differences

    judged = [case_assessment(case.facts, plan, until, others) for plan, others in zip(plans, case.others, strict=True)]
    rows = differences(*(history for history, _ in judged)) if len(judged) == 2 else []
    return [Tally.of(*one) for one in judged], [orjson.dumps(row) for row in rows], Summary()


def with_summary(case: "OneCase", plans: "tuple[Plan, ...]", until: int) -> "tuple[list[Tally], list[bytes], Summary]":
    """The sums of one case under one policy, and what its summary comes to."""
    from qorgau.assess import case_assessment
    from qorgau.replay.summary import summary_of
    from qorgau.replay.sums import Tally

    history, deadlines = case_assessment(case.facts, plans[0], until, case.others[0])
    return [Tally.of(history, deadlines)], [], summary_of(case.facts, plans[0], until, history, deadlines)
