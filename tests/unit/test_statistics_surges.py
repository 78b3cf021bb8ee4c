"""Surges as flags: raised at the instant their day is ready, cleared when they are over or were none, told once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from intake.statistics.counting import Ledger, Report
from intake.statistics.explaining import explain
from intake.statistics.methods import BadRule, SurgeRule, surge_rule
from intake.statistics.periods import Days
from intake.statistics.surges import Name, Region, window
from intake.statistics.telling import Place, first_of, told
from intake.telling import remembered
from qorgau.calendar import Calendar
from qorgau.embedded.data import default_policy
from qorgau.heart.tolls import FOREVER
from qorgau.instants import DAY, HOUR, MINUTE, format_instant
from qorgau.policy import load_policy
from qorgau.rules import Policy, Surge
from qorgau.shell.documents import Stored
from qorgau.surge.case import is_surge, surge_case

POLICY = load_policy(default_policy())
CALENDAR = Calendar(POLICY.policy.calendar, POLICY.policy.zones)
DAYS = Days(CALENDAR, CALENDAR.zone("KZ-33"))
FIRST = date(2031, 4, 7)
"""A Monday."""


def the_rule() -> SurgeRule:
    rule = surge_rule(POLICY)
    assert rule is not None
    return rule


RULE = the_rule()


def with_rule(**changed: Any) -> Policy:
    flags = [flag.model_copy(update=changed) if isinstance(flag, Surge) else flag for flag in POLICY.flags]
    return POLICY.model_copy(update={"flags": flags})


def reports(counts: Sequence[int], channel: str = "102", first: date = FIRST, late: int = 0) -> list[Report]:
    """So many reports a day, a minute apart from noon on, known so much later."""
    times = [
        DAYS.begin(first + timedelta(days=day)) + 12 * HOUR + number * MINUTE
        for day, count in enumerate(counts)
        for number in range(count)
    ]
    return [Report("KZ-33", channel, time, ((time + late, FOREVER),)) for time in times]


def region(of: Iterable[Report], rule: SurgeRule = RULE) -> Region:
    return Region(rule, DAYS, Ledger(list(of), DAYS.of))


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


BASELINE = [5, 6, 4, 5, 5, 6, 5, 4, 6, 5]


def history(of: Sequence[Report], until: int, after: int | None = None) -> dict[str, Stored]:
    """Every region and day, as it is after all moments up to an instant."""
    place = Place("KZ-33", region(of))
    begin = DAYS.begin(FIRST) if after is None else after
    stored: dict[str, Stored] = {}
    for moment in place.region.moments(place.region.instants(begin, until)):
        for name in moment.up:
            stored.setdefault(place.case(name), first_of(place.case(name), "KZ-33", name.first))
        for case in stored:
            stored[case] = told(stored[case], place, moment, begin, moment.at)
    return stored


def rows(stored: Mapping[str, Stored]) -> list[tuple[str, str, str, str | None]]:
    """Day, key, raised and cleared of each flag, in the order they were raised."""
    found = [
        (
            str(of.extra["day"]),
            row.key,
            format_instant(row.raised_at),
            None if row.cleared_at is None else format_instant(row.cleared_at),
        )
        for of in stored.values()
        for row in of.record.flags
    ]
    return sorted(found, key=lambda row: (row[2], row[0], row[1]))


def ready(number: int) -> str:
    return format_instant(DAYS.ready(day(number)))


def test_the_policy_as_it_is_bundled_judges_days_by_c2_and_weeks_by_farringtons_short_form() -> None:
    assert {period: (of.name, of.lag, of.baseline) for period, of in RULE.methods.items()} == {
        "day": ("ears_c2", 2, 7),
        "week": ("farrington_lite", 0, 8),
    }
    # 28 days of a surge with the 9 before, and 8 weeks with the 8 before.
    assert window(RULE) == timedelta(days=17 * 7 + 2)


@pytest.mark.parametrize("method", ["ears_c1", "ears_c2", "ears_c3", "cusum"])
def test_every_daily_method_can_be_asked_for(method: str) -> None:
    rule = surge_rule(with_rule(daily={"method": method}, weekly={}))
    assert rule is not None
    surging = region(reports([*[5, 6, 4, 5] * 12, 30]), rule)
    assert Name("day", "102", day(48)) in surging.up(DAYS.ready(day(48)))


@pytest.mark.parametrize("method", ["farrington", "farrington_lite", "cusum"])
def test_every_weekly_method_can_be_asked_for(method: str) -> None:
    rule = surge_rule(with_rule(daily={}, weekly={"method": method}))
    assert rule is not None
    surging = region(reports([1] * 7 * 40 + [9] * 7), rule)
    assert Name("week", "102", day(280)) in surging.up(DAYS.ready(day(280), "week"))


@pytest.mark.parametrize(
    "changed",
    [
        {"group_by": ["region"]},
        {"daily": {"method": "ears_c4"}},
        {"daily": {"method": "farrington_lite"}},
        {"daily": {"method": "ears_c2", "lag_days": 1}},
        {"daily": {"method": "ears_c2", "threshold": 4}},
        {"daily": {"method": "ears_c2", "baseline_days": 0}},
        # One day, or an alarm a period, has no spread and no bound to be computed.
        {"daily": {"method": "ears_c2", "baseline_days": 1}},
        {"daily": {"method": "cusum", "baseline": 1}},
        {"daily": {"method": "cusum", "between_alarms": 1}},
        {"weekly": {"method": "farrington_lite", "baseline_weeks": 1}},
        {"daily": {"method": "ears_c2", "sd_floor": "half"}},
        {"daily": {"method": "ears_c2", "z": 2}},
        {"weekly": {"method": "farrington_lite", "power": 2}},
    ],
)
def test_what_cannot_be_computed_is_refused_at_the_start(changed: dict[str, Any]) -> None:
    with pytest.raises(BadRule):
        surge_rule(with_rule(**changed))


def test_without_a_surge_flag_nothing_is_judged() -> None:
    assert surge_rule(POLICY.model_copy(update={"flags": []})) is None


def test_a_surge_is_raised_when_its_day_is_ready_and_cleared_with_the_first_day_that_is_none() -> None:
    stored = history(reports([*BASELINE, 20, 22, 5, 5]), DAYS.ready(day(14)))
    assert rows(stored) == [
        ("2031-04-17", "102", ready(10), ready(12)),
        ("2031-04-18", "102", ready(11), ready(12)),
    ]
    (first, *_) = stored.values()
    (row,) = first.record.flags
    assert first.record.case == row.case == surge_case("KZ-33", day(10))
    assert is_surge(row.case)
    assert (row.rule, row.level, row.severity, row.outcome) == ("F8", "flag", "medium", "cleared")
    assert (row.region, row.agency, row.due_at) == ("KZ-33", "coordinator/KZ-33", None)
    assert row.start_at == DAYS.begin(day(10))
    assert [(event.seq, event.type.split(".")[2]) for event in first.outbox] == [(1, "raised"), (2, "cleared")]


def test_a_surge_that_goes_on_is_not_over() -> None:
    stored = history(reports([*BASELINE, 20, 40, 80]), DAYS.ready(day(12)))
    assert [(row[0], row[3]) for row in rows(stored)] == [(f"2031-04-{17 + number}", None) for number in range(3)]


def test_fewer_than_the_rule_asks_for_or_too_short_a_past_is_no_alarm() -> None:
    assert history(reports([0] * 10 + [4]), DAYS.ready(day(11))) == {}
    assert history(reports([5, 6, 4, 5, 5, 6, 5, 4, 20]), DAYS.ready(day(8))) == {}
    assert history(reports([5, 6, 4, 5, 5, 6, 5, 4, 6, 20]), DAYS.ready(day(9))) != {}


def test_the_days_before_a_channel_was_heard_of_count_where_its_region_was() -> None:
    others = reports([1] * 11, "150")
    assert [row[1] for row in rows(history([*others, *reports([0] * 10 + [6])], DAYS.ready(day(10))))] == ["102"]


def test_a_withdrawn_report_takes_the_alarm_away_at_the_instant_it_is_known_and_a_late_one_raises_it_then() -> None:
    usual, more = reports(BASELINE), reports([0] * 10 + [8])
    gone = DAYS.ready(day(10)) + 3 * HOUR
    withdrawn = [replace(one, spans=((one.time, gone),)) for one in more[:3]]
    assert rows(history([*usual, *more[3:], *withdrawn], DAYS.ready(day(11)) - 1)) == [
        ("2031-04-17", "102", ready(10), format_instant(gone))
    ]
    late = [replace(one, spans=((gone, FOREVER),)) for one in more[:3]]
    assert rows(history([*usual, *more[3:], *late], DAYS.ready(day(11)) - 1)) == [
        ("2031-04-17", "102", format_instant(gone), None)
    ]


def test_what_is_imported_of_past_years_raises_nothing_of_now() -> None:
    imported = DAYS.ready(day(40))
    old = [replace(one, spans=((imported, FOREVER),)) for one in reports([*BASELINE, 30, 30, *BASELINE])]
    assert history(old, imported + DAY) == {}


def test_a_week_is_judged_as_a_whole_and_has_a_key_of_its_own() -> None:
    weeks = [1, 0, 1, 0, 1, 1, 1] * 8 + [3] * 7
    stored = history(reports(weeks), DAYS.ready(day(63)))
    weekly = [row for row in rows(stored) if "/" in row[1]]
    assert weekly == [(day(56).isoformat(), "102/week", format_instant(DAYS.ready(day(56), "week")), None)]
    assert surge_case("KZ-33", day(56)) in stored


def test_in_pieces_and_at_once_it_comes_to_the_same_and_repeating_changes_nothing() -> None:
    of = [*reports([*BASELINE, 20, 22, 5, 5, 5, 30]), *reports([1] * 16, "150")]
    until = DAYS.ready(day(16))
    whole = history(of, until)
    place = Place("KZ-33", region(of))
    again = dict(whole)
    for moment in place.region.moments(place.region.instants(DAYS.begin(FIRST), until)):
        again = {case: told(stored, place, moment, DAYS.begin(FIRST), 0) for case, stored in again.items()}
    assert again == whole
    pieces: dict[str, Stored] = {}
    for begin in range(DAYS.begin(FIRST), until, 7 * HOUR):
        place = Place("KZ-33", region(of))
        for moment in place.region.moments(place.region.instants(begin, min(begin + 7 * HOUR, until))):
            for name in moment.up:
                pieces.setdefault(place.case(name), first_of(place.case(name), "KZ-33", name.first))
            pieces = {case: told(stored, place, moment, begin, moment.at) for case, stored in pieces.items()}
    assert rows(pieces) == rows(whole)
    assert {case: of.outbox for case, of in pieces.items()} == {case: of.outbox for case, of in whole.items()}


def test_what_came_too_late_to_be_judged_in_place_counts_right_after() -> None:
    after = DAYS.ready(day(10)) + HOUR
    stored = history(reports([*BASELINE, 20]), after + HOUR, after)
    assert rows(stored) == [("2031-04-17", "102", format_instant(after + 1), None)]


def test_what_the_topic_tells_and_is_not_known_is_taken_over_and_not_told_again() -> None:
    of = reports([*BASELINE, 20, 22, 5, 5])
    whole = history(of, DAYS.ready(day(14)))
    for case, stored in whole.items():
        items = [json.loads(event.value) for event in stored.outbox]
        lost = remembered(
            first_of(case, "", FIRST),
            items,
            lambda rows: {"region": rows[0].region, "day": DAYS.of(rows[0].start_at or 0).isoformat()},
        )
        assert (lost.record.flags, lost.record.seq) == (stored.record.flags, stored.record.seq)
        assert (lost.outbox, lost.extra["day"], lost.extra["up"]) == ((), stored.extra["day"], False)
        assert remembered(lost, items, lambda rows: {}) is lost
        place = Place("KZ-33", region(of))
        for moment in place.region.moments(place.region.instants(DAYS.begin(FIRST), DAYS.ready(day(14)))):
            lost = told(lost, place, moment, DAYS.begin(FIRST), 0)
        assert lost.outbox == ()


def test_an_alarm_is_explained_with_its_counts_and_never_without_its_chance() -> None:
    stored = history(reports([*BASELINE, 20, 5]), DAYS.ready(day(12)))[surge_case("KZ-33", day(10))]
    (row,) = stored.record.flags
    shown = explain(row, stored.extra["evidence"][row.id], RULE.row, DAYS, 0)
    condition, raised, cleared = shown["steps"]
    assert condition["usual"] == [
        {"first": day(number).isoformat(), "reports": count} for number, count in list(enumerate(BASELINE))[1:8]
    ]
    assert condition["expected"] == 5.0
    assert (condition["reports"], condition["method"], condition["percent"]) == (20, "ears_c2", 300.0)
    assert 0 < condition["percent_p"] < 1e-4
    assert set(condition["other_methods"]) == {"ears_c1"}
    assert "+300 % against usual (p = " in condition["sentence"]
    assert "20 reports by channel 102 in KZ-33 on 2031-04-17, where 5.00 are usual" in condition["sentence"]
    assert raised["sentence"] == "The flag was raised on 18 April 2031 at 06:00."
    assert cleared["sentence"].endswith("the surge was over, the newest count is no alarm.")
    assert cleared["reading"]["reports"] == 5
    assert shown["sentence"].endswith(
        "It was raised on 18 April 2031 at 06:00 and was cleared on 19 April 2031 at 06:00."
    )
