"""`qorgau explain`: why a flag is or was up: the rule, the facts, and each step of the arithmetic."""

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from qorgau.arguments import add_facts, add_rules, case_file, check_service, read_instant, read_policy
from qorgau.commands import OK, BadInput, Subparsers
from qorgau.output import show_table, write_rows

if TYPE_CHECKING:
    from qorgau.plan import Plan
    from qorgau.replay.batch import OneCase


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("explain", help="why a flag is or was up, step by step", description=__doc__)
    add_facts(command)
    command.add_argument("--flag", metavar="ID", required=True, help="the id of the flag (`qorgau assess --ids`)")
    add_rules(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Looks for the flag case by case. That no such flag was ever up is bad use."""
    from qorgau.replay.batch import Job, judge_all

    until = read_instant("--as-of", arguments.as_of)
    service = check_service(arguments.service)
    policy = read_policy(arguments.policy)
    with case_file(arguments.facts, [policy]) as file:
        until = file.until() if until is None else until
        job = Job(partial(explanation_of, flag=arguments.flag), (policy,), until or 0, service)
        # The first one found ends the search, so one process is enough.
        found = next((answer for answer in judge_all(file, job, workers=1) if answer is not None), None)
    if found is None:
        raise BadInput("no flag with this id was up until then; `qorgau assess --ids` lists the ids")
    write_rows([found])
    show_table(found["sentence"], ("step", "what"), [(step["step"], step["sentence"]) for step in found["steps"]])
    return OK


def explanation_of(case: "OneCase", plans: "tuple[Plan, ...]", until: int, *, flag: str) -> dict[str, Any] | None:
    """The explanation of the flag if it was ever up in this case."""
    from qorgau.assess import case_history
    from qorgau.explain import explain
    from qorgau.record import CaseRecord, learn

    flags = case_history(case.facts, plans[0], until, case.others[0])
    if flag not in {row.id for row in flags}:
        return None
    facts = learn(CaseRecord(case.case), case.facts).facts
    return explain(CaseRecord(case.case, facts, flags, as_of=until), flag, plans[0], case.others[0])
