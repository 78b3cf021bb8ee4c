"""Counts, surges and tables on the real database: once however often, told after a crash, the same when made again."""

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, cast

import httpx2
import pytest

from intake.statistics.book import CountBook
from intake.statistics.counting import Report, Sieve
from intake.statistics.current import Current
from intake.statistics.methods import surge_rule
from intake.statistics.periods import Days
from intake.statistics.publishing import Months
from intake.statistics.routes import statistics_router
from intake.statistics.told import SurgeBook
from intake.statistics.watch import SurgeWatch
from intake.statistics.wiring import count
from qorgau.auth import make_token
from qorgau.bus import Outgoing, Producer, partition_of
from qorgau.calendar import Calendar
from qorgau.clock import Reading
from qorgau.embedded.data import default_policy
from qorgau.embedded.pair import Pair
from qorgau.errors import NotFound, Unavailable
from qorgau.facts import Fact
from qorgau.front.envelope import from_kafka, to_kafka
from qorgau.front.flagbook import flag_entry
from qorgau.heart.tolls import FOREVER
from qorgau.instants import DAY, HOUR, MINUTE, format_instant, parse_instant
from qorgau.policy import load_policy
from qorgau.service import Readiness, build_app
from qorgau.shell.edition import Edition, begin_next
from qorgau.shell.follower import Follower, LogRecord
from qorgau.shell.relay import Relay
from qorgau.store import connect
from qorgau.telemetry import Metrics
from tests.entry import access

KEY = "a key of the tests that is long enough"
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
        book = SurgeBook(self.database, _number, lambda row: HERE.of(row.start_at or 0), metrics)
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


def _number(case: str) -> int:
    return partition_of(case.encode(), PARTITIONS)


@pytest.fixture
async def service(pair: Pair) -> AsyncIterator[Service]:
    client = connect(pair.mongo)
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


async def test_whatever_comes_first_and_however_often_each_report_counts_once(service: Service) -> None:
    one, two, three = report(0, 0), report(0, 1), report(0, 2)
    gone, merged = withdrawal(one, ready(0)), merge(two, ready(0))
    service.log.post([gone, merged, one, two, three, three, two, one, replace(three, time=three.time + DAY), gone])
    replica = await service.replica()
    again = await service.replica()
    for of in (replica, again):
        found = await of.watch.counted.of_region("KZ-33", 0, FOREVER)
        assert sorted(found, key=lambda report: report.time) == [
            report_of(one, gone.known_at),
            report_of(two, merged.known_at),
            report_of(three, FOREVER),
        ]
    assert await service.database["counted"].count_documents({"known": {"$exists": True}}) == 4


def report_of(fact: Fact, until: int) -> Report:
    return Report("KZ-33", "102", fact.time, ((fact.known_at, until),))


async def test_a_surge_is_told_at_its_instant_and_a_second_replica_and_a_second_look_change_nothing(
    service: Service,
) -> None:
    service.log.post(reports(SURGING))
    first, second = await service.replica(), await service.replica()
    service.clock.at = ready(10) - 1
    await first.watch.look()
    assert service.events() == []
    service.clock.at = ready(11) - 1
    for _ in range(2):
        await asyncio.gather(first.watch.look(), second.watch.look(), return_exceptions=True)
    assert set(service.events()) == {("raised", day(10), 1)}
    (flag, *_) = service.items()
    assert (flag["raised_at"], flag["region"], flag["key"]) == (format_instant(ready(10)), "KZ-33", "102")
    service.clock.at = ready(12)
    for _ in range(2):
        await asyncio.gather(first.watch.look(), second.watch.look(), return_exceptions=True)
    assert set(service.events()) == {("raised", day(10), 1), ("cleared", day(10), 2)}
    assert service.items()[-1]["cleared_at"] == format_instant(ready(11))
    assert await second.watch.book.untold(range(PARTITIONS)) == []


async def test_only_who_has_its_partition_tells_of_a_day(service: Service) -> None:
    service.log.post(reports([*SURGING[:11], 60, 200]))
    service.clock.at = ready(12)
    replica = await service.replica()
    replica.mine = frozenset({0, 1})
    await replica.watch.look()
    mine = {int(_number(record.key.decode())) for record in service.kafka.told}
    told = len(service.kafka.told)
    assert mine <= {0, 1}
    other = await service.replica()
    other.mine = frozenset({2, 3})
    await other.watch.look()
    assert {_number(record.key.decode()) for record in service.kafka.told[told:]} <= {2, 3}
    assert sorted(service.events()) == [("raised", day(number), 1) for number in (10, 11, 12)]


async def test_what_was_saved_and_not_told_is_told_by_the_next_one(service: Service) -> None:
    service.log.post(reports(SURGING))
    service.clock.at = ready(10)
    first = await service.replica()
    service.kafka.away = True
    with pytest.raises(Unavailable):
        await first.watch.look()
    service.kafka.away = False
    assert service.events() == []
    second = await service.replica()
    await second.watch.look()
    await second.watch.look()
    assert service.events() == [("raised", day(10), 1)]


async def test_late_facts_withdrawals_and_merges_change_what_is_up_at_the_instant_they_are_known(
    service: Service,
) -> None:
    service.log.post(reports([*SURGING[:10], 8]))
    replica = await service.replica()
    service.clock.at = ready(10) + HOUR
    await replica.watch.look()
    at = ready(10) + 2 * HOUR
    service.log.post([withdrawal(report(10, 0), at), merge(report(10, 1), at)])
    service.clock.at = at + HOUR
    await service.caught_up(replica)
    await replica.watch.look()
    assert service.events() == [("raised", day(10), 1), ("cleared", day(10), 2)]
    late = [replace(report(10, number), recorded=at + 2 * HOUR) for number in (8, 9)]
    service.log.post(late)
    await service.caught_up(replica)
    service.clock.at = at + 3 * HOUR
    await replica.watch.look()
    assert service.events()[2:] == [("raised", day(10), 3)]
    assert [item["raised_at"] for item in service.items()[2:]] == [format_instant(at + 2 * HOUR)]
    # Known before what was judged already: it counts right after.
    judged = service.clock.at
    service.log.post([withdrawal(report(10, number), at) for number in range(2, 10)])
    await service.caught_up(replica)
    service.clock.at += HOUR
    await replica.watch.look()
    assert service.items()[-1]["cleared_at"] == format_instant(judged + 1)


async def test_counts_that_are_made_again_neither_lose_nor_repeat_a_flag(service: Service) -> None:
    service.log.post(reports(SURGING))
    replica = await service.replica()
    service.clock.at = ready(10)
    await replica.watch.look()
    await begin_next(service.database)
    async with asyncio.timeout(20):
        while replica.follower.edition.number == 0:
            # While they are made again nothing is judged of what is not whole.
            await replica.watch.look()
            await asyncio.sleep(0.01)
    await service.caught_up(replica)
    for at in (ready(10) + HOUR, ready(11), ready(12)):
        service.clock.at = at
        await replica.watch.look()
    assert service.events() == [("raised", day(10), 1), ("cleared", day(10), 2)]


async def test_a_lost_database_is_taken_over_from_the_topic_and_nothing_is_told_again(service: Service) -> None:
    service.log.post(reports(SURGING))
    replica = await service.replica()
    service.clock.at = ready(10)
    await replica.watch.look()
    told = [flag_entry(from_kafka(record.headers, record.value)) for record in service.kafka.told]
    for name in ("surges", "surges_judged", "counted", "followed"):
        await service.database.drop_collection(name)
    fresh = await service.replica()
    await fresh.watch.book.remember(told)
    service.clock.at = ready(12)
    await fresh.watch.look()
    assert service.events() == [("raised", day(10), 1), ("cleared", day(10), 2)]


async def test_the_metrics_show_how_it_compares_and_never_counts_that_are_not_published(service: Service) -> None:
    service.log.post([*reports(SURGING[:11]), *reports([1] * 11, "150")])
    service.clock.at = ready(10)
    replica = await service.replica()
    await replica.watch.look()
    text = replica.metrics.text().decode()
    assert 'qorgau_reports_to_usual_ratio{channel="102",period="day",region="KZ-33"} 4.0' in text
    assert 'qorgau_reports_to_usual_p{channel="102",period="day",region="KZ-33"}' in text
    assert 'qorgau_surge_alarms{channel="102",period="day",region="KZ-33"} 1.0' in text
    assert 'qorgau_flags_open{level="flag",region="KZ-33",rule="F8",severity="medium"} 1.0' in text
    assert 'channel="150"' not in text
    service.clock.at = ready(12)
    await replica.watch.look()
    assert "qorgau_surge_alarms{" not in replica.metrics.text().decode()


@pytest.fixture
async def published(service: Service) -> tuple[Service, Replica]:
    """April and a part of May: 30 by 102 and 4 by 150 in one region, more in another."""
    service.log.post(
        [
            *reports([3] * 10, "102"),
            *reports([1] * 4, "150"),
            *reports([4] * 10, "102", "KZ-75"),
            *reports([2] * 10, "150", "KZ-75"),
            *reports([0] * 24 + [9], "111"),
        ]
    )
    service.clock.at = parse_instant("2031-05-01T06:00:00+05:00")
    return service, await service.replica()


APRIL, MAY = date(2031, 4, 1), date(2031, 5, 1)


async def test_a_table_is_published_once_a_day_at_most_and_only_when_it_differs(
    published: tuple[Service, Replica],
) -> None:
    service, replica = published
    (first,) = await replica.months.publish(APRIL, service.clock.at)
    assert (first.number, first.as_of) == (1, service.clock.at)
    assert first.table["total", "total"] == 94
    assert first.table["KZ-33", "150"] is None
    # Withdrawn an hour later: the table of the day stays as it is, the one of the next day differs.
    gone = service.clock.at + HOUR
    service.log.post([withdrawal(report(0, 0), gone)])
    await service.caught_up(replica)
    assert await replica.months.publish(APRIL, gone + HOUR) == [first]
    other = await service.replica()
    next_day = first.as_of + DAY
    both = await asyncio.gather(*(of.months.publish(APRIL, next_day + HOUR) for of in (replica, other)))
    assert both[0] == both[1]
    assert [(one.number, one.as_of) for one in both[0]] == [(1, first.as_of), (2, next_day)]
    assert both[0][1].table["total", "total"] == 93
    assert both[0][1].table["KZ-33", "150"] is None
    assert await replica.months.publish(APRIL, next_day + 9 * DAY) == both[0]


async def test_months_before_the_first_report_or_to_come_have_no_table(published: tuple[Service, Replica]) -> None:
    service, replica = published
    for month in (date(2031, 2, 1), date(2031, 6, 1)):
        with pytest.raises(NotFound):
            await replica.months.publish(month, service.clock.at)
    assert not replica.months.is_over(MAY, service.clock.at)
    assert replica.months.is_over(APRIL, service.clock.at)


@pytest.fixture
async def client(published: tuple[Service, Replica]) -> AsyncIterator[httpx2.AsyncClient]:
    service, replica = published

    async def ready() -> Readiness:
        return Readiness(True)

    router = statistics_router(replica.months, service.clock.now, access(KEY))
    app = build_app("test", [router], ready=ready, metrics=Metrics())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        client.headers["authorization"] = f"Bearer {make_token(KEY, agency='court/KZ-75-01', scopes=['flags:read'])}"
        yield client


async def test_the_route_answers_in_both_forms_and_in_the_revision_of_an_instant(
    client: httpx2.AsyncClient, published: tuple[Service, Replica]
) -> None:
    service, replica = published
    answer = await client.get("/v1/statistics?month=2031-04")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["month"], body["status"], body["revision"]) == ("2031-04", "published", 1)
    cells = {(cell["region"], cell["channel"]): cell for cell in body["cells"]}
    assert cells["KZ-33", "150"] == {"region": "KZ-33", "channel": "150", "reports": None, "withheld": True}
    again = await client.get("/v1/statistics?month=2031-04", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    lines = await client.get("/v1/statistics?month=2031-04", headers={"accept": "text/csv"})
    assert lines.headers["content-type"].startswith("text/csv")
    assert lines.text.splitlines()[0] == "month,status,revision,as_of,region,channel,reports,withheld"
    assert lines.text.splitlines()[-1] == "2031-04,published,1,2031-05-01T01:00:00Z,total,total,94,no"
    assert lines.headers["etag"] != answer.headers["etag"]
    service.log.post([withdrawal(report(0, 0), service.clock.at + HOUR)])
    await service.caught_up(replica)
    service.clock.at += DAY
    newest = (await client.get("/v1/statistics?month=2031-04")).json()
    assert [one["revision"] for one in newest["revisions"]] == [1, 2]
    then = await client.get("/v1/statistics", params={"month": "2031-04", "as_of": body["as_of"]})
    assert then.json() == body
    before = await client.get("/v1/statistics", params={"month": "2031-04", "as_of": "2031-04-30T00:00:00Z"})
    assert before.status_code == 404


async def test_a_month_that_is_not_over_is_only_for_who_may_see_everything_and_no_revision(
    client: httpx2.AsyncClient, published: tuple[Service, Replica]
) -> None:
    service, _ = published
    assert (await client.get("/v1/statistics?month=2031-05")).status_code == 404
    assert (await client.get("/v1/statistics?month=2031-05&provisional=true")).status_code == 403
    service.clock.at = parse_instant("2031-05-02T12:00:00+05:00")
    token = make_token(KEY, agency="prosecutor", scopes=["cases:read"], regions=["*"])
    answer = await client.get(
        "/v1/statistics?month=2031-05&provisional=true", headers={"authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["status"], body["revision"], body["revisions"]) == ("provisional", None, [])
    assert body["as_of"] == "2031-05-02T01:00:00Z"
    assert answer.headers["cache-control"] == "no-store"
    assert await service.database["published"].count_documents({"month": "2031-05"}) == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("month=2031-13", 422),
        ("month=0001-01", 404),
        ("month=2031-01", 404),
        ("month=2031-04&as_of=soon", 422),
        ("month=2031-04&format=xml", 422),
        ("", 422),
    ],
)
async def test_what_cannot_be_asked_is_refused(client: httpx2.AsyncClient, query: str, status: int) -> None:
    assert (await client.get(f"/v1/statistics?{query}")).status_code == status
