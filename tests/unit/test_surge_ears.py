"""EARS C1 to C3: the figures of the issue, a naive reimplementation, and what scaling and constancy demand."""

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from qorgau.surge.case import surge_case
from qorgau.surge.counts import Reading
from qorgau.surge.ears import F8_DAILY, Ears, c1, c2, c3
from qorgau.surge.farrington import F8_WEEKLY

ROOT = Path(__file__).parents[2]
DAILY = [5, 6, 4, 5, 5, 6, 5, 4, 6, 5, 5, 7, 8, 9]
COUNTS = st.lists(st.integers(0, 60), min_size=1, max_size=40)
WITH_GAPS = st.lists(st.none() | st.integers(0, 60), min_size=1, max_size=40)
PLAIN = Ears(sd_floor=1e-9, min_count=0)


def statistics(readings: tuple[Reading | None, ...]) -> dict[int, float]:
    """By the day's number, from 1."""
    return {day: round(reading.statistic, 3) for day, reading in enumerate(readings, 1) if reading}


def alarms(readings: tuple[Reading | None, ...]) -> list[int]:
    return [day for day, reading in enumerate(readings, 1) if reading and reading.alarm]


def naive(counts: list[int], lag: int) -> dict[int, float]:
    """(y - mean) / sd by numpy, where the standard deviation is not 0."""
    found = {}
    for at in range(7 + lag, len(counts)):
        usual = np.array(counts[at - lag - 7 : at - lag])
        if usual.std(ddof=1) > 0:
            found[at] = float((counts[at] - usual.mean()) / usual.std(ddof=1))
    return found


def test_the_days_of_the_issue_have_its_figures() -> None:
    twelfth_to_fourteenth = {12: 2.449, 13: 4.140, 14: 5.590}
    assert {day: value for day, value in statistics(c2(DAILY)).items() if day >= 12} == twelfth_to_fourteenth
    assert statistics(c3(DAILY))[14] == 9.179
    assert (alarms(c1(DAILY)), alarms(c2(DAILY)), alarms(c3(DAILY))) == ([], [13, 14], [13, 14])


@given(COUNTS)
def test_c1_and_c2_agree_with_a_naive_reimplementation(counts: list[int]) -> None:
    for method, lag in ((c1, 0), (c2, 2)):
        readings = method(counts, PLAIN)
        assert len(readings) == len(counts)
        assert [at for at, found in enumerate(readings) if found] == list(range(7 + lag, len(counts)))
        for at, statistic in naive(counts, lag).items():
            reading = readings[at]
            assert reading is not None
            assert reading.statistic == pytest.approx(statistic)


@given(COUNTS)
def test_c3_is_what_c2_exceeded_1_by_in_three_days(counts: list[int]) -> None:
    daily, summed = c2(counts), c3(counts)
    for at, reading in enumerate(summed):
        three = [found for found in daily[max(0, at - 2) : at + 1] if found]
        assert (reading is None) == (len(three) < 3)
        if reading:
            assert reading.statistic == pytest.approx(sum(max(0, found.statistic - 1) for found in three))


@given(COUNTS, st.integers(2, 9))
def test_the_statistics_do_not_depend_on_the_unit(counts: list[int], factor: int) -> None:
    scaled = [factor * count for count in counts]
    for method in (c1, c2, c3):
        for one, other in zip(method(counts, PLAIN), method(scaled, PLAIN), strict=True):
            # A floor is a number of reports, so it is not scaled; equal days are left out.
            if one and other and abs(one.statistic) < 1e6:
                assert one.statistic == pytest.approx(other.statistic)
                assert one.p == pytest.approx(other.p)


@given(st.integers(0, 100_000), st.integers(10, 40))
def test_a_constant_series_raises_no_alarm(count: int, days: int) -> None:
    for method in (c1, c2, c3):
        readings = [found for found in method([count] * days) if found]
        assert not any(found.alarm or found.statistic for found in readings)


@given(WITH_GAPS)
def test_the_bound_parts_alarms_from_the_rest(counts: list[int | None]) -> None:
    everything = Ears(min_count=0)
    for method in (c1, c2, c3):
        for count, reading in zip(counts, method(counts, everything), strict=True):
            if reading and count is not None and abs(count - reading.bound) > 1e-6:
                assert reading.alarm == (count > reading.bound)
                assert 0 < reading.p <= 1


@given(WITH_GAPS)
def test_a_gap_is_not_judged_and_five_of_seven_days_make_a_baseline(counts: list[int | None]) -> None:
    for at, reading in enumerate(c1(counts)):
        before = [count for count in counts[max(0, at - 7) : at] if count is not None]
        assert (reading is not None) == (counts[at] is not None and at >= 7 and len(before) >= 5)


def test_after_equal_days_the_standard_deviation_counts_as_half_a_report() -> None:
    (reading,) = [found for found in c1([10] * 7 + [12]) if found]
    assert (reading.statistic, reading.bound) == (4.0, 11.5)
    assert reading.alarm


def test_fewer_than_five_reports_are_no_alarm() -> None:
    assert [bool(alarms(c1([0] * 7 + [count]))) for count in (3, 4, 5, 6)] == [False, False, True, True]


def test_a_gap_is_no_zero() -> None:
    counts: list[int | None] = [10, 11, 10, None, 10, 11, 10, 12]
    with_gap, with_zero = c1(counts)[-1], c1([count or 0 for count in counts])[-1]
    assert with_gap is not None
    assert with_zero is not None
    assert with_gap.expected == pytest.approx(62 / 6)
    assert with_zero.statistic < 1 < with_gap.statistic


def test_the_chance_of_c1_and_c2_is_what_normal_noise_shows() -> None:
    noise = np.random.default_rng(144).normal(1000, 100, (20_000, 10)).round().astype(int)
    for method in (c1, c2):
        last = [method(days.tolist())[-1] for days in noise]
        exceeded = np.mean([found is not None and found.alarm for found in last])
        assert exceeded == pytest.approx(0.01548, abs=0.003)
        chances = np.array([found.p for found in last if found])
        assert np.mean(chances < 0.05) == pytest.approx(0.05, abs=0.006)


def test_the_chance_of_c3_is_what_normal_noise_shows() -> None:
    noise = np.random.default_rng(145).normal(1000, 100, (20_000, 12)).round().astype(int)
    chances = np.array([found.p for days in noise if (found := c3(days.tolist())[-1])])
    for level in (0.3, 0.1, 0.03, 0.01):
        assert np.mean(chances <= level) == pytest.approx(level, abs=4 * math.sqrt(level / len(noise)))


def test_the_values_are_those_of_the_policy() -> None:
    flags = yaml.safe_load((ROOT / "policies/kz.yaml").read_text(encoding="utf-8"))["flags"]
    (surge,) = [flag for flag in flags if flag["id"] == "F8"]
    daily, weekly = surge["daily"], surge["weekly"]
    assert Ears(daily["baseline_days"], daily["sd_floor"], daily["min_count"]) == F8_DAILY
    assert (daily["lag_days"], daily["threshold"]) == (2, 3)
    assert (F8_WEEKLY.weeks, F8_WEEKLY.z, weekly["power"]) == (weekly["baseline_weeks"], weekly["z"], 1.5)
    assert surge["suppress_below"] == 5


def test_the_case_of_a_surge_is_the_same_for_the_same_region_and_day_only() -> None:
    ids = [surge_case(region, date(2020, 3, day)) for region in ("KZ-75", "KZ-31") for day in (20, 21)]
    assert len(set(ids)) == 4
    assert all(len(name) <= 64 and name.replace("-", "").isalnum() for name in ids)
    assert ids[0] == "surge-4c533bd9-6986-5a19-be92-ff2423f92990"
