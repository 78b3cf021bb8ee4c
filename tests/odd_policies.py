"""Hypothesis strategy for policies far from the default one: odd, but with a meaning that deadlines.md gives them."""

import copy
from typing import Any

from hypothesis import strategies as st

from tests.oracle.values import DAY, SECOND
from tests.random_policies import Draw, Policy, Rule, policies

LISTS = ("stops", "cancels", "cleared_by", "reset_by")
TURNING_POINT = "2026-03-03"


def _pick(draw: Draw, options: list[Any]) -> Any:
    return draw(st.sampled_from(options))


def _lines(rule: Rule) -> list[dict[str, Any]]:
    tolls = [line for toll in rule.get("tolled_by") or [] for line in [toll["from"], *toll["until"]]]
    return [line for name in LISTS for line in rule.get(name) or []] + tolls


def _whatever_the_key(draw: Draw, policy: Policy) -> None:
    keyed = [rule for rule in [*policy["rules"], *policy["flags"]] if rule.get("scope") and _lines(rule)]
    for line in draw(st.lists(st.sampled_from(_lines(_pick(draw, keyed))), min_size=1, max_size=3)):
        line["any_in_case"] = True


def _key_of_two(draw: Draw, policy: Policy) -> None:
    rule = _pick(draw, [rule for rule in [*policy["rules"], *policy["flags"]] if rule.get("scope")])
    rule["scope"] = [*rule["scope"], _pick(draw, ["region", "court", "hearing_id"])]


def _graver_not_longer(draw: Draw, policy: Policy) -> None:
    rule = _pick(draw, [rule for rule in policy["rules"] if "within" in rule])
    rule["cases"] = [
        {"when": {"case_risk": _pick(draw, ["high", {"not": "high"}, {"in": ["medium", "standard"]}])}},
        {"otherwise": True},
    ]
    rule["cases"][0]["severity"] = _pick(draw, ["critical", "high", "medium"])


def _another_version(draw: Draw, policy: Policy) -> None:
    """From a day on other facts start, stop, toll and close, with another key."""
    rule = _pick(draw, [rule for rule in policy["rules"] if rule.get("scope")])
    later = {**copy.deepcopy(rule), "effective_from": TURNING_POINT}
    change = draw(st.integers(0, 4))
    if change == 0:
        later["stops"] = later["stops"][:1]
    elif change == 1:
        later["on_reopen"] = "end" if rule["on_reopen"] == "continue" else "continue"
    elif change == 2:
        later.pop("tolled_by", None)
        later.pop("extended_by", None)
    elif change == 3:
        later.pop("scope")
    else:
        later["recurring"] = not rule.get("recurring", False)
    policy["rules"].append(later)


def _derived_otherwise(draw: Draw, policy: Policy) -> None:
    types = ["order.expired", "order.revoked", "risk.assessed", "case.closed", "exam.blocked"]
    policy["policy"]["order_term"]["derived_fact"] = _pick(draw, types)


def _started_by_the_derived(draw: Draw, policy: Policy) -> None:
    """What an order that ended by itself starts, stops, raises and counts."""
    derived = {"fact": policy["policy"]["order_term"]["derived_fact"]}
    named = {rule["id"]: rule for rule in [*policy["rules"], *policy["flags"]]}
    for name, role in (("P07", "starts"), ("P09", "starts"), ("P16", "stops"), ("F2", "raised_by"), ("F4", "counts")):
        if draw(st.booleans()):
            named[name][role] = [*named[name][role], dict(derived)]


def _no_order_term_extension(draw: Draw, policy: Policy) -> None:
    policy["policy"]["order_term"]["extended_by"]["max_days"] = _pick(draw, [1, 2, 60])


def _stopped_by_its_start(draw: Draw, policy: Policy) -> None:
    rule = _pick(draw, policy["rules"])
    rule["stops"] = [*rule["stops"], *({k: v for k, v in line.items() if k != "at"} for line in rule["starts"])]
    rule["recurring"] = draw(st.booleans())


def _watching_others(draw: Draw, policy: Policy) -> None:
    [overtaken] = [flag for flag in policy["flags"] if flag["kind"] == "overtaken"]
    overtaken["in_states"] = draw(
        st.lists(
            st.sampled_from(["running", "tolled", "breached", "met", "closed_late", "cancelled", "missed"]),
            min_size=1,
            max_size=3,
            unique=True,
        )
    )
    overtaken["at_least"] = _pick(draw, [1, 2])


def _many_windows(draw: Draw, policy: Policy) -> None:
    [repeat] = [flag for flag in policy["flags"] if flag["kind"] == "repeat"]
    repeat["windows"] = [
        {"at_least": draw(st.integers(1, 3)), "in_last": _pick(draw, ["PT1S", "PT1H", "P1D", "P40D"])}
        for _ in range(draw(st.integers(1, 3)))
    ]
    repeat["on_reopen"] = _pick(draw, ["continue", "end"])


def _same_day_clocks(draw: Draw, policy: Policy) -> None:
    """Terms of a microsecond and of nothing, and warnings at once."""
    rule = _pick(draw, [rule for rule in policy["rules"] if "within" in rule])
    rule["within"] = _pick(draw, ["PT0S", "PT0.000001S", f"PT{DAY // SECOND}S"])
    rule["warn"] = _pick(draw, [{"percent": 0}, {"percent": 100}, {"after": "PT0S"}])


CHANGES = [
    _whatever_the_key,
    _key_of_two,
    _graver_not_longer,
    _another_version,
    _derived_otherwise,
    _started_by_the_derived,
    _no_order_term_extension,
    _stopped_by_its_start,
    _watching_others,
    _many_windows,
    _same_day_clocks,
]


@st.composite
def odd_policies(draw: Draw) -> Policy:
    """A random policy with up to four odd changes."""
    policy: Policy = draw(policies(4))
    places = draw(st.lists(st.integers(0, len(CHANGES) - 1), min_size=1, max_size=4, unique=True))
    for place in sorted(places):
        CHANGES[place](draw, policy)
    return policy
