"""A change of a row of a list, as it is told to who follows the list. Pure; what changed is each service's to find."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qorgau.plan import Plan
from qorgau.record import CaseRecord


@dataclass(frozen=True, slots=True)
class Change:
    """How a row stands since an instant in microseconds: `state` is a word of its list, `was` the one before (None: it
    is new), `number` how many changes of it there were. `item`: what readers get besides, codes and instants only."""

    key: str
    number: int
    at: int
    state: str
    was: str | None
    region: str | None
    court: str | None
    item: Mapping[str, Any] = field(default_factory=dict)


Changing = Callable[[CaseRecord, Mapping[str, Change]], Sequence[Change]]
"""What is new about the rows of a case as it was judged, given the last change of each that was told, by key."""


def nothing_changes(_: Plan) -> Changing:
    """A service whose lists nobody follows."""
    return lambda record, told: ()
