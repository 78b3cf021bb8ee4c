"""The figures of docs/spring.md: the rows that `qorgau replay --summary` wrote, by what they are about. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qorgau.instants import DAY, parse_duration

Row = Mapping[str, Any]
# What is shown, in this order: the rule, its level, and what it says.
SHOWN = (
    ("F1", "flag", "a hearing stands suspended"),
    ("F2", "flag", "an examination could not take place"),
    ("F3", "flag", "waits while quarantine cases go first"),
    ("P19", "breach", "no new date within 72 hours"),
    ("P27", "breach", "limitation has run out"),
    ("F9", "flag", "the order ends before the hearing"),
)
REGIONS = {
    **{"KZ-10": "Abai", "KZ-11": "Akmola", "KZ-15": "Aktobe", "KZ-19": "Almaty region", "KZ-23": "Atyrau"},
    **{"KZ-27": "West Kazakhstan", "KZ-31": "Zhambyl", "KZ-33": "Zhetisu", "KZ-35": "Karaganda", "KZ-39": "Kostanay"},
    **{"KZ-43": "Kyzylorda", "KZ-47": "Mangystau", "KZ-55": "Pavlodar", "KZ-59": "North Kazakhstan"},
    **{"KZ-61": "Turkistan", "KZ-62": "Ulytau", "KZ-63": "East Kazakhstan", "KZ-71": "Nur-Sultan"},
    **{"KZ-75": "Almaty", "KZ-79": "Shymkent"},
}


@dataclass
class Place:
    """One region: its hearings hit, days lost, protocols hit, gaps of protection and terms that run out."""

    hearings: int = 0
    days: float = 0.0
    protocols: int = 0
    gaps: int = 0
    running_out: int = 0


@dataclass
class Figures:
    """`run`: what was measured; `rules` by rule; `weeks` of each rule and level, how many flags by week; `impact` by
    court, `whole` of all courts; `places` by region; `legs` with cases and days."""

    run: Row = field(default_factory=dict)
    rules: dict[str, Row] = field(default_factory=dict)
    weeks: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    impact: list[Row] = field(default_factory=list)
    whole: Row = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    legs: list[tuple[str, str, int, float]] = field(default_factory=list)

    def all_weeks(self) -> list[str]:
        """Every week with a flag, the first first."""
        return sorted({week for of_rule in self.weeks.values() for week in of_rule})


def figures_of(rows: Iterable[Row]) -> Figures:
    """The figures of a summary."""
    found = Figures()
    for row in rows:
        match row["kind"]:
            case "run":
                found.run = row
            case "rule":
                found.rules[row["rule"]] = row
            case "week":
                found.weeks.setdefault((row["rule"], row["level"]), Counter())[row["week"]] = row["raised"]
            case "leg":
                found.legs.append((row["leg"], row["agency"], row["cases"], parse_duration(row["time"]) / DAY))
            case "impact" if row["court"] is None:
                found.whole = row
            case "impact":
                found.impact.append(row)
                _add(found.places.setdefault(row["region"], Place()), row)
    return found


def _add(place: Place, row: Row) -> None:
    place.hearings += row["hearings_hit"]
    place.days += row["days_lost"]["sum"]
    place.protocols += row["protocols_hit"]
    place.gaps += row["protection_gaps"]
    place.running_out += row["limitation_running_out"]
