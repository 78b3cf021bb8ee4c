"""The life of a service process: the API answers from the start, the work begins when the servers are there."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from qorgau.bus import Producer, TopicMismatch, TopicSpec, prepare_topics
from qorgau.clock import Clock, make_clock
from qorgau.errors import QorgauError
from qorgau.front.limits import Limiter
from qorgau.front.streams import Streams
from qorgau.identity.access import Access
from qorgau.identity.keyset import KeySet
from qorgau.identity.revoked import Revoked
from qorgau.identity.sources import source_of
from qorgau.identity.tokens import SharedKeyTokens, SignedTokens, Tokens, nobody
from qorgau.pausing import pause
from qorgau.service import Readiness
from qorgau.settings import Settings
from qorgau.shell.follower import Follower
from qorgau.shell.running import bind, serve, together
from qorgau.shell.watchdog import Watchdog
from qorgau.starting import StartRefused
from qorgau.store import connect
from qorgau.telemetry import Metrics
from qorgau.vocabulary import (
    AUDIT_TOPIC,
    COPIES_TOPICS,
    FACTS_TOPICS,
    FLAGS_TOPIC,
    POLICIES_TOPIC,
    REFERENCES_TOPIC,
    dlq,
)

PAUSE = timedelta(seconds=1)
_log = logging.getLogger("qorgau")

Work = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
Prepare = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Host:
    """One service process with the clients that every service has. `prepare` is done first, in order, and must be safe
    to repeat; `work` then runs beside the API until it is time to stop; `followers` must have caught up before the
    service is ready."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    database: Any
    producer: Producer
    access: Access
    revoked: Callable[[str], bool]
    streams: Streams
    prepare: list[Prepare] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    followers: list[Follower] = field(default_factory=list)
    prepared: bool = False

    def readiness(self, **others: str) -> Readiness:
        """Whether the service does its work; `others`: further checks by name, empty where all is well."""
        checks = {"prepared": "" if self.prepared else "topics or database are not there yet", **others}
        for follower in self.followers:
            checks[follower.name or follower.topic] = "" if follower.caught_up else "not caught up"
        return Readiness(not any(checks.values()), {name: trouble or "ok" for name, trouble in checks.items()})

    async def run(self, app: FastAPI, stopping: asyncio.Event) -> None:
        """Serve and work until it is time to stop. Raises StartRefused where it cannot be right."""
        bound = bind(self.settings.host, self.settings.port)
        # Open streams end with the process, not after their readers.
        self.streams.stopping = stopping
        with Watchdog(self.metrics):
            await together(stopping, serve(app, bound, stopping), self.clock.follow(stopping), self._work(stopping))

    async def _work(self, stopping: asyncio.Event) -> None:
        await self._until_prepared(stopping)
        if stopping.is_set():
            return
        parts = [follower.run(stopping) for follower in self.followers]
        await together(stopping, *parts, *(work(stopping) for work in self.work))

    async def _until_prepared(self, stopping: asyncio.Event) -> None:
        """Tried again until the servers are there: nobody has to start things in an order."""
        while not stopping.is_set():
            try:
                await self._make_topics()
                for prepare in self.prepare:
                    await prepare()
            except TopicMismatch as error:
                raise StartRefused(error.detail) from None
            except QorgauError as error:
                _log.warning("not ready yet: %s; trying again", error.title)
                await pause(stopping, PAUSE)
            else:
                self.prepared = True
                return

    async def _make_topics(self) -> None:
        """Every topic of a deployment. Facts and flags are kept for ever: databases can be made again from them. What
        is told of audit chains is as well: a chain could be cut short otherwise; and which policy was in force when."""
        logged = (*FACTS_TOPICS, *COPIES_TOPICS, FLAGS_TOPIC, REFERENCES_TOPIC)
        topics = dict.fromkeys(logged, TopicSpec(self.settings.partitions))
        topics |= dict.fromkeys([*map(dlq, logged), AUDIT_TOPIC, POLICIES_TOPIC], TopicSpec(1))
        await prepare_topics(self.settings.brokers, topics, replication=self.settings.replication)

    async def ensure_topic(self, name: str) -> None:
        """Make one more topic, of one partition, where it is missing; one that is there may have more."""
        with suppress(TopicMismatch):
            await prepare_topics(self.settings.brokers, {name: TopicSpec(1)}, replication=self.settings.replication)


def _tokens(settings: Settings, revoked: Callable[[str], bool]) -> Tokens:
    """By the issuer's keys where there is an issuer, otherwise by the secret key; never by both."""
    if settings.jwks is None:
        key = settings.token_key.get_secret_value()
        return SharedKeyTokens(key, settings.issuer, settings.audience, revoked)
    return SignedTokens(KeySet(source_of(settings.jwks)), settings.issuer, settings.audience, revoked)


@asynccontextmanager
async def host_of(settings: Settings) -> AsyncIterator[Host]:
    """The host of a service; its clients are closed at the end. Raises StartRefused."""
    metrics = Metrics()
    clock = make_clock(settings.clock)
    client = connect(settings.mongo)
    producer = Producer(settings.brokers, metrics)
    revoked = Revoked(settings.revoked).has if settings.revoked else nobody
    access = Access(_tokens(settings, revoked), Limiter(), metrics)
    try:
        database = client[settings.database_name]
        yield Host(settings, clock, metrics, database, producer, access, revoked, Streams(metrics))
    finally:
        await producer.stop()
        client.close()
