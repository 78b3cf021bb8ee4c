"""The composition root of the notifier: the only place that reads its settings and builds its clients."""

import asyncio
import sys
from functools import partial

from notifier.api import build_api, flags_router
from notifier.policies import follow
from notifier.settings import Settings
from notifier.stream import FlagStream
from qorgau.bus import Topic
from qorgau.feeds.following import feeds_of
from qorgau.front.flagbook import FlagBook
from qorgau.service import Readiness
from qorgau.shell.composition import flags_follower
from qorgau.shell.edition import Edition
from qorgau.shell.hosting import host_of
from qorgau.shell.policies import PolicyWatch
from qorgau.shell.running import main
from qorgau.vocabulary import FLAGS_TOPIC, POLICIES_TOPIC


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """The service from its start until it is time to stop."""
    async with host_of(settings) as host:
        book = FlagBook(Edition(host.database))
        host.prepare.append(book.prepare)
        host.followers.append(flags_follower(host, book))
        stream = FlagStream(Topic(settings.brokers, FLAGS_TOPIC), host.streams)
        policies = PolicyWatch(Topic(settings.brokers, POLICIES_TOPIC), host.clock, settings.in_force())
        feeds = feeds_of(host, policies.current.policy)
        host.work.append(partial(follow, policies, feeds))
        router = flags_router(book, stream, settings.owners, feeds.doubts, host.access)

        async def ready() -> Readiness:
            return host.readiness()

        await host.run(build_api(router, ready, host.metrics, api=settings.serves_api), stopping)


if __name__ == "__main__":
    sys.exit(main(Settings, run))
