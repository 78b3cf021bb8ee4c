"""Server-sent streams: how many, how long, for whom; and what becomes of a reader that takes nothing."""

import asyncio
from collections.abc import AsyncGenerator, MutableMapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

import qorgau.front.streams
from qorgau.errors import TooManyRequests, Unavailable
from qorgau.front.streams import Source, Streams, event, last_id
from qorgau.identity.access import Lasting
from qorgau.identity.claims import Reason, Refused
from qorgau.identity.sender import Sender
from qorgau.shell.lookout import Lookout
from qorgau.telemetry import Metrics


def sender(subject: str = "desk-1") -> Sender:
    return Sender("102/KZ-75", frozenset(), frozenset({"KZ-75"}), subject=subject)


async def stands() -> None:
    """The token still counts."""


async def source(*batches: Sequence[bytes], closed: list[str] | None = None) -> Source:
    """These batches, then silence."""
    try:
        for batch in batches:
            yield batch
        await asyncio.Event().wait()
    finally:
        if closed is not None:
            closed.append("closed")


async def all_of(events: AsyncGenerator[bytes, None]) -> list[bytes]:
    async with asyncio.timeout(5):
        return [one async for one in events]


async def test_a_stream_ends_after_the_batch_in_which_its_time_is_over_and_frees_its_place() -> None:
    streams, closed = Streams(Metrics(), lasts=timedelta()), list[str]()
    got = await all_of(streams.events(Lasting(sender(), stands), source([b"1", b"2"], [b"3"], closed=closed)))
    assert (got, closed) == ([b"1", b"2"], ["closed"])
    assert b"qorgau_stream_clients 0.0" in streams.metrics.text()


async def test_a_stream_ends_before_the_next_batch_when_the_token_no_longer_counts() -> None:
    counts = 2

    async def check() -> None:
        nonlocal counts
        counts -= 1
        if counts < 0:
            raise Refused(Reason.EXPIRED)

    got = await all_of(Streams(Metrics()).events(Lasting(sender(), check), source([b"1"], [b"2"], [b"3"])))
    assert got == [b"1", b"2"]


async def test_a_source_that_fails_ends_its_stream_and_no_other() -> None:
    async def failing() -> Source:
        yield [b"1"]
        raise Unavailable

    assert await all_of(Streams(Metrics()).events(Lasting(sender(), stands), failing())) == [b"1"]


async def test_one_account_does_not_take_the_places_of_all_others() -> None:
    streams = Streams(Metrics(), most=3, most_of_one=2)
    mine = [streams.events(Lasting(sender(), stands), source([b"1"])) for _ in range(2)]
    async with aclosing(mine[0]), aclosing(mine[1]):
        for one in mine:
            await anext(one)
        with pytest.raises(TooManyRequests):
            streams.check_room(sender())
        streams.check_room(sender("desk-2"))
        async with aclosing(streams.events(Lasting(sender("desk-2"), stands), source([b"1"]))) as theirs:
            await anext(theirs)
            with pytest.raises(TooManyRequests):
                streams.check_room(sender("desk-3"))
    streams.check_room(sender())


async def test_a_reader_that_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qorgau.front.streams, "TAKEN_WITHIN", timedelta(seconds=0.05))
    streams, closed, sent = Streams(Metrics()), list[str](), list[MutableMapping[str, Any]]()

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)
        if len(sent) > 2:
            await asyncio.Event().wait()

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    answer = streams.answer(Lasting(sender(), stands), source([b"1", b"2", b"3"], closed=closed))
    async with asyncio.timeout(5):
        await answer({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    assert [one.get("body") for one in sent] == [None, b"1", b"2"]
    assert closed == ["closed"]
    assert b"qorgau_stream_clients 0.0" in streams.metrics.text()


async def test_the_header_counts_before_the_parameter_which_a_browser_sends_again() -> None:
    assert [await last_id("2", "1"), await last_id(None, "1"), await last_id()] == ["2", "1", None]


def test_an_event_without_data_moves_the_position_and_wakes_nobody() -> None:
    assert event("k", "7", {"a": "ә\n"}) == b'event: k\ndata: {"a":"\\u04d9\\n"}\nid: 7\n\n'
    assert event("", "7") == b": here\nid: 7\n\n"


async def test_who_waits_is_woken_by_a_change_once_and_one_query_asks_for_all() -> None:
    versions, asked = {"c1": "1", "c2": "1"}, list[set[str]]()

    async def look(names: Any) -> dict[str, str]:
        asked.append(set(names))
        return {name: versions[name] for name in names if name in versions}

    lookout = Lookout(look)
    await lookout.look()
    with lookout.watching("c1") as one, lookout.watching("c1") as again, lookout.watching("c2") as other:
        await lookout.look()
        # Seen for the first time: it may have changed since whoever waits has read it.
        assert (one.is_set(), again.is_set(), other.is_set()) == (True, True, True)
        for event in (one, again, other):
            event.clear()
        versions["c1"] = "2"
        await lookout.look()
        assert (one.is_set(), again.is_set(), other.is_set()) == (True, True, False)
    await lookout.look()
    assert asked == [{"c1", "c2"}, {"c1", "c2"}]
