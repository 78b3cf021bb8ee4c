"""What lies beyond a case: the queue of a court, and reports that others take out of the count for a while."""

from hypothesis import given
from hypothesis import strategies as st

from qorgau.facts import Fact
from qorgau.heart.others import Item, Queue, Report, counted_spans
from qorgau.heart.tolls import FOREVER

WINDOW = 10
ITEMS = st.lists(
    st.builds(
        lambda known, lasts, registered: Item(known, known + lasts, registered),
        st.integers(0, 40),
        st.integers(1, WINDOW),
        st.integers(-5, 5),
    ),
    max_size=15,
)


def enough(items: list[Item], start: int, at_least: int, at: int) -> bool:
    """Read anew from all items."""
    counting = [one for one in items if one.known_at <= at < one.until and one.registered > start]
    return len(counting) >= at_least


@given(ITEMS, st.integers(-5, 5), st.integers(1, 3), st.integers(-2, 55))
def test_a_case_is_overtaken_until_the_first_moment_at_which_it_is_not_any_more(
    items: list[Item], start: int, at_least: int, at: int
) -> None:
    up, change = Queue(items, WINDOW).overtaken(start, at_least, at)
    assert up == enough(items, start, at_least, at)
    others = [moment for moment in range(at + 1, 70) if enough(items, start, at_least, moment) != up]
    assert change == min(others, default=None)


@given(
    st.integers(0, 20),
    st.integers(1, 20) | st.just(FOREVER),
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20)), max_size=5),
)
def test_a_report_counts_while_it_is_known_and_nothing_takes_it_out(
    known_at: int, lasts: int, merges: list[tuple[int, int]]
) -> None:
    fact = Fact("r1", "102/KZ-75", "report.received", known_at, known_at, "c1", {})
    gone = min(known_at + lasts, FOREVER)
    taken_out = [(begin, begin + length) for begin, length in merges]
    report = Report(fact, gone)
    spans = list(counted_spans(report.fact.known_at, report.gone, taken_out))
    for moment in range(60):
        counts = known_at <= moment < gone and not any(begin <= moment < end for begin, end in taken_out)
        assert any(begin <= moment < end for begin, end in spans) == counts
    assert all(begin < end for begin, end in spans)
