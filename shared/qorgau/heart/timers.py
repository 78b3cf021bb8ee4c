"""When which deadline, rule flag or order has to be looked at again though no fact comes; pure, mutable."""

from collections.abc import Iterator
from heapq import heappop, heappush

from qorgau.heart.flagging import Name


class Timers:
    """At most one instant for each name. What was set again stays in the heap until it comes up, and counts no more."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Name]] = []
        self._at: dict[Name, int] = {}
        self._pushed = 0

    def set(self, name: Name, at: int | None) -> None:
        """Wake for a name at an instant, or (None) no longer."""
        if at is None:
            self._at.pop(name, None)
        elif self._at.get(name) != at:
            self._at[name] = at
            self._pushed += 1
            heappush(self._heap, (at, self._pushed, name))

    def next(self) -> int | None:
        """The earliest instant."""
        heap = self._heap
        while heap:
            at, _, name = heap[0]
            if self._at.get(name) == at:
                return at
            heappop(heap)
        return None

    def due(self, at: int) -> list[Name]:
        """Take out the names whose instant has come."""
        names: list[Name] = []
        while (first := self.next()) is not None and first <= at:
            name = heappop(self._heap)[2]
            del self._at[name]
            names.append(name)
        return names

    def pending(self) -> Iterator[tuple[int, Name]]:
        """What is set, in no particular order."""
        return ((at, name) for name, at in self._at.items())
