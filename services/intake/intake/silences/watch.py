"""The watch of one replica over feeds: it looks whether one fell silent or speaks again, writes it down and tells it.

Each feed is one document, written by compare-and-swap by the replica whose partition its case is on.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from intake.silences.telling import silent_now, told
from intake.statistics.current import Current
from intake.toldbook import ToldBook
from intake.watching import Looking, save_and_tell
from qorgau.clock import Clock
from qorgau.feeds.case import silence_case
from qorgau.feeds.following import Feeds
from qorgau.feeds.silence import Feed
from qorgau.rules import Silence
from qorgau.shell.documents import Stored
from qorgau.shell.relay import Relay
from qorgau.telemetry import Metrics
from qorgau.telemetry import Stored as Shown

# A silence is of hours; looking compares what is in memory.
LOOK_EVERY = timedelta(seconds=1)
_log = logging.getLogger("qorgau.feeds")


@dataclass(slots=True)
class SilenceWatch:
    """Judges by `rule`. `current`: whether the facts topics are read to their ends; `numbers`: the partitions this
    replica judges, none while it must not."""

    rule: Silence
    feeds: Feeds
    current: Current
    book: ToldBook
    relay: Relay
    clock: Clock
    metrics: Metrics
    numbers: Callable[[], frozenset[int]]
    _looking: Looking = field(default_factory=lambda: Looking("silences", _log, LOOK_EVERY))
    _numbers: frozenset[int] = frozenset()
    # By case: since when nothing was heard of the feeds whose flags are up.
    _up: dict[str, int | None] = field(default_factory=dict)

    async def run(self, stopping: asyncio.Event) -> None:
        """Judge until it is time to stop; what fails is tried again, from what is written."""
        await self._looking.run(self.look, stopping)

    async def look(self) -> None:
        """Judge what has changed, if anything has and it may be judged. Raises Unavailable where it could not be
        finished."""
        numbers = self.numbers()
        if numbers != self._numbers or self._looking.trouble:
            # What was written and not told: by who had them before, or by us when something failed.
            await self.relay.publish(await self.book.untold(numbers))
            await self._take_over(numbers)
        until = self.clock.read().until
        if until is None or not numbers or not self._changed(await self.feeds.all() or (), until):
            return
        async with self.current.reading() as check:
            changed = self._changed(await self.feeds.all() or (), until)
            stored = await self.book.load([case for case, _ in changed])
            after = [self._told(stored[case], feed, until) for case, feed in changed]
            check()
            await self._write([one for one in after if one is not stored[one.record.case]])

    async def _take_over(self, numbers: frozenset[int]) -> None:
        up = await self.book.up()
        self._up = {
            one.record.case: next(row.start_at for row in one.record.flags if row.cleared_at is None)
            for one in up
            if self.book.partition(one.record.case) in numbers
        }
        self._numbers = numbers
        self._show(await self.feeds.all() or ())

    def _changed(self, feeds: Iterable[Feed], until: int) -> list[tuple[str, Feed]]:
        """The feeds of which something is to be told, with their cases."""
        named = ((silence_case(feed.agency, feed.region), feed) for feed in feeds if feed.heard <= until)
        return [
            (case, feed)
            for case, feed in named
            if silent_now(feed, until) != self._up.get(case) and self.book.partition(case) in self._numbers
        ]

    def _told(self, stored: Stored, feed: Feed, until: int) -> Stored:
        return told(stored, feed, self.rule, until, self.clock.now())

    async def _write(self, changed: Sequence[Stored]) -> None:
        """Save these, tell them, and forget that they were to be told."""
        await save_and_tell(changed, self.book, self.relay, self.metrics, self.rule.id)
        await self._take_over(self._numbers)

    def _show(self, feeds: Iterable[Feed]) -> None:
        """What is up, for the metrics: as all other flags are counted, and by kind of agency."""
        silent = [feed for feed in feeds if silence_case(feed.agency, feed.region) in self._up]
        flags = Counter(feed.region for feed in silent)
        kinds = Counter((feed.kind, feed.region) for feed in silent)
        rule = self.rule
        rows = [Shown("qorgau_flags_open", (rule.id, "flag", rule.severity, region), n) for region, n in flags.items()]
        rows += [Shown("qorgau_feeds_silent", labels, count) for labels, count in kinds.items()]
        self.metrics.show_stored(rows, "silences")
