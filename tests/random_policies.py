"""Hypothesis strategy for policies: the default one with a few lines changed, each still a policy a loader accepts."""

import copy
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.expected import POLICY
from tests.oracle import load_policy

Policy = dict[str, Any]
Rule = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

LIMITS = ["PT1M", "PT10M", "PT1H", "PT3H", "PT24H", "P3D", "PT0.000001S"]
STEPS = ["PT0S", "PT1M", "PT1H", "PT3H", "P1D"]
SEVERITIES = ["critical", "high", "medium"]
TURNING_DAYS = [date(2024, 2, 29), date(2024, 3, 1), date(2026, 3, 3), date(2026, 4, 30), date(2026, 5, 4)]
ZONES = ["Asia/Almaty", "Asia/Aqtobe", "Asia/Qostanay", "Asia/Kathmandu"]


@cache
def default_policy() -> Policy:
    """The default policy; callers copy before they change it."""
    return load_policy(POLICY)


def _pick(draw: Draw, options: list[Any]) -> Any:
    return draw(st.sampled_from(options))


def _rule(draw: Draw, policy: Policy, *, having: str = "id") -> Rule:
    rule: Rule = _pick(draw, [rule for rule in policy["rules"] if having in rule])
    return rule


def _named(policy: Policy, *names: str) -> list[Rule]:
    return [rule for rule in [*policy["rules"], *policy["flags"]] if rule["id"] in names]


def _limit(draw: Draw, policy: Policy) -> None:
    rule = _pick(draw, [rule for rule in policy["rules"] if "within" in rule or "count" in rule])
    if "within" in rule:
        rule["within"] = _pick(draw, LIMITS)
    else:
        rule["count"] = _pick(draw, [1, 2, 5])


def _warning(draw: Draw, policy: Policy) -> None:
    rule = _rule(draw, policy)
    if rule["clock"] == "working_days":
        rule["warn"] = {"last_day_at": _pick(draw, ["00:00", "18:30", "23:59"])}
    else:
        rule["warn"] = _pick(
            draw, [{"percent": 1}, {"percent": 33}, {"percent": 99}, {"after": "PT1M"}, {"after": "PT3H"}]
        )


def _ladder(draw: Draw, policy: Policy) -> None:
    afters = sorted(draw(st.lists(st.integers(0, len(STEPS) - 1), min_size=1, max_size=3, unique=True)))
    steps = [{"to": f"L{place}", "after": STEPS[after]} for place, after in enumerate(afters, 1)]
    policy["policy"]["ladder"][_pick(draw, SEVERITIES)] = steps


def _settle(draw: Draw, policy: Policy) -> None:
    policy["policy"]["settle"] = {
        "wait": _pick(draw, ["PT0S", "PT1M", "PT1H", "P1D"]),
        "tolerance": _pick(draw, ["PT0S", "PT1M", "PT1H"]),
    }


def _on_reopen(draw: Draw, policy: Policy) -> None:
    rule = _pick(draw, [rule for rule in [*policy["rules"], *policy["flags"]] if "on_reopen" in rule])
    rule["on_reopen"] = "end" if rule["on_reopen"] == "continue" else "continue"


def _clock(draw: Draw, policy: Policy) -> None:
    """Tolls run on elapsed and day_end clocks, extensions on elapsed clocks only (4.8)."""
    free = [rule for rule in policy["rules"] if "extended_by" not in rule and "cases" not in rule]
    rule = _pick(draw, free)
    clocks = ["elapsed", "day_end", "working_days", "months"][: 2 if "tolled_by" in rule else 4]
    for name in ("within", "count"):
        rule.pop(name, None)
    rule["clock"] = _pick(draw, clocks)
    rule["warn"] = {"percent": 80}
    if rule["clock"] == "elapsed":
        rule["within"] = _pick(draw, LIMITS)
    elif rule["clock"] != "day_end":
        rule["count"] = _pick(draw, [1, 2])


def _calendar(draw: Draw, policy: Policy) -> None:
    calendar = policy["policy"]["calendar"]
    calendar["extra_days_off"] = [date(2026, 3, 3), date(2024, 3, 1)]
    calendar["extra_working_days"] = [date(2026, 5, 2), date(2024, 3, 3)]
    calendar["weekend"] = _pick(draw, [["saturday", "sunday"], ["friday", "saturday"], ["sunday"]])


def _second_version(draw: Draw, policy: Policy) -> None:
    rule = _rule(draw, policy, having="within")
    if len(_named(policy, rule["id"])) == 1:
        later = {**copy.deepcopy(rule), "effective_from": _pick(draw, TURNING_DAYS)}
        later |= {"within": _pick(draw, LIMITS), "severity": _pick(draw, SEVERITIES)}
        later["recurring"] = draw(st.booleans())
        policy["rules"].append(later)


def _recurring(draw: Draw, policy: Policy) -> None:
    rule = _rule(draw, policy)
    rule["recurring"] = not rule.get("recurring", False)


def _dated_in_data(draw: Draw, policy: Policy) -> None:
    """These starts carry `occurred_at`."""
    for rule in _named(policy, _pick(draw, ["P01", "P06", "P08", "P14", "P15", "P20"])):
        for line in rule["starts"]:
            line["at"] = "occurred_at"
        rule["window_passed_at_report"] = draw(st.booleans())


def _window(draw: Draw, policy: Policy) -> None:
    _rule(draw, policy)["window_passed_at_report"] = True


def _scope(draw: Draw, policy: Policy) -> None:
    if draw(st.booleans()):
        for rule in _named(policy, "P23", "F2"):
            rule["scope"] = ["exam_id"]
    else:
        for rule in _named(policy, _pick(draw, ["P09", "P11", "P12", "P17", "P18", "P19", "F1", "F4", "F9"])):
            rule.pop("scope", None)


def _cases(draw: Draw, policy: Policy) -> None:
    rule = _pick(draw, [rule for rule in policy["rules"] if rule["clock"] == "elapsed"])
    start = {"region": _pick(draw, ["KZ-75", {"in": ["KZ-23", "KZ-39"]}, {"not": "KZ-75"}])}
    rule["cases"] = [
        {"when": {"case_risk": "high", "start": start}, "within": _pick(draw, LIMITS), "severity": "critical"},
        {"when": {"case_risk": _pick(draw, ["high", "medium"])}, "within": _pick(draw, LIMITS)},
        {"otherwise": True, "within": _pick(draw, LIMITS), "severity": _pick(draw, SEVERITIES)},
    ]
    rule.pop("within", None)


def _tolls(draw: Draw, policy: Policy) -> None:
    """Another rule on a protocol gets the tolls of P17 and the extension of P18."""
    (p17, p18, other) = _named(policy, "P17")[0], _named(policy, "P18")[0], _pick(draw, _named(policy, "P14", "P19"))
    if other["clock"] == "elapsed":
        other["tolled_by"] = copy.deepcopy(p17.get("tolled_by", []))
        other["extended_by"] = copy.deepcopy(p18["extended_by"])
    p18["extended_by"]["max_days"] = _pick(draw, [1, 2, 15])


def _order_term(draw: Draw, policy: Policy) -> None:
    term = policy["policy"]["order_term"]
    term["lasts"] = _pick(draw, ["P1D", "P3D", "P30D"])
    term["extended_by"]["max_days"] = _pick(draw, [1, 4, 30])


def _flag(draw: Draw, policy: Policy) -> None:
    f3, f4, f5, f7 = _named(policy, "F3", "F4", "F5", "F7")
    f3 |= {"at_least": _pick(draw, [1, 2]), "in_last": _pick(draw, ["PT1H", "P1D", "P7D"])}
    f3["in_states"] = _pick(draw, [["breached", "tolled"], ["breached"], ["tolled"]])
    f4["at_least"] = _pick(draw, [1, 2, 3])
    f5["windows"][0] = {"at_least": 2, "in_last": _pick(draw, ["PT1H", "P1D", "P30D"])}
    f7["after"] = _pick(draw, ["PT3H", "P1D", "P14D"])


def _gap(draw: Draw, policy: Policy) -> None:
    [f9] = _named(policy, "F9")
    f9["order_ended_by"] = _pick(draw, ["order.expired", "order.revoked"])
    f9["none_since_service"] = _pick(draw, [[], ["court.special_requirements_set", "court.decision_issued"]])
    if draw(st.booleans()):
        f9.pop("undated_by")
    if draw(st.booleans()):
        f9["cleared_by"].append({"fact": "court.hearing_resumed"})


def _severity(draw: Draw, policy: Policy) -> None:
    _pick(draw, [*policy["rules"], *policy["flags"]])["severity"] = _pick(draw, SEVERITIES)


def _zones(draw: Draw, policy: Policy) -> None:
    zones = policy["policy"]["zones"]
    zones["default"] = _pick(draw, ZONES)
    zones["regions"]["KZ-75"] = _pick(draw, ZONES)


def _any_in_case(draw: Draw, policy: Policy) -> None:
    _pick(draw, _rule(draw, policy, having="scope")["stops"])["any_in_case"] = True


CHANGES = [
    _limit,
    _warning,
    _ladder,
    _settle,
    _on_reopen,
    _clock,
    _calendar,
    _second_version,
    _recurring,
    _dated_in_data,
    _window,
    _scope,
    _cases,
    _tolls,
    _order_term,
    _flag,
    _gap,
    _severity,
    _zones,
    _any_in_case,
]


@st.composite
def policies(draw: Draw, most_changes: int = 6) -> Policy:
    """The default policy with up to that many changes of different kinds; plain data as YAML would give it."""
    policy = copy.deepcopy(default_policy())
    places = draw(st.lists(st.integers(0, len(CHANGES) - 1), max_size=most_changes, unique=True))
    for place in sorted(places):
        CHANGES[place](draw, policy)
    return policy
