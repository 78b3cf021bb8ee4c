"""The record of one case in one service: `learn` files facts, `advance` judges it up to an instant. Pure."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from operator import attrgetter

from qorgau.facts import Fact, first_copy
from qorgau.heart.casework import Casework
from qorgau.heart.others import Others
from qorgau.instants import MICROSECOND
from qorgau.plan import Plan
from qorgau.rows import FlagEvent, FlagRow

# What makes two facts copies of one, within a case and among the facts of others.
_OWN, _OF_OTHERS = attrgetter("source", "id"), attrgetter("case", "source", "id")


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """Everything one service holds of a case. `facts` are the copies that count, with the instants this service used;
    `others` those of facts of other cases, or of none, that its rules look at, with instants of this case's own;
    `flags` every entry ever raised, open ones included; `as_of` the last instant assessed (None: nothing judged yet);
    `next_due` the earliest later instant at which anything may change; `seq` the number of the last flag event;
    `timers` when which rule, key and start must be looked at again; `fingerprint` names the policy, calendar and zone
    data that judged it; `law_from` since when it did (None: from the beginning)."""

    case: str
    facts: tuple[Fact, ...] = ()
    flags: tuple[FlagRow, ...] = ()
    as_of: int | None = None
    next_due: int | None = None
    seq: int = 0
    timers: tuple[tuple[int, str, str, int | None], ...] = ()
    fingerprint: str = ""
    law_from: int | None = None
    others: tuple[Fact, ...] = ()


def learn(record: CaseRecord, facts: Iterable[Fact]) -> CaseRecord:
    """File facts, judge nothing. What is recorded too late to be stepped in place is filed one microsecond after
    `as_of`; only then are copies compared, so what was once judged stays (design.md 4.1, deadlines.md 1.3)."""
    filed, changed_at = _file(record.facts, facts, record.as_of, _OWN)
    if changed_at is None:
        return record
    # A case that was never judged is due when its first fact counts: the copy that came first may count before the one
    # that stays.
    first = min(fact.known_at for fact in filed) if record.as_of is None else _earlier(record.next_due, changed_at)
    return replace(record, facts=filed, next_due=first)


def overhear(record: CaseRecord, facts: Iterable[Fact]) -> CaseRecord:
    """File facts of other cases, or of none, in the same way: this case has instants of its own for them."""
    filed, changed_at = _file(record.others, facts, record.as_of, _OF_OTHERS)
    if changed_at is None:
        return record
    # A case begins with a fact of its own; until then there is nothing to look at.
    next_due = record.next_due if record.as_of is None else _earlier(record.next_due, changed_at)
    return replace(record, others=filed, next_due=next_due)


def _file(
    known: tuple[Fact, ...], facts: Iterable[Fact], as_of: int | None, name_of: Callable[[Fact], Hashable]
) -> tuple[tuple[Fact, ...], int | None]:
    """The copies that count, and the first instant at which something about them is different from before."""
    filed = {name_of(fact): fact for fact in known}
    changed_at: int | None = None
    for fact in facts:
        if as_of is not None and fact.recorded <= as_of:
            fact = replace(fact, recorded=as_of + MICROSECOND)
        name = name_of(fact)
        before = filed.get(name)
        kept = fact if before is None else first_copy(before, fact)
        if before is not None and (kept is before or kept == before):
            continue
        filed[name] = kept
        changed_at = _earlier(changed_at, kept.known_at)
    return tuple(filed.values()), changed_at


def _earlier(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)


def advance(
    record: CaseRecord, until: int, plan: Plan, others: Iterable[Fact] | Others | None = None
) -> tuple[CaseRecord, tuple[FlagEvent, ...]]:
    """Step the case through every instant after `as_of` and up to `until` at which anything may change, and return it
    with the events in between. A record that a policy with another fingerprint judged is judged anew, all of it, one
    microsecond after `as_of`, or when the plan begins where nothing could change until then; what is closed stays
    closed. `others`: those of a file, instead of the record's own."""
    begin = _first_step(record, plan)
    if begin is None or begin > until:
        return record, ()
    work = open_case(record, plan, others)
    work.flagging.events = events = list[FlagEvent]()
    law_from = record.law_from
    if _judged_otherwise(record, plan):
        law_from = begin
        work.touch_everything(begin)
        work.step(begin)
    work.step_to(until)
    return _closed(replace(record, law_from=law_from), work, until), tuple(events)


def _first_step(record: CaseRecord, plan: Plan) -> int | None:
    """The first instant to look at; None where there is no fact yet."""
    if record.as_of is None:
        return min((fact.known_at for fact in record.facts), default=None)
    after = record.as_of + 1
    if plan.begins is None or not _judged_otherwise(record, plan):
        return after
    # Until next_due it is under the policy before as it was.
    standing = plan.begins if record.next_due is None else min(plan.begins, record.next_due)
    return max(after, standing)


def open_case(record: CaseRecord, plan: Plan, others: Iterable[Fact] | Others | None = None) -> Casework:
    """The working state of a record, from which it can be stepped on."""
    indexed = others if isinstance(others, Others) else Others(record.others if others is None else others, plan)
    work = Casework(record.case, record.facts, plan, record.as_of, record.flags, record.seq, indexed)
    if not _judged_otherwise(record, plan):
        work.set_timers(record.timers)
    return work


def _judged_otherwise(record: CaseRecord, plan: Plan) -> bool:
    return record.as_of is not None and record.fingerprint not in ("", plan.fingerprint)


def _closed(record: CaseRecord, work: Casework, until: int) -> CaseRecord:
    return replace(
        record,
        flags=work.flagging.rows(),
        as_of=until,
        timers=work.get_timers(until),
        next_due=work.next_instant(),
        seq=work.flagging.seq,
        fingerprint=work.plan.fingerprint,
    )
