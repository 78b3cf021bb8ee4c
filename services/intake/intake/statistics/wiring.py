"""How the statistics of intake are put together: one call from its composition root."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter

from intake.statistics.book import CountBook
from intake.statistics.counting import Sieve
from intake.statistics.current import Current
from intake.statistics.explaining import explain
from intake.statistics.methods import BadRule, SurgeRule, surge_rule
from intake.statistics.periods import ONE_DAY, Days
from intake.statistics.publishing import Months
from intake.statistics.routes import statistics_router
from intake.statistics.told import SurgeBook
from intake.statistics.watch import SurgeWatch
from qorgau.bus import Topic
from qorgau.errors import NotFound, QorgauError
from qorgau.identity.sender import Sender
from qorgau.pausing import pause
from qorgau.rows import FlagRow
from qorgau.shell.composition import Parts
from qorgau.shell.edition import Edition
from qorgau.shell.follower import Follower, LogRecord, facts_in
from qorgau.shell.relay import Relay
from qorgau.starting import StartRefused
from qorgau.surge.suppression import BELOW
from qorgau.vocabulary import INTAKE, facts_topic

# Whether a month is over, or looks different, is decided once a day.
_LOOK_EVERY = timedelta(seconds=1)
# A month that is over is looked at again until so many others are; later only when somebody asks.
_MONTHS = 2
_log = logging.getLogger("qorgau.statistics")


@dataclass(frozen=True, slots=True)
class Statistics:
    """What intake's other parts need of them."""

    router: APIRouter
    book: SurgeBook
    rule: SurgeRule | None
    days: dict[str, Days]
    now: Callable[[], int]

    async def explained(self, flag_id: str, sender: Sender) -> dict[str, Any]:
        """The explanation of a flag of F8 that this sender may see; raises NotFound."""
        if self.rule is None:
            raise NotFound
        row, evidence = await self.book.visible(flag_id, sender)
        days = self.days.get(row.region or "")
        if days is None:
            raise NotFound
        return explain(row, evidence, self.rule.row, days, self.now())


def statistics_of(parts: Parts) -> Statistics:
    """Counts, surges, and tables of one process; adds to its host what must be prepared, followed and done. Raises
    StartRefused where the policy asks for what cannot be computed."""
    host, plan = parts.host, parts.plan
    try:
        rule = surge_rule(plan.policy)
    except BadRule as error:
        raise StartRefused(f"The surge flag of the policy cannot be computed: {error}.") from None
    zones = plan.policy.policy.zones
    days = {region: Days(plan.calendar, plan.calendar.zone(region)) for region in zones.regions}
    here = Days(plan.calendar, plan.calendar.zone(None))
    counted = CountBook(Edition(host.database), Sieve(rule.row if rule else None))
    watch: SurgeWatch | None = None

    async def handle(records: Sequence[LogRecord]) -> None:
        await count(records, counted, watch)

    async def reporting() -> Any:
        return await parts.cases.reported.reporting(range(host.settings.partitions)) if parts.cases.reported else ()

    def day_of(row: FlagRow) -> date:
        return days[row.region or ""].of(row.start_at if row.start_at is not None else row.raised_at)

    topic = facts_topic(INTAKE)
    follower = Follower(topic, Topic(host.settings.brokers, topic), handle, counted.edition)
    current = Current(follower, reporting)
    book = SurgeBook(host.database, parts.store.partition, day_of, host.metrics)
    months = Months(host.database, counted, current, days, here, rule.row.suppress_below if rule else BELOW)
    host.prepare += [counted.prepare, book.prepare, months.prepare]
    host.followers.append(follower)
    watch = _watch(parts, rule, days, counted, current, book)
    if watch is not None:
        host.work.append(watch.run)
    if parts.tracker is not None:
        host.work.append(lambda stopping: _publishing(months, host.clock.now, stopping))
    router = statistics_router(months, host.clock.now, host.access)
    return Statistics(router, book, rule, days, host.clock.now)


def _watch(
    parts: Parts,
    rule: SurgeRule | None,
    days: dict[str, Days],
    counted: CountBook,
    current: Current,
    book: SurgeBook,
) -> SurgeWatch | None:
    tracker, host = parts.tracker, parts.host
    if tracker is None or rule is None:
        return None

    def numbers() -> frozenset[int]:
        return frozenset() if tracker.health.trouble else tracker.numbers()

    relay = Relay(INTAKE, book.store, host.producer, host.metrics)
    return SurgeWatch(rule, days, counted, current, book, relay, host.clock, host.metrics, numbers)


async def count(records: Sequence[LogRecord], counted: CountBook, watch: SurgeWatch | None) -> None:
    """Count what the facts topic brings."""
    kept = []
    for fact in facts_in(records):
        one = counted.kept(fact)
        if one is not None:
            kept.append((str(fact.data.get("region")), one))
    await counted.apply([one for _, one in kept])
    if watch is not None:
        for region, one in kept:
            watch.heard(region, one)


async def _publishing(months: Months, now: Callable[[], int], stopping: asyncio.Event) -> None:
    """Publish the last months that are over, each day anew where they have become different."""
    done: int | None = None
    while not stopping.is_set():
        at = months.here.last_ready(now())
        if at != done:
            try:
                await _publish(months, at)
                done = at
            except QorgauError as error:
                _log.debug("no table was published: %s", error.title)
        await pause(stopping, _LOOK_EVERY)


async def _publish(months: Months, at: int) -> None:
    first = months.here.of(at).replace(day=1)
    for _ in range(_MONTHS + 1):
        if months.is_over(first, at):
            try:
                await months.publish(first, at)
            except NotFound:
                return
        first = (first - ONE_DAY).replace(day=1)
