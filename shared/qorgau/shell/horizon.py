"""Which cases are due soon: a heap of a short horizon, filled from the database a piece at a time. No clock is read.

Memory is what is due soon, never what is open: only this much ahead, and of a storm only the oldest few thousand.
"""

import heapq
from collections.abc import Awaitable, Callable

from qorgau.store import Due

# Of a storm of due cases only so many are held; the rest is read when these are done.
MOST = 5_000

Find = Callable[[int | None, int, int], Awaitable[list[Due]]]
"""Cases due after one instant (None: however long ago) and up to another, the oldest first, at most so many."""


class Horizon:
    """The cases due up to `end`, as the database and later arming say. `length`: how far ahead, in logical time."""

    def __init__(self, find: Find, length: Callable[[], int], most: int = MOST) -> None:
        self._find = find
        self._length = length
        self._most = most
        self._heap: list[tuple[int, str]] = []
        self._at: dict[str, int] = {}
        self._end: int | None = None

    def forget(self) -> None:
        """Begin anew, when other partitions are ours or it is unknown what was done with those taken."""
        self._heap, self._at, self._end = [], {}, None

    def arm(self, case: str, at: int | None) -> None:
        """The case is due at this instant and no other; beyond the horizon it is found when time comes near."""
        if at is None or self._end is None or at > self._end:
            self._at.pop(case, None)
        else:
            self._push(case, at)

    def head(self) -> int | None:
        """The earliest instant at which there is something to do: a case is due, or the horizon ends."""
        self._drop()
        return self._heap[0][0] if self._heap else self._end

    async def fill(self, until: int) -> None:
        """Read ahead if time has come to the end of the horizon."""
        if self._end is not None and (self._heap or until < self._end):
            return
        end = until + self._length()
        found = await self._find(self._end, end, self._most)
        # A piece that was cut off may lack others of its last instant: the next one begins there again.
        self._end = end if len(found) < self._most else found[-1].at - 1
        for due in found:
            self._push(due.case, due.at)

    def take(self, until: int, most: int) -> list[str]:
        """At most so many cases due by this instant, the oldest first; arm them again when they have been judged."""
        taken: list[str] = []
        self._drop()
        while self._heap and self._heap[0][0] <= until and len(taken) < most:
            _, case = heapq.heappop(self._heap)
            del self._at[case]
            taken.append(case)
            self._drop()
        return taken

    def _push(self, case: str, at: int) -> None:
        if self._at.get(case) != at:
            self._at[case] = at
            heapq.heappush(self._heap, (at, case))

    def _drop(self) -> None:
        """Entries that were armed for another instant meanwhile."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
