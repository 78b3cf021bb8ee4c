"""Only the last periods of a series are judged where only they are asked for, and as in the whole series."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.statistics.methods import surge_rule
from intake.statistics.periods import Period
from qorgau.embedded.data import default_policy
from qorgau.policy import load_policy
from qorgau.rules import Surge
from qorgau.surge.counts import Reading
from qorgau.surge.farrington import farrington, lite
from qorgau.surge.methods import METHODS

# Few gaps: with one in two hardly a period would have a baseline.
COUNT = st.integers(-4, 60).map(lambda count: None if count < 0 else count)
# The CUSUM says nothing of the first 35.
SERIES = st.lists(COUNT, max_size=15) | st.lists(COUNT, min_size=40, max_size=60)
# Long enough for the full method.
YEARS = st.lists(COUNT, min_size=150, max_size=175)
POLICY = load_policy(default_policy())


@pytest.mark.parametrize("method", METHODS)
@given(counts=SERIES, last=st.integers(0, 20))
def test_the_last_periods_are_judged_as_in_the_whole_series(method: str, counts: list[int | None], last: int) -> None:
    whole = METHODS[method](counts)
    assert METHODS[method](counts, last=last) == whole[max(0, len(whole) - last) :]


@given(YEARS, st.integers(1, 20))
@settings(max_examples=20, deadline=None)
def test_so_are_the_last_weeks_of_years(counts: list[int | None], last: int) -> None:
    assert farrington(counts, last=last) == farrington(counts)[-last:]


def short_form(counts: Sequence[int | None]) -> tuple[Reading | None, ...]:
    return tuple(lite(counts, at) for at in range(len(counts)))


@pytest.mark.parametrize(
    ("period", "name", "method"),
    [
        ("day", "ears_c1", METHODS["c1"]),
        ("day", "ears_c2", METHODS["c2"]),
        ("day", "ears_c3", METHODS["c3"]),
        ("day", "cusum", METHODS["cusum"]),
        ("week", "cusum", METHODS["cusum"]),
        ("week", "farrington", METHODS["farrington"]),
        ("week", "farrington_lite", short_form),
    ],
)
@given(counts=SERIES.filter(bool))
def test_f8_reads_the_last_period_of_them(
    period: Period,
    name: str,
    method: Callable[[Sequence[int | None]], tuple[Reading | None, ...]],
    counts: list[int | None],
) -> None:
    asked: dict[str, dict[str, str]] = {"daily": {}, "weekly": {}} | {
        "daily" if period == "day" else "weekly": {"method": name}
    }
    flags = [flag.model_copy(update=asked) for flag in POLICY.flags if isinstance(flag, Surge)]
    rule = surge_rule(POLICY.model_copy(update={"flags": flags}))
    assert rule is not None
    assert rule.methods[period].read(counts) == method(counts)[-1]
