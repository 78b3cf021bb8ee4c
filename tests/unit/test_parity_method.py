"""The comparison of delays holds what it says: intervals hold the truth, a bias is found, chance is not."""

import numpy as np
import pytest
from docs.parity_measure import SEED, alike, coverage, false_finds, found, percentile, precinct
from hypothesis import given
from hypothesis import strategies as st

from qorgau.parity.bootstrap import Interval, medians
from qorgau.parity.holm import holm


def test_the_interval_holds_the_truth_in_95_of_100_of_2000_simulated_precincts() -> None:
    assert coverage(percentile, 2_000) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("sizes", [(10, 10), (11, 10), (10, 200), (200, 200)])
def test_it_holds_it_with_few_and_many_and_with_very_different_numbers(sizes: tuple[int, int]) -> None:
    assert coverage(percentile, 500, *sizes) == pytest.approx(0.95, abs=0.03)


def test_a_bias_of_20_percent_is_found_in_60_calls_of_each_kind_that_are_alike() -> None:
    by_p, flagged = found(60, 1.2, 0.25, 300)
    assert flagged >= 0.8
    assert by_p >= 0.9


def test_where_nothing_differs_holm_leaves_one_false_find_in_20_answers_at_most() -> None:
    assert false_finds(150, 20) <= 0.08


def test_resamples_have_the_medians_that_drawing_with_replacement_gives() -> None:
    lots = np.random.default_rng(SEED)
    for n, m in ((10, 13), (25, 40)):
        first, second = alike(lots, n, 1.3, 0.6)[0], alike(lots, m, 1, 0.6)[1]
        drawn = np.median(lots.choice(first, (40_000, n)), 1) - np.median(lots.choice(second, (40_000, m)), 1)
        found = medians(first, second).difference
        spread = float(drawn.std())
        assert found.lower == pytest.approx(np.quantile(drawn, 0.025), abs=0.05 * spread)
        assert found.upper == pytest.approx(np.quantile(drawn, 0.975), abs=0.05 * spread)
        assert found.estimate == float(np.median(first) - np.median(second))


@given(st.lists(st.integers(0, 7_200), min_size=10, max_size=40), st.randoms(use_true_random=False))
def test_the_order_in_which_calls_came_has_no_meaning(values: list[int], random: object) -> None:
    shuffled = values[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert medians(shuffled, values) == medians(values, values[::-1])


@given(
    st.lists(st.integers(1, 7_200), min_size=10, max_size=40),
    st.lists(st.integers(1, 7_200), min_size=10, max_size=40),
    st.integers(1, 3_600),
)
def test_minutes_more_for_all_are_minutes_more_of_difference_and_an_estimate_lies_in_its_interval(
    first: list[int], second: list[int], more: int
) -> None:
    found, later = medians(first, second), medians([value + more for value in first], second)
    for name in ("estimate", "lower", "upper"):
        assert getattr(later.difference, name) == pytest.approx(getattr(found.difference, name) + more)
    assert found.ratio is not None
    for one in (found.first, found.second, found.difference, found.ratio):
        assert one.lower <= one.estimate <= one.upper


def test_the_same_calls_give_the_same_answer_also_after_others_were_judged() -> None:
    one = precinct(np.random.default_rng(1), 30, 44)
    before = medians(one.domestic, one.regime)
    precinct_of_others = precinct(np.random.default_rng(2), 31, 43)
    medians(precinct_of_others.domestic, precinct_of_others.regime)
    assert medians(one.domestic, one.regime) == before


def test_there_is_no_ratio_to_calls_that_may_take_no_time_and_no_median_of_nothing() -> None:
    assert medians([5.0] * 10, [0.0] + [4.0] * 9).ratio is None
    with pytest.raises(ValueError, match="empty"):
        medians([], [1.0])


@pytest.mark.parametrize(("lower", "upper", "without"), [(1, 2, True), (-2, -1, True), (-1, 1, False), (0, 1, False)])
def test_an_interval_that_touches_zero_does_not_exclude_it(lower: float, upper: float, without: bool) -> None:
    assert Interval((lower + upper) / 2, lower, upper).without_zero is without


def test_holms_correction_is_that_of_his_rule_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=30))
def test_corrected_values_keep_their_order_and_lie_between_the_plain_and_bonferronis(values: list[float]) -> None:
    corrected = holm(values)
    for plain, made in zip(values, corrected, strict=True):
        assert plain <= made <= min(1.0, plain * len(values)) + 1e-12
    by_plain = [made for _, made in sorted(zip(values, corrected, strict=True))]
    assert by_plain == sorted(by_plain)
