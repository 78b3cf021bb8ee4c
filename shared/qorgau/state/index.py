"""Facts in fact order, found by type and by the key that the rules give them; each grouping is made once. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

from qorgau.facts import Fact
from qorgau.heart.circumstances import ORDER
from qorgau.heart.matching import key_of


class FactIndex:
    """Some facts of a case, in fact order (deadlines.md 1.4)."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.facts: tuple[Fact, ...] = tuple(sorted(facts, key=ORDER))
        self._groups: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[str, list[Fact]]] = {}
        self._by_type: dict[str, list[Fact]] = {}
        for fact in self.facts:
            self._by_type.setdefault(fact.type, []).append(fact)

    def of(self, *types: str) -> list[Fact]:
        """The facts of some types."""
        found = [self._by_type[type] for type in types if type in self._by_type]
        if len(found) > 1:
            return sorted((fact for facts in found for fact in facts), key=ORDER)
        return list(found[0]) if found else []

    def grouped(self, types: Iterable[str], scope: tuple[str, ...]) -> Mapping[str, list[Fact]]:
        """The facts of some types by their key (2.2)."""
        name = tuple(types), scope
        groups = self._groups.get(name)
        if groups is None:
            key, groups = key_of(scope), {}
            for fact in self.of(*name[0]):
                groups.setdefault(key(fact.data), []).append(fact)
            self._groups[name] = groups
        return groups

    def like(self, fact: Fact, types: tuple[str, ...], scope: tuple[str, ...]) -> Sequence[Fact]:
        """The facts of some types with the key of this one."""
        groups = self.grouped(types, scope)
        return groups.get(key_of(scope)(fact.data), ()) if groups else ()


def first_after(facts: Sequence[Fact], instant: int) -> Fact | None:
    """The first fact dated after an instant."""
    place = bisect_right(facts, instant, key=_time)
    return facts[place] if place < len(facts) else None


def last_before(facts: Sequence[Fact], instant: int) -> Fact | None:
    """The last fact dated before an instant."""
    place = bisect_left(facts, instant, key=_time)
    return facts[place - 1] if place else None


def _time(fact: Fact) -> int:
    return fact.time
