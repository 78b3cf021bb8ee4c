"""The deadlines of one case at one instant, computed from its counting facts alone (deadlines.md, sections 2 to 5)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, time
from fractions import Fraction
from math import floor
from typing import Any

from tests.oracle.calendars import day_end, local_date, months_later, nth_working_day, to_instant, zone_of
from tests.oracle.facts import Fact, days_granted, first, fits, fits_all, key_of, matches, matches_key
from tests.oracle.tolls import Tolls
from tests.oracle.values import DAY, duration, timestamp

Rule = dict[str, Any]
Policy = dict[str, Any]


@dataclass
class Deadline:
    """One deadline as assessed at one instant; `rule` is the version that opened it."""

    rule: Rule
    key: str
    start: int
    governing: Fact
    end: int | None
    stopped_by: Fact | None
    severity: str
    due: int | None
    warning: int | None
    hold: int
    remaining: int | None
    state: str
    late_by: int | None

    @property
    def ripe(self) -> int | None:
        """Section 5."""
        return None if self.due is None else max(self.due, self.hold)


def hold_of(fact: Fact, policy: Policy) -> int:
    """Section 5: nothing is raised before; a back-filled start waits for the rest of its batch."""
    settle = policy["policy"]["settle"]
    late = fact.recorded - fact.time > duration(settle["tolerance"])
    return fact.known_at + (duration(settle["wait"]) if late else 0)


def closings(facts: list[Fact], policy: Policy, on_reopen: str) -> list[Fact]:
    """3.3: the closings that count; with `continue` those followed by a reopening do not."""
    case_end = policy["policy"]["case_end"]
    reopened = [fact.time for fact in facts if fact.type == case_end["reopened_by"]]
    return [
        fact
        for fact in facts
        if fact.type == case_end["closed_by"]
        and not (on_reopen == "continue" and any(again >= fact.time for again in reopened))
    ]


def last_risk(facts: list[Fact], policy: Policy, until: int | None) -> dict[str, Any]:
    """The data of the last risk assessment, empty if there is none."""
    known = [
        fact
        for fact in facts
        if fact.type == policy["policy"]["risk_state"]["fact"] and (until is None or fact.time <= until)
    ]
    return known[-1].data if known else {}


def deadlines_of(rules: list[Rule], facts: list[Fact], policy: Policy, now: int) -> list[Deadline]:
    """All deadlines of the case; `facts` in fact order."""
    found: list[Deadline] = []
    for name in {rule["id"]: None for rule in rules}:
        found += _of_one_rule([rule for rule in rules if rule["id"] == name], facts, policy, now)
    return found


def _of_one_rule(versions: list[Rule], facts: list[Fact], policy: Policy, now: int) -> list[Deadline]:
    """2.1 to 2.5. The earliest start goes first, because its stop may open a later one."""
    starts: dict[tuple[int, str], list[tuple[Fact, Rule]]] = defaultdict(list)
    for fact in facts:
        for version in versions:
            for line in version["starts"]:
                start = _start(line, fact)
                if start is not None and _version(versions, start, fact, policy) is version:
                    starts[start, key_of(fact, version.get("scope"))].append((fact, version))
    found = []
    while starts:
        start, key = min(starts)
        governing, version = min(starts.pop((start, key)), key=lambda opened: opened[0].precedence)
        deadline = _judge(version, key, start, governing, facts, policy, now)
        found.append(deadline)
        stop = deadline.stopped_by
        if stop and version.get("recurring"):
            following = _version(versions, stop.time, stop, policy)
            if following is not None:
                starts[stop.time, key].append((stop, following))
    return found


def _start(line: dict[str, Any], fact: Fact) -> int | None:
    """2.1: s, or None if the line does not match."""
    if not matches(line, fact):
        return None
    if "at" not in line:
        return fact.time
    start = timestamp(fact.data.get(line["at"]))
    return start if start is not None and start <= fact.time else None


def _version(versions: list[Rule], start: int, fact: Fact, policy: Policy) -> Rule | None:
    """2.4: the latest version not after the local date of the start."""
    day = local_date(start, zone_of(fact.data, policy)).isoformat()
    in_force = [version for version in versions if _effective(version) <= day]
    return max(in_force, key=_effective, default=None)


def _effective(version: Rule) -> str:
    return str(version.get("effective_from") or date.min)


def _end(rule: Rule, key: str, start: int, facts: list[Fact], policy: Policy) -> tuple[int | None, Fact | None]:
    """3.1 to 3.3: when the deadline ended and, if it was by a stop, by which."""
    scope = rule.get("scope")
    stop = first(facts, rule.get("stops") or [], scope, key, start + 1 if rule.get("recurring") else start)
    cancel = first(facts, rule.get("cancels") or [], scope, key, start)
    cancelled = [cancel.time] if cancel else []
    cancelled += [fact.time for fact in closings(facts, policy, rule["on_reopen"]) if fact.time >= start]
    if stop and all(stop.time <= at for at in cancelled):
        return stop.time, stop
    return min(cancelled, default=None), None


def _term(rule: Rule, governing: Fact, risk: dict[str, Any], policy: Policy) -> Rule:
    """4.2: the rule with what the first fitting line of `cases` changes."""
    for line in rule.get("cases") or []:
        when = line.get("when") or {}
        risk_fits = "case_risk" not in when or fits(when["case_risk"], risk, policy["policy"]["risk_state"]["field"])
        if risk_fits and fits_all(when.get("start") or {}, governing.data):
            return {**rule, **line}
    return rule


def _base_due(term: Rule, start: int, governing: Fact, policy: Policy) -> int:
    """4.3: the due before tolls and extensions."""
    zone = zone_of(governing.data, policy)
    day = local_date(start, zone)
    if term["clock"] == "elapsed":
        return start + duration(term["within"])
    if term["clock"] == "day_end":
        return day_end(day, zone)
    if term["clock"] == "months":
        return months_later(start, term["count"], zone)
    if term["clock"] == "working_days":
        return day_end(nth_working_day(day, term["count"], policy["policy"]["calendar"]), zone)
    raise ValueError(f"no such clock: {term['clock']}")


def _granted(rule: Rule, key: str, start: int, end: int | None, span: int, facts: list[Fact], tolls: Tolls) -> int:
    """4.7: what extensions add to the span."""
    line = rule.get("extended_by")
    if not line:
        return 0
    most, granted = line.get("max_days"), 0
    for fact in facts:
        given = fact.time >= start and (end is None or fact.time <= end)
        if given and matches_key(line, fact, rule.get("scope"), key) and tolls.active(fact.time) <= span + granted:
            granted += days_granted(fact, line["days_field"])
            granted = granted if most is None else min(granted, most * DAY)
    return granted


def _warning(
    term: Rule, start: int, governing: Fact, need: int, due: int | None, tolls: Tolls, policy: Policy
) -> int | None:
    """4.9."""
    warn = term.get("warn") or {}
    at: int | None = None
    if "percent" in warn:
        at = tolls.reached(floor(need * Fraction(str(warn["percent"])) / 100))
    elif "after" in warn:
        at = tolls.reached(duration(warn["after"]))
    elif "last_day_at" in warn:
        zone = zone_of(governing.data, policy)
        last = nth_working_day(local_date(start, zone), term["count"], policy["policy"]["calendar"])
        at = to_instant(last, time.fromisoformat(warn["last_day_at"]), zone)
    return at if at is not None and due is not None and at < due else None


def _judge(rule: Rule, key: str, start: int, governing: Fact, facts: list[Fact], policy: Policy, now: int) -> Deadline:
    end, stop = _end(rule, key, start, facts, policy)
    term = _term(rule, governing, last_risk(facts, policy, end), policy)
    tolls = Tolls(rule, key, start, end, facts)
    span = _base_due(term, start, governing, policy) - start
    need = span + _granted(rule, key, start, end, span, facts, tolls)
    due = tolls.reached(need)
    deadline = Deadline(
        rule=rule,
        key=key,
        start=start,
        governing=governing,
        end=end,
        stopped_by=stop,
        severity=term["severity"],
        due=due,
        warning=_warning(term, start, governing, need, due, tolls, policy),
        hold=hold_of(governing, policy),
        remaining=need - tolls.active(now) if due is None else None,
        state="",
        late_by=None,
    )
    deadline.state = _state(deadline, now)
    if deadline.state == "closed_late" and end is not None and due is not None:
        deadline.late_by = end - due
    return deadline


def _state(deadline: Deadline, now: int) -> str:
    """Section 5, the first that fits."""
    due, end, ripe = deadline.due, deadline.end, deadline.ripe
    in_time = due is not None and end is not None and end <= due
    passed_at_report = due is not None and due <= deadline.governing.known_at
    if deadline.rule.get("window_passed_at_report") and passed_at_report and not in_time:
        return "window_passed"
    if end is not None and deadline.stopped_by:
        return "met" if in_time else "closed_late"
    if end is not None:
        return "cancelled" if in_time else "missed"
    if ripe is None:
        return "tolled"
    return "running" if now < ripe else "breached"
