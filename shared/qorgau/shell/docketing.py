"""What a court decides of others reaches the cases that wait before it: each is sent a copy, under its own key (F3).

A case joins its queue first and then asks what was decided; what is decided is kept first and then asks who waits. Of
the two at least one sees the other, and a copy that comes twice changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence

from qorgau.bus import Producer
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.heart.matching import key_part
from qorgau.heart.reactions import OvertakenBy
from qorgau.instants import parse_instant
from qorgau.plan import Plan
from qorgau.shell.context import ContextBook, about
from qorgau.shell.queues import Queues, queue_name
from qorgau.shell.sharing import copy_for
from qorgau.vocabulary import copies_topic

# So many items of a docket that were decided last are told to a case that joins: any window of the rule is full.
MOST_ITEMS = 500


class Docketing:
    """Sends copies of docket items to the waiting cases of one service. Repeating it is safe."""

    def __init__(self, service: str, plan: Plan, context: ContextBook, queues: Queues, producer: Producer) -> None:
        self._flags = [flag.overtaken for flag in plan.flags.values() if flag.overtaken is not None]
        self._types = frozenset(flag.row.items.fact for flag in self._flags)
        self._topic = copies_topic(service)
        self._context = context
        self._queues = queues
        self._producer = producer

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self._context.prepare()
        await self._queues.prepare()

    def concerns(self, fact: Fact) -> bool:
        """Whether a fact is an item or its withdrawal, or puts a case into a queue."""
        if fact.case is None:
            return fact.type in self._types or fact.type == WITHDRAWAL
        return fact.type in self._queues.watch.starts

    async def follow_up(self, by_case: Mapping[str, Sequence[Fact]], context: Sequence[Fact]) -> bool:
        """Send copies to the cases that wait, and to each that begins to wait what was decided before."""
        joined = await self._queues.join(by_case)
        told = [*await self._to_those_waiting(context), *await self._to_those_joining(joined)]
        copies = {(who, *fact.identity): copy_for(who, fact, self._topic) for who, fact in told}
        await self._producer.publish(list(copies.values()))
        return bool(copies)

    async def _to_those_waiting(self, context: Sequence[Fact]) -> list[tuple[str, Fact]]:
        items = [fact for fact in context if self._counts(fact)]
        withdrawals = [fact for fact in context if fact.type == WITHDRAWAL]
        if withdrawals:
            items += [fact for fact in await self._context.withdrawn_by(withdrawals) if self._counts(fact)]
        if not items:
            return []
        field = self._queues.watch.field
        waiting = await self._queues.waiting({queue_name(field, key_part(item.data, field)) for item in items})
        gone = await self._withdrawals(items)
        return [
            (one.case, fact)
            for item in items
            for one in waiting[queue_name(field, key_part(item.data, field))]
            if self._later(item, one.since)
            for fact in (item, *gone.get(item.identity, ()))
        ]

    async def _to_those_joining(self, joined: Mapping[str, Sequence[Fact]]) -> list[tuple[str, Fact]]:
        field = self._queues.watch.field
        values = {key_part(fact.data, field) for starts in joined.values() for fact in starts}
        names = {about(type, field, value) for type in self._types for value in values}
        items = [fact for fact in await self._context.named(names) if self._counts(fact)] if names else []
        if not items:
            return []
        gone = await self._withdrawals(items)
        items.sort(key=lambda item: item.known_at)
        told: list[tuple[str, Fact]] = []
        for case, starts in joined.items():
            since = {key_part(fact.data, field): fact.time for fact in sorted(starts, key=lambda fact: -fact.time)}
            own = [item for item in items if self._later(item, since.get(key_part(item.data, field)))]
            told += [(case, fact) for item in own[-MOST_ITEMS:] for fact in (item, *gone.get(item.identity, ()))]
        return told

    async def _withdrawals(self, items: Collection[Fact]) -> dict[tuple[str, str], list[Fact]]:
        found: dict[tuple[str, str], list[Fact]] = {}
        for fact in await self._context.withdrawals_of(items):
            found.setdefault((fact.source, str(fact.data.get("fact_id"))), []).append(fact)
        return found

    def _counts(self, fact: Fact) -> bool:
        return any(_is_item(fact, flag) for flag in self._flags)

    def _later(self, item: Fact, since: int | None) -> bool:
        """Whether an item may overtake a case that waits since then."""
        if since is None:
            return False
        try:
            return any(parse_instant(item.data.get(flag.row.registered_field)) > since for flag in self._flags)
        except ValueError:
            return False


def _is_item(fact: Fact, flag: OvertakenBy) -> bool:
    row = flag.row
    return fact.type == row.items.fact and fact.case is None and row.same_field in fact.data and flag.matches(fact.data)
