"""The flag history: assess from scratch at every instant at which anything may change, note the differences."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.oracle.deadlines import Deadline, deadlines_of
from tests.oracle.facts import Fact, counting, read, with_order_ends, without_copies
from tests.oracle.flags import Scene, keys_up
from tests.oracle.values import duration, instant, iso, iso_duration

Policy = dict[str, Any]
Row = dict[str, Any]
Name = tuple[str, str, str, int | None]
"""Rule, key, level and, for the flags of deadlines, the start."""


@dataclass
class Assessment:
    """What holds for one case at one instant, and the later instants at which that may change by itself."""

    deadlines: list[Deadline]
    up: dict[Name, Row]
    instants: list[int]


def flag_history(
    facts: list[dict[str, Any]], policy: Policy, as_of: str | datetime | None, others: Any = ()
) -> list[Row]:
    """The rows of 9.4 for every case in `facts`; `others` are facts of other cases that F3 and F5 look at."""
    world, cases, until = _prepare(facts, as_of, others)
    rows = [row for case in cases for row in _history_of(case, world, policy, until)]
    order = ("raised_at", "case", "rule", "key", "level")
    rows.sort(key=lambda row: ([row[name] for name in order], row["start_at"] or 0))
    return [_printed(row) for row in rows]


def deadline_rows(
    facts: list[dict[str, Any]], policy: Policy, as_of: str | datetime | None, others: Any = ()
) -> list[Row]:
    """The deadline rows of 9.4 at `as_of`."""
    world, cases, until = _prepare(facts, as_of, others)
    rows: list[Row] = []
    for case in cases:
        for deadline in assess(case, world, policy, until).deadlines:
            rows.append(
                {
                    "case": case,
                    "rule": deadline.rule["id"],
                    "key": deadline.key,
                    "severity": deadline.severity,
                    "start_at": deadline.start,
                    "due_at": deadline.due,
                    "state": deadline.state,
                    "late_by": deadline.late_by,
                    "remaining": deadline.remaining if deadline.state == "tolled" else None,
                }
            )
    rows.sort(key=lambda row: (row["case"], row["rule"], row["key"], row["start_at"]))
    return [_printed(row) for row in rows]


def _prepare(
    facts: list[dict[str, Any]], as_of: str | datetime | None, others: Any
) -> tuple[list[Fact], list[str], int]:
    """All facts without copies, the cases to judge, and the last instant (by default the largest known_at)."""
    own = without_copies([read(raw) for raw in facts])
    world = without_copies([read(raw) for raw in [*facts, *others]])
    cases = sorted({fact.case for fact in own if fact.case is not None})
    until = instant(as_of) if as_of is not None else max((fact.known_at for fact in own), default=0)
    return world, cases, until


def assess(case: str, world: list[Fact], policy: Policy, now: int) -> Assessment:
    """Everything about the case at the instant, from the facts known then."""
    posted = counting(world, now)
    own, instants = with_order_ends([fact for fact in posted if fact.case == case], policy, now)
    deadlines = deadlines_of(policy["rules"], own, policy, now)
    up: dict[Name, Row] = {}
    for deadline in deadlines:
        instants += _instants(deadline, policy)
        level = _level(deadline, now)
        if level:
            name = (deadline.rule["id"], deadline.key, level, deadline.start)
            up[name] = _deadline_flag(deadline, level, policy, now)
    scene = Scene(case, own, posted, deadlines, policy, now)
    for flag in policy.get("flags") or []:
        for key in keys_up(flag, scene):
            up[flag["id"], key, "flag", None] = {"severity": flag["severity"], "due_at": None, "steps": []}
    return Assessment(deadlines, up, instants + scene.instants)


def _level(deadline: Deadline, now: int) -> str | None:
    """Section 6."""
    if deadline.state == "breached":
        return "breach"
    if deadline.state == "window_passed":
        return "info" if now >= deadline.hold else None
    if deadline.state == "running" and deadline.warning is not None and deadline.due is not None:
        return "warn" if max(deadline.warning, deadline.hold) <= now < deadline.due else None
    return None


def _ladder(deadline: Deadline, policy: Policy) -> list[tuple[str, int]]:
    """Section 7: steps with their instants."""
    if deadline.ripe is None:
        return []
    steps = policy["policy"]["ladder"].get(deadline.severity) or []
    return [(step["to"], deadline.ripe + duration(step["after"])) for step in steps]


def _instants(deadline: Deadline, policy: Policy) -> list[int]:
    """9.1: when this deadline may change by itself."""
    own = [deadline.hold, deadline.due, deadline.ripe, deadline.warning]
    return [at for at in own if at is not None] + [at for _, at in _ladder(deadline, policy)]


def _deadline_flag(deadline: Deadline, level: str, policy: Policy, now: int) -> Row:
    steps = [to for to, at in _ladder(deadline, policy) if at <= now] if level == "breach" else []
    return {"severity": deadline.severity, "due_at": deadline.due, "steps": steps}


def _history_of(case: str, world: list[Fact], policy: Policy, until: int) -> list[Row]:
    """9.1: from instant to instant, the next being the smallest that the last assessment or a fact names."""
    known = [fact.known_at for fact in world]
    rows: list[Row] = []
    open_rows: dict[Name, Row] = {}
    now = min(known)
    while now <= until:
        assessment = assess(case, world, policy, now)
        for name in [name for name in open_rows if name not in assessment.up]:
            _clear(name, open_rows.pop(name), assessment.deadlines, now)
        for name, flag in assessment.up.items():
            if name not in open_rows:
                open_rows[name] = _raised(case, name, now)
                rows.append(open_rows[name])
            _keep_up(open_rows[name], flag, now)
        later = [at for at in known + assessment.instants if at > now]
        if not later:
            break
        now = min(later)
    return rows


def _raised(case: str, name: Name, now: int) -> Row:
    rule, key, level, start = name
    return {
        "case": case,
        "rule": rule,
        "key": key,
        "level": level,
        "severity": None,
        "start_at": start,
        "due_at": None,
        "raised_at": now,
        "cleared_at": None,
        "late_by": None,
        "outcome": "window_passed" if level == "info" else "open",
        "escalations": {},
    }


def _keep_up(row: Row, flag: Row, now: int) -> None:
    """What an open flag takes over from each assessment; a step is written down when it is first reached."""
    row["severity"], row["due_at"] = flag["severity"], flag["due_at"]
    for step in flag["steps"]:
        row["escalations"].setdefault(step, now)


def _clear(name: Name, row: Row, deadlines: list[Deadline], now: int) -> None:
    """9.2, 9.3."""
    rule, key, level, start = name
    row["cleared_at"] = now
    if level == "flag":
        row["outcome"] = "cleared"
        return
    same = [item for item in deadlines if (item.rule["id"], item.key, item.start) == (rule, key, start)]
    row["outcome"] = _outcome(level, same[0]) if same else "void"
    if same and row["outcome"] not in ("due_moved", "tolled"):
        row["due_at"] = same[0].due
    if row["outcome"] == "closed_late":
        row["late_by"] = same[0].late_by


def _outcome(level: str, deadline: Deadline) -> str:
    """The table of 9.3 for a deadline that still exists."""
    state, end, warning = deadline.state, deadline.end, deadline.warning
    if level == "warn":
        if state in ("breached", "closed_late", "missed"):
            return "breached"
        if state in ("met", "cancelled"):
            early = end is not None and warning is not None and end <= warning
            return "late_recording" if early else state
    elif state in ("closed_late", "missed"):
        return state
    elif state in ("met", "cancelled"):
        return "late_recording"
    return "tolled" if state == "tolled" else "due_moved"


def _printed(row: Row) -> Row:
    """Instants and durations as text."""
    printed: Row = {name: iso(value) if name.endswith("_at") else value for name, value in row.items()}
    for name in ("late_by", "remaining"):
        if name in printed:
            printed[name] = iso_duration(printed[name])
    if "escalations" in printed:
        printed["escalations"] = {step: iso(at) for step, at in row["escalations"].items()}
    return printed
