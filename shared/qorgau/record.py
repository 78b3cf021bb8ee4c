"""The record of one case in one service: `learn` files facts, `advance` judges it up to an instant. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from qorgau.facts import Fact, first_copy
from qorgau.heart.casework import Casework
from qorgau.heart.others import Others
from qorgau.instants import MICROSECOND
from qorgau.plan import Plan
from qorgau.rows import FlagEvent, FlagRow


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """Everything one service holds of a case. `facts` are the copies that count, with the instants this service used;
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


def learn(record: CaseRecord, facts: Iterable[Fact]) -> CaseRecord:
    """File facts, judge nothing. What is recorded too late to be stepped in place is filed one microsecond after
    `as_of`; only then are copies compared, so what was once judged stays (design.md 4.1, deadlines.md 1.3)."""
    filed = {(fact.source, fact.id): fact for fact in record.facts}
    next_due = record.next_due
    changed = False
    for fact in facts:
        if record.as_of is not None and fact.recorded <= record.as_of:
            fact = replace(fact, recorded=record.as_of + MICROSECOND)
        identity = fact.source, fact.id
        known = filed.get(identity)
        kept = fact if known is None else first_copy(known, fact)
        if known is not None and (kept is known or kept == known):
            continue
        filed[identity] = kept
        changed = True
        next_due = kept.known_at if next_due is None else min(next_due, kept.known_at)
    return replace(record, facts=tuple(filed.values()), next_due=next_due) if changed else record


def advance(
    record: CaseRecord, until: int, plan: Plan, others: Iterable[Fact] | Others = ()
) -> tuple[CaseRecord, tuple[FlagEvent, ...]]:
    """Step the case through every instant after `as_of` and up to `until` at which anything may change, and return it
    with the events in between. A record that a policy with another fingerprint judged is judged anew, all of it, one
    microsecond after `as_of`; what is closed stays closed. `others` are facts of other cases and of none, as filed."""
    begin = min((fact.known_at for fact in record.facts), default=None) if record.as_of is None else record.as_of + 1
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


def open_case(record: CaseRecord, plan: Plan, others: Iterable[Fact] | Others = ()) -> Casework:
    """The working state of a record, from which it can be stepped on."""
    indexed = others if isinstance(others, Others) else Others(others, plan)
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
