"""A chain of which old lines were let go: what a checkpoint allows is clean, and whatever else is missing is found."""

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qorgau.audit.chain import Entry, append, digest, head_of
from qorgau.audit.checkpoint import CHECKPOINT, Anchor, Period, checkpoint_entry, complaint, read_checkpoint
from qorgau.instants import DAY, HOUR
from tests.audited import verify
from tests.unit.test_audit_chain import DAMAGES, DEPLOYMENT, SERVICE, START, Body, Damage, entry, relinked, stored

PERIOD = Period(10 * DAY, "audit/0", "retention", "1.0.0")
LINES, LET_GO, NOW = 20, 10, 21 * DAY


def line(number: int) -> Entry:
    """The one of a day."""
    return entry(number, at=number * DAY)


def told(body: Body, at: int) -> Anchor:
    return Anchor(SERVICE, body["seq"], str(body["hash"]), at)


def lines(*more: Entry) -> list[Body]:
    return [dict(linked) for linked in append(START, [*(line(n) for n in range(1, LINES + 1)), *more])]


def anchors_of(bodies: Iterable[Body]) -> list[Anchor]:
    """One for each, at noon of its day."""
    return [told(body, body["seq"] * DAY + 12 * HOUR) for body in bodies]


def lets_go(last: int = LET_GO, now: int = NOW, period: Period = PERIOD) -> Entry:
    """The checkpoint of lines up to this one, as it is right at that time."""
    return checkpoint_entry(1, told(lines()[last - 1], 0), 9, period, now)


def changed(changes: dict[str, str]) -> Entry:
    made = lets_go()
    return replace(made, details={**made.details, **changes})


def found(bodies: list[Body], anchors: list[Anchor], period: int = PERIOD.after) -> list[tuple[str, int, int]]:
    findings = verify(SERVICE, DEPLOYMENT, stored(bodies), anchors, period)
    return [(one.kind, one.first, one.last) for one in findings]


@pytest.fixture
def bodies() -> list[Body]:
    """Twenty lines, the checkpoint, and three that came after."""
    return lines(lets_go(), *(line(n) for n in range(22, 25)))


@pytest.fixture
def anchors(bodies: list[Body]) -> list[Anchor]:
    return anchors_of(bodies)


def test_what_a_checkpoint_says_is_read_as_it_was_written(bodies: list[Body]) -> None:
    said = read_checkpoint(bodies[LINES])
    assert said is not None
    assert (said.seq, said.at, said.first, said.last) == (21, NOW, 1, LET_GO)
    assert (said.last_hash, said.before, said.after, said.offset) == (bodies[LET_GO - 1]["hash"], 11 * DAY, 10 * DAY, 9)
    assert said.by == "audit/0 of retention 1.0.0"
    assert complaint(said) is None


@pytest.mark.parametrize("gone", [0, 1, 4, LET_GO])
def test_a_chain_without_what_was_let_go_is_clean_also_where_that_goes_on(
    bodies: list[Body], anchors: list[Anchor], gone: int
) -> None:
    assert found(bodies[gone:], anchors) == []


def test_the_newest_checkpoint_counts_and_the_one_before_may_be_gone_itself(bodies: list[Body]) -> None:
    again = checkpoint_entry(11, told(bodies[22], 0), 40, PERIOD, 34 * DAY)
    more = [dict(linked) for linked in append(head_of(bodies[-1]), [*(line(n) for n in range(25, 33)), again])]
    anchors = anchors_of([*bodies, *more])
    anchors[-1] = replace(anchors[-1], at=34 * DAY)
    for gone in (10, 15, 23):
        assert found([*bodies, *more][gone:], anchors) == []
    assert found([*bodies, *more][24:], anchors) == [("deleted", 24, 24)]


def test_a_head_that_was_cut_off_without_a_checkpoint_is_found(bodies: list[Body], anchors: list[Anchor]) -> None:
    bare = lines()
    assert found(bare[LET_GO:], anchors_of(bare)) == [("deleted", 1, LET_GO)]
    without = [*bodies[LET_GO:LINES], *bodies[LINES + 1 :]]
    assert found(without, anchors) == [("deleted", 1, LET_GO), ("deleted", 21, 21)]


def test_a_head_that_was_cut_off_further_than_the_checkpoint_says_is_found(
    bodies: list[Body], anchors: list[Anchor]
) -> None:
    assert found(bodies[LET_GO + 1 :], anchors) == [("deleted", 11, 11)]
    assert found(bodies[LINES:], anchors) == [("deleted", 11, 20)]


def test_lines_are_let_go_from_the_first_on_and_not_out_of_the_middle(
    bodies: list[Body], anchors: list[Anchor]
) -> None:
    assert found([*bodies[:3], *bodies[5:]], anchors) == [("deleted", 4, 5)]
    forged = relinked(bodies[4] | {"case": "other"})
    assert found([forged, *bodies[LET_GO:]], [])[0] == ("deleted", 6, 10)
    assert ("deleted", 8, 10) in found([*bodies[6:7], *bodies[12:]], anchors)
    assert ("deleted", 11, 12) in found([*bodies[6:7], *bodies[12:]], anchors)


def test_an_edited_checkpoint_lets_go_of_nothing(bodies: list[Body], anchors: list[Anchor]) -> None:
    said = bodies[LINES]
    bodies[LINES] = said | {"details": said["details"] | {"last": "12", "hash": bodies[11]["hash"]}}
    assert found(bodies[12:], anchors) == [("edited", 21, 21), ("deleted", 1, 12)]
    bodies[LINES] = relinked(bodies[LINES])
    kinds = found(bodies[12:], anchors)
    assert ("edited", 21, 21) in kinds
    assert ("unfounded", 21, 21) in kinds
    # At the very end of the chain only the anchor of it knows.
    assert ("forked", 21, 21) in found(bodies[12 : LINES + 1], anchors[: LINES + 1])


@pytest.mark.parametrize(
    "changes",
    [
        {"before": "1970-01-12T00:00:00.000001Z"},
        {"after": "P10DT1S"},
        {"after": "a while"},
        {"last": "21"},
        {"last": "many"},
        {"first": "11"},
        {"first": "0"},
        {"offset": "x"},
    ],
)
def test_a_checkpoint_that_cannot_be_right_by_its_own_words_lets_go_of_nothing(changes: dict[str, str]) -> None:
    bodies = lines(changed(changes))
    assert found(bodies, anchors_of(bodies)) == [("unfounded", 21, 21)]
    assert found(bodies[LET_GO:], anchors_of(bodies)) == [("unfounded", 21, 21), ("deleted", 1, LET_GO)]
    bodies = lines(replace(lets_go(), details={}))
    assert found(bodies, anchors_of(bodies)) == [("unfounded", 21, 21)]


def test_a_checkpoint_that_kept_lines_for_less_than_the_policy_says_is_found(
    bodies: list[Body], anchors: list[Anchor]
) -> None:
    assert found(bodies[LET_GO:], anchors, PERIOD.after + 1) == [("unfounded", 21, 21)]


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(lets_go(15), id="anchored later than it says"),
        pytest.param(lets_go(15, NOW + 5 * DAY), id="dated ahead"),
        pytest.param(lets_go(LINES, NOW + 90 * DAY), id="dated far ahead"),
        pytest.param(lets_go(15, period=replace(PERIOD, after=DAY)), id="a period of its own"),
    ],
)
def test_whoever_writes_only_the_database_lets_go_of_nothing_younger(forged: Entry) -> None:
    """Words that fit each other, in an entry that the service anchors because it stands in its chain."""
    bodies = lines(forged)
    assert found(bodies[15:], anchors_of(bodies))[0] == ("unfounded", 21, 21)


def test_an_anchor_that_was_added_afterwards_does_not_make_a_line_older() -> None:
    bodies = lines(lets_go(15))
    anchors = [*anchors_of(bodies), told(bodies[14], 2 * DAY)]
    assert found(bodies[15:], anchors) == [("unfounded", 21, 21)]


def test_an_anchor_that_is_dated_ahead_does_not_make_a_checkpoint_right() -> None:
    bodies = lines(lets_go(15, NOW + 5 * DAY), line(22))
    true = anchors_of(bodies)
    ahead = told(bodies[LINES], NOW + 5 * DAY)
    assert found(bodies[15:], [*true[:LINES], ahead, true[-1]]) == [("unfounded", 21, 21)]


def test_a_checkpoint_that_no_anchor_tells_of_may_not_have_taken_anything_out(anchors: list[Anchor]) -> None:
    bodies = lines(lets_go())
    assert found(bodies, anchors[:LINES]) == []
    assert found(bodies[LET_GO:], anchors[:LINES]) == [("unfounded", 21, 21)]
    assert ("unfounded", 21, 21) in found(bodies[LET_GO:], [replace(one, at=None) for one in anchors[: LINES + 1]])


def test_a_chain_that_goes_on_from_another_entry_than_the_checkpoint_says_is_forked(anchors: list[Anchor]) -> None:
    other = [dict(one) for one in append(START, [entry(n + 100, at=n * DAY) for n in range(1, 11)])]
    forged = append(head_of(other[-1]), [*(line(n) for n in range(11, 21)), lets_go()])
    assert found([*map(dict, forged)], anchors[:LET_GO]) == [("forked", 10, 10), ("unfounded", 21, 21)]
    whole = [*other, *map(dict, forged)]
    assert ("forked", 10, 10) in found(whole, [])
    assert ("forked", 10, 10) in found(lines(lets_go())[LET_GO:], [*anchors, Anchor(SERVICE, 10, "0" * 64)])


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@given(seed=st.integers(0, 2**32))
def test_any_damage_beside_a_right_checkpoint_is_found(damage: Damage, seed: int) -> None:
    whole = lines(lets_go(), *(line(n) for n in range(22, 25)))
    left = [dict(body) for body in whole[LET_GO:]]
    damaged, _ = damage(random.Random(seed), left)
    if damaged != whole[LET_GO:]:
        assert found(damaged, anchors_of(whole))


def test_a_checkpoint_is_an_entry_like_any_other() -> None:
    body = lines(lets_go())[-1]
    assert (body["kind"], body["hash"]) == (CHECKPOINT, digest(body))
    assert body["entry_id"] == "audit.checkpoint.10"
    assert not any(str(value).startswith("sha256:") for value in body["details"].values())
