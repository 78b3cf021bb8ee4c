"""Hypothesis strategy for histories in which everything meets: short terms, few keys, and facts on the hours of a day.

The wide strategies of `histories` seldom close a case twice between two starts; these do little else.
"""

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.histories import Fact
from tests.oracle.values import SECOND, instant, iso
from tests.random_policies import Policy, default_policy

Draw = Callable[[st.SearchStrategy[Any]], Any]

START = instant("2026-03-02T09:00:00+05:00")
HOUR = 3600 * SECOND
# Each line: facts that act on one another, with what makes them match.
THEMES: list[list[tuple[str, dict[str, Any]]]] = [
    [("order.served", {}), ("order.compliance_checked", {}), ("order.revoked", {}), ("order.extended", {"days": 1})],
    [("order.served", {}), ("order.expired", {}), ("risk.assessed", {}), ("court.special_requirements_set", {})],
    [
        ("court.case_registered", {"arrest_eligible": False, "court": "A"}),
        ("court.hearing_suspended", {"tolls_term": True, "legal_basis": "force_majeure"}),
        ("court.hearing_resumed", {}),
        ("court.term_suspended", {"legal_basis": "force_majeure"}),
        ("court.term_resumed", {}),
        ("court.term_extended", {"days": 1}),
        ("court.decision_issued", {}),
    ],
    [
        ("court.case_registered", {"arrest_eligible": True, "court": "A"}),
        ("court.docket_item_decided", {"court": "A", "category": "emergency_regime"}),
        ("court.hearing_held", {}),
    ],
    [("court.hearing_postponed", {}), ("court.hearing_held", {}), ("court.hearing_suspended", {})],
    [
        ("order.served", {}),
        ("order.extended", {"days": 1}),
        ("court.hearing_suspended", {}),
        ("court.hearing_scheduled", {}),
        ("court.hearing_cancelled", {}),
    ],
    [
        ("order.served", {}),
        ("order.expired", {}),
        ("order.revoked", {}),
        ("court.hearing_suspended", {}),
        ("court.hearing_scheduled", {}),
        ("court.hearing_held", {}),
        ("court.special_requirements_set", {}),
    ],
    [("police.incident_registered", {"priority": "immediate"}), ("police.arrived", {}), ("police.call_cancelled", {})],
    [("police.outcome_recorded", {}), ("risk.assessed", {}), ("survivor.contacted", {})],
    [("report.received", {"pair_ref": "x"}), ("report.merged", {}), ("coordination.reviewed", {})],
    [("report.triaged", {"needs_police": True, "channel": "150"}), ("police.arrived", {}), ("report.merged", {})],
    [("exam.blocked", {}), ("exam.scheduled", {})],
]
CASE: list[tuple[str, dict[str, Any]]] = [("case.closed", {}), ("case.reopened", {})]
KEYED = ("order_id", "protocol_id", "hearing_id", "report_id")


def short_policy() -> Policy:
    """The default policy with terms and windows of hours."""
    policy = copy.deepcopy(default_policy())
    for rule in policy["rules"]:
        for line in [rule, *rule.get("cases", [])]:
            if "within" in line:
                line["within"] = {"P18": "PT8H", "P11": "PT4H", "P26": "PT5H"}.get(rule["id"], "PT3H")
    policy["policy"]["order_term"]["lasts"] = "PT10H"
    flags = {flag["id"]: flag for flag in policy["flags"]}
    flags["F3"] |= {"in_last": "PT5H", "at_least": 2}
    flags["F5"]["windows"] = [{"at_least": 2, "in_last": "PT3H"}, {"at_least": 3, "in_last": "PT8H"}]
    flags["F7"]["after"] = "PT6H"
    return policy


def _lift_keys(draw: Draw, policy: Policy) -> None:
    """In some rules some facts count whatever their key."""
    for rule in policy["rules"]:
        tolls = [line for toll in rule.get("tolled_by", []) for line in [toll["from"], *toll["until"]]]
        for line in [*tolls, *rule["stops"]] if rule.get("scope") and draw(st.integers(0, 7)) == 7 else []:
            line["any_in_case"] = draw(st.booleans())


def _fact(draw: Draw, place: int, kinds: list[tuple[str, dict[str, Any]]]) -> Fact:
    type, fits = draw(st.sampled_from(kinds))
    time = START + draw(st.integers(0, 15)) * HOUR + draw(st.sampled_from([0, 0, 0, 0, 0, 1]))
    late = draw(st.sampled_from([0, 0, 0, HOUR // 120, 2 * HOUR, 7 * HOUR]))
    data: dict[str, Any] = {"region": "KZ-75", "level": draw(st.sampled_from(["high", "medium"]))}
    data |= {name: draw(st.sampled_from(["k1", "k1", "k2"])) for name in KEYED} | fits
    data["registered_at"] = iso(START + draw(st.integers(-2, 10)) * HOUR)
    if type == "court.hearing_scheduled":
        data["scheduled_for"] = iso(START + draw(st.integers(0, 40)) * HOUR)
    fact: Fact = {"id": f"f{place}", "source": "102/KZ-75", "type": type, "time": iso(time), "data": data}
    fact["recorded"] = iso(time + late)
    if type != "court.docket_item_decided":
        fact["case"] = draw(st.sampled_from([*["c1"] * 7, "c2"]))
    return fact


def _withdrawal(draw: Draw, facts: list[Fact]) -> Fact:
    of: Fact = draw(st.sampled_from(facts))
    time = iso(START + draw(st.integers(0, 30)) * HOUR)
    data = {"region": "KZ-75", "fact_id": of["id"], "reason": "wrong_data"}
    return {**of, "id": f"w-{of['id']}", "type": "fact.withdrawn", "time": time, "recorded": time, "data": data}


@st.composite
def dense(draw: Draw, max_facts: int = 24) -> tuple[Policy, list[Fact], str]:
    """A policy of short terms, a day in which one theme is played over and over, and an instant after it."""
    policy = short_policy()
    for rule in draw(st.lists(st.sampled_from([*policy["rules"], *policy["flags"]]), max_size=3)):
        if "on_reopen" in rule:
            rule["on_reopen"] = "end" if rule["on_reopen"] == "continue" else "continue"
    _lift_keys(draw, policy)
    theme = draw(st.sampled_from(THEMES))
    kinds = [*theme, *CASE[: draw(st.integers(0, 2))]]
    facts = [_fact(draw, place, kinds) for place in range(draw(st.sampled_from([max_facts, max_facts // 2, 6])))]
    facts += [_withdrawal(draw, facts) for _ in range(draw(st.sampled_from([0, 0, 1, 3])))]
    return policy, facts, str(iso(START + draw(st.integers(15, 60)) * HOUR))
