"""What is told of hearings to those who follow them: each change once, as it became known, and nothing between."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from court_tracker.state.changing import changing
from qorgau.facts import Fact
from qorgau.hearings.listing import hearings_of
from qorgau.record import CaseRecord, learn
from qorgau.state.changes import Change
from qorgau.state.view import CaseView
from qorgau.vocabulary import COURT
from tests.stated import moment, plan_of, withdrawn
from tests.unit.test_state_hearings import DECIDED, HELD, LISTED, NEW_DATE, REGISTERED, RESUMED, STOPPED, dated, put_off

CHANGES = changing(plan_of(COURT))
Said = list[tuple[str, str | None, str]]


def known(record: CaseRecord, facts: Iterable[Fact], at: int) -> CaseRecord:
    """The case after it has learned these facts and was judged up to an instant."""
    return replace(learn(record, facts), as_of=at)


def said(facts: Iterable[Fact]) -> Said:
    record = known(CaseRecord("c1"), facts, moment("12-31T00:00"))
    return [(one.key, one.was, one.state) for one in CHANGES(record, {})]


def test_each_change_of_a_hearing_is_told_in_the_order_in_which_it_became_known() -> None:
    assert said([RESUMED, STOPPED, LISTED, REGISTERED, NEW_DATE, DECIDED]) == [
        ("p1/h1", None, "listed"),
        ("p1/h1", "listed", "suspended"),
        ("p1/h1", "suspended", "awaiting_date"),
        ("p1/h1", "awaiting_date", "relisted"),
        ("p1/h2", None, "listed"),
        ("p1/h1", "relisted", "decided"),
        ("p1/h2", "listed", "decided"),
    ]


def test_another_date_is_told_though_the_hearing_stays_listed() -> None:
    record = known(CaseRecord("c1"), [LISTED, dated("03-04T10:00", "03-12T10:00")], moment("12-31T00:00"))
    first, second = CHANGES(record, {})
    assert (second.was, second.state, second.number) == ("listed", "listed", 2)
    assert [one.item["scheduled_for"] for one in (first, second)] == ["2026-03-10T05:00:00Z", "2026-03-12T05:00:00Z"]


def test_a_hearing_whose_every_fact_is_withdrawn_is_told_to_be_so_and_may_come_back() -> None:
    again = dated("03-08T10:00", "03-20T10:00")
    assert said([LISTED, withdrawn(LISTED, "03-03T10:00"), again]) == [
        ("p1/h1", None, "listed"),
        ("p1/h1", "listed", "withdrawn"),
        ("p1/h1", "withdrawn", "listed"),
    ]


def test_a_fact_that_comes_late_changes_a_hearing_when_it_comes_and_not_before() -> None:
    record = known(CaseRecord("c1"), [LISTED], moment("03-09T10:00"))
    told = {one.key: one for one in CHANGES(record, {})}
    late = known(record, [replace(STOPPED, recorded=moment("03-05T10:01"))], moment("03-09T11:00"))
    (change,) = CHANGES(late, told)
    assert (change.was, change.state, change.at) == ("listed", "suspended", moment("03-09T10:00") + 1)


def test_a_late_fact_that_changes_nothing_now_is_told_as_nothing() -> None:
    record = known(CaseRecord("c1"), [LISTED, HELD], moment("03-12T10:00"))
    told = {one.key: one for one in CHANGES(record, {})}
    assert not CHANGES(known(record, [STOPPED], moment("03-13T10:00")), told)


def test_what_was_told_of_a_judgement_that_did_not_last_is_put_right() -> None:
    lost = known(CaseRecord("c1"), [LISTED, STOPPED], moment("03-06T10:00"))
    told = {one.key: one for one in CHANGES(lost, {})}
    kept = known(CaseRecord("c1"), [LISTED], moment("03-06T10:00"))
    (change,) = CHANGES(kept, told)
    assert (change.was, change.state, change.number) == ("suspended", "listed", 3)


def test_nothing_is_told_of_a_case_that_is_not_judged() -> None:
    assert not CHANGES(learn(CaseRecord("c1"), [LISTED]), {})


_POOL = [
    REGISTERED,
    LISTED,
    STOPPED,
    RESUMED,
    HELD,
    DECIDED,
    NEW_DATE,
    put_off("03-10T10:00"),
    withdrawn(STOPPED, "03-07T10:00"),
]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=80, deadline=None)
def test_whatever_comes_when_the_last_that_was_told_is_how_each_hearing_stands(seed: int) -> None:
    draw = random.Random(seed)
    facts = draw.sample(_POOL, draw.randint(1, len(_POOL)))
    record, told, at = CaseRecord("c1"), dict[str, Change](), moment("03-01T00:00")
    while facts:
        cut = draw.randint(1, len(facts))
        at += draw.randrange(moment("03-15T00:00") - moment("03-01T00:00"))
        record, facts = known(record, facts[:cut], at), facts[cut:]
        told = _followed(told, CHANGES(record, told))
        assert not CHANGES(record, told)
    record = known(record, [], moment("12-31T00:00"))
    told = _followed(told, CHANGES(record, told))
    stands = {one.key: one.state for one in hearings_of(CaseView(record, (), plan_of(COURT)))}
    assert {one.key: one.state for one in told.values() if one.state != "withdrawn"} == stands


def _followed(told: Mapping[str, Change], new: Iterable[Change]) -> dict[str, Change]:
    """What a reader has who had all of this; each change must follow the one before."""
    kept = dict(told)
    for one in new:
        before = kept.get(one.key)
        assert (one.number, one.was) == (
            1 if before is None else before.number + 1,
            None if before is None else before.state,
        )
        assert before is None or one.at >= before.at
        kept[one.key] = one
    return kept
