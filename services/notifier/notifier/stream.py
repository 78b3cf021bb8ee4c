"""`GET /v1/flags/stream`: flag events as they come, server-sent, exact over restarts and replicas.

The id of an event is the position after it in every partition of the flags topic, so whoever comes back with it gets
exactly what it has not had, from any replica. Within a stream the numbers of a service and case only rise.
"""

import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from qorgau.errors import Invalid, Rejected
from qorgau.front.door import Sender
from qorgau.front.envelope import from_kafka
from qorgau.front.flagbook import FlagEntry, flag_entry
from qorgau.front.streams import Source, Streams, event
from qorgau.identity.membership import shown_to
from qorgau.shell.follower import LogRecord, TopicLog

# A repeat follows its original by seconds; so many cases have news in much more than that.
REMEMBERED = 10_000
_POSITION = re.compile(r"\d{1,18}(\.\d{1,18}){0,1023}")


@dataclass(frozen=True, slots=True)
class FlagStream:
    """What the streams of one process tell of flags."""

    log: TopicLog
    streams: Streams

    async def start(self, last_event_id: str | None) -> list[int]:
        """Where a reader goes on: after its last event, or now. Raises Invalid for an id that is none of ours."""
        ends = list(await self.log.ends())
        if last_event_id is None:
            return ends
        if not _POSITION.fullmatch(last_event_id):
            raise Invalid("It is no id of an event of this stream; leave it out to begin now.", field="Last-Event-ID")
        given = [int(number) for number in last_event_id.split(".")]
        if len(given) > len(ends):
            raise Invalid("It names more partitions than there are.", field="Last-Event-ID")
        # A partition it does not name is one that had nothing then; past the end would wait for what never comes.
        return [min(offset, end) for offset, end in zip(given + [0] * (len(ends) - len(given)), ends, strict=True)]

    async def batches(self, offsets: list[int], sender: Sender) -> Source:
        """What a stream tells its reader, from these offsets on."""
        passed = _Passed()
        # At once, so that a reader knows its position before anything happens.
        yield [event("", _id(offsets))]
        async with aclosing(self.log.follow(offsets)) as batches:
            async for batch in batches:
                told = []
                for record in batch:
                    offsets[record.partition] = record.offset + 1
                    entry = _readable(record)
                    if entry is not None and passed.is_new(entry, record.partition) and entry.visible_to(sender):
                        told.append(event(_kind(record), _id(offsets), shown_to(sender, entry.item)))
                yield told if batch else [event("", _id(offsets))]


@dataclass(slots=True)
class _Passed:
    """The newest number of each service and case lately: what a crash or a rebalance repeated is not passed on."""

    seq: dict[tuple[int, str, str], int] = field(default_factory=dict)

    def is_new(self, entry: FlagEntry, partition: int) -> bool:
        key = partition, entry.service, str(entry.item["case"])
        known = self.seq.pop(key, -1)
        self.seq[key] = max(known, entry.seq)
        if len(self.seq) > REMEMBERED:
            del self.seq[next(iter(self.seq))]
        return entry.seq > known


def _readable(record: LogRecord) -> FlagEntry | None:
    """What cannot be read is the tracker's to tell; the stream goes on behind it."""
    try:
        return flag_entry(from_kafka(record.headers, record.value))
    except Rejected:
        return None


def _kind(record: LogRecord) -> str:
    return next((value.decode() for name, value in record.headers if name == "ce_type"), "")


def _id(offsets: Sequence[int]) -> str:
    return ".".join(map(str, offsets))
