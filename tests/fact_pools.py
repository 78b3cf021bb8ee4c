"""What the lines of a policy let a fact be: its types, and for each type values that fit the lines or nearly do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.values import DAY, SECOND, duration

Line = dict[str, Any]
Policy = dict[str, Any]

BEGINNINGS = ("starts", "raised_by", "counts")
LISTS = (*BEGINNINGS, "stops", "cancels", "cleared_by", "reset_by")
SINGLE = ("extended_by", "items", "not_counted", "dated_by", "undated_by")
INTRICATE = ("tolled_by", "extended_by", "recurring", "cases", "window_passed_at_report", "watches", "reset_by")
KEYS = ["k1", "k2"]
DAYS = [10, 1, 2, 40, 0, -1, "3"]
DECOYS: dict[str, list[Any]] = {"channel": ["150"], "legal_basis": ["force_majeure"], "response": ["order_violation"]}


@dataclass
class Theme:
    """One rule or flag: its lines by their role and the durations that matter to it."""

    begins: list[Line] = field(default_factory=list)
    roles: dict[str, list[Line]] = field(default_factory=dict)
    spans: set[int] = field(default_factory=set)
    weight: int = 1

    def add(self, role: str, line: Line) -> None:
        if role in BEGINNINGS:
            self.begins.append(line)
        self.roles.setdefault(role, []).append(line)


@dataclass
class Pools:
    """Themes by id of rule or flag, for each fact type the values its fields may have, the fields that hold an instant
    before the fact (`stamps`) or after it (`dates`), and the types without a case."""

    themes: dict[str, Theme]
    values: dict[str, dict[str, list[Any]]]
    stamps: dict[str, set[str]]
    dates: dict[str, set[str]]
    context: set[str]


def pools_of(policy: Policy) -> Pools:
    """Everything the strategies need to know about a policy."""
    pools = Pools({}, {}, {}, {}, set())
    for rule in [*policy["rules"], *policy["flags"]]:
        theme = pools.themes.setdefault(rule["id"], Theme())
        for role, line in _lines(rule, policy):
            theme.add(role, line)
            _note(pools, line, rule)
        theme.spans |= set(_spans(rule))
        theme.weight += 3 * sum(name in rule for name in INTRICATE)
    for flag in policy["flags"]:
        if flag["kind"] == "overtaken":
            _note_overtaken(pools, flag)
        if flag["kind"] == "condition":
            _note_orders(pools, pools.themes[flag["id"]], flag["when"], policy)
        if flag["kind"] == "gap":
            _note_orders(pools, pools.themes[flag["id"]], flag, policy)
    pools.values.setdefault("fact.withdrawn", {})
    return pools


def _lines(rule: dict[str, Any], policy: Policy) -> Iterator[tuple[str, Line]]:
    for role in LISTS:
        yield from ((role, line) for line in rule.get(role) or [])
    for toll in rule.get("tolled_by") or []:
        yield "from", toll["from"]
        yield from (("until", line) for line in toll["until"])
    yield from ((role, rule[role]) for role in SINGLE if role in rule)
    head = policy["policy"]
    whens = [rule.get("when") or {}, *[line.get("when") or {} for line in rule.get("cases") or []]]
    for when in whens:
        if "case_risk" in when:
            yield (
                "risk",
                {"fact": head["risk_state"]["fact"], "where": {head["risk_state"]["field"]: when["case_risk"]}},
            )
            yield "risk", {"fact": head["risk_state"]["fact"], "where": {head["risk_state"]["field"]: "standard"}}
    yield "closing", {"fact": head["case_end"]["closed_by"]}
    yield "closing", {"fact": head["case_end"]["reopened_by"]}


def _note(pools: Pools, line: Line, rule: dict[str, Any]) -> None:
    """The fields of a line with the values that it, the terms by start and the scope would like to see there."""
    fields = pools.values.setdefault(line["fact"], {})
    for where in [line.get("where") or {}, *line.get("where_any", [])]:
        for name, condition in where.items():
            _offer(fields, name, [*_wanted(condition), *DECOYS.get(name, [])])
    for term in rule.get("cases") or []:
        for name, condition in (term.get("when", {}).get("start") or {}).items():
            _offer(fields, name, _wanted(condition))
    undated = rule.get("undated_by") or {}
    for name in [*(rule.get("scope") or []), rule.get("same_field"), undated.get("by"), line.get("by")]:
        if name:
            _offer(fields, name, KEYS)
    if "days_field" in line:
        _offer(fields, line["days_field"], DAYS)
    stamps = pools.stamps.setdefault(line["fact"], set())
    stamps |= {name for name in (line.get("at"), rule.get("registered_field")) if name}
    if "field" in line:
        pools.dates.setdefault(line["fact"], set()).add(line["field"])


def _wanted(condition: Any) -> list[Any]:
    if not isinstance(condition, dict):
        return [condition, not condition] if isinstance(condition, bool) else [condition]
    return [*condition.get("in", []), *([condition["not"]] if "not" in condition else [])]


def _offer(fields: dict[str, list[Any]], name: str, values: list[Any]) -> None:
    pool = fields.setdefault(name, [])
    pool += [value for value in values if not any(value is known or value == known for known in pool)]


def _spans(rule: dict[str, Any]) -> Iterator[int]:
    """Terms, warnings, what lies between the two, and windows."""
    warn = rule.get("warn") or {}
    for text in [line["within"] for line in [rule, *(rule.get("cases") or [])] if "within" in line]:
        span = duration(text)
        yield from (span, span * warn.get("percent", 80) // 100, span * 9 // 10)
    others = [rule.get("in_last"), rule.get("after"), warn.get("after")]
    others += [window["in_last"] for window in rule.get("windows", [])]
    yield from (duration(text) for text in others if text)
    if "count" in rule:
        yield from (count * DAY for count in (1, rule["count"], rule["count"] * 31))
    if rule.get("clock") == "day_end":
        yield from (hours * 3600 * SECOND for hours in (4, 9, 15))


def _note_overtaken(pools: Pools, flag: dict[str, Any]) -> None:
    """F3 lives on the deadlines of the rules it watches, and their start facts name the court."""
    theme = pools.themes[flag["id"]]
    theme.weight += 3
    pools.context.add(flag["items"]["fact"])
    for name in flag["watches"]:
        watched = pools.themes[name]
        theme.spans |= watched.spans
        for role in ("starts", "from"):
            for line in watched.roles.get(role, []):
                theme.add(role, line)
                _offer(pools.values[line["fact"]], flag["same_field"], KEYS)


def _note_orders(pools: Pools, theme: Theme, when: dict[str, Any], policy: Policy) -> None:
    """F6 and F9 live on the term of the order, which no line of a rule lists."""
    term, extension = policy["policy"]["order_term"], policy["policy"]["order_term"]["extended_by"]
    theme.spans |= {duration(term["lasts"]), duration(term["lasts"]) + DAY, duration(term["lasts"]) // 2}
    theme.weight += 9
    theme.add("starts", {"fact": term["begins"]})
    theme.add("extension", extension)
    for name in term["ended_by"]:
        theme.add("end", {"fact": name})
    for name in when["none_since_service"]:
        theme.add("after", {"fact": name})
        pools.values.setdefault(name, {})
    for name in [term["begins"], extension["fact"], *term["ended_by"]]:
        _offer(pools.values.setdefault(name, {}), term["key"], KEYS)
    _offer(pools.values[extension["fact"]], extension["days_field"], DAYS)
