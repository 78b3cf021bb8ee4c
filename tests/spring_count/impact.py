"""What the stop cost, protocol by protocol: hearings hit, days lost, gaps of protection, terms that run out."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.oracle.values import DAY, timestamp
from tests.spring_count.clocks import Clock, judge, protocol
from tests.spring_count.gap import last_order
from tests.spring_count.known import One

LISTED, POSTPONED, SUSPENDED = "court.hearing_scheduled", "court.hearing_postponed", "court.hearing_suspended"
# Of several at one instant the later one here is the last.
STEPS = [LISTED, POSTPONED, SUSPENDED, "court.hearing_resumed", "court.hearing_held", "court.hearing_cancelled"]


@dataclass
class Impact:
    """The sums of one court, or of all."""

    hearings: int = 0
    bases: Counter[str] = field(default_factory=Counter)
    lost: list[int] = field(default_factory=list)
    waiting: int = 0
    gaps: int = 0
    running_out: int = 0

    def row(self) -> dict[str, Any]:
        """As `qorgau replay --summary` writes it."""
        whole, longest = sum(self.lost), max(self.lost, default=0)
        return {
            "hearings_hit": self.hearings,
            "suspensions": sum(self.bases.values()),
            "by_legal_basis": dict(self.bases),
            "protocols_hit": len(self.lost),
            "awaiting_date": self.waiting,
            "days_lost": {
                "sum": round(whole / DAY, 2),
                "median": round(median(self.lost) / DAY, 2),
                "longest": round(longest / DAY, 2),
            },
            "protection_gaps": self.gaps,
            "limitation_running_out": self.running_out,
        }


def impact(facts: list[One], limits: dict[str, list[Clock]], until: int, sums: dict[str, Impact]) -> None:
    """Adds one case to the sums of its court and of all courts (the empty name)."""
    there = [fact for fact in facts if fact.there(until)]
    order = last_order(there)
    for key in {protocol(fact) for fact in there if fact.type == SUSPENDED}:
        own = [fact for fact in there if protocol(fact) == key]
        court = [fact.data["court"] for fact in own if fact.type == "court.case_registered"][-1]
        for name in (court, ""):
            _add(
                sums[name],
                own,
                None if order is None else order[0],
                _limit(limits.get(key, []), facts, key, until),
                until,
            )


def _add(sums: Impact, own: list[One], protected: int | None, limit: int | None, until: int) -> None:
    hearings: defaultdict[str, list[One]] = defaultdict(list)
    for fact in own:
        if fact.type in STEPS:
            hearings[fact.data["hearing_id"]].append(fact)
    decided = [fact.time for fact in own if fact.type == "court.decision_issued"]
    dates_hit, held, listed = [], [], []
    for steps in hearings.values():
        steps.sort(key=lambda fact: (fact.time, STEPS.index(fact.type), fact.order))
        stops = [fact for fact in steps if fact.type == SUSPENDED]
        sums.hearings += bool(stops)
        sums.bases.update(fact.data.get("legal_basis") or "none" for fact in stops)
        for stop in stops:
            before = [fact for fact in steps[: steps.index(stop)] if fact.type == LISTED]
            dates_hit += [timestamp(fact.data["scheduled_for"]) for fact in before[-1:]]
        held += [fact.time for fact in steps if fact.type == "court.hearing_held"][-1:]
        if steps[-1].type == LISTED and not (decided and decided[-1] >= steps[-1].time):
            listed.append(timestamp(steps[-1].data["scheduled_for"]))
    if not dates_hit:
        return
    lost_from = min(date for date in dates_hit if date is not None)
    ended = [time for time in held if time >= lost_from] + decided[:1]
    new = min(ended or [date for date in listed if date is not None], default=None)
    by_then = until if new is None else new
    sums.lost.append(max(0, by_then - lost_from))
    sums.waiting += new is None
    sums.gaps += protected is not None and not decided and protected < by_then
    sums.running_out += limit is not None and (new is None or limit < new)


def _limit(clocks: list[Clock], facts: list[One], key: str, until: int) -> int | None:
    """The due of P27 while nobody has decided and the case is not closed."""
    own = [fact for fact in facts if fact.type.startswith("case.") or protocol(fact) == key]
    judged = [(clock, judge(clock, own, {"court.decision_issued"}, until)) for clock in clocks]
    return min((clock.due for clock, found in judged if found is not None and found.end is None), default=None)
