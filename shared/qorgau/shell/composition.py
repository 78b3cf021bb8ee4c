"""How a service that keeps cases is put together; each service's `main.py` hands in what only it has.

Clients are made here and nowhere else, and closed here when everything that uses them has ended.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache, partial

from qorgau.audit.hosted import audit_of, references_in
from qorgau.audit.relay import Audit
from qorgau.bus import (
    Ends,
    FactsLog,
    InboundReader,
    Incoming,
    References,
    Topic,
    dead_letter,
    partition_of,
)
from qorgau.errors import Rejected
from qorgau.feeds.case import is_nobodys
from qorgau.feeds.following import Feeds, feeds_of
from qorgau.front.casefeed import CaseFeed
from qorgau.front.door import Door
from qorgau.front.envelope import from_kafka
from qorgau.front.flagbook import FlagBook, FlagEntry, flag_entry
from qorgau.front.gate import Gate
from qorgau.front.inbound import Inbound
from qorgau.front.judging import PlanJudge
from qorgau.front.keeper import Keeper
from qorgau.front.posted import Models
from qorgau.front.posting import Guard, Posting
from qorgau.front.reading import Elsewhere, Others, Reading, nothing, nowhere
from qorgau.front.registering import Registry
from qorgau.front.rulebook import Rulebook
from qorgau.front.waiting import WaitingRoom
from qorgau.plan import Plan, compile_policy
from qorgau.service import Readiness
from qorgau.settings import Settings
from qorgau.shell.cases import StoredCases
from qorgau.shell.census import census
from qorgau.shell.context import ContextBook
from qorgau.shell.edition import Edition
from qorgau.shell.follower import Follower, Handle, LogRecord
from qorgau.shell.hosting import Host, host_of
from qorgau.shell.lookout import Lookout
from qorgau.shell.policies import LOOK_EVERY, PolicyWatch
from qorgau.shell.progress import Progress
from qorgau.shell.relay import Relay
from qorgau.shell.reported import Reported
from qorgau.shell.tracking import Derive, tracker_of
from qorgau.state.made import Books, Made
from qorgau.store import Store
from qorgau.titles import load_titles
from qorgau.tracker import Tracker
from qorgau.vocabulary import FLAGS_TOPIC, POLICIES_TOPIC, REFERENCES_TOPIC

Remember = Callable[[Sequence[FlagEntry]], Awaitable[None]]
# A round takes milliseconds; without one for so long nobody may rely on what is shown.
ROUND_WITHIN = timedelta(seconds=10)


@dataclass(slots=True)
class Parts:
    """What a service that keeps cases is made of, for its `main.py` to add what only it has."""

    host: Host
    plan: Plan
    store: Store
    relay: Relay
    room: WaitingRoom
    door: Door
    gate: Gate
    cases: StoredCases
    registry: Registry
    audit: Audit
    books: Books
    context: ContextBook
    feeds: Feeds
    tracker: Tracker | None = None

    def keeper(self, *, guard: Guard | None = None, others: Others = nothing, elsewhere: Elsewhere = nowhere) -> Keeper:
        """The HTTP side, with what only this service checks or shows."""
        settings, metrics = self.host.settings, self.host.metrics
        judge = PlanJudge(self.plan)
        doubting = self.feeds.doubts
        reading = Reading(settings.service, self.cases, judge, self.room.registered, others, elsewhere, doubting)
        log = FactsLog(self.host.producer, settings.service)
        posting = Posting(self.door, log, self.room, metrics, self.gate, guard)
        if settings.tracks:
            own_kafka = replace(posting, way="kafka")
            reader = InboundReader(settings.brokers, f"{settings.service}.inbound", settings.instance)
            inbound = Inbound(
                settings.service,
                reader,
                own_kafka,
                self.cases.facts,
                self.host.producer,
                metrics,
                self.host.ensure_topic,
                self.host.revoked,
            )
            self.host.work.append(inbound.run)
        rules = Rulebook(self.plan.policy.for_service(settings.service), load_titles(settings.titles))
        lookout = Lookout(self.store.versions)
        self.host.work.append(lookout.run)
        feed = CaseFeed(reading, lookout, self.host.streams)
        return Keeper(posting, self.registry, reading, rules, self.ready, self.host.access, feed, settings.serves_api)

    def numbers(self) -> Collection[int]:
        """The partitions this replica answers for; none where it does not track."""
        return () if self.tracker is None else self.tracker.numbers()

    async def ready(self) -> Readiness:
        """Whether facts can be taken and, where this replica tracks, whether it judges."""
        tracker = self.tracker
        if tracker is None:
            return self.host.readiness()
        late = time.monotonic() - tracker.health.last_round > ROUND_WITHIN.total_seconds()
        return self.host.readiness(tracker=tracker.health.trouble or ("no round for a while" if late else ""))


@asynccontextmanager
async def parts_of(
    settings: Settings,
    models: Models,
    made: Made,
    reported: Callable[[Host, Callable[[str], int]], Reported] | None = None,
    derive: Derive | None = None,
) -> AsyncIterator[Parts]:
    """The parts of one service, closed at the end. `made`: what is made of its cases for readers. `reported` makes what
    it makes safe before it is in the log; it is given the host and the partition of a case. `derive`: what the service
    itself says because of facts, by the parts of its tracker."""
    in_force = settings.in_force()
    plan = compile_policy(in_force.policy, settings.service, in_force.begins)
    key = settings.token_key.get_secret_value()
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(host_of(settings))
        database, producer = host.database, host.producer
        number_of = lru_cache(maxsize=65_536)(partial(_number_of, settings.partitions))
        shown = Edition(database)
        store, progress = Store(shown, number_of, host.metrics), Progress(shown, host.metrics)
        before_the_log = reported(host, number_of) if reported else None
        cases = StoredCases(store, progress, before_the_log)
        gate = Gate(cases)
        room = WaitingRoom(Edition(database), FactsLog(producer, settings.service), host.clock.now, gate, key)
        regions = frozenset(plan.policy.policy.zones.regions)
        door = Door(settings.service, models, regions, host.clock.now, key, settings.ahead)
        parts: Parts
        audit = audit_of(host, lambda: parts.numbers())
        registry = Registry(
            room, References(producer), cases.facts, key, door.kinds, references_in(audit, host.clock.now)
        )
        parts = Parts(
            host=host,
            plan=plan,
            store=store,
            relay=Relay(settings.service, store, producer, host.metrics),
            room=room,
            door=door,
            gate=gate,
            cases=cases,
            registry=registry,
            audit=audit,
            books=made.books(shown, plan),
            context=ContextBook(shown),
            feeds=feeds_of(host, plan.policy),
        )
        policies = PolicyWatch(Topic(settings.brokers, POLICIES_TOPIC, quiet=LOOK_EVERY), host.clock, in_force)
        # First of all: whether this is the policy to begin with.
        host.prepare.append(policies.check)
        host.work.append(policies.run)
        host.prepare += [partial(progress.fix_partitions, settings.partitions), store.prepare, room.prepare]
        host.prepare.append(room.release_all)
        host.work.append(shown.follow)
        host.followers.append(_follower(settings, REFERENCES_TOPIC, registry.learn, room.edition, room.readers))
        if settings.tracks:
            ends = Ends(settings.brokers)
            stack.push_async_callback(ends.stop)
            written = Edition(database)
            views = made.views(written, plan)
            parts.tracker = tracker = tracker_of(
                host, plan, number_of, before_the_log, written, ends, views, derive, policies
            )
            host.prepare += [
                written.begin,
                *(one.prepare for one in views),
                *(one.prepare for one in tracker.follow_ups),
            ]
            stack.push_async_callback(tracker.reader.stop)
            host.work += [
                tracker.run,
                partial(census, store, room, tracker.numbers, host.metrics, doubting=parts.feeds.doubts),
                room.follow_cases,
            ]
        yield parts


def flags_follower(host: Host, book: FlagBook, surges: Remember | None = None) -> Follower:
    """Keeps a book of the flags of all other services; what is no event of a flag is told as a dead letter. `surges`
    is given what this service itself has told of no case."""

    written = FlagBook(Edition(host.database))

    async def apply(records: Sequence[LogRecord]) -> None:
        entries, letters = [], []
        for record in records:
            try:
                entries.append(flag_entry(from_kafka(record.headers, record.value)))
            except Rejected as error:
                read = Incoming(
                    FLAGS_TOPIC, record.partition, record.offset, record.key, record.headers, record.value, 0
                )
                letters.append(dead_letter(read, error.detail))
                host.metrics.dead_letters.labels(FLAGS_TOPIC, error.detail).inc()
        await host.producer.publish(letters)
        await written.apply([entry for entry in entries if entry.service != host.settings.service])
        if surges is not None:
            own = [entry for entry in entries if entry.service == host.settings.service]
            await surges([entry for entry in own if is_nobodys(entry.item["case"])])

    return _follower(host.settings, FLAGS_TOPIC, apply, written.edition, book.edition)


def _number_of(partitions: int, case: str) -> int:
    return partition_of(case.encode(), partitions)


def _follower(
    settings: Settings, topic: str, handle: Handle, edition: Edition, readers: Edition | None = None
) -> Follower:
    return Follower(topic, Topic(settings.brokers, topic), handle, edition, readers)
