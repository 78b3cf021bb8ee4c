"""The pure heart, from outside: facts and a compiled policy in, flag history and deadlines out (deadlines.md).

`flag_history` and `deadline_rows` judge a whole file, `case_history` and `case_deadlines` one case of it, which is what
a pool of processes hands out; `deadlines`, `judged` and `is_closed` look at a record. All are what `learn` and
`advance` make.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from qorgau.facts import Fact
from qorgau.heart.others import Others
from qorgau.plan import Plan
from qorgau.record import CaseRecord, learn, open_case
from qorgau.rows import DeadlineRow, FlagRow, Judged, deadline_order, flag_order


def flag_history(
    facts: Iterable[Fact], plan: Plan, as_of: int | None = None, others: Iterable[Fact] = ()
) -> list[FlagRow]:
    """The flag history up to `as_of` of every case in `facts`, in any order and with any copies; by default up to the
    last instant at which one of them became known. `others` are further facts that F3 and F5 look at."""
    cases, until, around = _sorted_out(facts, plan, as_of, others)
    rows = [row for case in cases for row in case_history(cases[case], plan, until, around)]
    return sorted(rows, key=flag_order)


def deadline_rows(
    facts: Iterable[Fact], plan: Plan, as_of: int | None = None, others: Iterable[Fact] = ()
) -> list[DeadlineRow]:
    """The deadlines of every case in `facts` as they are at `as_of`."""
    cases, until, _ = _sorted_out(facts, plan, as_of, others)
    return sorted((row for case in cases for row in case_deadlines(cases[case], plan, until)), key=deadline_order)


def case_history(
    facts: Iterable[Fact], plan: Plan, as_of: int, others: Iterable[Fact] | Others = ()
) -> tuple[FlagRow, ...]:
    """The flag history of the one case whose facts these are, in the order of raising. For many cases make `Others` of
    the whole file once."""
    record = _filed(facts)
    work = open_case(record, plan, others)
    work.step_to(as_of)
    return work.flagging.rows()


def case_assessment(
    facts: Iterable[Fact], plan: Plan, as_of: int, others: Iterable[Fact] | Others = ()
) -> tuple[tuple[FlagRow, ...], list[DeadlineRow]]:
    """Flag history and deadlines of one case together, for little more than the history costs."""
    work = open_case(_filed(facts), plan, others)
    work.step_to(as_of)
    return work.flagging.rows(), sorted(work.deadline_rows(as_of), key=deadline_order)


def case_deadlines(facts: Iterable[Fact], plan: Plan, as_of: int) -> list[DeadlineRow]:
    """The deadlines of the one case whose facts these are; no other case has a part in them."""
    return deadlines(replace(_filed(facts), as_of=as_of), plan)


def deadlines(record: CaseRecord, plan: Plan, others: Iterable[Fact] = ()) -> list[DeadlineRow]:
    """The deadlines of a record at its `as_of`, none if it was never judged. `others` have no part in them."""
    if record.as_of is None:
        return []
    rows = open_case(replace(record, flags=(), timers=()), plan).deadline_rows(record.as_of)
    return sorted(rows, key=deadline_order)


def judged(record: CaseRecord, plan: Plan) -> list[Judged]:
    """The same deadlines, in the same order, with what each was made of."""
    if record.as_of is None:
        return []
    found = open_case(replace(record, flags=(), timers=()), plan).judged(record.as_of)
    return sorted(found, key=lambda one: deadline_order(one.row))


def is_closed(record: CaseRecord, plan: Plan) -> bool:
    """Whether the case is closed at the record's `as_of` (3.3); a record never judged is not."""
    return record.as_of is not None and open_case(replace(record, flags=()), plan).situation.closings.case_is_closed


def by_case(facts: Iterable[Fact]) -> dict[str | None, list[Fact]]:
    """The facts of each case, those without one under None."""
    found: defaultdict[str | None, list[Fact]] = defaultdict(list)
    for fact in facts:
        found[fact.case].append(fact)
    return dict(found)


def last_known(facts: Iterable[Fact]) -> int:
    """The largest known_at of the copies that count, by default the instant to judge at; 0 for no facts."""
    copies = (learn(CaseRecord(""), own).facts for own in by_case(facts).values())
    return max((fact.known_at for own in copies for fact in own), default=0)


def _filed(facts: Iterable[Fact]) -> CaseRecord:
    own = list(facts)
    return learn(CaseRecord((own[0].case or "") if own else ""), own)


def _sorted_out(
    facts: Iterable[Fact], plan: Plan, as_of: int | None, others: Iterable[Fact]
) -> tuple[dict[str, list[Fact]], int, Others]:
    """The facts of each case with those that others know of it, the instant to judge at, and what lies beyond."""
    own = list(facts)
    world = [*own, *others]
    cases = {fact.case for fact in own}
    found = {case: group for case, group in by_case(world).items() if case is not None and case in cases}
    return found, last_known(own) if as_of is None else as_of, Others(world, plan)
