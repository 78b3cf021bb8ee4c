"""What a policy must be like beyond the form of its rows: every line can match, every clock has its term, every
reference leads somewhere (deadlines.md). Each check notes what cannot be right at its place in the file. Pure."""

from collections.abc import Mapping

from qorgau.policy_checks.deadlines import check_rule, check_versions
from qorgau.policy_checks.document import Place
from qorgau.policy_checks.flags import check_flag
from qorgau.policy_checks.frame import check_frame, check_ladder
from qorgau.rules import Flag, Frame, Rule


def check_policy(top: Place, frame: Frame | None, rules: Mapping[int, Rule], flags: Mapping[int, Flag]) -> None:
    """Notes every problem of the parts that are well formed, each by its place in the file; None: the frame is not."""
    if frame is not None:
        check_frame(top.at("policy"), frame)
    for number, rule in rules.items():
        check_rule(top.at("rules", number), rule, frame)
    check_versions(top, rules)
    taken = {rule.id for rule in rules.values()}
    for number, flag in flags.items():
        place = top.at("flags", number)
        if flag.id in taken:
            place.at("id").refuse("this id is taken")
        taken.add(flag.id)
        check_flag(place, flag, frame, list(rules.values()))
    if frame is not None:
        check_ladder(top.at("policy", "ladder"), frame, rules.values(), flags.values())
