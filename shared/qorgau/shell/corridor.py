"""What one round does to one stored case, as a pure function: file what came, step it in time, write down what to tell.

The order of reading, saving and publishing is `tracker.py`'s.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from qorgau.assess import is_closed
from qorgau.facts import Fact
from qorgau.plan import Plan
from qorgau.record import CaseRecord, advance, learn, overhear
from qorgau.rows import FlagEvent
from qorgau.shell.documents import Stored, with_events
from qorgau.shell.restoring import reconciled


@dataclass(frozen=True, slots=True)
class CaseLimits:
    """How many facts a case holds, and how many of them may be of one source; what comes after is parked. `heard`: how
    many copies of facts that are not its own; those after them stay where they were copied from."""

    facts: int = 2_000
    of_source: int = 1_000
    heard: int = 5_000


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a case: the new state, the changes of flags it will tell, the facts it had no room for, and
    whether it was judged."""

    before: Stored
    after: Stored
    changes: tuple[FlagEvent, ...] = ()
    parked: tuple[Fact, ...] = ()
    judged: bool = True

    @property
    def changed(self) -> bool:
        """Whether anything must be saved."""
        return self.after != self.before


def step(
    stored: Stored, facts: Sequence[Fact], until: int | None, emitted_at: int, plan: Plan, limits: CaseLimits
) -> Step:
    """The case after a batch: `facts`, its own and copies of those of others, are filed; judged up to `until`, or not
    at all where that is None."""
    own = [fact for fact in facts if fact.case == stored.record.case]
    fitting, parked = room_for(stored.record, own, limits)
    record = learn(stored.record, fitting)
    deaf = False
    if len(own) < len(facts):
        heard = [fact for fact in facts if fact.case != record.case]
        deaf = len(record.others) + len(heard) > limits.heard
        record = overhear(record, heard[: max(0, limits.heard - len(record.others))])
    after = replace(stored, record=record, full=stored.full or deaf or bool(parked))
    if until is None:
        return Step(stored, after, (), tuple(parked), judged=False)
    record, changes = advance(after.record, until, plan)
    if record is not after.record:
        # Asked only where a closing is among the facts: the answer costs as much as opening the case again.
        closing = any(fact.type == plan.closed_by for fact in record.facts)
        after = replace(after, record=record, closed=closing and is_closed(record, plan))
    if after.told is not None:
        # What it says of the time before it was made again has been said; the difference is told at once, later.
        after, changes = reconciled(after, until)
    return Step(stored, with_events(after, changes, emitted_at), changes, tuple(parked))


def room_for(record: CaseRecord, facts: Iterable[Fact], limits: CaseLimits) -> tuple[list[Fact], list[Fact]]:
    """Which facts the case can hold and which it cannot; a copy of a fact it has takes no room."""
    facts = list(facts)
    if len(record.facts) + len(facts) <= min(limits.facts, limits.of_source):
        return facts, []
    known = {fact.identity for fact in record.facts}
    of_source = Counter(fact.source for fact in record.facts)
    fitting: list[Fact] = []
    parked: list[Fact] = []
    for fact in facts:
        if fact.identity not in known:
            if len(known) >= limits.facts or of_source[fact.source] >= limits.of_source:
                parked.append(fact)
                continue
            known.add(fact.identity)
            of_source[fact.source] += 1
        fitting.append(fact)
    return fitting, parked
