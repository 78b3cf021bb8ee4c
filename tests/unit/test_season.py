"""The bundled season: every type of fact, through every door, with the measured spans, and the same for a seed."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from statistics import median, quantiles

import pytest

import court_tracker.domain
import intake.domain
import police_dispatch.domain
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.feed import as_event
from qorgau.front.door import BACKFILL, EVERY, WRITE, Door, Sender
from qorgau.front.posted import Models
from qorgau.instants import DAY, MINUTE, SECOND
from qorgau.season import BEGINS, SEED, WEEKS, Planned, season
from qorgau.season.places import PLACES, make_world
from qorgau.vocabulary import COURT, FACT_TYPES, INTAKE, POLICE

MODELS: Mapping[str, Models] = {
    INTAKE: intake.domain.FACTS,
    POLICE: police_dispatch.domain.FACTS,
    COURT: court_tracker.domain.FACTS,
}
ENDS = BEGINS + WEEKS * 7 * DAY
ANYBODY = Sender(EVERY, frozenset({WRITE, BACKFILL}), frozenset({EVERY}))


@pytest.fixture(scope="module", name="planned")
def default_season() -> list[Planned]:
    return list(season())


@pytest.fixture(scope="module", name="calls")
def cases_by_type(planned: list[Planned]) -> list[Mapping[str, Fact]]:
    """The first fact of each type of each case that has a call at 102."""
    cases: dict[str, dict[str, Fact]] = defaultdict(dict)
    for one in sorted(planned, key=lambda one: one.fact.time):
        if one.fact.case is not None:
            cases[one.fact.case].setdefault(one.fact.type, one.fact)
    return [case for case in cases.values() if "police.incident_registered" in case]


def spans(calls: list[Mapping[str, Fact]], begin: str, end: str) -> Iterator[float]:
    """Minutes between two facts, in cases that are old enough to have both."""
    for case in calls:
        if begin in case and end in case:
            yield (case[end].time - case[begin].time) / MINUTE


def test_every_fact_passes_the_door_of_its_service(planned: list[Planned]) -> None:
    regions = frozenset(place.region for place in PLACES)
    doors = {name: Door(name, models, regions, lambda: BEGINS, "-") for name, models in MODELS.items()}
    for one in planned:
        admitted = doors[one.service].admit(as_event(one.fact), ANYBODY)
        assert admitted.fact == one.fact
        assert admitted.reference is None


def test_every_type_of_fact_occurs_and_none_that_there_is_not(planned: list[Planned]) -> None:
    assert {one.fact.type for one in planned} == set(FACT_TYPES)


def test_a_season_is_as_long_as_it_says_and_of_a_size_that_plays_in_minutes(planned: list[Planned]) -> None:
    assert BEGINS <= planned[0].at < BEGINS + DAY
    assert ENDS - DAY < planned[-1].at < ENDS
    assert 400 <= len({one.fact.case for one in planned}) <= 800
    assert 10_000 <= len(planned) <= 16_000


def test_facts_come_in_the_order_in_which_they_are_learned(planned: list[Planned]) -> None:
    assert all(one.at <= other.at for one, other in pairwise(planned))


def test_the_same_seed_is_the_same_season_and_another_seed_another() -> None:
    week = [list(season(seed, weeks=1)) for seed in (1, 1, 2)]
    assert week[0] == week[1]
    assert not {one.fact.case for one in week[0]} & {one.fact.case for one in week[2]} - {None}


def test_a_longer_season_has_other_cases_so_that_one_data_folder_can_hold_both() -> None:
    short, long = ({one.fact.case for one in season(weeks=weeks)} - {None} for weeks in (1, 2))
    assert not short & long


def test_calls_take_as_long_as_real_ones(calls: list[Mapping[str, Fact]]) -> None:
    dispatch = list(spans(calls, "police.incident_registered", "police.dispatched"))
    travel = list(spans(calls, "police.dispatched", "police.arrived"))
    assert median(dispatch) == pytest.approx(5.1, rel=0.3)
    assert quantiles(dispatch, n=10)[-1] == pytest.approx(31.5, rel=0.3)
    assert median(travel) == pytest.approx(5.8, rel=0.15)
    assert quantiles(travel, n=10)[-1] == pytest.approx(13.6, rel=0.25)


def test_the_oddities_of_real_calls_are_there(calls: list[Mapping[str, Fact]]) -> None:
    count = len(calls)
    assert sum("police.arrived" not in case for case in calls) / count == pytest.approx(0.04, abs=0.02)
    at_once = sum(span < 1 / 60 for span in spans(calls, "police.incident_registered", "police.dispatched"))
    assert at_once / count == pytest.approx(0.2, abs=0.04)
    assert 3 <= sum(span < 0 for span in spans(calls, "police.dispatched", "police.arrived")) <= 0.05 * count
    with_milliseconds = sum(case["report.received"].time % SECOND != 0 for case in calls)
    assert 0.1 * count < with_milliseconds < 0.6 * count


def test_reports_rise_by_a_third_in_the_lockdown(planned: list[Planned]) -> None:
    begins, ends = make_world(BEGINS, ENDS - BEGINS).lockdown
    days = Counter(BEGINS <= one.fact.time < begins for one in planned if one.fact.type == "report.triaged")
    before, after = days[True] / ((begins - BEGINS) / DAY), days[False] / ((ENDS - begins) / DAY)
    assert ends < ENDS
    assert after / before == pytest.approx(1.3, abs=0.15)


def test_most_facts_are_learned_live_and_some_late_or_ahead_of_their_time(planned: list[Planned]) -> None:
    delays = [one.fact.recorded - one.fact.time for one in planned]
    late, ahead = (sum(delay > 60 * MINUTE for delay in delays), sum(delay < 0 for delay in delays))
    assert sum(0 <= delay <= MINUTE for delay in delays) > 0.85 * len(delays)
    assert 0.005 * len(delays) < late < 0.05 * len(delays)
    assert 0 < ahead < 0.02 * len(delays)


def test_some_facts_come_twice_and_a_few_copies_differ(planned: list[Planned]) -> None:
    copies: dict[tuple[str | None, str, str], list[int]] = defaultdict(list)
    for one in planned:
        copies[one.fact.case, one.fact.source, one.fact.id].append(one.fact.time)
    twice = [times for times in copies.values() if len(times) == 2]
    assert max(len(times) for times in copies.values()) == 2
    assert 0.01 * len(copies) < len(twice) < 0.05 * len(copies)
    assert 0 < sum(len(set(times)) == 2 for times in twice) < 0.25 * len(twice)


def test_what_is_taken_back_was_told_before_by_the_same_source_to_the_same_service(planned: list[Planned]) -> None:
    told = {(one.fact.case, *one.fact.identity): one.service for one in planned}
    taken_back = [one for one in planned if one.fact.type == WITHDRAWAL]
    assert len(taken_back) >= 10
    for one in taken_back:
        assert told.get((one.fact.case, one.fact.source, one.fact.data["fact_id"]), one.service) == one.service


def test_an_agency_falls_silent_and_then_tells_everything_at_once(planned: list[Planned]) -> None:
    for source, (begins, ends) in make_world(BEGINS, ENDS - BEGINS).silent.items():
        own = [one for one in planned if one.fact.source == source]
        assert not [one for one in own if begins <= one.at < ends]
        assert [one for one in own if begins <= one.fact.time < ends <= one.at < ends + MINUTE]


def test_calls_come_from_all_regions_zones_and_both_areas(planned: list[Planned]) -> None:
    reports = [one.fact for one in planned if one.fact.type == "report.received"]
    assert {fact.data["region"] for fact in reports} == {place.region for place in PLACES}
    assert len({place.zone for place in PLACES}) >= 5
    rural = sum(fact.data["area"] == "rural" for fact in reports)
    assert 0.2 * len(reports) < rural < 0.6 * len(reports)


def test_nothing_in_it_is_the_name_or_number_of_a_person(planned: list[Planned]) -> None:
    seen = {value for one in planned for value in one.fact.data.values() if isinstance(value, str)}
    assert all(len(value) <= 32 and " " not in value for value in seen)


@pytest.mark.parametrize("seed", [SEED, 7])
def test_what_two_weeks_lack_is_what_takes_longer(seed: int) -> None:
    types = {one.fact.type for one in season(seed, weeks=2, calls_a_day=40)}
    assert {"order.expired", "order.extended"} <= set(FACT_TYPES) - types
    assert len(set(FACT_TYPES) - types) <= 8
