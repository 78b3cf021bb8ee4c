"""The facts of one case as known at an instant, and the closings that count (deadlines.md 1 and 3.3)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.oracle.values import instant, json_text

MINUTE = 60_000_000
NEVER = 2**62
Raw = dict[str, Any]


@dataclass(frozen=True)
class One:
    """A fact with the span [known, gone) in which it counts."""

    id: str
    source: str
    type: str
    time: int
    recorded: int
    data: Raw
    known: int
    gone: int = NEVER

    def there(self, at: int) -> bool:
        return self.known <= at < self.gone

    @property
    def order(self) -> tuple[int, int, str, str]:
        """1.4."""
        return self.time, self.known, self.source, self.id

    @property
    def hold(self) -> int:
        """Section 5."""
        return self.known + (10 * MINUTE if self.recorded - self.time > MINUTE else 0)


def known_facts(rows: Iterable[Raw]) -> list[One]:
    """1.3 and 1.7: of copies the first one recorded, each until a withdrawal of it is known; in fact order."""
    first: dict[tuple[str, str], tuple[Any, Raw]] = {}
    for row in rows:
        name, recorded = (row["source"], row["id"]), instant(row["recorded"])
        rank = recorded, instant(row["time"]), row["type"], row.get("case") or "", json_text(row["data"])
        if name not in first or rank < first[name][0]:
            first[name] = rank, row
    counting = [_one(row) for _, row in first.values()]
    gone: dict[tuple[str, str], int] = {}
    for fact in counting:
        if fact.type == "fact.withdrawn":
            name = fact.source, fact.data["fact_id"]
            gone[name] = min(fact.known, gone.get(name, NEVER))
    found = [
        One(**{**vars(fact), "gone": gone.get((fact.source, fact.id), NEVER)})
        for fact in counting
        if fact.type != "fact.withdrawn"
    ]
    return sorted(found, key=lambda fact: fact.order)


def _one(row: Raw) -> One:
    time, recorded = instant(row["time"]), instant(row["recorded"])
    return One(row["id"], row["source"], row["type"], time, recorded, row["data"], max(time, recorded))


def closings(facts: Iterable[One], at: int, *, reopening_counts: bool) -> list[int]:
    """3.3: when the case was closed, without the closings that a reopening undid."""
    there = [fact for fact in facts if fact.there(at)]
    reopened = [fact.time for fact in there if fact.type == "case.reopened" and reopening_counts]
    closed = [fact.time for fact in there if fact.type == "case.closed"]
    return [time for time in closed if not any(again >= time for again in reopened)]


@dataclass
class Tally:
    """How often something went up, and came down again."""

    raised: int = 0
    cleared: int = 0


def follow(tally: Tally, moments: Iterable[int], until: int, up: Callable[[int], bool]) -> None:
    """9.1: asked at each instant at which anything may change."""
    before = False
    for at in sorted({moment for moment in moments if moment <= until}):
        now = up(at)
        tally.raised += now and not before
        tally.cleared += before and not now
        before = now
