"""Parity on the real database: every replica writes the same, whatever is withdrawn, repeated or made again."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from qorgau.auth import make_token
from qorgau.embedded.pair import Pair
from qorgau.errors import Unavailable
from qorgau.instants import DAY, HOUR, format_instant
from qorgau.parity.book import DelayBook
from qorgau.parity.reckoning import Reckoning
from qorgau.parity.routes import parity_router
from qorgau.parity.samples import Sample
from qorgau.parity.watching import ParityWatch
from qorgau.parity.wiring import learn
from qorgau.service import Readiness, build_app
from qorgau.shell.edition import Edition, begin_next
from qorgau.shell.follower import Follower, LogRecord
from qorgau.store import connect
from qorgau.telemetry import Metrics
from tests.delays import CALENDAR, DOMESTIC, NOON, REGIME, call, calls, withdrawn
from tests.entry import access
from tests.surging import Log, StandingClock

KEY = "a key of the tests that is long enough"
SLOW: list[float | None] = [20.0 + number for number in range(12)]
FAST: list[float | None] = [5.0 + number / 2 for number in range(12)]
FACTS = [*calls(SLOW, DOMESTIC), *calls(FAST, REGIME), *calls(FAST, DOMESTIC, "102/KZ-71")]


@dataclass
class Replica:
    """One process that follows the log, and what it measures a minute by."""

    log: Log
    follower: Follower
    reckoning: Reckoning
    watch: ParityWatch
    metrics: Metrics
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    wall: float = 0.0

    async def caught_up(self) -> None:
        async with asyncio.timeout(20):
            while not (self.follower.caught_up and self.follower.at == [len(self.log.records)]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def samples(self) -> list[Sample]:
        days = self.reckoning.book.between(NOON - DAY, NOON + 2 * DAY, self.reckoning.now())
        return sorted([one async for day in days for one in day], key=repr)


@dataclass
class Deployment:
    """A database, a log, a clock, and the replicas that work with them."""

    database: Any
    log: Log = field(default_factory=Log)
    clock: StandingClock = field(default_factory=lambda: StandingClock(NOON + DAY))
    running: list[tuple[Replica, asyncio.Task[None]]] = field(default_factory=list)

    async def replica(self) -> Replica:
        book, metrics = DelayBook(Edition(self.database)), Metrics()
        made: Replica

        async def handle(records: Sequence[LogRecord]) -> None:
            made.watch.heard |= await learn(records, book)

        follower = Follower("qorgau.police.facts", self.log, handle, book.edition)
        reckoning = Reckoning(book, follower, CALENDAR, self.clock.now, wall=lambda: made.wall)
        watch = ParityWatch(reckoning, metrics, lambda _: True)
        made = Replica(self.log, follower, reckoning, watch, metrics)
        await book.prepare()
        self.running.append((made, asyncio.create_task(follower.run(made.stopping))))
        await made.caught_up()
        return made

    async def stop(self) -> None:
        for replica, task in self.running:
            replica.stopping.set()
            self.log.more.set()
            await task


@pytest.fixture
async def deployment(pair: Pair) -> AsyncIterator[Deployment]:
    client = connect(pair.mongo)
    name = f"parity_{uuid.uuid4().hex}"
    made = Deployment(client[name])
    yield made
    await made.stop()
    await client.drop_database(name)
    client.close()


async def test_a_fact_counts_once_however_often_it_comes_and_whoever_writes_it(deployment: Deployment) -> None:
    deployment.log.post([*FACTS, *FACTS[:5]])
    first, second = await asyncio.gather(deployment.replica(), deployment.replica())
    assert len(await first.samples()) == len(FACTS)
    assert await first.samples() == await second.samples()
    # A source that sends the same id again with another delay has made a mistake; the first counts.
    deployment.log.post([call(FACTS[0].id, DOMESTIC, NOON, 55)])
    await first.caught_up()
    assert {one.delay for one in await second.samples()}.isdisjoint({55 * HOUR // 60})


@pytest.mark.parametrize("withdrawal_first", [True, False])
async def test_what_is_withdrawn_is_gone_whichever_comes_first(deployment: Deployment, withdrawal_first: bool) -> None:
    one = call("c1", DOMESTIC, NOON, 30)
    gone = withdrawn(one, NOON + 2 * HOUR)
    deployment.log.post([gone, one, one] if withdrawal_first else [one, gone, one])
    replica = await deployment.replica()
    assert await replica.samples() == []
    deployment.clock.at = NOON + 2 * HOUR - 1
    assert len(await replica.samples()) == 1


async def test_nothing_counts_before_it_is_known(deployment: Deployment) -> None:
    deployment.log.post([call("c1", DOMESTIC, NOON, 30)])
    replica = await deployment.replica()
    deployment.clock.at = NOON + HOUR - 1
    assert await replica.samples() == []
    deployment.clock.at += 1
    assert len(await replica.samples()) == 1


async def test_an_answer_is_kept_for_a_minute_and_one_made_anew_is_everybodys(deployment: Deployment) -> None:
    deployment.log.post(FACTS)
    replica = await deployment.replica()
    before = await replica.reckoning.of(None, None)
    deployment.log.post([withdrawn(fact, NOON + 3 * HOUR) for fact in FACTS[:12]])
    await replica.caught_up()
    replica.wall = 59.9
    assert await replica.reckoning.of(None, None) is before
    replica.wall = 60
    after = await replica.reckoning.of(None, None)
    assert [line.domestic.answered for line in before.lines] == [12, 12]
    assert [line.domestic.answered for line in after.lines] == [12, 0]
    assert await replica.reckoning.anew() is not after
    assert (await replica.reckoning.of(None, None)).as_of == deployment.clock.at


async def test_while_the_log_is_read_again_nobody_is_told_half_of_it(deployment: Deployment) -> None:
    deployment.log.post(FACTS)
    replica = await deployment.replica()
    whole = await replica.reckoning.of(None, None)
    await begin_next(deployment.database)
    async with asyncio.timeout(20):
        while replica.reckoning.book.edition.number == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        try:
            again = await replica.reckoning.of(None, None)
        except Unavailable:
            await replica.caught_up()
            again = await replica.reckoning.of(None, None)
    assert again.lines == whole.lines


async def test_metrics_show_what_is_stored_and_nothing_that_is_gone(deployment: Deployment) -> None:
    deployment.log.post(FACTS)
    replica = await deployment.replica()
    assert await replica.watch.look()
    text = replica.metrics.text().decode()
    place = 'area="urban",band="day"'
    for bound in ("estimate", "lower", "upper"):
        assert f'qorgau_parity_difference_seconds{{{place},bound="{bound}",grade="prompt",region="KZ-75"' in text
    assert 'estimate",grade="prompt",region="KZ-75",unit="102/KZ-75"} 1065.0' in text
    deployment.log.post([withdrawn(fact, NOON + 3 * HOUR) for fact in FACTS[:12]])
    await replica.caught_up()
    assert replica.watch.heard
    assert await replica.watch.look()
    assert "qorgau_parity_difference_seconds{" not in replica.metrics.text().decode()


@pytest.fixture
async def client(deployment: Deployment) -> AsyncIterator[httpx2.AsyncClient]:
    deployment.log.post(FACTS)
    replica = await deployment.replica()

    async def ready() -> Readiness:
        return Readiness(True)

    router = parity_router("police-dispatch", replica.reckoning, access(KEY))
    app = build_app("test", [router], ready=ready, metrics=Metrics())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        yield client


def token(agency: str, *regions: str) -> dict[str, str]:
    made = make_token(KEY, agency=agency, scopes=["cases:read"], regions=list(regions))
    return {"authorization": f"Bearer {made}"}


async def test_the_route_tells_everybody_of_their_own_calls(client: httpx2.AsyncClient) -> None:
    for agency, regions, units in (
        ("watchdog", ["*"], ["102/KZ-71", "102/KZ-75"]),
        ("coordinator/KZ-75", ["KZ-75"], ["102/KZ-75"]),
        ("102/KZ-71", ["KZ-71"], ["102/KZ-71"]),
        ("clinic/KZ-71", ["KZ-71"], []),
    ):
        answer = await client.get("/v1/parity", headers=token(agency, *regions))
        assert answer.status_code == 200, answer.text
        assert [cell["unit"] for cell in answer.json()["cells"]] == units
    body = (await client.get("/v1/parity?region=KZ-75", headers=token("watchdog", "*"))).json()
    assert body["compared"] == 1
    assert body["cells"][0]["flagged"] is True
    assert body["until"] == body["as_of"] == format_instant(NOON + DAY)
    assert body["since"] == format_instant(NOON + DAY - 90 * DAY)


async def test_a_window_ends_before_its_end_and_begins_with_its_beginning(client: httpx2.AsyncClient) -> None:
    ends = {"since": format_instant(NOON), "until": format_instant(NOON + 11 * HOUR // 60)}
    answer = await client.get("/v1/parity", params={**ends, "unit": "102/KZ-75"}, headers=token("watchdog", "*"))
    (cell,) = answer.json()["cells"]
    assert cell[DOMESTIC]["answered"] == cell[REGIME]["answered"] == 11


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "until=2031-04-07",
        "since=2031-04-08T00:00:00Z&until=2031-04-08T00:00:00Z",
        "since=2031-04-09T00:00:00Z&until=2031-04-08T00:00:00Z",
        "since=2021-04-09T00:00:00Z",
        "region=everywhere",
        "unit=nobody/KZ-75",
    ],
)
async def test_what_cannot_be_asked_is_refused(client: httpx2.AsyncClient, query: str) -> None:
    answer = await client.get("/v1/parity?" + query, headers=token("watchdog", "*"))
    assert answer.status_code == 422, answer.text
