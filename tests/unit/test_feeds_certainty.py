"""What is unknown while feeds are silent: every combination of two feeds, whose word counts, and what never changes."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import court_tracker.domain
import intake.domain
import police_dispatch.domain
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.feeds.certainty import Doubts, doubts, stoppers
from qorgau.feeds.posters import POSTERS
from qorgau.feeds.silence import Feed
from qorgau.front.judging import PlanJudge
from qorgau.front.posted import Models
from qorgau.instants import DAY, HOUR, MINUTE
from qorgau.plan import compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord, advance, learn
from qorgau.vocabulary import INTAKE, POLICE

POLICY = load_policy(default_policy())
KNOWN = stoppers(POLICY)
NOW, REGION = 22_000 * DAY, "KZ-75"
DUE = NOW - 2 * DAY
# P24: a shelter or a crisis centre finds a place.
RULE, SHELTER, CENTRE = "P24", "shelter/KZ-75-1", "crisis-centre/KZ-75"
STATES = ("speaks", "silent", "silent since after the due", "nothing expected", "not there")


def feed(agency: str, state: str, region: str = REGION) -> Iterable[Feed]:
    heard = {"speaks": NOW - HOUR, "silent since after the due": DUE + HOUR}.get(state, DUE - HOUR)
    within = None if state == "nothing expected" else 6 * HOUR
    return () if state == "not there" else (Feed(agency, region, heard, within, None, 90 * DAY),)


def of(*feeds: Iterable[Feed]) -> Doubts:
    return doubts(KNOWN, [one for some in feeds for one in some], NOW)


@pytest.mark.parametrize(("shelter", "centre"), list(product(STATES, STATES)))
def test_a_breach_is_unknown_only_where_every_feed_that_could_have_stopped_it_fell_silent_before_its_due(
    shelter: str, centre: str
) -> None:
    expected = {shelter, centre} - {"nothing expected", "not there"}
    marked = of(feed(SHELTER, shelter), feed(CENTRE, centre)).mark(RULE, REGION, None, DUE)
    assert marked == (("unknown", DUE - HOUR) if expected == {"silent"} else ("certain", None))


def test_unknown_is_what_nobody_was_heard_of_since() -> None:
    (earlier,) = feed(SHELTER, "silent")
    later = replace(earlier, agency=CENTRE, heard=DUE - MINUTE)
    assert of([earlier], [later]).since(RULE, REGION, None, DUE) == DUE - MINUTE


def test_heard_at_the_very_due_is_heard() -> None:
    (late,) = feed(SHELTER, "silent")
    assert of([replace(late, heard=DUE)]).since(RULE, REGION, None, DUE) is None
    assert of([replace(late, heard=DUE - 1)]).since(RULE, REGION, None, DUE) == DUE - 1


def test_what_still_runs_or_stands_still_is_unknown_as_long_as_the_silence_lasts() -> None:
    silent = of(feed(SHELTER, "silent since after the due"))
    assert silent.mark(RULE, REGION, None, NOW + DAY) == ("unknown", DUE + HOUR)
    assert silent.mark(RULE, REGION, None, None) == ("unknown", DUE + HOUR)


def test_a_feed_of_another_region_or_another_kind_has_no_say() -> None:
    silent = feed(SHELTER, "silent")
    for other in (feed(SHELTER, "speaks", "KZ-31"), feed("court/KZ-75", "speaks")):
        assert of(silent, other).mark(RULE, REGION, None, DUE)[0] == "unknown"
    assert of(silent).mark(RULE, "KZ-31", None, DUE)[0] == "certain"
    assert of(silent).mark(RULE, None, None, DUE)[0] == "certain"


def test_of_a_kind_the_agency_whose_duty_it_is_stands_for_all() -> None:
    silent, other = feed(SHELTER, "silent"), feed("shelter/KZ-75-2", "speaks")
    both = of(silent, other)
    assert both.mark(RULE, REGION, SHELTER, DUE)[0] == "unknown"
    assert both.mark(RULE, REGION, "shelter/KZ-75-2", DUE)[0] == "certain"
    # A duty of nobody in particular.
    assert both.mark(RULE, REGION, "shelter/KZ-75", DUE)[0] == "certain"
    # Another kind could have done it as well.
    assert of(silent, other, feed(CENTRE, "speaks")).mark(RULE, REGION, SHELTER, DUE)[0] == "certain"


def test_an_offer_can_be_answered_only_by_the_agency_it_names() -> None:
    offered = of(feed(SHELTER, "silent"), feed("clinic/KZ-75", "speaks"))
    assert offered.mark("T01", REGION, SHELTER, DUE)[0] == "unknown"
    assert offered.mark("T01", REGION, "clinic/KZ-75", DUE)[0] == "certain"
    assert offered.mark("T01", REGION, "shelter/KZ-75-9", DUE)[0] == "certain"


def test_a_suspended_hearing_is_in_doubt_and_a_stale_case_is_not() -> None:
    silent = of(feed("court/KZ-75", "silent"), feed("coordinator/KZ-75", "silent"))
    assert silent.mark("F1", REGION, "court/KZ-75", None)[0] == "unknown"
    assert silent.mark("F7", REGION, "coordinator/KZ-75", None)[0] == "certain"


def test_while_not_all_feeds_are_read_what_they_could_stop_is_unknown() -> None:
    behind = doubts(KNOWN, None, NOW)
    assert behind.silent
    assert behind.mark(RULE, REGION, None, DUE) == ("unknown", None)
    assert behind.mark("F7", REGION, None, None) == ("certain", None)


@pytest.mark.parametrize("models", [intake.domain.FACTS, police_dispatch.domain.FACTS, court_tracker.domain.FACTS])
def test_the_table_of_posters_is_what_the_services_let_in(models: Models) -> None:
    assert {name: POSTERS.get(name) for name in models} == {name: model.posted_by for name, model in models.items()}


def test_every_deadline_rule_has_somebody_who_can_stop_it() -> None:
    assert {row.id for row in POLICY.rules if not KNOWN[row.id].kinds} == set()


def shelter_case(*more: Fact) -> tuple[PlanJudge, CaseRecord]:
    plan = compile_policy(POLICY, INTAKE)
    asked = Fact("1", CENTRE, "shelter.referral_requested", DUE - 6 * HOUR, DUE - 6 * HOUR, "c1", {"region": REGION})
    record, _ = advance(learn(CaseRecord("c1"), [asked]), NOW, plan)
    record, _ = advance(learn(record, more), NOW + HOUR, plan)
    return PlanJudge(plan), record


def test_a_stop_posted_after_the_silence_clears_the_flag_as_ever_and_the_doubt_goes_with_it() -> None:
    _, record = shelter_case()
    (breach,) = [row for row in record.flags if (row.rule, row.level) == (RULE, "breach")]
    silent = of(feed(SHELTER, "silent"))
    assert silent.mark(breach.rule, breach.region, breach.agency, breach.due_at)[0] == "unknown"
    admitted = Fact("2", SHELTER, "shelter.admitted", DUE - HOUR, NOW + MINUTE, "c1", {"region": REGION})
    _, record = shelter_case(admitted)
    (breach,) = [row for row in record.flags if (row.rule, row.level) == (RULE, "breach")]
    assert (breach.cleared_at, breach.outcome) == (NOW + MINUTE, "late_recording")
    (spoken,) = feed(SHELTER, "speaks")
    again = doubts(KNOWN, [replace(spoken, heard=admitted.recorded)], NOW + HOUR)
    assert again.mark(breach.rule, breach.region, breach.agency, breach.due_at) == ("certain", None)


def test_the_duty_of_a_deadline_is_that_of_its_flag() -> None:
    judge, record = shelter_case()
    duties = {(one.row.rule, one.row.key, one.row.start_at): (one.region, one.duty) for one in judge.judged(record)}
    for row in record.flags:
        if row.start_at is not None and row.level == "breach":
            assert duties[row.rule, row.key, row.start_at] == (row.region, row.agency)


@given(
    st.lists(
        st.builds(
            Feed,
            st.sampled_from(["102/KZ-75", "102", "police-unit/KZ-75", "court/KZ-75"]),
            st.just(REGION),
            st.integers(NOW - 20 * DAY, NOW),
            st.none() | st.integers(HOUR, 10 * DAY),
            st.none(),
            st.integers(DAY, 90 * DAY),
        ),
        max_size=6,
    )
)
def test_whatever_the_feeds_say_what_is_assessed_stays_the_same(feeds: list[Feed]) -> None:
    plan = compile_policy(POLICY, POLICE)
    data = {"region": REGION, "priority": "immediate", "area": "urban"}
    fact = Fact("1", "102/KZ-75", "police.incident_registered", NOW - DAY, NOW - DAY, "c1", data)
    record, events = advance(learn(CaseRecord("c1"), [fact]), NOW, plan)
    judge = PlanJudge(plan)
    before = list(judge.judged(record))
    assert before
    marking = doubts(KNOWN, feeds, NOW)
    marks = {
        (one.row.rule, due): marking.mark(one.row.rule, one.region, one.duty, due)
        for one in judge.judged(record)
        for due in (NOW - DAY, None)
    }
    again, told = advance(learn(CaseRecord("c1"), [fact]), NOW, plan)
    assert (list(judge.judged(record)), again, told) == (before, record, events)
    # An unknown thing has somebody silent who could have said so, and only such a one.
    if any(certainty == "unknown" for certainty, _ in marks.values()):
        assert any(one.silent_since(NOW) is not None for one in feeds)
