"""A court that stops: which suspensions follow from what it and its region post, in whatever order it comes."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from court_tracker.domain import FACTS
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.hearings.deriving import RESUMED, SOURCE, SUSPENDED, said_in_time, to_say
from qorgau.instants import DAY, format_instant, parse_instant

START = parse_instant("2020-03-16T00:00:00+06:00")
COURT, REGION, CASE = "KZ-71-01", "KZ-71", "c1"


def fact(id: str, type: str, at: int, case: str | None = CASE, recorded: int | None = None, **data: Any) -> Fact:
    source = f"court/{COURT}"
    return Fact(id, source, type, at, at if recorded is None else recorded, case, {"region": REGION, **data})


def registered(at: int = START - 5 * DAY, court: str = COURT, protocol: str = "p1") -> Fact:
    data: dict[str, Any] = {"protocol_id": protocol, "court": court, "arrest_eligible": True}
    return fact(f"r-{protocol}", "court.case_registered", at, **data)


def scheduled(day: float, at: int = START - 2 * DAY, hearing: str = "h1", id: str = "") -> Fact:
    data: dict[str, Any] = {
        "protocol_id": "p1",
        "hearing_id": hearing,
        "scheduled_for": format_instant(START + int(day * DAY)),
    }
    return fact(id or f"s-{hearing}", "court.hearing_scheduled", at, **data)


def became(what: str, day: float, hearing: str = "h1") -> Fact:
    data: dict[str, Any] = {"protocol_id": "p1", "hearing_id": hearing}
    if what == "decision_issued":
        data = {"protocol_id": "p1", "sanction": "warning"}
    return fact(f"{what}-{hearing}-{day}", f"court.{what}", START + int(day * DAY), **data)


def limited(begin: float = 0, end: float | None = None, court: str | None = COURT, id: str = "l1") -> Fact:
    data: dict[str, Any] = {"legal_basis": "state_of_emergency", "tolls_term": True}
    data |= {} if court is None else {"court": court}
    data |= {} if end is None else {"until": format_instant(START + int(end * DAY))}
    return fact(id, "court.operations_limited", START + int(begin * DAY), None, **data)


def restored(day: float, court: str | None = COURT, id: str = "o1") -> Fact:
    data: dict[str, Any] = {} if court is None else {"court": court}
    return fact(id, "court.operations_restored", START + int(day * DAY), None, **data)


def withdrawn(of: Fact, day: float) -> Fact:
    at = START + int(day * DAY)
    return Fact(f"w-{of.id}", of.source, WITHDRAWAL, at, at, of.case, {"region": REGION, "fact_id": of.id})


def said(own: Iterable[Fact], context: Iterable[Fact]) -> list[tuple[str, int]]:
    """What is said, as type and time."""
    return sorted((one.type, one.time) for one in to_say(CASE, list(own), list(context)))


def settled(own: list[Fact], context: list[Fact]) -> list[Fact]:
    """The case once everything that follows is said in it."""
    return own + to_say(CASE, own, context)


def standing(facts: Iterable[Fact]) -> list[tuple[str, int]]:
    """The suspensions and resumptions of the system that count."""
    known = list(facts)
    gone = {one.data["fact_id"] for one in known if one.type == WITHDRAWAL}
    return sorted(
        (one.type, one.time)
        for one in known
        if one.source == SOURCE and one.id not in gone and "fact_id" not in one.data
    )


def test_a_hearing_that_is_listed_in_the_time_of_a_limit_stands_suspended_from_its_beginning() -> None:
    assert said([registered(), scheduled(3)], [limited()]) == [(SUSPENDED, START)]


def test_a_hearing_that_is_listed_later_into_the_limit_is_suspended_a_microsecond_after_it_was_listed() -> None:
    late = scheduled(9, START + 4 * DAY)
    assert said([registered(), late], [limited()]) == [(SUSPENDED, START + 4 * DAY + 1)]


@pytest.mark.parametrize("day", [-1, 20])
def test_a_hearing_for_a_day_outside_the_limit_goes_on(day: float) -> None:
    assert said([registered(), scheduled(day)], [limited(0, 20)]) == []


def test_another_court_of_the_region_goes_on_unless_the_whole_region_stops() -> None:
    facts = [registered(court="KZ-71-02"), scheduled(3)]
    assert said(facts, [limited()]) == []
    assert said(facts, [limited(court=None)]) == [(SUSPENDED, START)]


@pytest.mark.parametrize("what", ["hearing_held", "hearing_cancelled", "hearing_postponed", "decision_issued"])
def test_what_ended_before_the_limit_began_is_not_suspended(what: str) -> None:
    assert said([registered(), scheduled(3), became(what, -1)], [limited()]) == []
    assert said([registered(), scheduled(3), became(what, 1)], [limited()]) == [(SUSPENDED, START)]


def test_a_limit_with_an_end_resumes_each_hearing_then_and_is_told_ahead() -> None:
    facts = [registered(), scheduled(3)]
    assert said(facts, [limited(0, 20)]) == [(RESUMED, START + 20 * DAY), (SUSPENDED, START)]


def test_operations_restored_earlier_withdraw_the_end_that_was_told_ahead() -> None:
    facts = settled([registered(), scheduled(3)], [limited(0, 20)])
    facts = settled(facts, [limited(0, 20), restored(10)])
    assert standing(facts) == [(RESUMED, START + 10 * DAY), (SUSPENDED, START)]


def test_a_limit_that_follows_without_a_day_between_resumes_nothing() -> None:
    follows = limited(20, 50, id="l2")
    facts = settled([registered(), scheduled(3)], [limited(0, 20)])
    facts = settled(facts, [limited(0, 20), follows])
    assert standing(facts) == [(RESUMED, START + 50 * DAY), (SUSPENDED, START)]


def test_one_court_of_a_region_may_resume_before_the_others() -> None:
    facts = [registered(), scheduled(3)]
    assert said(facts, [limited(court=None), restored(5)]) == [(RESUMED, START + 5 * DAY), (SUSPENDED, START)]
    others = [registered(court="KZ-71-02"), scheduled(3)]
    assert said(others, [limited(court=None), restored(5)]) == [(SUSPENDED, START)]


def test_a_limit_entered_in_error_takes_everything_back_and_once_more_comes_under_another_id() -> None:
    own, limit = [registered(), scheduled(3)], limited()
    facts = settled(own, [limit])
    facts = settled(facts, [limit, withdrawn(limit, 1)])
    assert standing(facts) == []
    again = settled(facts, [limit, withdrawn(limit, 1), replace(limit, id="l3")])
    assert standing(again) == [(SUSPENDED, START)]


def test_a_hearing_that_was_held_after_all_is_not_suspended_and_is_so_again_when_that_was_an_error() -> None:
    own, held = [registered(), scheduled(3)], became("hearing_held", -0.5)
    facts = settled(own, [limited()])
    facts = settled([*facts, held], [limited()])
    assert standing(facts) == []
    facts = settled([*facts, withdrawn(held, 2)], [limited()])
    assert standing(facts) == [(SUSPENDED, START)]


def test_a_hearing_held_under_the_limit_is_not_resumed_when_it_ends() -> None:
    facts = settled([registered(), scheduled(3)], [limited()])
    facts = settled([*facts, became("hearing_held", 3)], [limited(), restored(30)])
    assert standing(facts) == [(SUSPENDED, START)]


def test_a_new_date_beyond_the_limit_leaves_the_suspension_until_operations_resume() -> None:
    moved = scheduled(40, START + 7 * DAY, id="s2")
    facts = settled([registered(), scheduled(3), moved], [limited(0, 30)])
    assert standing(facts) == [(RESUMED, START + 30 * DAY), (SUSPENDED, START)]


def test_what_is_said_twice_is_said_once() -> None:
    facts = settled([registered(), scheduled(3)], [limited(0, 20)])
    assert to_say(CASE, facts, [limited(0, 20)]) == []


def test_what_is_said_is_known_no_earlier_than_what_it_follows_from() -> None:
    late = replace(limited(), recorded=START + 6 * DAY)
    (suspended,) = to_say(CASE, [registered(), scheduled(3)], [late])
    assert (suspended.time, suspended.known_at) == (START, START + 6 * DAY)


def test_what_is_taken_back_is_so_since_it_is_known_that_it_is_not_so() -> None:
    facts = settled([registered(), scheduled(3)], [limited(0, 20)])
    back = [one for one in settled(facts, [limited(0, 20), restored(10)]) if one.type == WITHDRAWAL]
    assert [(one.time, one.known_at) for one in back] == [(START + 10 * DAY, START + 10 * DAY)]


def test_what_is_said_carries_the_basis_of_the_limit_and_passes_the_door() -> None:
    one, two = to_say(CASE, [registered(), scheduled(3)], [limited(0, 20)])
    assert (one.data["legal_basis"], one.data["tolls_term"]) == ("state_of_emergency", True)
    for said_fact in (one, two):
        FACTS[said_fact.type].model_validate(dict(said_fact.data))
        assert said_fact.source == SOURCE
        assert said_fact.case == CASE


POSTED = [
    registered(),
    scheduled(3),
    scheduled(8, START + DAY, "h2"),
    scheduled(45, START + 7 * DAY, id="s3"),
    became("hearing_held", 8, "h2"),
    limited(0, 20),
    limited(18, 30, id="l2"),
    restored(25),
    withdrawn(scheduled(8, START + DAY, "h2"), 2),
]


@given(st.permutations(POSTED), st.lists(st.integers(1, 3), min_size=9, max_size=9))
def test_in_whatever_order_and_portions_it_comes_the_same_stands_in_the_end(
    order: list[Fact], sizes: list[int]
) -> None:
    own: list[Fact] = []
    context: list[Fact] = []
    left = list(order)
    for size in sizes:
        portion, left = left[:size], left[size:]
        own += [one for one in portion if one.case is not None]
        context += [one for one in portion if one.case is None]
        own = settled(own, context)
    at_once = settled([one for one in POSTED if one.case], [one for one in POSTED if one.case is None])
    assert standing(own) == standing(at_once) != []


def test_what_is_said_as_facts_are_learned_takes_back_an_end_that_is_put_off() -> None:
    posted = [registered(), scheduled(10)]
    second = limited(28, 60, id="second")
    begins = {"from": format_instant(START + 30 * DAY)}
    context = [limited(0, 30, id="first"), replace(second, data={**second.data, **begins})]
    said = said_in_time(CASE, posted, context)
    assert [(one.type, (one.recorded - START) // DAY) for one in said] == [
        (SUSPENDED, 0),
        (RESUMED, 0),
        (RESUMED, 28),
        (WITHDRAWAL, 28),
    ]
    assert said[3].data["fact_id"] == said[1].id
    assert [(one.time - START) // DAY for one in said[1:3]] == [30, 60]
    assert not to_say(CASE, [*posted, *said], context)
