"""A file counted case by case. The facts of a case must stand together in it, as `qorgau season spring` writes them."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from tests.oracle.calendars import load_zone
from tests.oracle.values import load_policy
from tests.spring_count.clocks import CASE, EXAMINED, GOES_ON, instant_flag, limitation, suspended, term
from tests.spring_count.docket import overtaken, steps_by_court
from tests.spring_count.gap import gap
from tests.spring_count.impact import Impact, impact
from tests.spring_count.known import Raw, Tally, known_facts

FLAG, TERM = ("flag",), ("warn", "breach")
LEVELS = {"F1": FLAG, "F2": FLAG, "F3": FLAG, "F9": FLAG, "P19": TERM, "P27": TERM}
_MATTER = ("court.", "exam.", "order.", "protocol.")


@dataclass
class Counted:
    """By rule and level how often flags were raised and cleared; states of the deadlines by rule; impact by court."""

    flags: dict[str, dict[str, Tally]] = field(
        default_factory=lambda: {rule: {level: Tally() for level in levels} for rule, levels in LEVELS.items()}
    )
    states: dict[str, Counter[str]] = field(default_factory=lambda: {"P19": Counter(), "P27": Counter()})
    impact: defaultdict[str, Impact] = field(default_factory=lambda: defaultdict(Impact))
    cases: int = 0

    def rows(self) -> dict[str, dict[str, Any]]:
        """Per rule what `qorgau replay` writes of it."""
        return {
            rule: {
                "raised": sum(one.raised for one in levels.values()),
                "cleared": sum(one.cleared for one in levels.values()),
                "levels": {name: vars(one) for name, one in levels.items() if one.raised},
                "deadlines": dict(self.states.get(rule, {})),
            }
            for rule, levels in self.flags.items()
        }


def count(path: Path, policy_file: Path, until: int) -> Counted:
    """Counts a file; `until` in microseconds."""
    policy, counted = load_policy(policy_file), Counted()
    zones = {region: load_zone(name) for region, name in policy["policy"]["zones"]["regions"].items()}
    context = [row for row in _rows(path) if row.get("case") is None and row["type"] in _DOCKET]
    steps = steps_by_court(context)
    for case, rows in groupby(_rows(path), key=lambda row: row.get("case")):
        if case is None:
            continue
        counted.cases += 1
        kept = [row for row in rows if row["type"].startswith(_MATTER) or row["type"] in CASE | {"fact.withdrawn"}]
        facts = known_facts(kept)
        instant_flag(facts, until, counted.flags["F1"]["flag"], "court.hearing_suspended", GOES_ON, scoped=True)
        instant_flag(facts, until, counted.flags["F2"]["flag"], "exam.blocked", EXAMINED, scoped=False)
        overtaken(facts, steps, policy, until, counted.flags["F3"]["flag"])
        gap(facts, until, counted.flags["F9"]["flag"])
        limits = limitation(facts, zones)
        counted.states["P19"] += term(facts, suspended(facts), GOES_ON, until, counted.flags["P19"])
        counted.states["P27"] += term(facts, limits, {"court.decision_issued"}, until, counted.flags["P27"])
        impact(facts, limits, until, counted.impact)
    return counted


_DOCKET = {"court.docket_item_decided", "fact.withdrawn"}


def _rows(path: Path) -> Iterator[Raw]:
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)
