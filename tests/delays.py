"""Facts that tell of delays: recorded calls, decided docket items, and the withdrawal of either."""

from qorgau.calendar import Calendar
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.instants import HOUR, MINUTE, format_instant, parse_instant
from qorgau.policy import load_policy

POLICY = load_policy(default_policy())
CALENDAR = Calendar(POLICY.policy.calendar, POLICY.policy.zones)
NOON = parse_instant("2031-04-07T12:00:00+05:00")
DOMESTIC, REGIME = "domestic_violence", "emergency_regime"


def call(
    id: str, category: str, registered: int, minutes: float | None, unit: str = "102/KZ-75", **more: object
) -> Fact:
    """A call to which somebody came after so many minutes, or (None) nobody yet; recorded an hour after it came in."""
    data: dict[str, object] = {
        "region": unit.partition("/")[2],
        "category": category,
        "priority": "prompt",
        "area": "urban",
        "registered_at": format_instant(registered),
    }
    if minutes is not None:
        data["arrived_at"] = format_instant(registered + round(minutes * MINUTE))
    at = registered + HOUR
    return Fact(id, unit, "police.call_recorded", at, at, None, data | more)


def item(id: str, category: str, registered: int, hours: float, court: str = "KZ-71-01") -> Fact:
    """A docket item decided after so many hours."""
    data = {"region": "KZ-71", "court": court, "category": category, "registered_at": format_instant(registered)}
    at = registered + round(hours * HOUR)
    return Fact(id, f"court/{court}", "court.docket_item_decided", at, at, None, data)


def withdrawn(of: Fact, at: int) -> Fact:
    """That a fact should never have been posted."""
    data = {"region": of.data["region"], "fact_id": of.id, "reason": "entered_in_error"}
    return Fact(f"w-{of.id}", of.source, "fact.withdrawn", at, at, of.case, data)


def calls(minutes: list[float | None], category: str, unit: str = "102/KZ-75", since: int = NOON) -> list[Fact]:
    """A call a minute from an instant on, with these delays."""
    return [
        call(f"{category}-{since}-{number}", category, since + number * MINUTE, delay, unit)
        for number, delay in enumerate(minutes)
    ]
