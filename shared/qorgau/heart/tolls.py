"""When the clocks of one rule and key stand (deadlines.md 4.4 to 4.6): switches, and the union of their spans; pure.

A change at an instant leaves every span that ended before it as it is, so both are rebuilt from there only.
"""

from bisect import bisect_left, bisect_right, insort

FOREVER = 1 << 62
LONG_AGO = -FOREVER


class Switch:
    """One `tolled_by` line: the times of its facts and the spans [on, off) that follow from them (4.5)."""

    __slots__ = ("begins", "offs", "ons", "untils")

    def __init__(self) -> None:
        self.begins: list[int] = []
        self.untils: list[int] = []
        self.ons: list[int] = []
        self.offs: list[int] = []

    def change(self, times: list[int], at: int, adding: bool) -> None:
        """Put a time into `begins` or `untils` or take it out; nobody's clock stands otherwise before it."""
        if adding:
            insort(times, at)
        else:
            del times[bisect_left(times, at)]
        place = bisect_left(self.offs, at)
        del self.ons[place:], self.offs[place:]
        self._go_on()

    def _go_on(self) -> None:
        begins, untils = self.begins, self.untils
        place = bisect_left(begins, self.offs[-1]) if self.offs else 0
        while place < len(begins):
            on = begins[place]
            ending = bisect_left(untils, on)
            off = untils[ending] if ending < len(untils) else FOREVER
            if off == on:  # switched off as it was switched on: it never stood
                place = bisect_right(begins, on, place)
                continue
            self.ons.append(on)
            self.offs.append(off)
            if off == FOREVER:
                return
            place = bisect_left(begins, off, place)


class Standstill:
    """The union of the spans of all switches, with the time stood before each, so that sums need no loop."""

    __slots__ = ("before", "offs", "ons", "runs", "switches")

    def __init__(self, lines: int) -> None:
        self.switches = [Switch() for _ in range(lines)]
        self.ons: list[int] = []
        self.offs: list[int] = []
        self.before: list[int] = []
        """How long the clock has stood before each span."""
        self.runs: list[int] = []
        """`on` less what was stood before: how far a clock that has always run has come when the span begins."""

    def rebuild(self, since: int) -> None:
        """Take over the spans of the switches from an instant on."""
        place = bisect_left(self.offs, since)
        del self.ons[place:], self.offs[place:], self.before[place:], self.runs[place:]
        kept = self.offs[-1] if self.offs else LONG_AGO
        fresh: list[tuple[int, int]] = []
        for switch in self.switches:
            first = bisect_right(switch.ons, kept)
            fresh += zip(switch.ons[first:], switch.offs[first:], strict=True)
        fresh.sort()
        for on, off in fresh:
            self._join(on, off)

    def _join(self, on: int, off: int) -> None:
        if self.offs and on <= self.offs[-1]:
            self.offs[-1] = max(self.offs[-1], off)
            return
        stood = self.before[-1] + self.offs[-1] - self.ons[-1] if self.offs else 0
        self.ons.append(on)
        self.offs.append(off)
        self.before.append(stood)
        self.runs.append(on - stood)

    def run(self, at: int) -> int:
        """How far a clock that has always run, but for these spans, has come at an instant."""
        place = bisect_right(self.ons, at) - 1
        if place < 0:
            return at
        return at - self.before[place] - min(at, self.offs[place]) + self.ons[place]

    def reached(self, run: int) -> int | None:
        """The earliest instant at which such a clock has come so far; None while an open span prevents it."""
        place = bisect_left(self.runs, run)
        if place < len(self.runs):
            return run + self.before[place]
        if not self.offs:
            return run
        if self.offs[-1] == FOREVER:
            return None
        return run + self.before[-1] + self.offs[-1] - self.ons[-1]


class Clock:
    """The clock of one deadline: a standstill cut to [start, end] (4.5); without one it always runs."""

    __slots__ = ("end", "origin", "standstill", "start")

    def __init__(self, start: int, end: int | None, standstill: Standstill | None) -> None:
        self.start, self.end, self.standstill = start, end, standstill
        self.origin = standstill.run(start) if standstill else start

    def active(self, at: int) -> int:
        """Active time at an instant not before the start (4.4)."""
        if self.standstill is None:
            return at - self.start
        if self.end is not None and at > self.end:
            return self.standstill.run(self.end) - self.origin + at - self.end
        return self.standstill.run(at) - self.origin

    def reached(self, need: int) -> int | None:
        """The earliest instant at which active time reaches the need; None while an open toll prevents that."""
        if self.standstill is None:
            return self.start + need
        if self.end is not None:
            until_end = self.standstill.run(self.end) - self.origin
            if until_end < need:
                return self.end + need - until_end
        at = self.standstill.reached(self.origin + need)
        return None if at is None else max(at, self.start)
