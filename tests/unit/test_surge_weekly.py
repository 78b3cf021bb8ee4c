"""Farrington's bound, the Poisson CUSUM and the comparison: fixtures, and the same found by another way."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import binomtest, norm, poisson

from qorgau.surge.comparison import compare
from qorgau.surge.counts import Reading
from qorgau.surge.cusum import Cusum, cusum, design
from qorgau.surge.farrington import Farrington, farrington, full, lite, score, upper_bound
from qorgau.surge.quasipoisson import Floats, fit, outbreak_weights, predict

WEEKLY = [34, 37, 35, 36, 38, 34, 36, 37]
MARCH_2020, USUAL = 199, 159
COUNTS = st.lists(st.none() | st.integers(0, 300), min_size=9, max_size=60)


def last(readings: Sequence[Reading | None]) -> Reading:
    reading = readings[-1]
    assert reading is not None
    return reading


def noise(mean: float | Floats, seed: int, weeks: int) -> list[int]:
    return [int(count) for count in np.random.default_rng(seed).poisson(mean, weeks)]


def test_the_weeks_of_the_issue_have_its_bound() -> None:
    assert last(farrington([*WEEKLY, 49])).bound == pytest.approx(49.02, abs=0.005)
    assert [last(farrington([*WEEKLY, count])).alarm for count in (49, 50)] == [False, True]


def test_the_bound_passes_just_where_the_score_passes_z() -> None:
    for mean, variance in ((35.875, 40.36), (3.0, 9.0), (500.0, 700.0)):
        bound = upper_bound(mean, variance, 1.96)
        assert 1.5 * ((bound / mean) ** (2 / 3) - 1) * mean / math.sqrt(variance) == pytest.approx(1.96)
        assert score(math.floor(bound), mean, variance) < 1.96 < score(math.ceil(bound), mean, variance)


@given(COUNTS)
def test_an_alarm_is_a_count_above_the_bound_and_improbable(counts: list[int | None]) -> None:
    for at, reading in enumerate(farrington(counts)):
        if reading:
            count, recent = counts[at], sum(known or 0 for known in counts[max(0, at - 3) : at + 1])
            assert count is not None
            assert reading.alarm == (count > reading.bound and recent >= 5)
            assert (reading.p < norm.sf(1.96)) == (count > reading.bound)


@given(st.integers(0, 100_000), st.integers(9, 300))
def test_constant_weeks_raise_no_alarm(count: int, weeks: int) -> None:
    assert not any(reading and reading.alarm for reading in farrington([count] * weeks, last=20))


def test_where_nothing_was_ever_reported_five_reports_are_an_alarm_and_four_are_not() -> None:
    for weeks in (8, 200):
        assert [last(farrington([0] * weeks + [count])).alarm for count in (4, 5)] == [False, True]


def test_scattered_weeks_widen_the_bound() -> None:
    scattered = [20, 52, 25, 47, 55, 18, 31, 39]
    assert sum(scattered) == sum(WEEKLY)
    assert last(farrington([*scattered, 49])).bound > 60


def test_three_years_are_needed_for_the_full_method() -> None:
    weeks = noise(50, 1, 158)
    assert farrington(weeks)[156] == lite(weeks, 156)
    assert farrington(weeks)[157] == full(weeks, 157)
    assert full(weeks, 157) != lite(weeks, 157)


def seasonal(years: int, level: float = 60, growth: float = 0.0) -> Floats:
    week = np.arange(years * 52 + 5)
    return np.asarray(level * np.exp(growth * week / 52) * (1 + 0.5 * np.sin(2 * math.pi * week / 52.18)))


def test_a_season_that_comes_every_year_is_usual_to_the_full_method_only() -> None:
    counts = noise(seasonal(5, level=400), 3, 265)
    judged = range(180, 265)
    by_full = sum(bool(reading and reading.alarm) for reading in (full(counts, at) for at in judged))
    by_lite = sum(bool(reading and reading.alarm) for reading in (lite(counts, at) for at in judged))
    assert by_full <= 6
    assert by_lite >= 10


def test_an_outbreak_of_a_past_year_weighs_little() -> None:
    quiet = noise(50, 5, 262)
    struck = quiet.copy()
    struck[261 - 104] = 400
    calm, after = full(quiet, 261), full(struck, 261)
    assert calm is not None
    assert after is not None
    assert after.expected < calm.expected * 1.1
    plain = np.mean([struck[at] for back in (52, 104, 157, 209, 261) for at in range(261 - back, 265 - back)])
    assert plain > calm.expected * 1.25


def test_the_trend_is_followed_where_there_is_one() -> None:
    rising = noise(seasonal(6, growth=0.1), 7, 317)
    reading = full(rising, 312)
    assert reading is not None
    assert reading.expected == pytest.approx(seasonal(6, growth=0.1)[312], rel=0.12)


def test_a_trend_that_leads_above_all_that_was_counted_is_not_followed() -> None:
    steep = noise(seasonal(4, growth=0.7), 7, 213)
    reading = full(steep, 208)
    assert reading is not None
    assert reading.expected <= max(steep[:208])


def test_the_regression_finds_what_a_general_optimiser_finds() -> None:
    for seed in range(20):
        lots = np.random.default_rng(seed)
        x = np.column_stack([np.ones(35), np.linspace(-5, -1, 35)])
        y = lots.negative_binomial(4, 4 / (4 + np.exp(x @ [3.5, 0.1]))).astype(float)
        found = fit(y, x)
        assert found is not None

        def minus_likelihood(beta: Floats, y: Floats, x: Floats, weights: Floats) -> float:
            return float((weights * (np.exp(x @ beta) - y * (x @ beta))).sum())

        first = minimize(minus_likelihood, [3.0, 0.0], args=(y, x, np.ones(35)), tol=1e-10)
        means = np.exp(x @ first.x)
        before = type(found)(first.x, found.covariance, max(1.0, float(((y - means) ** 2 / means).sum()) / 33), means)
        weights = outbreak_weights(y, x, before)
        assert weights.sum() == pytest.approx(35)
        second = minimize(minus_likelihood, first.x, args=(y, x, weights), tol=1e-10)
        assert found.beta == pytest.approx(second.x, abs=1e-3)


def test_the_prediction_of_a_level_series_is_that_of_the_lite_version() -> None:
    y = np.array(WEEKLY, dtype=float)
    found = fit(y, np.ones((8, 1)))
    assert found is not None
    mean, variance = predict(found, np.ones(1))
    assert mean == pytest.approx(35.875, rel=0.02)
    assert variance == pytest.approx(40.36, rel=0.02)
    assert upper_bound(mean, variance, Farrington().z) == pytest.approx(49.02, rel=0.02)


def test_the_reference_value_is_that_of_lucas() -> None:
    plan = design(4.0, how=Cusum(shift=1.0))
    assert plan.reference == pytest.approx((6 - 4) / math.log(6 / 4))
    # The sum of the log likelihood ratios is theta times that of the excess: its mean exponential is 1.
    steps = plan.theta * (np.arange(80) - plan.reference)
    assert (poisson.pmf(np.arange(80), 4.0) * np.exp(steps)).sum() == pytest.approx(1.0)
    assert plan.theta * plan.interval == pytest.approx(math.log(100))


@pytest.mark.parametrize("mean", [0.5, 4.0, 40.0])
def test_false_alarms_with_a_known_usual_count_are_as_rare_as_promised(mean: float) -> None:
    plan, lots = design(mean), np.random.default_rng(85)
    runs = []
    for _ in range(300):
        total, length = 0.0, 0
        for count in lots.poisson(mean, 20_000):
            total, length = max(0.0, total + count - plan.reference), length + 1
            if total >= plan.interval:
                break
        runs.append(length)
    assert np.mean(runs) > 100


@given(COUNTS)
def test_the_sum_is_what_a_loop_makes_of_it(counts: list[int | None]) -> None:
    how = Cusum(periods=8, lag=1, min_count=0)
    total = 0.0
    for at, reading in enumerate(cusum(counts, how)):
        if reading is None:
            continue
        usual = np.array([count for count in counts[at - 9 : at - 1] if count is not None], dtype=float)
        mean = usual.mean() or 0.5 / len(usual)
        plan = design(mean, max(1.0, usual.var(ddof=1) / mean), how)
        total = max(0.0, total + ((counts[at] or 0) - plan.reference) / plan.interval)
        assert reading.statistic == pytest.approx(total)
        assert reading.alarm == (total >= 1)
        assert reading.p <= 0.01 or not reading.alarm
        if reading.alarm:
            total = how.head_start


@given(st.integers(0, 100_000))
def test_a_constant_series_leaves_the_sum_at_zero(count: int) -> None:
    assert not any(reading and (reading.statistic or reading.alarm) for reading in cusum([count] * 60))


def test_a_small_excess_that_goes_on_is_found_and_told_again() -> None:
    counts = noise(20, 11, 60) + noise(26, 12, 20)
    alarms = [at for at, reading in enumerate(cusum(counts)) if reading and reading.alarm]
    assert alarms
    assert 60 < alarms[0] < 70
    assert len(alarms) >= 2


def test_march_2020_is_a_quarter_above_the_usual_and_no_chance() -> None:
    found = compare(MARCH_2020, USUAL)
    assert found.percent == pytest.approx(25.157, abs=0.001)
    assert found.z == pytest.approx(3.172, abs=0.001)
    assert found.p == pytest.approx(1.2e-3, rel=0.03)
    assert found.p == pytest.approx(poisson.sf(MARCH_2020 - 1, USUAL))
    assert str(found) == "+25.16 % (z 3.17, p 0.0012)"


def test_a_usual_count_of_few_periods_says_less() -> None:
    known, of_eight = compare(MARCH_2020, USUAL), compare(MARCH_2020, USUAL, periods=8)
    assert of_eight.p > known.p
    assert of_eight.p == pytest.approx(
        binomtest(MARCH_2020, MARCH_2020 + 8 * USUAL, 1 / 9, alternative="greater").pvalue
    )
    assert compare(MARCH_2020, USUAL, periods=100_000).p == pytest.approx(known.p, rel=1e-3)


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_excess_never_comes_without_its_chance(observed: int, usual: int) -> None:
    found = compare(observed, usual)
    assert f"p {found.p:.2g}" in str(found)
    assert 0 <= found.p <= 1
    assert found.percent is not None
    assert (found.percent > 0) == (observed > usual)


def test_where_none_is_usual_there_is_no_percentage() -> None:
    assert str(compare(3, 0)) == "3 where none is usual (p 0)"
    assert compare(0, 0).p == 1
    assert compare(3, 0, periods=8).p == pytest.approx((1 / 9) ** 3)


@pytest.mark.parametrize(("observed", "usual", "periods"), [(-1, 2, None), (1, -2, None), (1, 2, 0), (1, 2.3, 2)])
def test_what_cannot_be_compared_is_refused(observed: int, usual: float, periods: int | None) -> None:
    with pytest.raises(ValueError, match=r"."):
        compare(observed, usual, periods)
