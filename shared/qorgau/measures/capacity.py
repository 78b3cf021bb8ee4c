"""Was there a place, was there a doctor? What was blocked or declined, beside the last capacity reported then. Pure."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qorgau import rules
from qorgau.facts import WITHDRAWAL, Fact, first_copy, region_of
from qorgau.heart.known import KnownFacts
from qorgau.heart.others import withdrawals
from qorgau.instants import DAY
from qorgau.measures.figures import UNKNOWN, published
from qorgau.measures.phases import Row, month_of
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.surge.suppression import BELOW, TOTAL, Cell
from qorgau.vocabulary import FACT_TYPES

# Centres and shelters report each morning; what is older than a week says nothing of today.
GOOD_FOR = 7 * DAY
Was = Literal["with_capacity", "without", "unknown"]
Dimension = Literal["region", "reason"]
WAS: tuple[Was, ...] = ("with_capacity", "without", "unknown")


@dataclass(frozen=True, slots=True)
class Service:
    """What is refused by which fact, and which context fact says whether it could have been given."""

    kind: str
    refused: str
    reported: str
    had: Callable[[Mapping[str, Any], str], bool]


def _doctor(report: Mapping[str, Any], _: str) -> bool:
    """A doctor on duty who can be reached under the limits in force."""
    return _some(report.get("on_duty")) and report.get("reachable") is True


def _place(report: Mapping[str, Any], reason: str) -> bool:
    """A free place; of who was sent away because there was no quarantine, one in quarantine."""
    return _some(report.get("quarantine_free" if reason == "no_intake_quarantine" else "free"))


def _some(count: object) -> bool:
    return isinstance(count, int) and not isinstance(count, bool) and count > 0


EXAMS = Service("exam_blocked", "exam.blocked", "exam.capacity_reported", _doctor)
SHELTERS = Service("shelter_declined", "shelter.declined", "shelter.capacity_reported", _place)


def refusals(record: CaseRecord, service: Service, plan: Plan) -> Iterator[Row]:
    """A row of a case for each time it was refused: region, local month, reason, and the instant."""
    for fact in KnownFacts(record.facts, record.as_of).of(service.refused):
        region = region_of(fact)
        reason = fact.data.get("reason")
        yield {
            "kind": service.kind,
            "region": region,
            "month": month_of(fact.time, region, plan.calendar),
            "reason": reason if isinstance(reason, str) else None,
            "at": fact.time,
        }


class Reports:
    """The capacity reported in each region over time, from context facts in any order; those withdrawn were never."""

    def __init__(self, context: Iterable[Fact], service: Service) -> None:
        kept: dict[tuple[str, str], Fact] = {}
        for fact in context:
            if fact.type in (service.reported, WITHDRAWAL) and fact.case is None:
                known = kept.get(fact.identity)
                kept[fact.identity] = fact if known is None else first_copy(known, fact)
        gone = withdrawals(kept.values())
        self._service = service
        self._reports: dict[object, dict[str, list[Fact]]] = {}
        for fact in sorted(kept.values(), key=lambda fact: fact.order):
            if fact.type == service.reported and (None, *fact.identity) not in gone:
                of_region = self._reports.setdefault(fact.data.get("region"), {})
                of_region.setdefault(fact.source, []).append(fact)

    def was(self, region: object, at: int, reason: str) -> Was:
        """Whether any shelter or centre of the region had room by its last report at an instant; `unknown` where none
        reported within GOOD_FOR."""
        last = [found for reports in self._reports.get(region, {}).values() if (found := _last(reports, at))]
        if not last:
            return "unknown"
        return "with_capacity" if any(self._service.had(fact.data, reason) for fact in last) else "without"


def _last(reports: Sequence[Fact], at: int) -> Fact | None:
    place = bisect_right(reports, at, key=lambda fact: fact.time)
    return reports[place - 1] if place and reports[place - 1].time >= at - GOOD_FOR else None


def capacity(
    rows: Iterable[Row],
    context: Iterable[Fact],
    service: Service,
    policy: rules.Policy,
    by: Sequence[Dimension] = (),
    below: int = BELOW,
) -> list[dict[str, Any]]:
    """The refusals of one month, by region and by reason if asked for: how many while there was room, how many while
    there was none, and of how many nobody knows; None is withheld, sums last."""
    reports = Reports(context, service)
    counts = Counter[Cell]()
    for row in rows:
        was = reports.was(row["region"], row["at"], row["reason"] or UNKNOWN)
        counts[(*(row[name] or UNKNOWN for name in by), was)] += 1
    reasons = FACT_TYPES[service.refused].fields["reason"] or frozenset()
    known: Mapping[str, Iterable[str]] = {"region": policy.policy.zones.regions, "reason": reasons}
    levels = [sorted({*known[name], *(cell[place] for cell in counts)}) for place, name in enumerate(by)]
    shown = published(counts, [*levels, WAS], below)
    cells = sorted({cell[:-1] for cell in shown}, key=lambda cell: [(name == TOTAL, name) for name in cell])
    return [
        {**dict(zip(by, cell, strict=True)), **{was: shown.get((*cell, was)) for was in (*WAS, TOTAL)}}
        for cell in cells
    ]
