"""Which facts of a case count at an instant, by type, and when others will come to count or cease to; pure, mutable."""

from collections.abc import Collection, Iterable, Iterator
from operator import itemgetter

from qorgau.facts import WITHDRAWAL, Fact
from qorgau.heart.others import withdrawals

Step = tuple[int, Fact, bool]
"""A fact comes to count (True) or ceases to (False) at an instant."""


class KnownFacts:
    """The facts that count at an instant (None: none yet), derived ones included once they are added; `steps` are the
    later changes of the posted ones, the earliest first (deadlines.md 1.1 to 1.3, 1.7)."""

    def __init__(self, facts: tuple[Fact, ...], at: int | None) -> None:
        self._by_type: dict[str, list[Fact]] = {}
        self.steps: list[Step] = []
        gone = withdrawals(facts)
        for fact in facts:
            # A withdrawal cannot be withdrawn.
            until = gone.get((fact.case, fact.source, fact.id)) if gone and fact.type != WITHDRAWAL else None
            if until is not None and until <= fact.known_at:
                continue
            if at is None or fact.known_at > at:
                self.steps.append((fact.known_at, fact, True))
            elif until is None or until > at:
                self.add(fact)
            if until is not None and (at is None or until > at):
                self.steps.append((until, fact, False))
        self.steps.sort(key=itemgetter(0))

    def __iter__(self) -> Iterator[Fact]:
        return (fact for facts in self._by_type.values() for fact in facts)

    def add(self, fact: Fact) -> None:
        """A fact comes to count."""
        self._by_type.setdefault(fact.type, []).append(fact)

    def remove(self, fact: Fact) -> None:
        """A fact ceases to count."""
        facts = self._by_type[fact.type]
        del facts[next(place for place, known in enumerate(facts) if known is fact)]

    def of(self, type: str) -> list[Fact]:
        """The facts of a type, in no particular order."""
        return self._by_type.get(type, [])

    def of_any(self, types: Iterable[str]) -> list[Fact]:
        """The facts of some types, in no particular order."""
        found: list[Fact] = []
        for type in types:
            if type in self._by_type:
                found += self._by_type[type]
        return found

    def has_any(self, types: Collection[str]) -> bool:
        """Whether there is a fact of one of the types."""
        return any(self._by_type.get(type) for type in types)
