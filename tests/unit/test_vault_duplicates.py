"""Reports of one incident: what is proposed, with which reasons, and what never is."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.vault.blind import IndexKeys, Traces, traces
from intake.vault.duplicates import (
    THRESHOLD,
    WINDOW,
    Proposal,
    Sketch,
    proposal,
    proposals,
    sketches,
)
from intake.vault.form import split
from intake.vault.records import Report, VaultRecord
from qorgau.instants import HOUR, MINUTE, format_instant

NOW = 1_775_000_000_000_000
KEYS = IndexKeys("i1", {"i1": bytes(range(32))})
CODES = {"region": "KZ-75", "area": "urban", "channel": "102", "injury": True, "sexual": False}
HERS, HIS, ANOTHER = "860412400123", "000000000101", "000000000209"
HOME = {"settlement": "Алматы", "street": "Абая", "building": "12"}


def sketch(name: str, at: int = NOW, *, codes: dict[str, Any] | None = None, **personal: Any) -> Sketch:
    told = split(personal).personal
    return Sketch(f"c-{name}", f"r-{name}", at, {**CODES, **(codes or {})}, traces(told, KEYS))


def score(one: Sketch, other: Sketch) -> float:
    found = proposal(one, other)
    return 0.0 if found is None else found.score


def names(found: Proposal | None) -> dict[str, float]:
    assert found is not None
    return {reason.name: reason.bits for reason in found.reasons}


HELPLINE = sketch("helpline", codes={"channel": "150"}, survivor={"iin": HERS, "address": {**HOME, "flat": "5"}})
UPSTAIRS = sketch("upstairs", NOW + 4 * MINUTE, caller={"phone": "87010000001", "address": {**HOME, "flat": "9"}})
NEXT_DOOR = sketch("next-door", NOW - 3 * MINUTE, caller={"phone": "87010000002", "address": {**HOME, "flat": "6"}})


def all_proposals(reports: Iterable[Sketch], threshold: float = THRESHOLD) -> list[Proposal]:
    """What is proposed of all reports with one another, the most probable first."""
    told = list(reports)
    found = {(made.first.order, made.second.order): made for own in told for made in proposals(own, told, threshold)}
    return sorted(found.values(), key=lambda made: (-made.score, made.first.order, made.second.order))


def test_two_neighbours_and_a_helpline_within_minutes_are_proposed_with_their_reasons() -> None:
    found = all_proposals([HELPLINE, UPSTAIRS, NEXT_DOOR])
    assert len(found) == 3
    assert all(each.score >= THRESHOLD for each in found)
    reasons = names(proposal(HELPLINE, UPSTAIRS))
    assert {"time", "places", "region", "area", "channel", "injury", "sexual"} == reasons.keys()
    assert reasons["places"] > reasons["time"] > reasons["region"] > 0
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_reasons_come_heaviest_first_and_make_the_score() -> None:
    found = proposal(HELPLINE, UPSTAIRS)
    assert found is not None
    weights = [abs(reason.bits) for reason in found.reasons]
    assert weights == sorted(weights, reverse=True)
    odds = 2 ** sum(reason.bits for reason in found.reasons) / 2_000
    assert found.score == round(odds / (1 + odds), 3)


def test_the_same_evening_in_the_same_town_is_not_enough() -> None:
    one, other = sketch("one"), sketch("other", NOW + 5 * MINUTE, codes={"channel": "150"})
    assert 0 < score(one, other) < THRESHOLD
    assert proposals(one, [other]) == ()
    assert proposals(one, [other], threshold=0.0) != ()


def test_a_block_of_flats_an_evening_apart_is_not_enough() -> None:
    later = sketch("later", NOW + 8 * HOUR, caller={"address": HOME})
    assert score(HELPLINE, later) < THRESHOLD


def test_the_same_caller_twice_is_proposed() -> None:
    one, again = (sketch(name, at, caller={"phone": "8 701 000 00 09"}) for name, at in (("a", NOW), ("b", NOW + 60)))
    assert score(one, again) > 0.9


def test_the_same_pair_within_the_hour_is_one_incident_and_the_next_day_rather_the_next_one() -> None:
    people: dict[str, Any] = {"survivor": {"iin": HERS}, "alleged_offender": {"iin": HIS}}
    first = sketch("first", **people)
    assert score(first, sketch("soon", NOW + 40 * MINUTE, **people)) > 0.95
    assert score(first, sketch("next day", NOW + 23 * HOUR, **people)) < THRESHOLD
    reasons = names(proposal(first, sketch("soon", NOW, **people)))
    # The pair includes its survivor, and is not counted twice.
    assert "pair" in reasons
    assert "survivor" not in reasons


def test_one_survivor_and_another_offender_is_told_apart() -> None:
    one = sketch("one", survivor={"iin": HERS}, alleged_offender={"iin": HIS})
    other = sketch("other", survivor={"iin": HERS}, alleged_offender={"iin": ANOTHER})
    reasons = names(proposal(one, other))
    assert reasons["offender"] < 0 < reasons["survivor"]
    unknown = sketch("unknown", survivor={"iin": HERS})
    assert score(one, other) < score(one, unknown)


def test_two_numbers_are_two_people_and_never_one_incident() -> None:
    phone = {"phone": "87010000001", "address": HOME}
    one, other = sketch("one", survivor={"iin": HERS, **phone}), sketch("other", survivor={"iin": ANOTHER, **phone})
    assert proposal(one, other) is None


def test_a_report_is_no_duplicate_of_itself_and_nothing_is_after_the_window() -> None:
    assert proposal(HELPLINE, HELPLINE) is None
    window = WINDOW // timedelta(microseconds=1)
    people: dict[str, Any] = {"survivor": {"iin": HERS}}
    one = sketch("one", **people)
    assert proposal(one, sketch("in", NOW + window, **people)) is not None
    assert proposal(one, sketch("out", NOW + window + 1, **people)) is None


@pytest.mark.parametrize(
    "codes",
    [{"region": "KZ-71"}, {"area": "rural"}, {"injury": False}, {"sexual": True}, {"channel": "102"}],
)
def test_what_differs_speaks_against_it(codes: dict[str, Any]) -> None:
    other = sketch("other", codes={"channel": "150", **codes}, caller={"address": HOME})
    same = sketch("other", codes={"channel": "150"}, caller={"address": HOME})
    assert score(UPSTAIRS, other) < score(UPSTAIRS, same)


def test_what_one_of_them_did_not_say_counts_nothing() -> None:
    told = sketch("told", codes={"district": "D1", "relation": "spouse"})
    assert names(proposal(told, sketch("silent"))).keys().isdisjoint({"district", "relation"})


def test_what_is_compared_is_when_it_happened_where_that_was_told() -> None:
    codes = {**CODES, "occurred_at": format_instant(NOW - 3 * HOUR)}
    reports = (Report("r1", "102/KZ-75", NOW, "x", codes=codes), Report("r2", "102/KZ-75", NOW, "x", codes=CODES))
    made = list(sketches(VaultRecord("c1", reports=reports)))
    assert [(each.case, each.report, each.at) for each in made] == [("c1", "r1", NOW - 3 * HOUR), ("c1", "r2", NOW)]


indexes = st.frozensets(st.sampled_from(["i1:iin:a", "i1:iin:b", "i1:name:a", "i1:name:b"]), max_size=3)
drawn = st.builds(
    Sketch,
    case=st.sampled_from(["c1", "c2", "c3"]),
    report=st.sampled_from(["r1", "r2"]),
    at=st.integers(NOW, NOW + 30 * HOUR),
    codes=st.fixed_dictionaries(
        {"region": st.sampled_from(["KZ-75", "KZ-71"])},
        optional={"channel": st.sampled_from(["102", "150"]), "gbv_type": st.sampled_from(["rape", "forced_marriage"])},
    ),
    traces=st.builds(Traces, survivor=indexes, offender=indexes, pair=indexes, phones=indexes, places=indexes),
)


@given(drawn, drawn)
def test_the_score_lies_between_0_and_1_and_is_the_same_both_ways(one: Sketch, other: Sketch) -> None:
    found = proposal(one, other)
    if found is not None:
        assert 0 <= found.score <= 1
        assert found.first.order <= found.second.order
    if one.order != other.order:
        assert found == proposal(other, one)


@given(st.lists(drawn, max_size=4, unique_by=lambda each: (each.case, each.report)))
def test_the_proposals_do_not_depend_on_the_order_of_the_reports(reports: list[Sketch]) -> None:
    expected = all_proposals(reports, threshold=0.0)
    for order in permutations(reports):
        assert all_proposals(order, threshold=0.0) == expected
