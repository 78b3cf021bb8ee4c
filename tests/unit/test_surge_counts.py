"""Series: days and weeks, and gaps that are no zeros."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qorgau.surge.counts import Series, baseline, series, weeks

MONDAY = date(2020, 3, 2)


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.lists(st.none() | st.integers(0, 99), min_size=1))
def test_days_summed_to_weeks_lose_nothing_but_what_is_not_whole(start: date, counts: list[int | None]) -> None:
    found = weeks(Series(start, 1, tuple(counts)))
    mondays = [at for at in range(len(counts) - 6) if (start + timedelta(days=at)).weekday() == 0]
    assert (found is None) == (not mondays)
    if found:
        assert found.start.weekday() == 0
        blocks = [counts[at : at + 7] for at in mondays]
        assert list(found.counts) == [None if None in block else sum(n or 0 for n in block) for block in blocks]


def test_a_day_without_a_line_is_a_gap() -> None:
    found = series([(MONDAY, 3), (MONDAY + timedelta(days=2), 0), (MONDAY + timedelta(days=3), None)])
    assert found == Series(MONDAY, 1, (3, None, 0, None))
    assert found.gaps() == (MONDAY + timedelta(days=1), MONDAY + timedelta(days=3))


def test_dates_whole_weeks_apart_are_weeks_whatever_the_weekday() -> None:
    thursday = MONDAY + timedelta(days=3)
    found = series([(thursday, 3), (thursday + timedelta(days=7), 4), (thursday + timedelta(days=21), 5)])
    assert found == Series(thursday, 7, (3, 4, None, 5))
    assert weeks(found) == found
    assert found.first_day(3) == thursday + timedelta(days=21)


def test_a_single_date_is_a_day() -> None:
    assert series([(MONDAY, 3)]).days == 1


@pytest.mark.parametrize("dates", [[], [0, 0], [1, 0]])
def test_dates_that_do_not_ascend_are_no_series(dates: list[int]) -> None:
    with pytest.raises(ValueError, match=r"."):
        series([(MONDAY + timedelta(days=day), 1) for day in dates])


def test_a_baseline_is_not_taken_from_before_the_beginning() -> None:
    assert baseline([1, 2, 3], 2, 2) == [1, 2]
    assert baseline([1, 2, 3], 1, 2) is None
    assert baseline([1, 2, 3], -1, 2) is None
    assert baseline([], -7, 7) is None


def test_a_baseline_may_lack_three_tenths() -> None:
    assert baseline([1, None, 1, None, 1, 1, 1], 7, 7) == [1] * 5
    assert baseline([1, None, 1, None, None, 1, 1], 7, 7) is None
