"""F1 and F2 (section 8, instant) and P19 and P27 (sections 2 to 6): each start of each key, judged at each instant."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from tests.oracle.calendars import months_later
from tests.oracle.values import timestamp
from tests.spring_count.known import MINUTE, NEVER, One, Tally, closings, follow

HOUR = 60 * MINUTE
DAY = 24 * HOUR
GOES_ON = {"court.hearing_resumed", "court.hearing_scheduled", "court.hearing_held", "court.decision_issued"}
EXAMINED = {"exam.scheduled", "exam.completed", "exam.alt_documented", "exam.declined"}
CASE = {"case.closed", "case.reopened"}


def protocol(fact: One) -> str:
    return str(fact.data.get("protocol_id", ""))


def instant_flag(facts: list[One], until: int, tally: Tally, raised: str, cleared: set[str], scoped: bool) -> None:
    """F1 (scoped, a reopened case goes on) and F2 (neither)."""
    for key in {protocol(fact) if scoped else "" for fact in facts if fact.type == raised}:
        own = [fact for fact in facts if fact.type in CASE or not scoped or protocol(fact) == key]
        opening = [fact for fact in own if fact.type == raised]
        moments = [at for fact in own for at in (fact.known, fact.gone)] + [fact.hold for fact in opening]

        def up(at: int, own: list[One] = own, opening: list[One] = opening) -> bool:
            ends = [fact.time for fact in own if fact.type in cleared and fact.there(at)]
            ends += closings(own, at, reopening_counts=scoped)
            return any(at >= hold for time, hold in _starts(opening, at) if not any(end >= time for end in ends))

        follow(tally, moments, until, up)


def _starts(opening: list[One], at: int) -> list[tuple[int, int]]:
    """2.3: of those at one time the first known governs."""
    first: dict[int, One] = {}
    for fact in opening:
        if fact.there(at):
            other = first.get(fact.time, fact)
            first[fact.time] = min(fact, other, key=lambda one: (one.known, one.source, one.id))
    return [(time, fact.hold) for time, fact in first.items()]


@dataclass(frozen=True)
class Clock:
    """A start: when, due, when it is warned of, and every fact that opens it."""

    start: int
    due: int
    warn: int
    opening: list[One]


def suspended(facts: list[One]) -> dict[str, list[Clock]]:
    """P19: 72 hours from each suspension, warned of after 80 % of them."""
    found: defaultdict[tuple[str, int], list[One]] = defaultdict(list)
    for fact in facts:
        if fact.type == "court.hearing_suspended":
            found[protocol(fact), fact.time].append(fact)
    return _by_key({name: (72 * HOUR, 72 * HOUR * 80 // 100) for name in found}, found)


def limitation(facts: list[One], zones: dict[str, ZoneInfo]) -> dict[str, list[Clock]]:
    """P27: two months of the calendar from the day of the offence, warned of after 45 days."""
    found: defaultdict[tuple[str, int], list[One]] = defaultdict(list)
    for fact in facts:
        begun = timestamp(fact.data.get("occurred_at")) if fact.type == "protocol.drawn_up" else None
        if begun is not None and begun <= fact.time:
            found[protocol(fact), begun].append(fact)
    lengths = {}
    for (key, begun), opening in found.items():
        first = min(opening, key=lambda one: (one.known, one.source, one.id))
        lengths[key, begun] = months_later(begun, 2, zones[first.data["region"]]) - begun, 45 * DAY
    return _by_key(lengths, found)


def _by_key(
    lengths: dict[tuple[str, int], tuple[int, int]], found: dict[tuple[str, int], list[One]]
) -> dict[str, list[Clock]]:
    clocks: defaultdict[str, list[Clock]] = defaultdict(list)
    for (key, start), opening in found.items():
        length, warn = lengths[key, start]
        clocks[key].append(Clock(start, start + length, start + warn, opening))
    return clocks


@dataclass(frozen=True)
class Judged:
    """A clock at an instant: when it ended, whether by a stop, and since when it may be told."""

    end: int | None
    stopped: bool
    hold: int


def judge(clock: Clock, own: list[One], stops: set[str], at: int) -> Judged | None:
    """3.1 to 3.3, for rules that a reopened case continues; None where no fact opens it."""
    holds = _starts(clock.opening, at)
    if not holds:
        return None
    stop = min((f.time for f in own if f.type in stops and f.there(at) and f.time >= clock.start), default=NEVER)
    cancel = min((end for end in closings(own, at, reopening_counts=True) if end >= clock.start), default=NEVER)
    end = min(stop, cancel)
    return Judged(None if end == NEVER else end, stop <= cancel, holds[0][1])


def term(
    facts: list[One], clocks: dict[str, list[Clock]], stops: set[str], until: int, tallies: dict[str, Tally]
) -> Counter[str]:
    """Warnings and breaches of one rule into the tallies; returns the states of its deadlines in the end."""
    states = Counter[str]()
    for key, of_key in clocks.items():
        own = [fact for fact in facts if fact.type in CASE or protocol(fact) == key]
        known = [at for fact in own for at in (fact.known, fact.gone)]
        for clock in of_key:
            holds = [fact.hold for fact in clock.opening]
            moments = [*known, *holds, clock.warn, clock.due]

            def warned(at: int, own: list[One] = own, clock: Clock = clock) -> bool:
                found = judge(clock, own, stops, at)
                running = found is not None and found.end is None
                return found is not None and running and max(clock.warn, found.hold) <= at < clock.due

            def breached(at: int, own: list[One] = own, clock: Clock = clock) -> bool:
                found = judge(clock, own, stops, at)
                return found is not None and found.end is None and at >= max(clock.due, found.hold)

            follow(tallies["warn"], moments, until, warned)
            follow(tallies["breach"], moments, until, breached)
            found = judge(clock, own, stops, until)
            if found is not None:
                states[_state(found, clock, until)] += 1
    return states


def _state(found: Judged, clock: Clock, until: int) -> str:
    if found.end is None:
        return "breached" if until >= max(clock.due, found.hold) else "running"
    if found.stopped:
        return "met" if found.end <= clock.due else "closed_late"
    return "cancelled" if found.end <= clock.due else "missed"
