"""The account of one case: from the first report to the last decision, each microsecond charged once. Pure.

It begins with the earliest report, or, where there is none, with the earliest fact. It ends with the decision on the
last of its protocols; else, while the case is closed, with its closing; else it is open and goes to `as_of`. A decision
or a closing before a later report (that was not merged into another) ends nothing: that report has no answer yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

from qorgau.attribution.clocks import SAFETY, CourtClocks, court_clocks
from qorgau.attribution.duty import Duty
from qorgau.attribution.partition import Segment, Stretch, beside, charged
from qorgau.attribution.table import LEGS
from qorgau.attribution.waits import ByType, Wait, by_type, waits, waits_of
from qorgau.facts import WITHDRAWAL, Fact, region_of
from qorgau.heart.known import KnownFacts
from qorgau.heart.matching import key_part
from qorgau.heart.tolls import FOREVER
from qorgau.instants import MICROSECOND, format_duration, format_instant
from qorgau.record import CaseRecord, learn

Ended = Literal["decided", "closed"]
_ALL = len(LEGS) - 1
"""The last row of the table: what is left of the case's whole time."""


@dataclass(frozen=True, slots=True)
class Share:
    """One leg and agency of a case: how long it was charged, and how long it was open beside another (microseconds)."""

    leg: str
    agency: str
    charged: int
    beside: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """The account of a case as known at `as_of`; instants in microseconds UTC. `segments` leave no gap between `begin`
    and `end` and never overlap; `beside` is what was waited for at the same time; `ended` is None while it is open, and
    `running` the leg and agency that are charged then from `end` on, until another fact is known."""

    case: str
    region: str | None
    as_of: int
    begin: int
    end: int
    ended: Ended | None
    running: tuple[str, str] | None
    segments: tuple[Segment, ...] = ()
    beside: tuple[Segment, ...] = ()
    clocks: tuple[CourtClocks, ...] = ()

    @property
    def total(self) -> int:
        """The whole time, in microseconds: the sum of what the legs are charged."""
        return self.end - self.begin

    def shares(self) -> tuple[Share, ...]:
        """The sums of each leg and agency, in the order of the table."""
        sums: dict[tuple[str, str], list[int]] = {}
        for column, segments in enumerate((self.segments, self.beside)):
            for one in segments:
                sums.setdefault((one.leg, one.agency), [0, 0])[column] += one.length
        names = sorted(sums, key=lambda name: (_PLACES[name[0]], name[1]))
        return tuple(Share(*name, *sums[name]) for name in names)

    def to_json(self) -> dict[str, Any]:
        """The account as it is answered: codes, instants and ISO 8601 durations."""
        return {
            "case": self.case,
            "region": self.region,
            "as_of": format_instant(self.as_of),
            "begin": format_instant(self.begin),
            "end": format_instant(self.end),
            "ended": self.ended,
            "running": None if self.running is None else dict(zip(("leg", "agency"), self.running, strict=True)),
            "total": format_duration(self.total),
            "legs": [_share(one) for one in self.shares()],
            "segments": [_segment(one) for one in self.segments],
            "beside": [_segment(one) for one in self.beside],
            "clocks": {**_clock(self.clocks), "protocols": [{"key": one.key, **_clock([one])} for one in self.clocks]},
        }


def attribute(facts: Iterable[Fact], as_of: int) -> Attribution | None:
    """The account of the one case whose facts these are, in any order and with any copies, as known at `as_of`
    (microseconds); None where nothing is known then."""
    copies = learn(CaseRecord(""), facts).facts
    # A withdrawal takes back what happened and is nothing that happened in the case.
    counted = [fact for fact in KnownFacts(copies, as_of) if fact.type != WITHDRAWAL]
    if not counted:
        return None
    known = by_type(counted)
    first = min(known.get("report.received", counted), key=attrgetter("order"))
    region = region_of(first)
    end, ended = _end(known, first.time, as_of)
    duty = Duty(counted, region)
    found = [*waits(known), Wait(_ALL, first.time, None, first)]
    stretches = _stretches(found, duty, first.time, end)
    taken = list(charged(stretches))
    after = () if ended else _stretches(found, duty, end, end + MICROSECOND)
    running = min(after, default=None)
    return Attribution(
        case=first.case or "",
        region=region,
        as_of=as_of,
        begin=first.time,
        end=end,
        ended=ended,
        running=None if running is None else (LEGS[running.place].name, running.agency),
        segments=tuple(map(_named, taken)),
        beside=tuple(sorted(map(_named, beside((one for one in stretches if one.place != _ALL), taken)), key=_order)),
        clocks=court_clocks(known, waits_of(SAFETY, known), end),
    )


def _end(known: ByType, begin: int, as_of: int) -> tuple[int, Ended | None]:
    merged = {key_part(fact.data, "report_id") for fact in known.get("report.merged", ())}
    reports = [fact.time for fact in known.get("report.received", ()) if key_part(fact.data, "report_id") not in merged]
    answered = max([begin, *reports])
    decided = _decided(known)
    if decided is not None and decided >= answered:
        return decided, "decided"
    reopened = max((fact.time for fact in known.get("case.reopened", ())), default=begin - 1)
    closed = (fact.time for fact in known.get("case.closed", ()) if fact.time > reopened and fact.time >= answered)
    first = min(closed, default=None)
    return (as_of, None) if first is None else (first, "closed")


def _decided(known: ByType) -> int | None:
    """When the last protocol was decided; None while one is not, or there is none."""
    first: dict[str, int] = {}
    for fact in known.get("court.decision_issued", ()):
        first.setdefault(key_part(fact.data, "protocol_id"), fact.time)
    protocols = {
        key_part(fact.data, "protocol_id")
        for type in ("protocol.drawn_up", "court.case_registered")
        for fact in known.get(type, ())
    }
    return max(first.values(), default=None) if protocols <= first.keys() else None


def _stretches(found: Iterable[Wait], duty: Duty, begin: int, end: int) -> list[Stretch]:
    """What of these waits lies between two instants, agency by agency."""
    stretches = []
    for wait in found:
        until = FOREVER if wait.end is None else wait.end
        if max(wait.begin, begin) < min(until, end):
            for since, at, agency in duty.pieces(LEGS[wait.place], wait.begin, until, wait.by):
                if max(since, begin) < min(at, end):
                    stretches.append(Stretch(wait.place, wait.begin, agency, min(at, end), max(since, begin)))
    return stretches


def _named(stretch: Stretch) -> Segment:
    return Segment(stretch.begin, stretch.end, LEGS[stretch.place].name, stretch.agency)


def _order(segment: Segment) -> tuple[int, int, int, str]:
    return segment.begin, segment.end, _PLACES[segment.leg], segment.agency


def _share(share: Share) -> dict[str, Any]:
    return {
        "leg": share.leg,
        "agency": share.agency,
        "charged": format_duration(share.charged),
        "beside": format_duration(share.beside),
    }


def _segment(one: Segment) -> dict[str, Any]:
    return {"leg": one.leg, "agency": one.agency, "begin": format_instant(one.begin), "end": format_instant(one.end)}


def _clock(clocks: Sequence[CourtClocks]) -> dict[str, str]:
    sums = {name: sum(getattr(one, name) for one in clocks) for name in ("legal", "tolled", "safety")}
    return {name: format_duration(length) for name, length in sums.items()}


_PLACES: Mapping[str, int] = {leg.name: place for place, leg in enumerate(LEGS)}
