"""Which policy is in force: the one activated for the latest instant that has come, and of two for one the last."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qorgau.activation import (
    FILE,
    Activation,
    InForce,
    NotAnActivation,
    newest,
    next_change,
    read_activation,
    value_of,
)
from qorgau.clock import Clock
from qorgau.embedded.data import default_policy
from qorgau.instants import HOUR, parse_instant
from qorgau.policy import parse_policy
from qorgau.shell.follower import LogRecord
from qorgau.shell.policies import PolicyChanged, PolicyWatch
from qorgau.starting import StartRefused

TEXT = default_policy().read_text(encoding="utf-8")
POLICY = parse_policy(TEXT)
AT = parse_instant("2026-03-02T05:00:00Z")
Times = st.lists(st.integers(0, 20), max_size=8)


@dataclass
class Standing:
    """A clock that shows what it is set to."""

    at: int = AT

    def now(self) -> int:
        return self.at


@dataclass
class Log:
    """A topic of one partition in memory."""

    values: list[bytes | None] = field(default_factory=list)

    async def ends(self) -> Sequence[int]:
        return [len(self.values)]

    async def follow(self, offsets: Sequence[int]) -> AsyncGenerator[Sequence[LogRecord], None]:
        at = offsets[0]
        while True:
            found = [LogRecord(0, number, b"", [], self.values[number]) for number in range(at, len(self.values))]
            at = len(self.values)
            yield found
            await asyncio.sleep(0)


def watching(log: Log, clock: Standing, current: InForce | None = None) -> PolicyWatch:
    return PolicyWatch(log, cast(Clock, clock), current or InForce(POLICY))


def test_an_activation_is_read_as_it_was_written() -> None:
    assert read_activation(value_of(TEXT, AT, POLICY), 7) == Activation(AT, 7, TEXT)


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"[]", b'{"from": "2026-03-02T05:00:00Z"}', b'{"from": "soon", "policy": ""}']
)
def test_what_is_no_activation_is_refused_and_not_repeated(value: bytes | None) -> None:
    with pytest.raises(NotAnActivation) as refused:
        read_activation(value, 0)
    assert "soon" not in str(refused.value)


@given(Times, st.integers(0, 20))
def test_the_latest_that_has_begun_is_in_force_and_of_one_instant_the_last(times: list[int], now: int) -> None:
    known = [Activation(begins, number, "") for number, begins in enumerate(times)]
    found = newest(known, now)
    begun = [one for one in known if one.begins <= now]
    assert (found is None) == (not begun)
    if found is not None:
        assert all((one.begins, one.number) <= (found.begins, found.number) for one in begun)


@given(Times, st.integers(0, 20))
def test_from_one_change_to_the_next_the_same_one_is_in_force(times: list[int], now: int) -> None:
    known = [Activation(begins, number, "") for number, begins in enumerate(times)]
    found = newest(known, now)
    change = next_change(known, found.order if found else FILE)
    if change is None:
        assert newest(known, 1_000) == found
    else:
        assert now < change
        assert newest(known, change - 1) == found
        assert newest(known, change) != found


async def test_a_policy_comes_into_force_when_its_instant_has_come_and_not_before() -> None:
    log, clock = Log([value_of(TEXT, AT + HOUR, POLICY)]), Standing()
    watch = watching(log, clock)
    await watch.check()
    assert watch.judged_until(AT) == AT
    assert watch.judged_until(AT + 2 * HOUR) == AT + HOUR - 1
    clock.at = AT + HOUR
    with pytest.raises(PolicyChanged) as changed:
        await watch.check()
    assert changed.value.in_force == InForce(POLICY, (AT + HOUR, 0))


async def test_the_new_policy_judges_nothing_before_its_instant() -> None:
    watch = watching(Log(), Standing(AT + HOUR), InForce(POLICY, (AT + HOUR, 0)))
    assert watch.judged_until(AT + HOUR - 1) is None
    assert watch.judged_until(AT + HOUR) == AT + HOUR


async def test_who_runs_changes_when_it_is_told_or_when_the_instant_comes() -> None:
    for moved in (False, True):
        log, clock = Log([None]), Standing()
        running = asyncio.create_task(watching(log, clock).run(asyncio.Event()))
        await asyncio.sleep(0.01)
        assert not running.done()
        log.values.append(value_of(TEXT, AT + HOUR if moved else AT, POLICY))
        if moved:
            await asyncio.sleep(0.01)
            assert not running.done()
            clock.at = AT + HOUR
        with pytest.raises(PolicyChanged):
            await asyncio.wait_for(running, 5)


async def test_who_was_asked_to_stop_stops_and_does_not_change() -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(watching(Log(), Standing()).run(stopping))
    await asyncio.sleep(0.01)
    stopping.set()
    await asyncio.wait_for(running, 5)


async def test_an_earlier_policy_does_not_come_back_when_the_clock_is_set_back() -> None:
    values: list[bytes | None] = [value_of(TEXT, AT, POLICY), value_of(TEXT, AT + HOUR, POLICY)]
    watch = watching(Log(values), Standing(AT), InForce(POLICY, (AT + HOUR, 1)))
    await watch.check()


async def test_a_program_that_cannot_judge_by_the_policy_in_force_says_so_and_does_not_judge() -> None:
    watch = watching(Log([value_of("rules: []", AT, POLICY)]), Standing())
    with pytest.raises(StartRefused, match="cannot judge"):
        await watch.check()


def test_settings_are_the_same_under_another_policy(monkeypatch: Any) -> None:
    from police_dispatch.settings import Settings

    for name, value in {"KAFKA": "k:1", "MONGO": "mongodb://m", "TOKEN_KEY": "k" * 32}.items():
        monkeypatch.setenv(f"QORGAU_{name}", value)
    settings = Settings.load()
    assert settings.in_force() == InForce(POLICY)
    activated = InForce(POLICY, (AT, 3))
    assert settings.under(activated).in_force() == activated
    assert settings.under(activated).model_dump() == settings.model_dump()
    assert settings.in_force() == InForce(POLICY)
