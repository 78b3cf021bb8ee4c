"""The spring of 2020 made up: its size, its stop of the courts, and that it passes the doors of the services."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import groupby, islice

import pytest

import court_tracker.domain
import intake.domain
import police_dispatch.domain
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.feed import as_event
from qorgau.front.door import BACKFILL, EVERY, WRITE, Door, Sender
from qorgau.front.posted import Models
from qorgau.hearings.deriving import SOURCE, SUSPENDED, to_say
from qorgau.hearings.limits import LIMITED, RESTORED
from qorgau.instants import DAY, parse_instant
from qorgau.record import CaseRecord, learn
from qorgau.season import Planned
from qorgau.season.spring import BEGINS, ENDS, SPRING_PLACES, spring
from qorgau.vocabulary import COURT, INTAKE, POLICE

CASES = 400
MODELS: Mapping[str, Models] = {
    INTAKE: intake.domain.FACTS,
    POLICE: police_dispatch.domain.FACTS,
    COURT: court_tracker.domain.FACTS,
}
ANYBODY = Sender(EVERY, frozenset({WRITE, BACKFILL}), frozenset({EVERY}))
# Midnight on 16 March and on 11 May where clocks are an hour behind.
STOP, RESTART = parse_instant("2020-03-16T00:00:00+05:00"), parse_instant("2020-05-11T00:00:00+05:00")


@pytest.fixture(scope="module", name="planned")
def a_spring() -> list[Planned]:
    return list(spring(CASES))


@pytest.fixture(scope="module", name="cases")
def counting_facts(planned: list[Planned]) -> dict[str, list[Fact]]:
    """The copies that count of each case."""
    found: defaultdict[str, list[Fact]] = defaultdict(list)
    for one in planned:
        if one.fact.case is not None:
            found[one.fact.case].append(one.fact)
    return {case: list(learn(CaseRecord(case), facts).facts) for case, facts in found.items()}


def test_there_are_as_many_cases_as_asked_for_and_they_are_in_all_regions(cases: dict[str, list[Fact]]) -> None:
    assert len(cases) == CASES
    assert len(SPRING_PLACES) == 20
    regions = {fact.data["region"] for facts in cases.values() for fact in facts}
    assert len(regions) >= 19


def test_the_same_seed_is_the_same_spring_and_another_seed_another() -> None:
    first, again, other = (list(islice(spring(20, seed), 20_000)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_case_stands_together_and_behind_what_belongs_to_none(planned: list[Planned]) -> None:
    runs = [case for case, _ in groupby(one.fact.case for one in planned)]
    assert runs[0] is None
    assert len(runs) == CASES + 1


def test_nothing_in_it_is_learned_after_its_end(planned: list[Planned]) -> None:
    assert all(BEGINS <= one.at < ENDS for one in planned if one.fact.source != SOURCE)
    assert max(one.at for one in planned) < ENDS


def test_every_posted_fact_passes_the_door_of_its_service(planned: list[Planned]) -> None:
    regions = frozenset(place.region for place in SPRING_PLACES)
    doors = {name: Door(name, models, regions, lambda: BEGINS, "-") for name, models in MODELS.items()}
    posted = [one for one in planned if one.fact.source != SOURCE]
    assert posted
    for one in posted:
        assert doors[one.service].admit(as_event(one.fact), ANYBODY).fact == one.fact


def test_reports_rise_by_a_quarter_in_the_lockdown() -> None:
    days = Counter[bool]()
    for one in spring(3_000):
        if one.fact.type == "report.triaged":
            days[STOP <= one.fact.time < RESTART] += 1
    inside = (RESTART - STOP) // DAY
    usual = days[False] / ((ENDS - BEGINS) // DAY - inside)
    assert days[True] / inside / usual == pytest.approx(1.25, abs=0.12)


def test_all_courts_stop_and_what_a_running_service_would_say_of_their_hearings_is_said(
    planned: list[Planned], cases: dict[str, list[Fact]]
) -> None:
    context = learn(CaseRecord(""), [one.fact for one in planned if one.fact.type in (LIMITED, RESTORED)]).facts
    assert {fact.data["region"] for fact in context} == {place.region for place in SPRING_PLACES}
    assert {fact.data.get("until") is None for fact in context if fact.type == LIMITED} == {True, False}
    for case, facts in cases.items():
        of_region = [fact for fact in context if fact.data["region"] == facts[0].data["region"]]
        assert not to_say(case, facts, of_region)


def test_a_hearing_stands_if_it_is_for_a_day_of_the_stop_and_nothing_became_of_it_before(
    cases: dict[str, list[Fact]],
) -> None:
    stood = 0
    for facts in cases.values():
        gone = {fact.data["fact_id"] for fact in facts if fact.type == WITHDRAWAL}
        own = [fact for fact in facts if fact.id not in gone]
        for listed in (fact for fact in own if fact.type == "court.hearing_scheduled"):
            of_it = [fact for fact in own if fact.data.get("hearing_id") == listed.data["hearing_id"]]
            suspended = any(fact.type == SUSPENDED for fact in of_it)
            if any(fact.type == "court.hearing_cancelled" for fact in of_it):
                continue
            day = parse_instant(listed.data["scheduled_for"])
            assert suspended == (STOP <= day < RESTART), listed
            stood += suspended
    assert stood > CASES // 5


def test_courts_go_on_differently(cases: dict[str, list[Fact]]) -> None:
    types = Counter[tuple[str, bool]]()
    for facts in cases.values():
        types.update((fact.type, fact.source == SOURCE) for fact in facts)
    assert types[SUSPENDED, True] > types[SUSPENDED, False] == 0
    assert types["court.hearing_resumed", True]
    # An end that is put off takes back what had been said of it.
    assert types[WITHDRAWAL, True]
