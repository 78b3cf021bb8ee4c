"""When which court works less: the limits that its facts, and those of its region, set and lift; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from qorgau.facts import WITHDRAWAL, Fact
from qorgau.instants import parse_instant

LIMITED, RESTORED = "court.operations_limited", "court.operations_restored"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit on a court (None: every court of its region) from an instant to another (None: until further notice),
    in microseconds; `known_at`: since when all that makes it so is known."""

    fact: Fact
    start: int
    end: int | None
    known_at: int

    @property
    def court(self) -> str | None:
        """The court it is about."""
        return self.fact.data.get("court")

    def covers(self, court: str, region: str) -> bool:
        """Whether a court of a region works under it."""
        return self.court == court or (self.court is None and self.fact.data.get("region") == region)

    def lies_in(self, at: int) -> bool:
        """Whether an instant lies in its time."""
        return self.start <= at and (self.end is None or at < self.end)


def limits_on(court: str, region: str, facts: Sequence[Fact]) -> list[Limit]:
    """The limits on a court, the earliest first, of facts about it and its region: without those withdrawn, each with
    the first end that it was given or that was posted since."""
    gone = {(fact.source, fact.data.get("fact_id")) for fact in facts if fact.type == WITHDRAWAL}
    counting = [fact for fact in facts if fact.identity not in gone]
    restored = sorted(
        (fact for fact in counting if fact.type == RESTORED and _concerns(fact, court, region)),
        key=lambda fact: fact.order,
    )
    limits = [_limit(fact, restored) for fact in counting if fact.type == LIMITED and _concerns(fact, court, region)]
    ordered = sorted((limit for limit in limits if limit is not None), key=lambda one: (one.start, one.fact.order))
    return [_prolonged(limit, ordered) for limit in ordered]


def _prolonged(limit: Limit, others: Iterable[Limit]) -> Limit:
    """A limit with the end of those that follow it without a day between: nothing resumes where the next one begins."""
    end, known_at = limit.end, limit.known_at
    for other in others:
        if end is not None and other.start <= end and (other.end is None or other.end > end):
            end, known_at = other.end, max(known_at, other.known_at)
    return replace(limit, end=end, known_at=known_at)


def _limit(fact: Fact, restored: Iterable[Fact]) -> Limit | None:
    given = _instant(fact, "from")
    start = fact.time if given is None else given
    end, known_at = _instant(fact, "until"), fact.known_at
    if end is not None and end <= start:
        return None
    for lifting in restored:
        if lifting.time > start and (end is None or lifting.time < end):
            end, known_at = lifting.time, max(known_at, lifting.known_at)
            break
    return Limit(fact, start, end, known_at)


def _concerns(fact: Fact, court: str, region: str) -> bool:
    own = fact.data.get("court")
    return own == court or (own is None and fact.data.get("region") == region)


def _instant(fact: Fact, field: str) -> int | None:
    try:
        return parse_instant(fact.data.get(field))
    except ValueError:
        return None
