"""Laws the oracle itself must obey on random histories: a slip in it is found before it accuses others."""

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.histories import judged
from tests.oracle import deadline_rows, flag_history
from tests.oracle.values import DAY, instant, iso

Judged = tuple[dict[str, Any], list[dict[str, Any]], str | None]

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def long_after(facts: list[dict[str, Any]]) -> str:
    """An instant at which every fact has long been known."""
    stamps = [fact[name] for fact in facts for name in ("time", "recorded") if name in fact]
    return str(iso(max(map(instant, stamps)) + 100 * DAY))


@few
@given(judged(), st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(case: Judged, shuffler: random.Random) -> None:
    policy, facts, as_of = case
    shuffled = facts[:]
    shuffler.shuffle(shuffled)
    assert flag_history(shuffled, policy, as_of) == flag_history(facts, policy, as_of)
    assert deadline_rows(shuffled, policy, as_of) == deadline_rows(facts, policy, as_of)


@few
@given(judged())
def test_facts_that_arrive_again_change_nothing(case: Judged) -> None:
    policy, facts, as_of = case
    assert flag_history(facts + facts, policy, as_of) == flag_history(facts, policy, as_of)
    assert deadline_rows(facts + facts, policy, as_of) == deadline_rows(facts, policy, as_of)


@few
@given(judged())
def test_what_is_cleared_by_an_instant_stays_as_it_was_when_time_goes_on(case: Judged) -> None:
    policy, facts, as_of = case
    cleared = [row for row in flag_history(facts, policy, as_of) if row["cleared_at"]]
    later = flag_history(facts, policy, long_after(facts))
    assert cleared == [row for row in later if row in cleared]


@few
@given(judged())
def test_what_is_up_and_the_states_of_deadlines_tell_the_same(case: Judged) -> None:
    policy, facts, as_of = case
    breached = {
        (row["case"], row["rule"], row["key"], row["start_at"], row["severity"])
        for row in deadline_rows(facts, policy, as_of)
        if row["state"] == "breached"
    }
    up = [row for row in flag_history(facts, policy, as_of) if row["level"] == "breach" and row["outcome"] == "open"]
    assert {(row["case"], row["rule"], row["key"], row["start_at"], row["severity"]) for row in up} == breached
    assert len(up) == len(breached)


@few
@given(judged(max_cases=2))
def test_other_cases_are_context_and_make_no_rows(case: Judged) -> None:
    policy, facts, _ = case
    until = long_after(facts)
    together = flag_history(facts, policy, until)
    for name in {fact["case"] for fact in facts if "case" in fact}:
        own = [fact for fact in facts if fact.get("case") == name]
        others = [fact for fact in facts if fact.get("case") != name]
        assert flag_history(own, policy, until, others) == [row for row in together if row["case"] == name]
