"""The spans in which a clock stands, changed fact by fact, are those worked out from all facts at once."""

from hypothesis import given
from hypothesis import strategies as st

from qorgau.heart.tolls import FOREVER, Clock, Standstill

Spans = list[tuple[int, int]]
MOMENTS = st.integers(0, 30)
FACTS = st.lists(st.tuples(st.integers(0, 1), st.booleans(), MOMENTS), max_size=14)


def switch(begins: list[int], untils: list[int]) -> Spans:
    """4.5, read anew from all facts of a line."""
    spans: Spans = []
    for on in sorted(begins):
        if spans and on < spans[-1][1]:
            continue
        spans.append((on, min([off for off in untils if off >= on], default=FOREVER)))
    return [span for span in spans if span[0] < span[1]]


def stood(spans: Spans, since: int, until: int) -> int:
    """How many of the moments in between lie in a span."""
    return sum(any(on <= moment < off for on, off in spans) for moment in range(since, until))


def filed(facts: list[tuple[int, bool, int]], removed: int) -> tuple[Standstill, Spans]:
    """A standstill that saw all facts come and some go again, and the spans of those that stayed."""
    standstill = Standstill(2)
    for line, beginning, moment in facts:
        move(standstill, line, beginning, moment, True)
    for line, beginning, moment in facts[:removed]:
        move(standstill, line, beginning, moment, False)
    spans: Spans = []
    for number in (0, 1):
        mine = [fact for fact in facts[removed:] if fact[0] == number]
        spans += switch([at for _, on, at in mine if on], [at for _, on, at in mine if not on])
    return standstill, spans


def move(standstill: Standstill, line: int, beginning: bool, moment: int, adding: bool) -> None:
    changed = standstill.switches[line]
    changed.change(changed.begins if beginning else changed.untils, moment, adding)
    standstill.rebuild(moment)


@given(FACTS, st.integers(0, 5), MOMENTS, st.none() | MOMENTS, MOMENTS)
def test_active_time_is_what_a_count_of_moments_gives(
    facts: list[tuple[int, bool, int]], removed: int, start: int, end: int | None, at: int
) -> None:
    standstill, spans = filed(facts, removed)
    if end is not None and end < start:
        start, end = end, start
    at = max(at, start)
    clock = Clock(start, end, standstill)
    cut = at if end is None else min(at, end)
    assert clock.active(at) == at - start - stood(spans, start, cut)


@given(FACTS, st.integers(0, 5), MOMENTS, st.none() | MOMENTS, st.integers(0, 20))
def test_a_need_is_reached_at_the_first_moment_with_so_much_active_time(
    facts: list[tuple[int, bool, int]], removed: int, start: int, end: int | None, need: int
) -> None:
    standstill, _ = filed(facts, removed)
    if end is not None and end < start:
        start, end = end, start
    clock = Clock(start, end, standstill)
    moments = [at for at in range(start, 120) if clock.active(at) >= need]
    assert clock.reached(need) == (moments[0] if moments else None)


def test_a_clock_that_nothing_tolls_always_runs() -> None:
    clock = Clock(10, None, None)
    assert (clock.active(25), clock.reached(15)) == (15, 25)
