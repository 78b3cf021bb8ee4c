"""`qorgau policy`: checks a policy file, says rule by rule how two differ, puts one in force (`activate`)."""

import argparse
from pathlib import Path

from qorgau.activating import add_activate
from qorgau.arguments import read_policy, refused
from qorgau.commands import OK, BadInput, Subparsers
from qorgau.output import show_table, write_rows


def register(subparsers: Subparsers) -> None:
    """Adds the commands `policy check`, `policy diff` and `policy activate`."""
    group = subparsers.add_parser("policy", help="check a policy, compare two, put one in force", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    check = commands.add_parser("check", help="whether a policy can be right, and if not, every line that cannot")
    check.add_argument("policy", metavar="FILE")
    check.set_defaults(run=run_check)
    diff = commands.add_parser("diff", help="what differs between two policies, rule by rule and field by field")
    diff.add_argument("before", metavar="A")
    diff.add_argument("after", metavar="B")
    diff.set_defaults(run=run_diff)
    add_activate(commands)


def run_check(arguments: argparse.Namespace) -> int:
    """One row about a policy that can be right; otherwise a row for each problem and status 1."""
    from qorgau.policy import PolicyRefused, load_policy

    try:
        policy = load_policy(Path(arguments.policy))
    except OSError as error:
        raise BadInput(f"{arguments.policy}: {error.strerror}") from None
    except PolicyRefused as error:
        return refused(error)
    about = {
        "policy": policy.policy.id,
        "version": policy.policy.version,
        "rules": len({rule.id for rule in policy.rules}),
        "flags": len(policy.flags),
        "fingerprint": policy.fingerprint,
    }
    write_rows([about])
    show_table("can be right", tuple(about), [list(about.values())])
    return OK


def run_diff(arguments: argparse.Namespace) -> int:
    """A row for each field that differs. Both files must be policies that can be right."""
    import yaml

    from qorgau.replay.policy_diff import policy_differences

    for path in (arguments.before, arguments.after):
        read_policy(path)
    before, after = (yaml.safe_load(Path(path).read_text("utf-8-sig")) for path in (arguments.before, arguments.after))
    rows = list(policy_differences(before, after))
    write_rows(rows)
    columns = ("rule", "effective_from", "change", "field", "before", "after")
    show_table("differences", columns, [[row[column] for column in columns] for row in rows])
    return OK
