"""Which class judges each kind of rule flag that looks at nothing but its own case; a table only."""

from collections.abc import Callable, Iterable

from qorgau.facts import Fact
from qorgau.heart.gaps import ProtectionGapFlag
from qorgau.heart.reactions import FlagPlan
from qorgau.heart.ruleflags import CountFlag, InstantFlag, OrderGapFlag, RuleFlag, Setting, StaleFlag

MakeFlag = Callable[[FlagPlan, Setting, Iterable[Fact]], RuleFlag]
ONE_CASE: dict[str, MakeFlag] = {
    "instant": InstantFlag,
    "count": CountFlag,
    "condition": OrderGapFlag,
    "stale": StaleFlag,
    "gap": ProtectionGapFlag,
}
"""The kinds of rule flags that look at nothing but their own case."""
