"""A row of a list that is made of one case: a response, an order, a hearing, or something wrong with what was posted.

What a service lists is a pure function of a case's facts and deadlines (a `Projection`); which rows there are, and how
they are found again, is `book.py`'s.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import DeadlineRow, Judged

# States of a deadline in which somebody still has to do something.
UNENDED = frozenset({"running", "tolled", "breached"})


@dataclass(frozen=True, slots=True)
class Listed:
    """One row. `kind` names the list (the last part of its route: `orders`), `key` is unique in it within the case,
    `state` is a word of the field for how it stands, `agency` who has to act next or else who acted last.

    `due` is the earliest due in microseconds of what somebody still has to do about it (None: nothing, or its clock
    stands), `court` the one it is before, `item` what readers get besides: JSON values, codes and instants only."""

    kind: str
    key: str
    state: str
    region: str | None
    agency: str | None
    due: int | None = None
    court: str | None = None
    item: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """A case as a round judged it: what `version` will be its next one, as a number."""

    record: CaseRecord
    judged: Sequence[Judged]
    version: int


Projection = Callable[[CaseRecord, Sequence[Judged]], Iterable[Listed]]


def nothing_listed(_: Plan) -> Projection:
    """A service whose cases make no rows."""
    return lambda record, judged: ()


def earliest_due(deadlines: Iterable[DeadlineRow]) -> int | None:
    """The earliest due of those that have not ended; None where there is none."""
    dues = [row.due_at for row in deadlines if row.state in UNENDED and row.due_at is not None]
    return min(dues, default=None)
