"""The record of one case in one service: `learn` files facts, `advance` judges it up to an instant. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from qorgau.facts import Fact, first_copy
from qorgau.rows import FlagRow


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """Everything one service holds of a case. `facts` are the copies that count, with the instants this service used;
    `flags` every entry ever raised, open ones included; `as_of` the last instant assessed (None: nothing judged yet);
    `next_due` the earliest later instant at which anything may change; `seq` the number of the last flag event;
    `timers` when which rule, key and start must be looked at again; `fingerprint` names the policy, calendar and zone
    data that judged it."""

    case: str
    facts: tuple[Fact, ...] = ()
    flags: tuple[FlagRow, ...] = ()
    as_of: int | None = None
    next_due: int | None = None
    seq: int = 0
    timers: tuple[tuple[int, str, str, int | None], ...] = ()
    fingerprint: str = ""


def learn(record: CaseRecord, facts: Iterable[Fact]) -> CaseRecord:
    """File facts, judge nothing. What is recorded too late to be stepped in place is filed one microsecond after
    `as_of`; only then are copies compared, so what was once judged stays (design.md 4.1, deadlines.md 1.3)."""
    filed = {fact.identity: fact for fact in record.facts}
    next_due = record.next_due
    changed = False
    for fact in facts:
        if record.as_of is not None and fact.recorded <= record.as_of:
            fact = replace(fact, recorded=record.as_of + 1)
        known = filed.get(fact.identity)
        kept = fact if known is None else first_copy(known, fact)
        if kept is known or kept == known:
            continue
        filed[fact.identity] = kept
        changed = True
        next_due = kept.known_at if next_due is None else min(next_due, kept.known_at)
    return replace(record, facts=tuple(filed.values()), next_due=next_due) if changed else record
