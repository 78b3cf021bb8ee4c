"""All deadlines of one rule in one case, by key: what opens and ends them, and which a change of the facts touches.

Facts are pushed in as they become known. Nothing is counted up and down: a touched deadline is worked out again from
the facts filed for its key, and only deadlines whose life a change reaches are touched (deadlines.md, sections 2, 3).
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop
from typing import Protocol

from qorgau.facts import Fact
from qorgau.heart.circumstances import Closings, Risk, put, take
from qorgau.heart.deadlines import Deadline
from qorgau.heart.matching import days_granted
from qorgau.heart.reactions import Family, Role, RoleName, Version
from qorgau.heart.tolls import FOREVER, LONG_AGO
from qorgau.heart.tracks import Group, Track, find_end
from qorgau.instants import parse_instant
from qorgau.plan import Plan


class Setting(Protocol):
    """What a docket looks at beyond its own facts; `judged` counts how many deadlines were worked out."""

    plan: Plan
    closings: Closings
    risk: Risk
    judged: int


class Docket:
    """The deadlines of one rule. `apply` files a fact or takes it out, `settle` then works out what that touched."""

    def __init__(self, family: Family, setting: Setting, known: Iterable[Fact]) -> None:
        self.family, self._setting = family, setting
        self._groups: dict[str, Group] = {}
        self._open: set[str] = set()
        self._latest_end = LONG_AGO
        self._dirty: dict[str, Group] = {}
        # What counts whatever its key: for each version a track without deadlines.
        self._anywhere = [Track() for _ in family.versions]
        self._tolls_anywhere: list[tuple[Role, Fact]] = []
        for fact in known:
            self.apply(fact, True)
        if self._dirty:
            self._settle(judging=False)

    def apply(self, fact: Fact, adding: bool) -> None:
        """File a fact that became known, or take out one that no longer counts."""
        for role in self.family.roles.get(fact.type, ()):
            if role.matches(fact.data):
                _ACTS[role.name](self, role, fact, adding)

    def touch(self, since: int, until: int, continuing_only: bool = False) -> None:
        """Look again at every deadline that started by `until` and had not ended before `since`."""
        for version in self.family.versions:
            if version.continues or not continuing_only:
                self._touch_version(version, since, until)

    def touch_by_risk(self, since: int, until: int | None) -> None:
        """Look again at deadlines whose term went by the risk between one assessment and the next."""
        for version in self.family.versions:
            for group in self._reached_groups(since) if version.by_risk else ():
                for deadline in group.tracks[version.place].reached(since, FOREVER):
                    if until is None or (deadline.end is not None and deadline.end < until):
                        self._mark(group, deadline.start)

    def touch_everything(self) -> None:
        """Look again at every deadline."""
        for group in self._groups.values():
            for start in group.openings:
                self._mark(group, start)

    def settle(self) -> list[tuple[str, int]]:
        """Work out everything touched; returns key and start of each deadline looked at, also of one that is gone."""
        return self._settle(judging=True)

    @property
    def is_touched(self) -> bool:
        """Whether there is anything to settle."""
        return bool(self._dirty)

    def find(self, key: str, start: int) -> Deadline | None:
        """A deadline as it is now, None if there is none."""
        group = self._groups.get(key)
        deadline = group.deadlines.get(start) if group else None
        if group is not None and deadline is not None and not deadline.judged:
            self._judge(group, deadline)
        return deadline

    def names(self) -> list[tuple[str, int]]:
        """Key and start of every deadline."""
        return [(key, start) for key, group in self._groups.items() for start in group.deadlines]

    def _group(self, key: str) -> Group:
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(key, [Track() for _ in self.family.versions])
            for role, fact in self._tolls_anywhere:
                group.tracks[role.version.place].move_switch(role, fact, True)
        return group

    def _reached_groups(self, since: int) -> list[Group]:
        """The groups in which a deadline may not have ended before an instant."""
        if since > self._latest_end:
            return [self._groups[key] for key in self._open]
        return list(self._groups.values())

    def _mark(self, group: Group, start: int) -> None:
        group.mark(start)
        self._dirty[group.key] = group

    def _touch(self, group: Group, version: Version, since: int, until: int) -> None:
        for deadline in group.tracks[version.place].reached(since, until):
            self._mark(group, deadline.start)

    def _touch_version(self, version: Version, since: int, until: int) -> None:
        for group in self._reached_groups(since):
            self._touch(group, version, since, until)

    def _start(self, role: Role, fact: Fact, adding: bool) -> None:
        start = fact.time if role.at is None else _dated(fact, role.at)
        if start is None or self._version_at(start, fact) is not role.version:
            return
        group = self._group(role.version.key(fact.data))
        # Derived facts have no ids; their data tell them apart.
        origin = (fact.source, fact.id, "" if fact.id else str(fact.data))
        group.open_by(start, origin, (fact, role.version) if adding else None)
        self._dirty[group.key] = group

    def _stop(self, role: Role, fact: Fact, adding: bool) -> None:
        (put if adding else take)(self._filed(role, fact).stops, fact)
        self._touch_filed(role, fact, fact.time, fact.time)

    def _cancel(self, role: Role, fact: Fact, adding: bool) -> None:
        cancels = self._filed(role, fact).cancels
        if adding:
            insort(cancels, fact.time)
        else:
            del cancels[bisect_left(cancels, fact.time)]
        self._touch_filed(role, fact, fact.time, fact.time)

    def _toll(self, role: Role, fact: Fact, adding: bool) -> None:
        groups = [self._group(role.version.key(fact.data))]
        if role.anywhere:
            groups = list(self._groups.values())
            if adding:
                self._tolls_anywhere.append((role, fact))
            else:
                self._tolls_anywhere.remove((role, fact))
        for group in groups:
            group.tracks[role.version.place].move_switch(role, fact, adding)
            self._touch(group, role.version, fact.time, FOREVER)

    def _extension(self, role: Role, fact: Fact, adding: bool) -> None:
        length = days_granted(fact, role.version.days_field)
        if length:
            self._filed(role, fact).move_extension(fact, length, adding)
            self._touch_filed(role, fact, fact.time, fact.time)

    def _filed(self, role: Role, fact: Fact) -> Track:
        """Where a fact that ends or extends deadlines is filed."""
        tracks = self._anywhere if role.anywhere else self._group(role.version.key(fact.data)).tracks
        return tracks[role.version.place]

    def _touch_filed(self, role: Role, fact: Fact, since: int, until: int) -> None:
        if role.anywhere:
            self._touch_version(role.version, since, until)
        else:
            self._touch(self._groups[role.version.key(fact.data)], role.version, since, until)

    def _version_at(self, start: int, fact: Fact) -> Version | None:
        """2.4: the latest version in force on the local date of the start, in the zone of the fact that opens."""
        for version in self.family.versions:
            if start >= version.surely_from:
                return version
            if start >= version.surely_before:
                calendar = self._setting.plan.calendar
                if calendar.local_date(start, calendar.zone(fact.data.get("region"))) >= version.effective:
                    return version
        return None

    def _settle(self, judging: bool) -> list[tuple[str, int]]:
        """Link the touched deadlines, the earliest first, because its stop may open a later one; and judge them."""
        looked_at = []
        for key, group in self._dirty.items():
            while group.pending:
                start = heappop(group.pending)
                group.dirty.discard(start)
                looked_at.append((key, start))
                deadline = self._opened(group, start)
                if deadline is not None:
                    self._link(group, deadline)
                    if judging:
                        self._judge(group, deadline)
            if group.is_open():
                self._open.add(key)
            else:
                self._open.discard(key)
        self._dirty.clear()
        return looked_at

    def _opened(self, group: Group, start: int) -> Deadline | None:
        """The deadline with that start under the version and governing fact of now; one nobody opens any more goes."""
        by, deadline = group.opener(start), group.deadlines.get(start)
        if deadline is not None and (by is None or deadline.version is not by[1]):
            del group.deadlines[start]
            group.tracks[deadline.version.place].remove(deadline)
            self._open_next(group, deadline, None)
            deadline = None
        if by is None:
            return None
        governing, version = by
        hold = self._setting.plan.hold(governing)
        if deadline is None:
            deadline = group.deadlines[start] = Deadline(version, group.key, start, governing, hold)
            group.tracks[version.place].insert(deadline)
        deadline.governing, deadline.hold = governing, hold
        return deadline

    def _link(self, group: Group, deadline: Deadline) -> None:
        """Find the end; a stop of a recurring rule opens the next deadline (2.5)."""
        place = deadline.version.place
        end, stop = find_end(deadline, group.tracks[place], self._anywhere[place], self._setting.closings)
        deadline.end, deadline.stop, deadline.judged = end, stop, False
        if end is not None and end > self._latest_end:
            self._latest_end = end
        if deadline.version.recurring:
            self._open_next(group, deadline, stop)

    def _open_next(self, group: Group, deadline: Deadline, stop: Fact | None) -> None:
        opens = stop.time if stop else None
        if deadline.opens is not None and deadline.opens != opens:
            group.open_by(deadline.opens, deadline.start, None)
        if stop is not None:
            version = self._version_at(stop.time, stop)
            group.open_by(stop.time, deadline.start, (stop, version) if version else None)
        deadline.opens = opens

    def _judge(self, group: Group, deadline: Deadline) -> None:
        setting, track = self._setting, group.tracks[deadline.version.place]
        setting.judged += 1
        deadline.judge(setting.plan, setting.risk, track.standstill, track.extensions)


def _dated(fact: Fact, field: str) -> int | None:
    """2.1: the timestamp in the data, None if it is missing, has no offset or lies after the fact itself."""
    try:
        start = parse_instant(fact.data.get(field))
    except ValueError:
        return None
    return start if start <= fact.time else None


_ACTS: Mapping[RoleName, Callable[[Docket, Role, Fact, bool], None]] = {
    "start": Docket._start,
    "stop": Docket._stop,
    "cancel": Docket._cancel,
    "toll": Docket._toll,
    "untoll": Docket._toll,
    "extension": Docket._extension,
}
