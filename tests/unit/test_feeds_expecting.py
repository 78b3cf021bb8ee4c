"""What is expected of a feed: what its history says, what is set, and files that are refused."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from qorgau.embedded.data import default_feeds
from qorgau.feeds.expecting import Learned, load_expectations, parse_expectations
from qorgau.feeds.silence import Feed
from qorgau.instants import DAY, HOUR
from qorgau.policy_checks.document import PolicyRefused

TEXT = default_feeds().read_text(encoding="utf-8")
DEFAULT = load_expectations(default_feeds())
LEARNED: Learned = DEFAULT.learned
FEED = Feed("court/KZ-75", "KZ-75", 10 * DAY, 2 * DAY, "learned", 90 * DAY)


def office_hours(weeks: int) -> Iterator[int]:
    """Posts at 9, 12 and 17 o'clock from Monday to Friday; day 4 since 1970 was a Monday."""
    for day in range(4, 4 + 7 * weeks):
        if (day - 4) % 7 < 5:
            yield from (24 * day + hour for hour in (9, 12, 17))


def test_a_feed_that_posts_at_every_hour_is_silent_after_the_floor() -> None:
    assert LEARNED.within(range(24 * 20)) == LEARNED.floor == 6 * HOUR


def test_a_court_is_not_silent_over_its_weekend_nor_a_holiday_beside_it() -> None:
    within = LEARNED.within(list(office_hours(8)))
    # From Friday 17:00 to Monday 09:59 are 65 hours; with a day off besides it are 89.
    assert within == 2 * 65 * HOUR > 89 * HOUR


def test_what_posted_on_too_few_days_has_no_expectation() -> None:
    days = [24 * day for day in range(LEARNED.at_least + 1)]
    assert LEARNED.within(days) is not None
    assert LEARNED.within(days[:-1]) is None
    assert LEARNED.within([]) is None


def test_one_long_gap_of_the_past_does_not_hide_the_next_one() -> None:
    hours = [hour for hour in range(24 * 56) if not 24 * 20 <= hour < 24 * 25]
    assert LEARNED.within(hours) == LEARNED.floor


def test_many_short_gaps_do_not_hide_the_night() -> None:
    hours = [24 * day + hour for day in range(30) for hour in range(8, 20)]
    # From 19:00 to 08:59.
    assert LEARNED.within(hours) == 2 * 14 * HOUR


@pytest.mark.parametrize("a_day", [2, 5, 20])
def test_a_feed_that_posts_by_chance_is_hardly_ever_taken_for_silent(a_day: int) -> None:
    drawn, days = random.Random(20), 2_000
    hours = sorted({int(drawn.random() * days * 24) for _ in range(days * a_day)})
    learned = LEARNED.within([hour for hour in hours if hour < LEARNED.days * 24])
    assert learned is not None
    wrong = sum((hour - before) * HOUR > learned for before, hour in pairwise(hours))
    # One in a hundred days would be as many false silences as a region has true ones.
    assert wrong / days < 0.01


def test_a_feed_is_silent_from_its_expectation_until_it_is_no_feed_any_more() -> None:
    assert FEED.silent_since(12 * DAY - 1) is None
    assert FEED.silent_since(12 * DAY) == FEED.silent_since(100 * DAY - 1) == 12 * DAY
    assert FEED.silent_since(100 * DAY) is None
    assert FEED.silent_since(9 * DAY) is None


def test_a_feed_of_which_nothing_is_expected_is_never_silent() -> None:
    assert replace(FEED, within=None, basis=None).silent_since(50 * DAY) is None


def test_what_is_set_for_an_agency_outdoes_what_is_set_for_its_kind() -> None:
    text = TEXT.replace("set: {}", "set:\n  102: PT6H\n  court: P4D\n  court/KZ-75: P9D\n")
    expected = parse_expectations(text)
    assert expected.set_for("102") == expected.set_for("102/KZ-31") == 6 * HOUR
    assert (expected.set_for("court/KZ-31"), expected.set_for("court/KZ-75")) == (4 * DAY, 9 * DAY)
    assert expected.set_for("shelter/KZ-75") is None


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("set: {}", "set: {courts: P4D}", "courts is no agency"),
        ("set: {}", "set: {system: P4D}", "system is no agency"),
        ("set: {}", "set: {court: P4M}", "not a duration"),
        ("set: {}", "set: {court: PT1S}", "at least a minute"),
        ("set: {}", "set: {court: P90D}", "not shorter than gone_after"),
        ("set: {}", "set: [court]", "no map"),
        ("set: {}", "", "set is missing"),
        ("set: {}", "set: {}\nmore: 1", "no such part"),
        ("at_least: 14", "at_least: 57", "more than there are days"),
        ("factor: 2.0", "factor: 0.5", "greater than or equal to 1"),
        ("floor: PT6H", "floor: 6", "not a duration"),
        ("  floor: PT6H", "  floor: PT6H\n  ceiling: P1D", "no such field"),
        ("  id: qorgau-feeds", "  id: qorgau-feeds\n  id: other", "twice"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_its_line(before: str, after: str, told: str) -> None:
    assert before in TEXT
    with pytest.raises(PolicyRefused, match=told) as refused:
        parse_expectations(TEXT.replace(before, after))
    assert all(problem.line > 0 for problem in refused.value.problems)
