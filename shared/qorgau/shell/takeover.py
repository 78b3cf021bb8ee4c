"""What a replica does with partitions that become its own, before it judges them: what the flags topic tells of their
cases and the database does not know, which cases another policy judged, and which parked facts have room now."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta

from qorgau.activation import FILE, Order
from qorgau.errors import QorgauError, Rejected
from qorgau.facts import Fact
from qorgau.feeds.case import is_nobodys
from qorgau.front.envelope import from_kafka
from qorgau.front.flagbook import flag_entry
from qorgau.instants import parse_instant
from qorgau.record import CaseRecord, learn
from qorgau.shell.corridor import CaseLimits, room_for
from qorgau.shell.follower import LogRecord, TopicLog
from qorgau.shell.progress import Progress
from qorgau.shell.restoring import ToldEvent, remember, told_row
from qorgau.store import Store
from qorgau.vocabulary import FLAGS_TOPIC

# How often a replica asks whether a newer policy has come into force.
CHECK_EVERY = timedelta(seconds=2)


class Superseded(QorgauError):
    """This replica judges by an older policy than the one in force; it must neither step nor write."""

    title = "A newer policy is in force"


@dataclass(slots=True)
class TakeOver:
    """For one replica; `fingerprint` names the policy, calendar and zone data it judges by, `order` its place among
    those that were activated."""

    service: str
    flags: TopicLog
    store: Store
    progress: Progress
    fingerprint: str
    limits: CaseLimits
    order: Order = FILE
    _older: frozenset[str] = frozenset()
    _checked: float = 0.0
    _numbers: frozenset[int] = frozenset()
    _after: str | None = None

    async def check_policy(self) -> None:
        """Raises Superseded where a newer policy has come into force, MadeAgain where the database is made again."""
        await self.store.edition.check()
        if time.monotonic() - self._checked < CHECK_EVERY.total_seconds():
            return
        known = await self.progress.activate(self.fingerprint, self.order)
        if known[-1] != self.fingerprint:
            raise Superseded
        self._older = frozenset(known)
        self._checked = time.monotonic()

    def check_judges(self, records: Iterable[CaseRecord]) -> None:
        """Raises Superseded where one of these was judged by a policy that came into force after ours."""
        if any(record.fingerprint and record.fingerprint not in self._older for record in records):
            self._checked = 0.0
            raise Superseded

    def move(self) -> None:
        """Go on with the newest edition, which has nothing in it yet. Store and progress share theirs."""
        self.store.move()
        self._numbers, self._after = frozenset(), None

    async def begin(self, numbers: frozenset[int]) -> None:
        """Take these partitions over. Repeating it is safe."""
        await self._remember_told(numbers)
        await self._unpark(numbers)
        # Where no other policy was ever in force, none has judged anything; some servers read every case to see that.
        others = self._older - {self.fingerprint}
        self._numbers = numbers - await self.progress.swept(self.fingerprint) if others else frozenset()
        self._after = "" if self._numbers else None

    async def to_rejudge(self, most: int) -> list[str]:
        """Some of the cases that another policy judged; they are swept once, whatever is due of them."""
        if self._after is None or most <= 0:
            return []
        cases, after = await self.store.sweep(self._numbers, self.fingerprint, self._after, most)
        if after is None and not cases:
            for number in self._numbers:
                await self.progress.swept(self.fingerprint, number)
            self._after = None
        elif not cases:
            self._after = after
        return cases

    async def _remember_told(self, numbers: Collection[int]) -> None:
        """Read what the flags topic has that was not yet there when the positions were saved."""
        ends = list(await self.flags.ends())
        saved = await self.progress.positions({(FLAGS_TOPIC, number) for number in numbers})
        at = [saved.get((FLAGS_TOPIC, number), end) for number, end in enumerate(ends)]
        if all(begin >= end for begin, end in zip(at, ends, strict=True)):
            return
        async with aclosing(self.flags.follow(tuple(at))) as batches:
            async for records in batches:
                await self._remember(records)
                for record in records:
                    at[record.partition] = record.offset + 1
                if all(begin >= end for begin, end in zip(at, ends, strict=True)):
                    break
        await self.progress.save({(FLAGS_TOPIC, number): at[number] for number in numbers})

    async def _remember(self, records: Iterable[LogRecord]) -> None:
        by_case: dict[str, list[ToldEvent]] = defaultdict(list)
        for record in records:
            event = self._own(record)
            if event is not None:
                by_case[str(event.item["case"])].append(event)
        await self.store.change(by_case, lambda stored: remember(stored, by_case[stored.record.case]))

    def _own(self, record: LogRecord) -> ToldEvent | None:
        """An event of a case of this service; whatever else stands in the topic is for its readers to tell. A surge
        or a silence is no case: it has no history that could lack it."""
        try:
            event = from_kafka(record.headers, record.value)
            entry = flag_entry(event)
            assert isinstance(event, dict)
            told_row(entry.item)
            case, ours = entry.item["case"], entry.service == self.service
            ours = ours and not is_nobodys(case) and self.store.partition(case) == record.partition
            return ToldEvent(parse_instant(event["time"]), entry.item) if ours else None
        except (Rejected, KeyError, TypeError, ValueError, AttributeError):
            return None

    async def _unpark(self, numbers: Collection[int]) -> None:
        """Facts for which there is room since the limits were raised."""
        by_case: dict[str, list[Fact]] = defaultdict(list)
        for fact in await self.store.parked():
            if fact.case is not None and self.store.partition(fact.case) in numbers:
                by_case[fact.case].append(fact)
        loaded = await self.store.load(set(by_case)) if by_case else {}
        for case, stored in loaded.items():
            fitting, parked = room_for(stored.record, by_case[case], self.limits)
            if fitting:
                roomy = replace(stored, record=learn(stored.record, fitting), full=bool(parked))
                _, lost = await self.store.save([roomy])
                if not lost:
                    await self.store.unpark(fitting)
