"""What suspensions at a court cost: hearings hit, days lost, orders that end before the new date, terms that run out.

Made of the rows of the list `hearings`; pure. One protocol is counted once, however often it was suspended.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Self

from qorgau.instants import DAY, format_instant, parse_instant

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """One protocol that was hit; instants in microseconds. `lost_from`: the first date that did not take place;
    `until`: when it was held or decided, or its new date; None while it waits for one."""

    case: str
    protocol: str
    lost_from: int
    until: int | None
    order_ends: int | None
    limitation_due: int | None
    decided: bool

    def lost(self, now: int) -> int:
        """The time lost so far, or until the new date."""
        return max(0, (now if self.until is None else self.until) - self.lost_from)

    def gap(self, now: int) -> int | None:
        """Since when nobody is protected before the hearing takes place: the end of the last order, where it lies
        before the new date, or has come while there is none."""
        if self.order_ends is None or self.decided:
            return None
        return self.order_ends if self.order_ends < (now if self.until is None else self.until) else None

    def runs_out(self) -> bool:
        """Whether the limitation term ends before the new date, or there is none."""
        return self.limitation_due is not None and (self.until is None or self.limitation_due < self.until)


def hits(rows: Iterable[Row]) -> list[Hit]:
    """The protocols that were hit, of all rows of their hearings."""
    by_protocol: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        by_protocol[row["case"], str(row["item"]["protocol_id"])].append(row)
    found = [_hit(*name, of_protocol) for name, of_protocol in sorted(by_protocol.items())]
    return [hit for hit in found if hit is not None]


@dataclass(slots=True)
class Cost:
    """What suspensions cost, in sum over whole protocols: of hearings, of suspensions by legal basis, and of protocols
    that were hit."""

    hearings: int = 0
    bases: Counter[str] = field(default_factory=Counter)
    hits: list[Hit] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Self:
        """What rows of hearings tell; of a protocol there are all rows or none."""
        stops = [stop for row in rows for stop in row["item"]["suspensions"]]
        hit = len({(row["case"], row["key"]) for row in rows if row["item"]["suspensions"]})
        return cls(hit, Counter(stop["legal_basis"] or "none" for stop in stops), hits(rows))

    def add(self, other: "Cost") -> None:
        """Takes over the sums of other protocols."""
        self.hearings += other.hearings
        self.bases.update(other.bases)
        self.hits += other.hits

    def gaps(self, now: int) -> list[tuple[int, Hit]]:
        """Who is without protection before the hearing, and since when, the longest first."""
        found = [(since, hit) for hit in self.hits if (since := hit.gap(now)) is not None]
        return sorted(found, key=lambda gap: (gap[0], gap[1].case))

    def running_out(self) -> list[Hit]:
        """Whose limitation term ends before the new date, the first first."""
        found = [hit for hit in self.hits if hit.runs_out()]
        return sorted(found, key=lambda hit: (hit.limitation_due or 0, hit.case))

    def sums(self, now: int) -> dict[str, Any]:
        """The figures at an instant. Days are of 24 hours, with two decimals."""
        lost = [hit.lost(now) for hit in self.hits]
        return {
            "hearings_hit": self.hearings,
            "suspensions": self.bases.total(),
            "by_legal_basis": dict(sorted(self.bases.items())),
            "protocols_hit": len(self.hits),
            "awaiting_date": sum(hit.until is None for hit in self.hits),
            "days_lost": {
                "sum": round(sum(lost) / DAY, 2),
                "median": round(median(lost) / DAY, 2) if lost else None,
                "longest": round(max(lost) / DAY, 2) if lost else None,
            },
            "protection_gaps": len(self.gaps(now)),
            "limitation_running_out": len(self.running_out()),
        }


def impact(court: str, rows: Sequence[Row], now: int) -> dict[str, Any]:
    """The answer of `GET /v1/courts/{court}/impact`: the sums, and by name who is in a gap or whose term runs out."""
    cost = Cost.of(rows)
    named = {
        "protection_gaps": [
            _named(hit) | {"order_ends": format_instant(since), "until": _text(hit.until)}
            for since, hit in cost.gaps(now)
        ],
        "limitation_running_out": [
            _named(hit) | {"limitation_due": _text(hit.limitation_due), "until": _text(hit.until)}
            for hit in cost.running_out()
        ],
    }
    return {"court": court, "as_of": format_instant(now), **cost.sums(now), **named}


def _hit(case: str, protocol: str, rows: Sequence[Row]) -> Hit | None:
    dates = [_instant(stop["scheduled_for"]) for row in rows for stop in row["item"]["suspensions"]]
    known = [date for date in dates if date is not None]
    if not known:
        return None
    lost_from = min(known)
    items = [row["item"] for row in rows]
    decided = next((at for item in items if (at := _instant(item["decided_at"])) is not None), None)
    held = [at for item in items if (at := _instant(item["held_at"])) is not None and at >= lost_from]
    listed = [_instant(row["item"]["scheduled_for"]) for row in rows if row["state"] == "listed"]
    ends = [*held, *([] if decided is None else [decided])] or [at for at in listed if at is not None]
    return Hit(
        case,
        protocol,
        lost_from,
        min(ends, default=None),
        next((at for item in items if (at := _instant(item["order_ends"])) is not None), None),
        next((at for item in items if (at := _instant(item["limitation_due"])) is not None), None),
        decided is not None,
    )


def _named(hit: Hit) -> dict[str, Any]:
    return {"case": hit.case, "protocol_id": hit.protocol}


def _instant(text: str | None) -> int | None:
    return None if text is None else parse_instant(text)


def _text(instant: int | None) -> str | None:
    return None if instant is None else format_instant(instant)
