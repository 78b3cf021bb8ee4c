"""The call-outs of a case and which fact belongs to which: facts of police carry no reference of the call they answer.

As the rules read them (deadlines.md 10.15): an arrival answers every call that still waits, so two that overlap share
one; what is posted after it belongs to that visit. Pure; how a call-out is shown is `responses.py`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from qorgau.facts import Fact
from qorgau.heart.circumstances import ORDER
from qorgau.state.checks import SLACK

CALL, VIOLATION, ARRIVAL = "police.incident_registered", "order.violation_reported", "police.arrived"
OUTCOME, CANCELLATION, DETENTION = "police.outcome_recorded", "police.call_cancelled", "offender.detained"
BEGIN = (CALL, VIOLATION)
# They concern calls that wait for an arrival; the others, what was done there.
UNDERWAY = ("police.reprioritised", "police.dispatched", ARRIVAL, CANCELLATION)
VISIT = (OUTCOME, "risk.assessed", DETENTION, "offender.released", "protocol.drawn_up")
ANSWERS = (ARRIVAL, CANCELLATION, OUTCOME)
TYPES = (*BEGIN, *UNDERWAY, *VISIT)


@dataclass(slots=True)
class CallOut:
    """One call that somebody has to answer. `begun` is None for what nobody registered; `facts` are all that belong to
    it, in fact order; `arrival` is the last one, `is_waiting` says whether police still have to come."""

    begun: Fact | None
    facts: list[Fact] = field(default_factory=list)
    arrival: Fact | None = None
    has_outcome: bool = False
    is_waiting: bool = True

    def take(self, fact: Fact) -> None:
        """A fact belongs to it."""
        self.facts.append(fact)
        if fact.type == ARRIVAL:
            self.arrival = fact
        self.has_outcome |= fact.type == OUTCOME
        # At a reported violation a detention is an answer too, and stops P13.
        self.is_waiting &= fact.type not in ANSWERS and not (fact.type == DETENTION and self.is_of_violation)

    @property
    def is_of_violation(self) -> bool:
        """Whether it is about an order that is being broken."""
        return self.begun is not None and self.begun.type == VIOLATION

    def first(self, *types: str) -> Fact | None:
        """The first fact of some types."""
        return next((fact for fact in self.facts if fact.type in types), None)

    def last(self, *types: str) -> Fact | None:
        """The last fact of some types."""
        return next((fact for fact in reversed(self.facts) if fact.type in types), None)

    def all(self, *types: str) -> list[Fact]:
        """The facts of some types, in fact order."""
        return [fact for fact in self.facts if fact.type in types]


def call_outs(facts: Sequence[Fact]) -> list[CallOut]:
    """The call-outs of a case from its facts in fact order, in the order in which they began."""
    desk = _Desk([fact for fact in facts if fact.type in BEGIN])
    for fact in facts:
        if fact.type in BEGIN:
            desk.begin_up_to(fact)
        elif fact.type in TYPES:
            for one in desk.meant(fact):
                one.take(fact)
    for one in desk.found:
        one.facts.sort(key=ORDER)
    return desk.found


class _Desk:
    """Reads a case fact by fact: the call-outs found so far, and the facts that will begin others."""

    def __init__(self, begins: Sequence[Fact]) -> None:
        self.found: list[CallOut] = []
        self._begins, self._place = begins, 0
        self._last_arrival: Fact | None = None

    def begin_up_to(self, fact: Fact) -> None:
        """A call-out begins, unless it was begun by what was posted a little before it."""
        while self._place < len(self._begins) and self._begins[self._place].order <= fact.order:
            self._begin()

    def meant(self, fact: Fact) -> list[CallOut]:
        """The call-outs that a fact is about; where there is none it makes one."""
        waiting = self._waiting()
        if not waiting and (fact.type in UNDERWAY or not self.found) and self._begins_soon(fact):
            waiting = [self._begin()]
        visited = [one for one in self.found if one.arrival is not None and one.arrival is self._last_arrival]
        if fact.type == ARRIVAL:
            self._last_arrival = fact
        if fact.type in UNDERWAY:
            meant = waiting
        elif fact.type == OUTCOME:
            meant = [one for one in visited if not one.has_outcome] or waiting or visited
        elif fact.type == DETENTION:
            meant = [one for one in waiting if one.is_of_violation] or visited or waiting
        else:
            meant = visited or waiting
        return meant or self.found[-1:] or [self._begin_unregistered()]

    def _waiting(self) -> list[CallOut]:
        waiting = [one for one in self.found if one.is_waiting]
        return [one for one in waiting if one.begun is not None] or waiting

    def _begins_soon(self, fact: Fact) -> bool:
        return self._place < len(self._begins) and self._begins[self._place].time - fact.time <= SLACK

    def _begin(self) -> CallOut:
        begun = self._begins[self._place]
        self._place += 1
        self.found.append(CallOut(begun, [begun]))
        return self.found[-1]

    def _begin_unregistered(self) -> CallOut:
        self.found.append(CallOut(None))
        return self.found[-1]
