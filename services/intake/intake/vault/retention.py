"""What of the vault is over at an instant, by the policy of retention (`qorgau.retention`). Pure.

What is over is taken out by `dealing.expired`, which leaves a line in the audit.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from intake.domain import CaseClosed, CaseReopened
from intake.vault.dealing import expired
from intake.vault.records import Marks, VaultRecord, marked
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.retention import Retention


@dataclass(frozen=True, slots=True)
class Ending:
    """When a class goes, and by which line, as `CLASS/LINE of POLICY VERSION`."""

    at: int
    name: str
    line: str


def marks_of(facts: Iterable[Fact]) -> Marks:
    """What periods count from in the facts of a case; what was withdrawn counts as never said (deadlines.md 1.7)."""
    told = list(facts)
    withdrawn = {(fact.source, fact.data.get("fact_id")) for fact in told if fact.type == WITHDRAWAL}
    left = [fact for fact in told if fact.identity not in withdrawn]
    turns = sorted((fact for fact in left if fact.type in (CaseClosed.type, CaseReopened.type)), key=_order)
    closed = turns[-1].known_at if turns and turns[-1].type == CaseClosed.type else None
    return Marks(last_fact=max((fact.known_at for fact in left), default=None), closed=closed)


def endings(policy: Retention, marks: Marks, kept: Iterable[str]) -> tuple[Ending, ...]:
    """When each of these classes goes, the first first; one whose periods have not begun is left out."""
    starts = {"opened": marks.opened, "last_fact": marks.last_fact, "case_closed": marks.closed}
    found = []
    for name in kept:
        begun = [
            Ending(start + line.after, name, f"{name}/{number} of {policy.head.id} {policy.head.version}")
            for number, line in enumerate(policy.classes[name].lines)
            if (start := starts[line.start]) is not None
        ]
        found.extend(sorted(begun, key=_soonest)[:1])
    return tuple(sorted(found, key=_soonest))


def retained(policy: Retention, record: VaultRecord, marks: Marks, now: int) -> VaultRecord:
    """The record without what is over at an instant, with the lines that say so, and when the next of it goes.

    A case of which nothing was ever told but its opening counts from that."""
    last = record.marks.opened if marks.last_fact is None else marks.last_fact
    known = Marks(record.marks.opened, last, marks.closed)
    ends = endings(policy, known, record.kept)
    over = {end.name: end.line for end in ends if end.at <= now}
    due = next((end.at for end in ends if end.at > now), None)
    record = marked(record, known, due)
    return expired(record, over, now, due) if over else record


def tally(before: Iterable[VaultRecord], after: Iterable[VaultRecord]) -> dict[str, int]:
    """What a run did: how many cases lost which class, and under `key` how many lost their key with it."""
    counts: Counter[str] = Counter()
    for one, other in zip(before, after, strict=True):
        counts.update(one.kept - other.kept)
        counts["key"] += one.key is not None and other.key is None
    return {name: count for name, count in sorted(counts.items()) if count}


def _soonest(end: Ending) -> tuple[int, str, str]:
    return end.at, end.name, end.line


def _order(fact: Fact) -> tuple[int, int, str, str]:
    return fact.order
