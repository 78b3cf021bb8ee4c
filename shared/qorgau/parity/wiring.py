"""How parity is put together: one call from the composition root of a service whose facts tell of delays."""

from collections.abc import Sequence

from fastapi import APIRouter

from qorgau.bus import Topic
from qorgau.parity.book import DelayBook
from qorgau.parity.reckoning import Reckoning
from qorgau.parity.routes import parity_router
from qorgau.parity.samples import kept
from qorgau.parity.watching import ParityWatch
from qorgau.shell.composition import Parts
from qorgau.shell.edition import Edition
from qorgau.shell.follower import Follower, LogRecord, facts_in
from qorgau.vocabulary import facts_topic


def parity_of(parts: Parts) -> APIRouter:
    """The book, the metrics and the route of one process; adds to its host what must be prepared, followed and done."""
    host, settings = parts.host, parts.host.settings
    book = DelayBook(Edition(host.database))
    watch: ParityWatch | None = None

    async def handle(records: Sequence[LogRecord]) -> None:
        if await learn(records, book) and watch is not None:
            watch.heard = True

    topic = facts_topic(settings.service)
    follower = Follower(topic, Topic(settings.brokers, topic), handle, book.edition)
    reckoning = Reckoning(book, follower, parts.plan.calendar, host.clock.now)
    host.prepare.append(book.prepare)
    host.followers.append(follower)
    if parts.tracker is not None:
        watch = ParityWatch(reckoning, host.metrics, lambda unit: parts.store.partition(unit) in parts.numbers())
        host.work.append(watch.run)
    return parity_router(settings.service, reckoning, host.access)


async def learn(records: Sequence[LogRecord], book: DelayBook) -> bool:
    """Write down what the facts topic brings; whether there was anything."""
    found = [one for one in map(kept, facts_in(records)) if one is not None]
    if found:
        await book.apply(found)
    return bool(found)
