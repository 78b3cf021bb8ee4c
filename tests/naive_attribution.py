"""What a case waits for at one instant, worked out anew from the rows of the table and nothing else: slow and plain."""

from collections.abc import Iterable
from typing import Any

from qorgau.attribution.leg import Leg
from qorgau.attribution.table import LEGS
from qorgau.facts import Fact
from qorgau.rules import Line


def charged_at(facts: Iterable[Fact], at: int, region: str | None) -> tuple[str, str]:
    """Leg and agency at an instant, of facts that all count."""
    known = sorted(facts, key=lambda fact: fact.order)
    for leg in LEGS[:-1]:
        found = [(by.time, agency_at(leg, by, end, known, at, region)) for by, end in open_waits(leg, known, at)]
        if found:
            return leg.name, min(found)[1]
    acted = [fact.source for fact in known if fact.source.startswith("coordinator")]
    before = [fact.source for fact in known if fact.source.startswith("coordinator") and fact.time <= at]
    return LEGS[-1].name, before[-1] if before else acted[0] if acted else f"coordinator/{region}"


def open_waits(leg: Leg, known: list[Fact], at: int) -> Iterable[tuple[Fact, int | None]]:
    """The facts with which the waits began that are open at an instant, and when each ends."""
    for by in known:
        if by.time > at or not any(line.fact == by.type and fits(line, by.data) for line in leg.begins):
            continue
        if leg.unless is not None:
            calls = [fact.time for fact in known if fact.type in leg.unless.since and fact.time <= by.time]
            since = max(calls, default=None)
            if any(
                fact.type == leg.unless.fact and fact.time <= by.time and (since is None or since <= fact.time)
                for fact in known
            ):
                continue
        ends = [
            max(fact.time, by.time)
            for line in leg.ends
            for fact in known
            if fact.type == line.fact
            and fits(line, fact.data)
            and all(fact.data.get(name, "") == by.data.get(name, "") for name in line.same)
            and (fact.time >= by.time or line.final)
        ]
        end = min(ends, default=None)
        if end is None or end > at:
            yield by, end


def agency_at(leg: Leg, by: Fact, end: int | None, known: list[Fact], at: int, region: str | None) -> str:
    """Whose time it is at an instant of a wait."""
    if leg.duty == ("start",):
        return by.source
    if leg.duty == ("start.to",):
        return str(by.data.get("to") or f"coordinator/{by.data.get('region') or region}")
    about = leg.about
    acted = [
        fact
        for fact in known
        if fact.source.split("/")[0] in leg.duty
        and (about is None or fact.data.get(about, "") == by.data.get(about, ""))
    ]
    before = [fact for fact in acted if fact.time <= at]
    if before:
        return before[-1].source
    later = [fact for fact in acted if end is None or fact.time <= end]
    return later[0].source if later else f"{leg.duty[0]}/{by.data.get('region') or region}"


def fits(line: Line, data: Any) -> bool:
    """Whether data meet a line's conditions."""
    ways = line.where_any or [{}]
    return _all(line.where, data) and any(_all(way, data) for way in ways)


def _all(where: Any, data: Any) -> bool:
    return all(name in data and _meets(data[name], wish) for name, wish in where.items())


def _meets(value: Any, wish: Any) -> bool:
    if not isinstance(wish, dict):
        return bool(value == wish)
    return value in wish["in"] if "in" in wish else bool(value != wish["not"])
