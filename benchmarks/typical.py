"""What the tracker writes of a load, found out with its own pure functions: how large a document is, how many flags."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bson

from benchmarks.rig import SERVICE, number_of
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.plan import Plan, compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord
from qorgau.settings import Settings
from qorgau.shell.corridor import CaseLimits, step
from qorgau.shell.documents import Event, Stored, to_document

# What the tracker files together, unless it is told otherwise.
BATCH = int(Settings.model_fields["batch_facts"].default)


@dataclass(frozen=True, slots=True)
class Typical:
    """A document as large as those of the tracker are on the average, and the events that a fact brings about."""

    document: Mapping[str, Any]
    size: int
    event: Event
    events_of_a_fact: float


def own_plan() -> Plan:
    """What police-dispatch judges by."""
    return compile_policy(load_policy(default_policy()), SERVICE)


def typical(facts: Sequence[Fact], now: int) -> Typical:
    """Of these facts, filed batch by batch and judged when all are there, which is with the last batch, as by a tracker
    that comes back."""
    plan, limits = own_plan(), CaseLimits()
    cases: dict[str, Stored] = {}
    written: list[dict[str, Any]] = []

    def write(case: str, own: Sequence[Fact], until: int | None) -> None:
        stored = cases.get(case) or Stored(CaseRecord(case))
        cases[case] = after = step(stored, own, until, now, plan, limits).after
        written.append(to_document(after, number_of(case), "100.0123456789ab"))

    for start in range(0, len(facts), BATCH):
        by_case: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in facts[start : start + BATCH]:
            if fact.case is not None:
                by_case[fact.case].append(fact)
        if start + BATCH < len(facts):
            for case, own in by_case.items():
                write(case, own, None)
    for case in {**cases, **by_case}:
        write(case, by_case.get(case, ()), now)
    sizes = [len(bson.encode(document)) for document in written]
    mean = sum(sizes) // len(sizes)
    nearest = min(range(len(written)), key=lambda place: abs(sizes[place] - mean))
    events = [event for stored in cases.values() for event in stored.outbox]
    return Typical(written[nearest], sizes[nearest], events[len(events) // 2], len(events) / len(facts))
