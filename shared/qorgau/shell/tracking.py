"""How the tracker of a service is put together, with what follows from facts and what is made of cases for readers."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from qorgau.bus import Ends, GroupReader, Place, Topic
from qorgau.plan import Plan
from qorgau.shell.context import ContextBook
from qorgau.shell.corridor import CaseLimits
from qorgau.shell.docketing import Docketing
from qorgau.shell.edition import Edition
from qorgau.shell.filing import Filing, View
from qorgau.shell.following_up import FollowUp
from qorgau.shell.horizon import Horizon
from qorgau.shell.hosting import Host
from qorgau.shell.inflow import Inflow
from qorgau.shell.policies import PolicyWatch
from qorgau.shell.progress import Progress
from qorgau.shell.queues import Queues, watch_of
from qorgau.shell.recent import Recent
from qorgau.shell.relay import Relay
from qorgau.shell.reported import Reported
from qorgau.shell.sharing import Sharing
from qorgau.shell.takeover import TakeOver
from qorgau.store import Due, Store
from qorgau.tracker import Tracker
from qorgau.vocabulary import FLAGS_TOPIC, copies_topic, tracked_topics

# How far ahead of now the cases that are due are held in memory.
HORIZON = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Deriving:
    """What a service needs that says something itself: its tracker's store, context and queues, in one edition."""

    host: Host
    store: Store
    context: ContextBook
    queues: Queues


Derive = Callable[[Deriving], FollowUp]


def tracker_of(
    host: Host,
    plan: Plan,
    number_of: Callable[[str], int],
    reported: Reported | None,
    edition: Edition,
    ends: Ends,
    made: Sequence[View],
    derive: Derive | None,
    policies: PolicyWatch,
) -> Tracker:
    """The tracker of a service; `edition` is its own, and moves to another one between two rounds and not in one.
    `number_of`: the partition of a case; `made`: what is made of its cases for readers; the others as `parts_of` has
    them."""
    settings, metrics, clock, producer = host.settings, host.metrics, host.clock, host.producer
    store, progress = Store(edition, number_of, metrics, Recent()), Progress(edition, metrics)
    limits = CaseLimits(settings.case_facts, settings.case_facts_of_source)
    flags, copies = Topic(settings.brokers, FLAGS_TOPIC), copies_topic(settings.service)
    tracker: Tracker

    async def moved(places: Collection[Place]) -> None:
        await tracker.moved(places)

    async def due(after: int | None, until: int, most: int) -> list[Due]:
        return await store.due(tracker.numbers(), after, until, most)

    reader = GroupReader(
        settings.brokers,
        settings.service,
        settings.instance,
        tracked_topics(settings.service),
        positions=progress.positions,
        revoked=moved,
        assigned=moved,
    )
    context = ContextBook(edition)
    views: list[View] = [*made]
    follow_ups: list[FollowUp] = [Sharing(settings.service, plan, store, producer)]
    watch = watch_of(plan)
    if watch is not None:
        queues = Queues(edition, store, watch)
        views.append(queues)
        follow_ups.append(Docketing(settings.service, plan, context, queues, producer))
        if derive is not None:
            follow_ups.append(derive(Deriving(host, store, context, queues)))
    relay = Relay(settings.service, store, producer, metrics)
    takeover = TakeOver(settings.service, flags, store, progress, plan.fingerprint, limits, policies.current.order)
    horizon = Horizon(due, lambda: clock.span(HORIZON))
    tracker = Tracker(
        service=settings.service,
        reader=reader,
        inflow=Inflow(reader, clock, metrics, store.partition, copies, settings.batch_facts, settings.batch_bytes),
        ends=ends,
        store=store,
        progress=progress,
        relay=relay,
        context=context,
        follow_ups=follow_ups,
        takeover=takeover,
        horizon=horizon,
        clock=clock,
        filing=Filing(store, relay, takeover, horizon, clock, plan, limits, metrics, views),
        metrics=metrics,
        reported=reported,
        policies=policies,
    )
    return tracker
