"""A case as the heart has it at one instant, for those who explain: its facts, deadlines and rule flags. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from qorgau.facts import Fact
from qorgau.heart.casework import Casework
from qorgau.heart.deadlines import Deadline
from qorgau.heart.others import Others
from qorgau.heart.reactions import FlagPlan, Version
from qorgau.heart.ruleflags import RuleFlag
from qorgau.instants import format_instant
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rules import Flag, Rule


class Scene:
    """Everything known at `at`, and what the heart makes of it; nothing is worked out here."""

    def __init__(self, record: CaseRecord, plan: Plan, at: int, others: Iterable[Fact] | Others = ()) -> None:
        around = others if isinstance(others, Others) else Others(others, plan)
        self.plan, self.at = plan, at
        self._work = Casework(record.case, record.facts, plan, at, others=around)
        self.known: Sequence[Fact] = sorted(self._work.situation.known, key=lambda fact: fact.order)
        self.risk = self._work.situation.risk

    def deadline(self, rule: str, key: str, start: int) -> Deadline | None:
        """A deadline as it is at the instant, None if there is none."""
        family = self.plan.families.get(rule)
        return self._work.situation.docket(family).find(key, start) if family else None

    def rule_flag(self, plan: FlagPlan) -> RuleFlag:
        """A rule flag as it is at the instant."""
        return self._work.situation.rule_flag(plan)

    def playing(self, role: str, version: Version, key: str) -> list[Fact]:
        """The known facts that play a role for the deadlines of a version and key, in fact order."""
        roles = self.plan.families[version.rule].roles
        return [
            fact
            for fact in self.known
            for part in roles.get(fact.type, ())
            if part.name == role and part.version is version and part.matches(fact.data)
            if part.anywhere or version.key(fact.data) == key
        ]


def rule_of(plan: Plan, version: Version) -> Rule:
    """The row of the policy that a version was made of."""
    return next(row for row in plan.policy.rules if row.id == version.rule and row.effective_from == version.effective)


def flag_of(plan: Plan, name: str) -> Flag:
    """The row of the policy that a rule flag was made of."""
    return next(row for row in plan.policy.flags if row.id == name)


def fact_item(fact: Fact) -> dict[str, Any]:
    """What an explanation says of a fact; a derived one has no id and no source."""
    return {
        "id": fact.id or None,
        "source": fact.source or None,
        "type": fact.type,
        "time": format_instant(fact.time),
        "recorded": format_instant(fact.recorded),
    }
