"""What was filed for one key of a rule, and the deadlines with that key in the order of their starts; pure, mutable."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from heapq import heappush

from qorgau.facts import Fact
from qorgau.heart.circumstances import Closings, first_since
from qorgau.heart.deadlines import Deadline, Extension
from qorgau.heart.reactions import Role, Version
from qorgau.heart.tolls import Standstill

Origin = tuple[str, str, str] | int
"""Who opens a deadline: a start fact, or the deadline with that start whose stop it was."""


class Track:
    """What was filed for one key under one version of the rule, and its deadlines by start; their ends never decrease,
    so those that a change reaches lie side by side."""

    __slots__ = ("cancels", "deadlines", "extensions", "standstill", "starts", "stops")

    def __init__(self) -> None:
        self.stops: list[Fact] = []
        self.cancels: list[int] = []
        self.standstill: Standstill | None = None
        self.extensions: list[Extension] = []
        self.starts: list[int] = []
        self.deadlines: list[Deadline] = []

    def reached(self, since: int, until: int) -> Iterator[Deadline]:
        """The deadlines that started by `until` and had not ended before `since`."""
        for place in range(bisect_right(self.starts, until) - 1, -1, -1):
            end = self.deadlines[place].end
            if end is not None and end < since:
                return
            yield self.deadlines[place]

    def insert(self, deadline: Deadline) -> None:
        """Put a deadline in its place."""
        place = bisect_left(self.starts, deadline.start)
        self.starts.insert(place, deadline.start)
        self.deadlines.insert(place, deadline)

    def remove(self, deadline: Deadline) -> None:
        """Take a deadline out."""
        place = bisect_left(self.starts, deadline.start)
        del self.starts[place], self.deadlines[place]

    def move_switch(self, role: Role, fact: Fact, adding: bool) -> None:
        """File a toll fact or take it out; from its time on the clocks may stand otherwise than before."""
        if self.standstill is None:
            self.standstill = Standstill(role.version.toll_lines)
        switch = self.standstill.switches[role.line]
        switch.change(switch.begins if role.name == "toll" else switch.untils, fact.time, adding)
        self.standstill.rebuild(fact.time)

    def move_extension(self, fact: Fact, length: int, adding: bool) -> None:
        """File an extension or take it out."""
        if adding:
            insort(self.extensions, (fact.order, length))
        else:
            self.extensions.remove((fact.order, length))


class Group:
    """The deadlines with one key: who opens each, and which starts have to be looked at again, the earliest first."""

    __slots__ = ("deadlines", "dirty", "key", "openings", "pending", "tracks")

    def __init__(self, key: str, tracks: list[Track]) -> None:
        self.key, self.tracks = key, tracks
        self.openings: dict[int, dict[Origin, tuple[Fact, Version]]] = {}
        self.deadlines: dict[int, Deadline] = {}
        self.dirty: set[int] = set()
        self.pending: list[int] = []

    def mark(self, start: int) -> None:
        """Have the deadline with that start looked at again."""
        if start not in self.dirty:
            self.dirty.add(start)
            heappush(self.pending, start)

    def open_by(self, start: int, origin: Origin, by: tuple[Fact, Version] | None) -> None:
        """Note that somebody opens a deadline, or (None) no longer does."""
        openings = self.openings.setdefault(start, {})
        if by is not None:
            if openings.get(origin) == by:
                return
            openings[origin] = by
        elif openings.pop(origin, None) is None and openings:
            return
        self.mark(start)

    def opener(self, start: int) -> tuple[Fact, Version] | None:
        """2.3: the first recorded of the facts that open the deadline governs it; None if nobody opens it any more."""
        openings = self.openings[start]
        if len(openings) == 1:
            return next(iter(openings.values()))
        if not openings:
            del self.openings[start]
            return None
        return min(openings.values(), key=lambda by: (by[0].known_at, by[0].source, by[0].id))

    def is_open(self) -> bool:
        """Whether some deadline has not ended."""
        return any(track.deadlines and track.deadlines[-1].end is None for track in self.tracks)


def find_end(deadline: Deadline, own: Track, anywhere: Track, closings: Closings) -> tuple[int | None, Fact | None]:
    """3.1 to 3.3: when the deadline ended and, if it was by a stop, by which."""
    version, start = deadline.version, deadline.start
    stop = first_since(own.stops, start + version.recurring)
    other = first_since(anywhere.stops, start + version.recurring)
    if other is not None and (stop is None or other.order < stop.order):
        stop = other
    cancel = closings.first(start, version.continues)
    for cancels in (own.cancels, anywhere.cancels):
        if cancels and cancels[-1] >= start:
            at = cancels[bisect_left(cancels, start)]
            cancel = at if cancel is None or at < cancel else cancel
    if stop is not None and (cancel is None or stop.time <= cancel):
        return stop.time, stop
    return cancel, None
