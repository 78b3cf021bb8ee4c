"""The clock: what may be judged when, from the system and from a file that is set while others read it."""

import asyncio
import json
import logging
import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qorgau.clock import (
    GUARD,
    Clock,
    ClockSetting,
    FileClock,
    Reading,
    SystemClock,
    make_clock,
    parse_clock,
    read_clock,
    wall_ticks,
    write_clock,
)
from qorgau.instants import DAY, SECOND, parse_instant
from qorgau.starting import StartRefused

G = GUARD // timedelta(microseconds=1)
START = parse_instant("2026-11-25T10:00:00Z")
AT = parse_instant("2020-03-01T00:00:00Z")


class Time:
    """A wall clock and a steady one that only the test moves."""

    def __init__(self) -> None:
        self.wall = START
        self.steady = 7 * DAY

    def passes(self, seconds: float) -> None:
        self.wall += round(seconds * SECOND)
        self.steady += round(seconds * SECOND)


class Desk:
    """A clock file, the time around it, and clocks that read it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.time = Time()

    def set(self, at: int, factor: float, wall: int | None = None) -> None:
        write_clock(self.file, at, factor, self.time.wall if wall is None else wall)

    def clock(self) -> FileClock:
        return FileClock(self.file, wall=lambda: self.time.wall, steady=lambda: self.time.steady)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "clock.json")


def test_the_system_clock_judges_nothing_younger_than_the_guard() -> None:
    clock = SystemClock(wall=lambda: START)
    assert clock.now() == START
    assert clock.read() == Reading(START, START - G)


def test_the_system_clock_waits_until_an_instant_is_as_old_as_the_guard() -> None:
    clock = SystemClock(wall=lambda: START)
    assert clock.wait_for(START + SECOND) == 1.1
    assert clock.wait_for(START) == 0.1
    assert clock.wait_for(START - G) == 0
    assert clock.wait_for(START - DAY) == 0


def test_without_a_file_the_clock_is_the_systems() -> None:
    before = wall_ticks()
    assert before <= make_clock(None).now() <= wall_ticks()


def test_a_file_clock_runs_by_its_factor_from_what_the_wall_showed(desk: Desk) -> None:
    desk.set(AT, 3_600)
    clock = desk.clock()
    assert clock.now() == AT
    desk.time.passes(2)
    assert clock.read() == Reading(AT + 7_200 * SECOND, AT + 3_600 * (2 * SECOND - G))


def test_a_clock_whose_wall_time_is_still_ahead_stands_still_until_then(desk: Desk) -> None:
    desk.set(AT, 10, wall=START + SECOND)
    clock = desk.clock()
    desk.time.passes(0.9)
    assert clock.read() == Reading(AT, AT)
    desk.time.passes(0.3)
    assert clock.read() == Reading(AT + 2 * SECOND, AT + SECOND)


def test_nothing_is_judged_in_the_first_guard_after_the_start(desk: Desk) -> None:
    desk.set(AT, 1, wall=START - DAY)
    clock = desk.clock()
    assert clock.read() == Reading(AT + DAY, None)
    assert clock.wait_for(AT) == 0.1
    desk.time.passes(0.099)
    assert clock.read().until is None
    desk.time.passes(0.001)
    assert clock.read().until == AT + DAY
    assert clock.wait_for(AT) == 0


def test_nothing_is_judged_in_the_first_guard_after_a_change_was_seen(desk: Desk) -> None:
    desk.set(AT, 0)
    clock = desk.clock()
    desk.time.passes(5)
    desk.set(AT + DAY, 0, wall=START - DAY)
    desk.time.passes(0.05)
    assert clock.read() == Reading(AT + DAY, None)
    assert clock.wait_for(AT + DAY) == 0.1
    desk.time.passes(0.1)
    assert clock.read() == Reading(AT + DAY, AT + DAY)


def test_a_clock_that_stands_still_judges_up_to_its_instant_and_never_further(desk: Desk) -> None:
    desk.set(AT, 0)
    clock = desk.clock()
    desk.time.passes(1_000)
    assert clock.read() == Reading(AT, AT)
    assert clock.wait_for(AT) == 0
    assert clock.wait_for(AT + 1) == math.inf


def test_a_change_is_seen_within_50_ms_by_whoever_asks(desk: Desk) -> None:
    desk.set(AT, 0)
    clock = desk.clock()
    clock.now()
    desk.time.passes(0.021)
    desk.set(AT + 1, 0)
    assert clock.now() == AT + 1


def test_writing_the_same_again_is_no_change(desk: Desk) -> None:
    desk.set(AT, 1)
    clock = desk.clock()
    changed = clock.changed()
    desk.time.passes(1)
    desk.file.write_text(json.dumps(json.loads(desk.file.read_text()), indent=2), encoding="utf-8")
    assert clock.read().until is not None
    assert not changed.is_set()


@pytest.mark.parametrize("content", [None, "", '{"at": ', "[]", '{"at": "noon", "wall": "noon", "factor": 1}'])
def test_a_file_that_breaks_later_leaves_the_clock_running_and_is_complained_of_once(
    desk: Desk, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    desk.set(AT, 1)
    clock = desk.clock()
    if content is None:
        desk.file.unlink()
    else:
        desk.file.write_text(content, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            desk.time.passes(1)
            clock.now()
    assert clock.read() == Reading(AT + 5 * SECOND, AT + 5 * SECOND - G)
    assert len(caplog.records) == 1
    desk.set(AT + DAY, 0)
    desk.time.passes(1)
    assert clock.now() == AT + DAY


def test_a_file_that_is_made_good_again_with_the_old_content_is_no_change(desk: Desk) -> None:
    desk.set(AT, 0)
    good = desk.file.read_text()
    clock = desk.clock()
    changed = clock.changed()
    for text in ("", good):
        desk.file.write_text(text, encoding="utf-8")
        desk.time.passes(0.2)
        assert clock.read() == Reading(AT, AT)
    assert not changed.is_set()


@pytest.mark.parametrize(
    "content",
    [
        {"at": "2020-01-01T00:00:00Z", "wall": "2020-01-01T00:00:00Z"},
        {"at": "2020-01-01T00:00:00", "wall": "2020-01-01T00:00:00Z", "factor": 1},
        {"at": "2020-01-01T00:00:00Z", "wall": 5, "factor": 1},
        {"at": "2020-01-01T00:00:00Z", "wall": "2020-01-01T00:00:00Z", "factor": -1},
        {"at": "2020-01-01T00:00:00Z", "wall": "2020-01-01T00:00:00Z", "factor": True},
        {"at": "2020-01-01T00:00:00Z", "wall": "2020-01-01T00:00:00Z", "factor": "1"},
        {"at": "2020-01-01T00:00:00Z", "wall": "2020-01-01T00:00:00Z", "factor": math.nan},
        {"at": "2020-01-01T00:00:00Z", "wall": "2020-01-01T00:00:00Z", "factor": math.inf},
        {"at": "2020-01-01T00:00:00Z", "wall": "2020-01-01T00:00:00Z", "factor": 1e6},
    ],
)
def test_a_file_that_is_no_clock_refuses_the_start_and_says_how_to_make_one(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    file = tmp_path / "clock.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(StartRefused, match="qorgau clock"):
        FileClock(file)


def test_a_file_that_is_not_there_refuses_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="No such file"):
        make_clock(tmp_path / "clock.json")


def test_a_written_clock_is_read_back_and_leaves_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "new" / "clock.json"
    written = write_clock(file, AT, 0.3, START)
    assert read_clock(file) == written == ClockSetting(AT, START, 0.3)
    assert list(file.parent.iterdir()) == [file]
    with pytest.raises(ValueError, match="factor"):
        write_clock(file, AT, -1)
    assert read_clock(file) == written


def test_a_factor_is_the_decimal_that_was_written() -> None:
    assert ClockSetting(AT, START, 0.3).instant(START + 10 * SECOND) == AT + 3 * SECOND


factors = st.one_of(st.integers(1, 100_000), st.decimals("0.001", "100", places=3).map(float))


@given(factor=factors, ahead=st.integers(-DAY, 400 * DAY))
def test_an_instant_is_reached_after_the_wait_and_not_a_moment_earlier(factor: float, ahead: int) -> None:
    setting = ClockSetting(AT, START, float(factor))
    elapsed = setting.elapsed(AT + ahead)
    assert elapsed is not None
    assert setting.instant(START + elapsed) >= AT + ahead
    assert elapsed == 0 or setting.instant(START + elapsed - 1) < AT + ahead


@given(factor=factors, first=st.integers(0, DAY), more=st.integers(0, DAY))
def test_a_clock_that_nobody_sets_never_goes_back(factor: float, first: int, more: int) -> None:
    setting = ClockSetting(AT, START, float(factor))
    assert AT <= setting.instant(START + first) <= setting.instant(START + first + more)


@given(at=st.integers(AT, START), wall=st.integers(AT, START), factor=st.one_of(st.just(0.0), factors.map(float)))
def test_the_text_of_a_setting_is_the_setting(at: int, wall: int, factor: float) -> None:
    setting = ClockSetting(at, wall, factor)
    assert parse_clock(setting.text()) == setting


def test_to_look_ahead_a_span_of_wall_time_is_as_long_as_the_clock_is_fast_and_never_shorter(desk: Desk) -> None:
    ten = timedelta(seconds=10)
    assert SystemClock().span(ten) == 10 * SECOND
    for factor, span in ((0, 10 * SECOND), (0.5, 10 * SECOND), (3_600, 36_000 * SECOND)):
        desk.set(AT, factor)
        assert desk.clock().span(ten) == span


async def test_a_sleeper_is_woken_when_the_file_is_set(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    write_clock(file, AT, 0)
    clock: Clock = make_clock(file)
    stopping = asyncio.Event()
    following = asyncio.create_task(clock.follow(stopping))
    changed = clock.changed()
    assert clock.wait_for(AT + DAY) == math.inf
    await asyncio.sleep(0.05)
    assert not changed.is_set()
    write_clock(file, AT + DAY, 0)
    async with asyncio.timeout(5):
        await changed.wait()
        assert clock.now() == AT + DAY
        assert not clock.changed().is_set()
        assert 0 < clock.wait_for(AT + DAY) <= GUARD.total_seconds()
        stopping.set()
        await following
