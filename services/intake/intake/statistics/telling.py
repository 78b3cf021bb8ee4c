"""Surges as flags: what one region and day has told, and what it tells at the moments that come. Pure.

Beside the flags of a region and day stands the evidence of each: the counts as they were when it was raised, and when
it was cleared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from intake.statistics.methods import Evidence, SurgeRule, others
from intake.statistics.periods import Days
from intake.statistics.surges import Moment, Name, Region
from intake.telling import with_changes
from qorgau.record import CaseRecord
from qorgau.rows import Change, FlagRow
from qorgau.shell.documents import Stored
from qorgau.surge.case import surge_case


@dataclass(frozen=True, slots=True)
class Place:
    """A region as its flags name it: its days, its rule, and its ledger to show counts of."""

    code: str
    region: Region

    @property
    def days(self) -> Days:
        return self.region.days

    @property
    def rule(self) -> SurgeRule:
        return self.region.rule

    def case(self, name: Name) -> str:
        """The case under which an alarm is told."""
        return surge_case(self.code, name.first)


def first_of(case: str, region: str, day: date) -> Stored:
    """A region and day of which nothing was told yet."""
    return Stored(CaseRecord(case), extra={"region": region, "day": day.isoformat(), "up": False, "evidence": {}})


def told(stored: Stored, place: Place, moment: Moment, after: int, emitted_at: int) -> Stored:
    """The case after a moment, whose ledger stands there; `after`: the last instant it was judged, whether anything was
    told then or not. Repeating it changes nothing."""
    record = stored.record
    if moment.at <= max(after, record.as_of if record.as_of is not None else after):
        return stored
    up = {name.key: name for name in moment.up if place.case(name) == record.case}
    down = {row.key: row for row in record.flags if row.cleared_at is None}
    raised = [_raised(record.case, place, up[key], moment.at) for key in sorted(up.keys() - down.keys())]
    cleared = [replace(down[key], cleared_at=moment.at, outcome="cleared") for key in sorted(down.keys() - up.keys())]
    if not raised and not cleared:
        return stored
    evidence = dict(stored.extra.get("evidence", {}))
    evidence |= {row.id: {"raised": shown(place, moment.up[up[row.key]])} for row in raised}
    evidence |= {
        row.id: {**evidence[row.id], "cleared": _ending(evidence[row.id]["raised"], place, moment)}
        for row in cleared
        if row.id in evidence
    }
    changes: list[tuple[Change, FlagRow]] = [("cleared", row) for row in cleared]
    changes += [("raised", row) for row in raised]
    return with_changes(stored, changes, moment.at, emitted_at, {"evidence": evidence})


def _raised(case: str, place: Place, name: Name, at: int) -> FlagRow:
    row = place.rule.row
    return FlagRow(
        case=case,
        rule=row.id,
        key=name.key,
        level="flag",
        severity=row.severity,
        # The period it is about; the case alone tells nobody.
        start_at=place.days.begin(name.first),
        due_at=None,
        raised_at=at,
        region=place.code,
        agency=f"{row.duty_kinds[0]}/{place.code}",
    )


def _ending(raised: Mapping[str, Any], place: Place, moment: Moment) -> dict[str, Any]:
    """Why a flag came down: its own period is no alarm any more, or the surge ended with the newest one."""
    method = place.rule.methods.get(raised["period"])
    if method is None:
        return {"itself": True, "reading": None}
    own = place.region.evidence(raised["channel"], date.fromisoformat(raised["first"]), method)
    itself = own is None or not own.reading.alarm
    newest = place.days.newest(moment.at, method.period)
    ending = own if itself else place.region.evidence(raised["channel"], newest, method)
    return {"itself": itself, "reading": None if ending is None else shown(place, ending)}


def shown(place: Place, of: Evidence) -> dict[str, Any]:
    """The numbers behind an alarm, as they are kept and as they are explained."""
    method, compared = of.method, of.comparison
    series = place.region.series(of.channel, of.first, method.period, max(method.back, 63))
    return {
        "channel": of.channel,
        "period": method.period,
        "first": of.first.isoformat(),
        "reports": of.count,
        "method": method.name,
        "lag": method.lag,
        **_numbers(of.reading.expected, of.reading.bound, of.reading.statistic, of.reading.p),
        "percent": None if compared.percent is None else round(compared.percent, 2),
        "percent_p": float(f"{compared.p:.4g}"),
        "usual": [{"first": first.isoformat(), "reports": count} for first, count in of.usual],
        "other_methods": {
            name: {**_numbers(one.expected, one.bound, one.statistic, one.p), "alarm": one.alarm}
            for name, one in others(series, method)
        },
    }


def _numbers(expected: float, bound: float, statistic: float, p: float) -> dict[str, float]:
    return {
        "expected": round(expected, 6),
        "bound": round(bound, 6),
        "statistic": round(statistic, 6),
        "p": float(f"{p:.4g}"),
    }
