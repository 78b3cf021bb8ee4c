"""Laws of attribution on random histories: nothing is charged twice or not at all, whatever is posted in what order."""

from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qorgau.attribution.account import Attribution, attribute
from qorgau.attribution.table import LEGS
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.heart.known import KnownFacts
from qorgau.instants import DAY
from qorgau.record import CaseRecord, learn
from tests.dense_histories import dense
from tests.heart import facts_of
from tests.histories import judged
from tests.naive_attribution import charged_at
from tests.waiting_histories import random_history, some_instant

slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
few = settings(max_examples=30, deadline=None, suppress_health_check=slow)
many = settings(few, max_examples=150)
seeds = st.integers(0, 1 << 32)


def account_of(facts: list[Fact], as_of: int) -> Attribution | None:
    """The account, once it is seen to be a partition of the case's time."""
    account = attribute(facts, as_of)
    if account is not None:
        check(account)
    return account


def check(account: Attribution) -> None:
    edges = [account.begin, *(edge for one in account.segments for edge in (one.begin, one.end)), account.end]
    assert edges[::2] == edges[1::2], "a gap or an overlap"
    assert all(one.length > 0 for one in (*account.segments, *account.beside))
    assert all((one.leg, one.agency) != (other.leg, other.agency) for one, other in pairwise(account.segments))
    shares = account.shares()
    assert sum(one.charged for one in shares) == account.total <= account.as_of - account.begin
    assert (account.running is None) == (account.ended is not None)
    for share in shares:
        # Nobody is charged, or shown beside, for more than the whole.
        assert share.charged + share.beside <= account.total
    for one in account.beside:
        assert account.begin <= one.begin < one.end <= account.end
        assert not any(
            (own.leg, own.agency) == (one.leg, one.agency) and own.begin < one.end and one.begin < own.end
            for own in account.segments
        )


def counted(facts: list[Fact], as_of: int) -> list[Fact]:
    known = KnownFacts(learn(CaseRecord("c1"), facts).facts, as_of)
    return [fact for fact in known if fact.type != WITHDRAWAL]


@pytest.mark.parametrize("count", [1_500, pytest.param(10_000, marks=pytest.mark.long)])
def test_random_histories_sum_exactly_and_reach_every_leg(count: int) -> None:
    dice = Random(4)
    reached, endings = set(), set()
    for _ in range(count):
        facts = random_history(dice, 24)
        account = account_of(facts, some_instant(dice, facts))
        if account is not None:
            reached |= {one.leg for one in account.segments}
            endings.add(account.ended)
    assert reached == {leg.name for leg in LEGS}
    assert endings == {"decided", "closed", None}


@many
@given(seeds)
def test_each_instant_is_charged_as_the_table_says_of_it_alone(seed: int) -> None:
    dice = Random(seed)
    facts = random_history(dice)
    as_of = some_instant(dice, facts)
    account = account_of(facts, as_of)
    if account is None:
        return
    known = counted(facts, as_of)
    for one in account.segments:
        for at in (one.begin, dice.randrange(one.begin, one.end), one.end - 1):
            assert (one.leg, one.agency) == charged_at(known, at, account.region)
    if account.running is not None:
        assert account.running == charged_at(known, account.end, account.region)


@few
@given(judged(max_cases=1) | dense())
def test_histories_made_for_deadlines_sum_exactly(case: tuple[Any, list[dict[str, Any]], str | None]) -> None:
    facts = [fact for fact in facts_of(case[1]) if fact.case == "c1"]
    for as_of in sorted({fact.known_at for fact in facts}):
        account_of(facts, as_of)
        account_of(facts, as_of + 40 * DAY)


@many
@given(seeds)
def test_the_order_and_the_number_of_copies_change_nothing(seed: int) -> None:
    dice = Random(seed)
    facts = random_history(dice)
    as_of = some_instant(dice, facts)
    again = [*facts, *dice.choices(facts, k=5)]
    dice.shuffle(again)
    assert attribute(again, as_of) == attribute(facts, as_of)


@many
@given(seeds)
def test_what_becomes_known_later_or_was_withdrawn_counts_as_never_posted(seed: int) -> None:
    dice = Random(seed)
    facts = random_history(dice)
    as_of = some_instant(dice, facts)
    assert attribute(facts, as_of) == attribute(counted(facts, as_of), as_of)


@many
@given(seeds, st.integers(-400 * DAY, 400 * DAY))
def test_a_case_that_happens_later_is_charged_the_same_later(seed: int, shift: int) -> None:
    dice = Random(seed)
    facts = random_history(dice)
    as_of = some_instant(dice, facts)
    moved = [replace(fact, time=fact.time + shift, recorded=fact.recorded + shift) for fact in facts]
    one, other = attribute(facts, as_of), attribute(moved, as_of + shift)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one.shares() == other.shares()
        assert [(part.begin + shift, part.leg) for part in one.segments] == [
            (part.begin, part.leg) for part in other.segments
        ]


@many
@given(seeds, st.integers(1, 40 * DAY))
def test_an_open_account_goes_on_with_what_it_was_waiting_for(seed: int, more: int) -> None:
    dice = Random(seed)
    facts = random_history(dice)
    last = max(fact.known_at for fact in facts)
    before, after = attribute(facts, last), attribute(facts, last + more)
    if before is None or after is None or before.running is None:
        assert (before and replace(before, as_of=0)) == (after and replace(after, as_of=0))
        return
    assert after.running == before.running
    grown = {(one.leg, one.agency): one.charged for one in after.shares()}
    for one in before.shares():
        grown[one.leg, one.agency] -= one.charged
    assert {name: length for name, length in grown.items() if length} == {before.running: more}


@pytest.mark.parametrize("facts", [[], [Fact("w", "102/KZ-75", WITHDRAWAL, 5, 5, "c1", {"fact_id": "f"})]])
def test_where_nothing_happened_there_is_no_account(facts: list[Fact]) -> None:
    assert attribute(facts, 10) is None
