"""Silences as flags: raised and cleared at the instants of the log, however late somebody looks; and explained."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from intake.silences.telling import explain, told
from intake.silences.wiring import extra_of, silence_rule
from intake.telling import remembered
from qorgau.embedded.data import default_policy
from qorgau.explaining.wording import LocalTime
from qorgau.feeds.case import is_nobodys, silence_case
from qorgau.feeds.silence import Feed
from qorgau.front.reading import flag_item
from qorgau.instants import DAY, HOUR, MINUTE
from qorgau.policy import load_policy
from qorgau.record import CaseRecord
from qorgau.shell.documents import Stored, from_document, to_document
from qorgau.surge.case import is_surge

_FOUND = silence_rule(load_policy(default_policy()))
assert _FOUND is not None
RULE = _FOUND
BEGIN = 22_000 * DAY
FEED = Feed("court/KZ-75", "KZ-75", BEGIN, DAY, "learned", 90 * DAY)
NEW = Stored(CaseRecord(silence_case(FEED.agency, FEED.region)))


def look(stored: Stored, until: int, feed: Feed = FEED) -> Stored:
    return told(stored, feed, RULE, until, until + 5)


def rows(stored: Stored) -> list[tuple[int, int | None, str]]:
    return [(row.raised_at, row.cleared_at, row.outcome) for row in stored.record.flags]


def heard(*at: int) -> Feed:
    return replace(FEED, heard=max(at))


def test_a_silence_is_raised_when_it_becomes_too_long_and_told_to_the_agency_and_its_region() -> None:
    assert look(NEW, BEGIN + DAY - 1) is NEW
    silent = look(NEW, BEGIN + DAY + 3 * HOUR)
    (row,) = silent.record.flags
    assert (row.rule, row.level, row.severity, row.start_at) == ("F10", "flag", "medium", BEGIN)
    assert (row.agency, row.region, row.raised_at) == (FEED.agency, FEED.region, BEGIN + DAY)
    assert [(event.type, event.seq) for event in silent.outbox] == [("qorgau.flag.raised.v1", 1)]
    assert look(silent, BEGIN + 2 * DAY) is silent


def test_it_is_cleared_when_the_feed_speaks_again() -> None:
    silent = look(NEW, BEGIN + DAY)
    spoken = look(silent, BEGIN + 3 * DAY, heard(BEGIN + 2 * DAY + MINUTE))
    assert rows(spoken) == [(BEGIN + DAY, BEGIN + 2 * DAY + MINUTE, "cleared")]
    assert spoken.extra["up"] is False
    assert [event.seq for event in spoken.outbox] == [1, 2]


def test_what_is_dated_ahead_ends_no_silence_before_its_time() -> None:
    silent = look(NEW, BEGIN + DAY)
    ahead = heard(BEGIN + 2 * DAY)
    assert look(silent, BEGIN + 2 * DAY - 1, ahead) is silent
    assert rows(look(silent, BEGIN + 2 * DAY, ahead)) == [(BEGIN + DAY, BEGIN + 2 * DAY, "cleared")]


def test_a_second_silence_is_a_second_entry_also_where_nobody_looked_in_between() -> None:
    silent = look(NEW, BEGIN + DAY)
    again = look(silent, BEGIN + 5 * DAY, heard(BEGIN + 2 * DAY))
    assert rows(again) == [(BEGIN + DAY, BEGIN + 2 * DAY, "cleared"), (BEGIN + 3 * DAY, None, "open")]
    assert [event.type.split(".")[2] for event in again.outbox] == ["raised", "cleared", "raised"]


def test_a_feed_that_is_none_any_more_is_silent_about_nothing() -> None:
    silent = look(NEW, BEGIN + DAY)
    assert rows(look(silent, BEGIN + 100 * DAY)) == [(BEGIN + DAY, BEGIN + 90 * DAY, "cleared")]
    # As is what was imported of past years.
    assert look(NEW, BEGIN + 100 * DAY) is NEW


def test_a_longer_silence_that_is_expected_from_now_on_clears_the_flag_now() -> None:
    silent = look(NEW, BEGIN + DAY)
    later = look(silent, BEGIN + 2 * DAY, replace(FEED, within=4 * DAY, basis="set"))
    assert rows(later) == [(BEGIN + DAY, BEGIN + 2 * DAY, "cleared")]


@given(st.lists(st.integers(1, 6 * DAY), min_size=1, max_size=8), st.data())
def test_however_often_somebody_looks_every_flag_is_paired_and_in_order(gaps: list[int], data: st.DataObject) -> None:
    at, stored, instants = BEGIN, NEW, [BEGIN]
    for gap in gaps:
        at += gap
        instants.append(at)
    looks = sorted(data.draw(st.lists(st.integers(BEGIN, at + 3 * DAY), max_size=12)))
    for until in looks:
        once = look(stored, until, heard(*(one for one in instants if one <= until)))
        assert look(once, until, heard(*(one for one in instants if one <= until))) is once
        stored = once
    history = stored.record.flags
    assert [row.cleared_at for row in history[:-1]].count(None) == 0
    assert [event.seq for event in stored.outbox] == list(range(1, len(stored.outbox) + 1))
    assert len(stored.outbox) == sum(1 + (row.cleared_at is not None) for row in history)
    for row in history:
        assert row.raised_at == (row.start_at or 0) + DAY
        assert row.cleared_at is None or row.cleared_at in instants


def test_a_document_that_was_lost_is_made_again_of_what_was_told() -> None:
    silent = look(NEW, BEGIN + DAY)
    kept = from_document(to_document(silent, 0, "1.x"))
    assert kept.extra == silent.extra
    items = [flag_item(silent.record.flags[0]) | {"seq": 1}]
    again = remembered(NEW, items, extra_of)
    assert rows(again) == rows(silent)
    assert (again.extra["agency"], again.extra["region"], again.extra["up"]) == (FEED.agency, FEED.region, True)
    assert look(again, BEGIN + DAY + HOUR) is again
    assert rows(look(again, BEGIN + 3 * DAY - 1, heard(BEGIN + 2 * DAY))) == [(BEGIN + DAY, BEGIN + 2 * DAY, "cleared")]


def test_each_feed_has_a_case_of_its_own_that_is_nobodys() -> None:
    cases = [silence_case(agency, region) for agency in ("102", "102/KZ-75") for region in ("KZ-75", "KZ-31")]
    assert len(set(cases)) == 4
    assert all(is_nobodys(case) and not is_surge(case) for case in cases)
    assert not is_nobodys("c1")


def test_the_explanation_says_when_it_was_heard_and_what_was_expected() -> None:
    spoken = look(look(NEW, BEGIN + DAY), BEGIN + 3 * DAY - 1, heard(BEGIN + 2 * DAY))
    (row,) = spoken.record.flags
    local = LocalTime(ZoneInfo("Asia/Almaty"), row.raised_at)
    told_of = explain(row, spoken.extra["evidence"][row.id], RULE, local, BEGIN + 4 * DAY)
    assert [step["step"] for step in told_of["steps"]] == ["start", "condition", "raised", "cleared"]
    assert told_of["steps"][1]["expected_within"] == "P1D"
    assert "1 day" in told_of["steps"][1]["sentence"]
    assert "not kept" in explain(row, {}, RULE, local, BEGIN)["steps"][1]["sentence"]
