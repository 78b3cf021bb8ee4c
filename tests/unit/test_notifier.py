"""The notifier's stream: exact positions, only what one may see, an end when the process stops; and its redirects."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest

from notifier.stream import FlagStream
from qorgau.errors import Invalid, TooManyRequests
from qorgau.front.streams import Streams
from qorgau.identity.access import Lasting
from qorgau.identity.sender import Reach, Sender
from qorgau.shell.follower import LogRecord
from qorgau.telemetry import Metrics

AGENCY = Sender("102/KZ-75", frozenset(), frozenset({"KZ-75"}))
ALL = Sender("*", frozenset(), frozenset({"*"}), Reach.REGION)


def record(partition: int, offset: int, agency: str = "102/KZ-75", value: bytes | None = None) -> LogRecord:
    data = {
        "id": f"flag-{partition}-{offset}",
        "case": "c1",
        "seq": offset,
        "raised_at": "2026-04-14T19:20:00Z",
        "agency": agency,
        "region": "KZ-75",
    }
    headers = [("ce_type", b"qorgau.flag.raised.v1"), ("ce_source", b"system/police-dispatch")]
    return LogRecord(partition, offset, b"c1", headers, json.dumps(data).encode() if value is None else value)


@dataclass
class Log:
    """Three partitions in memory; follows what is there, then stays silent."""

    batches: list[list[LogRecord]] = field(default_factory=list)
    sizes: tuple[int, ...] = (4, 0, 9)
    closed: int = 0

    async def ends(self) -> Sequence[int]:
        return self.sizes

    async def follow(self, offsets: Sequence[int]) -> AsyncGenerator[Sequence[LogRecord], None]:
        try:
            for batch in self.batches:
                yield [one for one in batch if one.offset >= offsets[one.partition]]
            await asyncio.Event().wait()
        finally:
            self.closed += 1


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def stream(log: Log) -> FlagStream:
    return FlagStream(log, Streams(Metrics(), most=2))


async def stands() -> None:
    """The token still counts."""


def events_of(stream: FlagStream, offsets: list[int], sender: Sender = ALL) -> AsyncGenerator[bytes, None]:
    return stream.streams.events(Lasting(sender, stands), stream.batches(offsets, sender))


def parsed(event: bytes) -> dict[str, Any]:
    assert event.endswith(b"\n\n")
    return dict(line.split(": ", 1) for line in event.decode().strip().splitlines() if not line.startswith(":"))


async def some(stream: FlagStream, offsets: list[int], count: int, sender: Sender = ALL) -> list[dict[str, Any]]:
    async with asyncio.timeout(5), aclosing(events_of(stream, offsets, sender)) as events:
        return [parsed(await anext(events)) for _ in range(count)]


async def test_a_new_reader_begins_now_and_knows_its_position_at_once(stream: FlagStream) -> None:
    offsets = await stream.start(None)
    assert await some(stream, offsets, 1) == [{"id": "4.0.9"}]


async def test_a_reader_that_comes_back_gets_exactly_what_it_has_not_had(log: Log, stream: FlagStream) -> None:
    log.batches = [[record(0, 2), record(0, 3)], [record(2, 8)]]
    first = await some(stream, await stream.start("2.0.8"), 2)
    assert json.loads(first[1]["data"])["id"] == "flag-0-2"
    assert (first[1]["event"], first[1]["id"]) == ("qorgau.flag.raised.v1", "3.0.8")
    rest = await some(stream, await stream.start(first[1]["id"]), 3)
    assert [json.loads(event["data"])["id"] for event in rest[1:]] == ["flag-0-3", "flag-2-8"]
    assert rest[-1]["id"] == "4.0.9"
    assert log.closed == 2


async def test_zero_is_the_beginning_of_all_partitions(stream: FlagStream) -> None:
    assert await stream.start("0") == [0, 0, 0]
    assert await stream.start("3.99.1") == [3, 0, 1]


@pytest.mark.parametrize("bad", ["", "x", "1.", "-1", "1.2.3.4", "1" * 19, '{"$gt": ""}'])
async def test_an_id_that_is_none_of_ours_is_refused(stream: FlagStream, bad: str) -> None:
    with pytest.raises(Invalid):
        await stream.start(bad)


async def test_flags_of_others_and_what_cannot_be_read_only_move_the_position(log: Log, stream: FlagStream) -> None:
    log.batches = [[record(0, 0, "court/KZ-71"), record(0, 1, value=b"{"), record(0, 2)], []]
    events = await some(stream, [0, 0, 0], 3, AGENCY)
    assert [event.get("data", "")[:22] for event in events] == ["", '{"id":"flag-0-2","case', ""]
    assert [event["id"] for event in events] == ["0.0.0", "3.0.0", "3.0.0"]


async def test_a_stop_ends_a_stream_that_waits(log: Log, stream: FlagStream) -> None:
    log.batches = [[]]
    events = events_of(stream, [0, 0, 0])
    await anext(events)
    await anext(events)
    rest = asyncio.ensure_future(anext(events, b"end"))
    await asyncio.sleep(0)
    stream.streams.stopping.set()
    assert await asyncio.wait_for(rest, 5) == b"end"
    assert log.closed == 1


async def test_so_many_streams_and_no_more_are_open(stream: FlagStream) -> None:
    offsets = await stream.start(None)
    async with aclosing(events_of(stream, offsets)) as one, aclosing(events_of(stream, offsets)) as two:
        await anext(one)
        await anext(two)
        assert b"qorgau_stream_clients 2.0" in stream.streams.metrics.text()
        with pytest.raises(TooManyRequests):
            stream.streams.check_room(ALL)
    stream.streams.check_room(ALL)


async def test_what_a_crash_repeats_in_the_topic_is_passed_on_once(log: Log, stream: FlagStream) -> None:
    first, second = record(2, 1), record(2, 2)
    again = [LogRecord(2, offset, one.key, one.headers, one.value) for offset, one in ((3, first), (4, second))]
    log.batches = [[first, second], [*again, record(2, 5)], []]
    events = await some(stream, [0, 0, 0], 5)
    assert [json.loads(event["data"])["seq"] for event in events if "data" in event] == [1, 2, 5]
    # Also what is left out moves the reader's position.
    assert events[-1]["id"] == "0.0.6"
