"""What a feed of a case tells: each fact and change of a flag once, in an order that is only ever added to."""

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qorgau.errors import Gone, Invalid
from qorgau.facts import Fact
from qorgau.front.caseevents import CaseEvent, Places, case_events
from qorgau.instants import HOUR, format_instant
from qorgau.record import CaseRecord, advance, learn
from qorgau.rows import FlagRow
from qorgau.vocabulary import POLICE
from tests.stated import moment, plan_of, post, withdrawn

PLAN = plan_of(POLICE)
CALL = post("police.incident_registered", "04-14T18:00", priority="immediate", area="urban")
ARRIVED = post("police.arrived", "04-14T19:20", response="incident", injury=False, sexual=False)


def judged(facts: Iterable[Fact], *, until: str) -> CaseRecord:
    return advance(learn(CaseRecord("c1"), facts), moment(until), PLAN)[0]


def told(record: CaseRecord) -> list[tuple[str, str]]:
    return [
        (one.kind.removeprefix("qorgau.").removesuffix(".v1"), format_instant(one.at)) for one in case_events(record)
    ]


def test_facts_and_what_they_change_of_the_flags_stand_in_the_order_in_which_they_were_known() -> None:
    kinds = [kind for kind, _ in told(judged([ARRIVED, CALL], until="04-14T20:00"))]
    assert kinds[0] == "police.incident_registered"
    assert "flag.raised" in kinds
    # What the arrival ends is told after it.
    assert "flag.cleared" in kinds[kinds.index("police.arrived") :]


def test_nothing_is_told_that_is_not_judged() -> None:
    record = learn(judged([CALL], until="04-14T18:01"), [ARRIVED])
    assert "police.arrived" not in [kind for kind, _ in told(record)]
    assert not case_events(learn(CaseRecord("c1"), [CALL]))


def test_a_fact_that_comes_late_is_told_at_the_end_though_it_happened_before_all_others() -> None:
    before = judged([CALL], until="04-14T19:00")
    late = post("police.dispatched", "04-14T17:00", id="late")
    after = advance(learn(before, [late]), moment("04-14T19:30"), PLAN)[0]
    had = case_events(before)
    assert case_events(after)[: len(had)] == had
    assert "police.dispatched" in [one.kind[7:-3] for one in case_events(after)[len(had) :]]


def test_what_is_withdrawn_was_told_and_so_is_that_it_was_withdrawn() -> None:
    record = judged([CALL, withdrawn(CALL, "04-14T18:02")], until="04-14T19:00")
    assert [kind for kind, _ in told(record) if not kind.startswith("flag.")] == [
        "police.incident_registered",
        "fact.withdrawn",
    ]


def test_a_flag_is_told_as_it_was_and_not_as_it_is_now() -> None:
    at = moment("04-14T18:00")
    row = FlagRow("c1", "P03", "", "breach", "critical", at, at, at, at + 3 * HOUR, HOUR, "closed_late")
    steps = (("duty", at + HOUR), ("head", at + 2 * HOUR))
    record = CaseRecord("c1", (), (replace(row, escalations=steps),), as_of=at + 4 * HOUR)
    raised, first, second, cleared = case_events(record)
    assert (raised.data["outcome"], raised.data["cleared_at"], raised.data["escalations"]) == ("open", None, {})
    assert [list(one.data["escalations"]) for one in (first, second)] == [["duty"], ["duty", "head"]]
    assert (cleared.data["outcome"], cleared.data["at"]) == ("closed_late", format_instant(at + 3 * HOUR))
    assert {one.data["id"] for one in (raised, cleared)} == {row.id}


@given(seed=st.integers(0, 10_000), size=st.integers(1, 14))
@settings(max_examples=60, deadline=None)
def test_whatever_comes_in_whatever_order_what_was_told_stays_and_a_reader_gets_the_rest_once(
    seed: int, size: int
) -> None:
    draw = random.Random(seed)
    facts = [
        replace(one, id=f"f{n}", time=one.time + draw.randrange(3 * HOUR), recorded=one.time + draw.randrange(4 * HOUR))
        for n, one in enumerate(draw.choice((CALL, ARRIVED)) for _ in range(size))
    ]
    facts += draw.sample(facts, draw.randrange(len(facts)))
    record, had, read = CaseRecord("c1"), "0", list[CaseEvent]()
    until = moment("04-14T18:00")
    while facts:
        cut = draw.randint(1, len(facts))
        coming, facts = facts[:cut], facts[cut:]
        until += draw.randrange(2 * HOUR)
        record = advance(learn(record, coming), until, PLAN)[0]
        events = case_events(record)
        places = Places(events)
        read += events[places.after(had) :]
        had = places.id(places.end)
        assert read == events
    record = advance(record, until + 20 * HOUR, PLAN)[0]
    read += case_events(record)[len(read) :]
    own = [one for one in read if not one.kind.startswith("qorgau.flag.")]
    assert len(own) == len(record.facts) == len({one.name for one in own})


def test_a_place_is_taken_for_one_only_by_a_feed_that_told_the_same_up_to_there() -> None:
    one, other, third = (CaseEvent(n, (0, n, "", ""), "k", f"s f{n}", {}) for n in range(3))
    places = Places([one, other, third])
    assert [places.after(places.id(count)) for count in range(4)] == [0, 1, 2, 3]
    # In another order up to there, a reader has had the same.
    assert Places([other, one, third]).after(places.id(2)) == 2
    for others in ([one, third, other], [one], []):
        with pytest.raises(Gone):
            Places(others).after(places.id(2))
    assert (places.after(None), places.after("0")) == (3, 0)


@pytest.mark.parametrize(
    "bad", ["", "x", "-1", "1", "1-", "1-abc", "2-" + "g" * 16, "1" * 9 + "-" + "0" * 16, "٣-" + "0" * 16]
)
def test_what_is_no_id_of_a_feed_is_refused(bad: str) -> None:
    with pytest.raises(Invalid):
        Places([]).after(bad)
