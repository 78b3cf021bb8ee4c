"""Which facts count at an instant, and which lines of the policy they match (deadlines.md, sections 1 and 2.2)."""

from dataclasses import dataclass
from typing import Any

from tests.oracle.values import DAY, duration, equal, instant, json_text, whole_number

Line = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Fact:
    """A fact of the file, its timestamps read; `case` is None for context."""

    id: str
    source: str
    type: str
    time: int
    recorded: int
    case: str | None
    data: dict[str, Any]
    derived: bool = False

    @property
    def known_at(self) -> int:
        """1.1."""
        return max(self.recorded, self.time)

    @property
    def order(self) -> tuple[int, int, str, str]:
        """1.4."""
        return (self.time, self.known_at, self.source, self.id)

    @property
    def precedence(self) -> tuple[int, str, str]:
        """2.3: who governs."""
        return (self.known_at, self.source, self.id)


def read(raw: dict[str, Any]) -> Fact:
    """A fact in the file format."""
    recorded = raw.get("recorded")
    return Fact(
        id=raw["id"],
        source=raw["source"],
        type=raw["type"],
        time=instant(raw["time"]),
        recorded=instant(raw["time"] if recorded is None else recorded),
        case=raw.get("case"),
        data=raw.get("data") or {},
    )


def without_copies(facts: list[Fact]) -> list[Fact]:
    """1.3, in each case and in the context by itself."""
    kept: dict[tuple[str | None, str, str], Fact] = {}
    for fact in facts:
        name = (fact.case, fact.source, fact.id)
        if name not in kept or _copy_rank(fact) < _copy_rank(kept[name]):
            kept[name] = fact
    return list(kept.values())


def _copy_rank(fact: Fact) -> tuple[int, int, str, str, str]:
    return (fact.recorded, fact.time, fact.type, fact.case or "", json_text(fact.data))


def counting(facts: list[Fact], now: int) -> list[Fact]:
    """1.1, 1.2, 1.7: known at the instant and not withdrawn, in fact order."""
    known = [fact for fact in facts if fact.known_at <= now]
    withdrawn = [(fact.case, fact.source, fact.data.get("fact_id")) for fact in known if fact.type == "fact.withdrawn"]
    posted = [
        fact for fact in known if fact.type == "fact.withdrawn" or (fact.case, fact.source, fact.id) not in withdrawn
    ]
    return sorted(posted, key=lambda fact: fact.order)


def fits(condition: object, data: dict[str, Any], field: str) -> bool:
    """1.5: one condition on one field; a missing field satisfies none."""
    if field not in data:
        return False
    value = data[field]
    if not isinstance(condition, dict):
        return equal(value, condition)
    return all(
        (name == "in" and any(equal(value, wanted) for wanted in wish))
        or (name == "not" and not equal(value, wish))
        or (name == "present" and wish is True)
        for name, wish in condition.items()
    )


def fits_all(where: dict[str, Any], data: dict[str, Any]) -> bool:
    """1.5: all conditions of a map."""
    return all(fits(condition, data, field) for field, condition in where.items())


def matches(line: Line, fact: Fact) -> bool:
    """Type, `where` and `where_any` of a line."""
    if fact.type != line["fact"] or not fits_all(line.get("where") or {}, fact.data):
        return False
    return "where_any" not in line or any(fits_all(where, fact.data) for where in line["where_any"])


def key_of(fact: Fact, scope: list[str] | None) -> str:
    """2.2."""
    return "/".join(_key_part(fact.data, field) for field in scope or [])


def _key_part(data: dict[str, Any], field: str) -> str:
    value = data.get(field, "")
    return value if isinstance(value, str) else json_text(value)


def matches_key(line: Line, fact: Fact, scope: list[str] | None, key: str) -> bool:
    """The line, and the key unless the line says `any_in_case`."""
    return matches(line, fact) and (bool(line.get("any_in_case")) or key_of(fact, scope) == key)


def first(facts: list[Fact], lines: list[Line], scope: list[str] | None, key: str, since: int) -> Fact | None:
    """The first fact in fact order at or after `since` that matches one of the lines with the key."""
    for fact in facts:
        if fact.time >= since and any(matches_key(line, fact, scope, key) for line in lines):
            return fact
    return None


def days_granted(fact: Fact, field: str) -> int:
    """The days of an extension in microseconds; 0 unless they are a whole number of at least 1."""
    days = fact.data.get(field)
    return days * DAY if isinstance(days, int) and whole_number(days) and days >= 1 else 0


def first_services(facts: list[Fact], policy: dict[str, Any]) -> dict[str, Fact]:
    """The first service of each order by its reference."""
    term = policy["policy"]["order_term"]
    services: dict[str, Fact] = {}
    for fact in facts:
        if fact.type == term["begins"]:
            services.setdefault(key_of(fact, [term["key"]]), fact)
    return services


def order_end(facts: list[Fact], service: Fact, key: str, policy: dict[str, Any]) -> int | None:
    """1.6: when the order ends by itself, or None if a posted fact ended it."""
    term = policy["policy"]["order_term"]
    extension = term["extended_by"]
    end = service.time + duration(term["lasts"])
    left = extension["max_days"] * DAY
    own = [fact for fact in facts if key_of(fact, [term["key"]]) == key]
    for fact in own:
        if fact.type == extension["fact"] and service.time <= fact.time <= end:
            granted = min(left, days_granted(fact, extension["days_field"]))
            end, left = end + granted, left - granted
    posted = any(fact.type in term["ended_by"] and service.time <= fact.time <= end for fact in own)
    return None if posted else end


def with_order_ends(facts: list[Fact], policy: dict[str, Any], now: int) -> tuple[list[Fact], list[int]]:
    """1.6: the facts of a case with the derived ends reached by now, and the instants of all derived ends."""
    term = policy["policy"].get("order_term")
    if not term:
        return facts, []
    added, ends = [], []
    for key, service in first_services(facts, policy).items():
        end = order_end(facts, service, key, policy)
        if end is None:
            continue
        ends.append(end)
        if now >= end:
            data = {field: service.data[field] for field in ("region", term["key"]) if field in service.data}
            added.append(Fact("", "", term["derived_fact"], end, end, service.case, data, derived=True))
    return sorted([*facts, *added], key=lambda fact: fact.order), ends
