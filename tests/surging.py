"""Statistics on a real database: replicas that follow a log in memory, a clock that stands, and reports by the day."""

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, cast

from intake.statistics.book import CountBook
from intake.statistics.counting import Sieve
from intake.statistics.current import Current
from intake.statistics.methods import surge_rule
from intake.statistics.periods import Days
from intake.statistics.publishing import Months
from intake.statistics.told import SurgeBook
from intake.statistics.watch import SurgeWatch
from intake.statistics.wiring import count
from qorgau.bus import Outgoing, Producer, partition_of
from qorgau.calendar import Calendar
from qorgau.clock import Reading
from qorgau.embedded.data import default_policy
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.front.envelope import from_kafka, to_kafka
from qorgau.instants import HOUR, MINUTE, parse_instant
from qorgau.policy import load_policy
from qorgau.shell.edition import Edition
from qorgau.shell.follower import Follower, LogRecord
from qorgau.shell.relay import Relay
from qorgau.store import connect
from qorgau.telemetry import Metrics

POLICY = load_policy(default_policy())
CALENDAR = Calendar(POLICY.policy.calendar, POLICY.policy.zones)
DAYS = {region: Days(CALENDAR, CALENDAR.zone(region)) for region in ("KZ-33", "KZ-75")}
HERE = DAYS["KZ-33"]
FIRST = date(2031, 4, 7)
PARTITIONS = 4
SURGING = [5, 6, 4, 5, 5, 6, 5, 4, 6, 5, 20, 5, 5]


class Log:
    """The facts topic, in memory, of one partition."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.more = asyncio.Event()

    def post(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            key, value, headers = to_kafka(fact)
            self.records.append(LogRecord(0, len(self.records), key, headers, value))
        self.more.set()

    async def ends(self) -> Sequence[int]:
        return [len(self.records)]

    async def follow(self, offsets: Sequence[int]) -> AsyncGenerator[Sequence[LogRecord], None]:
        (at,) = offsets
        while True:
            self.more.clear()
            batch = self.records[at : at + 500]
            at += len(batch)
            yield batch
            async with asyncio.timeout(0.05) as waiting:
                try:
                    await self.more.wait()
                except asyncio.CancelledError:
                    if not waiting.expired():
                        raise


class Kafka:
    """Takes flag events, or is away."""

    def __init__(self) -> None:
        self.told: list[Outgoing] = []
        self.away = False

    async def publish(self, records: Sequence[Outgoing]) -> list[int]:
        if self.away:
            raise Unavailable
        self.told += records
        return list(range(len(records)))


@dataclass
class StandingClock:
    """A clock that shows what it is set to."""

    at: int

    def now(self) -> int:
        return self.at

    def read(self) -> Reading:
        return Reading(self.at, self.at)


@dataclass
class Replica:
    """What one process has of statistics."""

    follower: Follower
    watch: SurgeWatch
    months: Months
    metrics: Metrics
    mine: Collection[int] = frozenset(range(PARTITIONS))


@dataclass
class Service:
    """A database and a log, and replicas that work with them."""

    database: Any
    log: Log = field(default_factory=Log)
    kafka: Kafka = field(default_factory=Kafka)
    clock: StandingClock = field(default_factory=lambda: StandingClock(HERE.begin(FIRST)))
    running: list[tuple[asyncio.Event, asyncio.Task[None]]] = field(default_factory=list)

    async def replica(self) -> Replica:
        rule = surge_rule(POLICY)
        assert rule is not None
        metrics, counted = Metrics(), CountBook(Edition(self.database), Sieve(rule.row))
        watch: SurgeWatch

        async def handle(records: Sequence[LogRecord]) -> None:
            await count(records, counted, watch)

        async def reporting() -> Collection[str]:
            return ()

        follower = Follower("qorgau.intake.facts", self.log, handle, counted.edition)
        current = Current(follower, reporting)
        book = SurgeBook(self.database, number_of, lambda row: HERE.of(row.start_at or 0), metrics)
        relay = Relay("intake", book.store, cast(Producer, self.kafka), metrics)
        made: Replica
        watch = SurgeWatch(
            rule, DAYS, counted, current, book, relay, cast(Any, self.clock), metrics, lambda: frozenset(made.mine)
        )
        months = Months(self.database, counted, current, DAYS, HERE, 5)
        for prepare in (counted.prepare, book.prepare, months.prepare):
            await prepare()
        made = Replica(follower, watch, months, metrics)
        stopping = asyncio.Event()
        self.running.append((stopping, asyncio.create_task(follower.run(stopping))))
        await self.caught_up(made)
        return made

    async def caught_up(self, replica: Replica) -> None:
        async with asyncio.timeout(20):
            while not (replica.follower.caught_up and replica.follower.at == [len(self.log.records)]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        for stopping, task in self.running:
            stopping.set()
            self.log.more.set()
            await task

    def events(self) -> list[tuple[str, str, int]]:
        """What was told: change, day, number."""
        found = []
        for record in self.kafka.told:
            event = cast(dict[str, Any], from_kafka(record.headers, record.value))
            day = HERE.of(parse_instant(event["data"]["start_at"])).isoformat()
            found.append((event["type"].split(".")[2], day, event["data"]["seq"]))
        return found

    def items(self) -> list[dict[str, Any]]:
        return [json.loads(record.value or b"") for record in self.kafka.told]


def number_of(case: str) -> int:
    return partition_of(case.encode(), PARTITIONS)


@asynccontextmanager
async def a_service(mongo: str) -> AsyncIterator[Service]:
    """A database of its own, gone afterwards as its replicas are."""
    client = connect(mongo)
    name = f"statistics_{uuid.uuid4().hex}"
    made = Service(client[name])
    yield made
    await made.stop()
    await client.drop_database(name)
    client.close()


def report(day: int, number: int, channel: str = "102", region: str = "KZ-33") -> Fact:
    at = DAYS[region].begin(FIRST + timedelta(days=day)) + 12 * HOUR + number * MINUTE
    name = f"{region}-{channel}-{day}-{number}"
    data = {"region": region, "channel": channel, "area": "urban", "report_id": name}
    return Fact(name, f"102/{region}", "report.received", at, at, f"case-{name}", data)


def reports(counts: Sequence[int], channel: str = "102", region: str = "KZ-33") -> list[Fact]:
    return [report(day, number, channel, region) for day, count in enumerate(counts) for number in range(count)]


def withdrawal(of: Fact, at: int) -> Fact:
    data = {"region": of.data["region"], "fact_id": of.id, "reason": "entered_in_error"}
    return Fact(f"w-{of.id}", of.source, "fact.withdrawn", at, at, of.case, data)


def merge(of: Fact, at: int) -> Fact:
    data = {"region": of.data["region"], "report_id": of.data["report_id"], "into_report_id": "other"}
    return Fact(f"m-{of.id}", of.source, "report.merged", at, at, of.case, data)


def ready(day: int) -> int:
    return HERE.ready(FIRST + timedelta(days=day))


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()
