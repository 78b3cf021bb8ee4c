"""The feed against services in memory: order, batches, ahead of the clock and no further, retries, resume, stop."""

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from qorgau import feed as feed_module
from qorgau.clock import FileClock, read_clock, write_clock
from qorgau.facts import Fact, fact_from_json
from qorgau.feed import Feed, FeedRefused, Position, as_event, set_pace_after
from qorgau.instants import MINUTE, SECOND, parse_instant
from qorgau.season import BEGINS, Planned, season
from qorgau.vocabulary import COURT, INTAKE, POLICE

SERVICES = {INTAKE: "http://intake", POLICE: "http://police/", COURT: "http://court"}
AT_ONCE = timedelta(0)
LIMIT = 10


def fact(number: int, at: int) -> Fact:
    return Fact(f"f{number}", "102/KZ-75", "police.dispatched", at - SECOND, at, "case-1", {"region": "KZ-75"})


def plan(count: int, service: str = POLICE, every: int = MINUTE) -> list[Planned]:
    return [Planned(fact(number, BEGINS + number * every), service) for number in range(count)]


@dataclass
class Still:
    """A clock that tests move: the wall goes with it."""

    at: int = BEGINS + 365 * 24 * 60 * MINUTE

    def wait_for(self, instant: int) -> float:
        return max(0, instant - self.at) / SECOND


@dataclass
class World:
    """Services that keep what they are given; `answers` are given first, instead."""

    batches: dict[str, list[list[Fact]]] = field(default_factory=dict)
    answers: list[Callable[[httpx2.Request], httpx2.Response]] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self.answers:
            return self.answers.pop(0)(request)
        facts = [fact_from_json(event) for event in json.loads(request.content)]
        self.batches.setdefault(request.url.host, []).append(facts)
        return accepted(facts)

    def facts(self, host: str) -> list[Fact]:
        return [fact for batch in self.batches.get(host, []) for fact in batch]

    def feed(self, planned: Sequence[Planned], clock: Still | FileClock | None = None, **settings: object) -> Feed:
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(self.answer))
        quick = {"tick": timedelta(milliseconds=1), "first_pause": timedelta(milliseconds=1), **settings}
        return Feed(client, SERVICES, "token", clock or Still(), planned, **quick)  # type: ignore[arg-type]


def accepted(facts: Sequence[Fact]) -> httpx2.Response:
    results = [{"id": fact.id, "case": fact.case, "status": "accepted"} for fact in facts]
    return httpx2.Response(207, json={"results": results})


def status(code: int, **headers: str) -> Callable[[httpx2.Request], httpx2.Response]:
    return lambda _: httpx2.Response(code, headers=headers)


def broken(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("refused", request=request)


@pytest.fixture
def world() -> World:
    return World()


async def run(feed: Feed) -> None:
    async with asyncio.timeout(LIMIT):
        await feed.run()


async def run_for_a_moment(feed: Feed) -> None:
    task = asyncio.create_task(feed.run())
    await asyncio.sleep(0.1)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_season_reaches_each_service_whole_and_in_order(world: World) -> None:
    planned = list(season(weeks=1))
    feed = world.feed(planned)
    await run(feed)
    for service, host in ((INTAKE, "intake"), (POLICE, "police"), (COURT, "court")):
        assert world.facts(host) == [one.fact for one in planned if one.service == service]
    assert feed.counts.accepted == len(planned)


async def test_it_posts_batches_with_the_token_to_the_one_address(world: World) -> None:
    await run(world.feed(plan(5), most=2))
    assert [len(batch) for batch in world.batches["police"]] == [2, 2, 1]
    request = world.requests[0]
    assert str(request.url) == "http://police/v1/facts"
    assert request.headers["authorization"] == "Bearer token"
    assert request.headers["content-type"] == "application/cloudevents-batch+json"


async def test_a_fact_is_posted_within_the_lead_and_no_earlier(world: World) -> None:
    clock = Still(at=BEGINS)
    feed = world.feed(plan(10), clock, lead=timedelta(minutes=3))
    await run_for_a_moment(feed)
    assert [fact.id for fact in world.facts("police")] == ["f0", "f1", "f2", "f3"]


async def test_it_follows_a_clock_that_is_moved(world: World) -> None:
    clock = Still(at=BEGINS)
    task = asyncio.create_task(run(world.feed(plan(10), clock, lead=AT_ONCE)))
    await asyncio.sleep(0.05)
    assert [fact.id for fact in world.facts("police")] == ["f0"]
    clock.at += 60 * MINUTE
    await task
    assert len(world.facts("police")) == 10


async def test_a_clock_that_stands_still_lets_nothing_through_that_lies_ahead(tmp_path: Path, world: World) -> None:
    write_clock(tmp_path / "clock", BEGINS + MINUTE, 0)
    clock = FileClock(tmp_path / "clock")
    assert clock.wait_for(BEGINS + 2 * MINUTE) == math.inf
    await run_for_a_moment(world.feed(plan(3), clock))
    assert [fact.id for fact in world.facts("police")] == ["f0", "f1"]


@pytest.mark.parametrize("trouble", [status(503), status(500), status(429), status(408), broken, status(200)])
async def test_a_batch_is_sent_again_until_it_is_taken(
    world: World, trouble: Callable[[httpx2.Request], httpx2.Response]
) -> None:
    world.answers = [trouble] * 4
    feed = world.feed(plan(3))
    await run(feed)
    assert [fact.id for fact in world.facts("police")] == ["f0", "f1", "f2"]
    assert feed.counts.repeats == 4


async def test_an_answer_for_fewer_facts_than_sent_is_no_answer(world: World) -> None:
    world.answers = [lambda _: accepted([fact(0, BEGINS)])]
    feed = world.feed(plan(3))
    await run(feed)
    assert len(world.facts("police")) == 3
    assert feed.counts.accepted == 3


async def test_the_pause_between_tries_grows_and_heeds_retry_after(world: World) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    world.answers = [broken, broken, status(503, **{"retry-after": "3"}), status(429, **{"retry-after": "60000"})]
    world.answers += [broken] * 10
    await world.feed(plan(2), first_pause=timedelta(seconds=1), most=2, sleep=sleep).run()
    assert slept == [1, 2, 4, 10, 10, *[10] * 9]


async def test_one_service_that_is_away_does_not_hold_the_others(world: World) -> None:
    async def answer(request: httpx2.Request) -> httpx2.Response:
        return broken(request) if request.url.host == "intake" else await world.answer(request)

    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    planned = sorted(plan(3, INTAKE) + plan(3, POLICE), key=lambda one: one.at)
    quick = timedelta(milliseconds=1)
    await run_for_a_moment(Feed(client, SERVICES, "token", Still(), planned, tick=quick, first_pause=quick))
    assert len(world.facts("police")) == 3
    assert not world.facts("intake")


@pytest.mark.parametrize("code", [401, 403, 404, 422])
async def test_an_answer_that_no_repetition_changes_ends_the_feed_and_says_where(world: World, code: int) -> None:
    world.answers = [status(code)]
    with pytest.raises(FeedRefused, match=rf"police-dispatch answers {code}"):
        await run(world.feed(plan(3)))


async def test_facts_that_are_refused_one_by_one_are_counted_and_do_not_stop_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    problem = {"title": "A field is not as documented", "field": "data.region"}
    results = [{"id": "f0", "status": "rejected", "problem": problem}, {"id": "f1", "case": "c", "status": "accepted"}]
    world.answers = [lambda _: httpx2.Response(207, json={"results": results})]
    feed = world.feed(plan(3), most=2)
    await run(feed)
    assert (feed.counts.rejected, feed.counts.accepted) == (1, 2)
    assert "data.region" in caplog.text


async def test_a_feed_that_was_stopped_goes_on_where_it_was(tmp_path: Path, world: World) -> None:
    file, clock = tmp_path / "position", Still(at=BEGINS + 3 * MINUTE)
    await run_for_a_moment(world.feed(plan(6), clock, lead=AT_ONCE, position=Position(file)))
    stopped_at = len(world.facts("police"))
    clock.at += 60 * MINUTE
    feed = world.feed(plan(6), clock, lead=AT_ONCE, position=Position(file))
    await run(feed)
    ids = [fact.id for fact in world.facts("police")]
    assert stopped_at == 4
    # The last one may have had company at the same instant, so it is posted again.
    assert ids == ["f0", "f1", "f2", "f3", "f3", "f4", "f5"]
    assert feed.counts.skipped == 3


async def test_facts_of_one_instant_that_fall_into_two_batches_survive_a_stop_between_them(
    tmp_path: Path, world: World
) -> None:
    world.answers = []
    same = plan(3, every=0)
    position = Position(tmp_path / "position")
    await run(world.feed(same[:2], position=position))
    await run(world.feed(same, position=Position(tmp_path / "position")))
    assert {fact.id for fact in world.facts("police")} == {"f0", "f1", "f2"}


async def test_what_was_not_safe_when_it_was_stopped_is_posted_again(tmp_path: Path, world: World) -> None:
    world.answers = [broken] * 1000
    await run_for_a_moment(world.feed(plan(2), position=Position(tmp_path / "position")))
    world.answers = []
    await run(world.feed(plan(2), position=Position(tmp_path / "position")))
    assert len(world.facts("police")) == 2


async def test_a_position_that_cannot_be_read_means_from_the_beginning(tmp_path: Path, world: World) -> None:
    (tmp_path / "position").write_text('{"police-dispatch": "no')
    await run(world.feed(plan(2), position=Position(tmp_path / "position")))
    assert len(world.facts("police")) == 2


async def test_a_request_that_hangs_is_given_up_and_sent_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "REQUEST_TIMEOUT", timedelta(milliseconds=30))
    hanging = True

    async def answer(request: httpx2.Request) -> httpx2.Response:
        nonlocal hanging
        if hanging:
            hanging = False
            await asyncio.Event().wait()
        return await world.answer(request)

    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    quick = timedelta(milliseconds=1)
    await run(Feed(client, SERVICES, "token", Still(), plan(1), tick=quick, first_pause=quick))
    assert len(world.facts("police")) == 1


def test_an_event_carries_both_times_and_leaves_out_a_case_there_is_not() -> None:
    one = Fact("f1", "coordinator/KZ-75", "emergency.regime_declared", BEGINS, BEGINS + 1, None, {"region": "KZ-75"})
    event = as_event(one)
    assert event["time"] == "2020-02-29T18:00:00Z"
    assert event["recordedtime"] == "2020-02-29T18:00:00.000001Z"
    assert "subject" not in event
    assert fact_from_json(event) == one


def test_the_process_refuses_to_start_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QORGAU_TOKEN", raising=False)
    assert feed_module.main(["--services", "{}"]) == 2


async def test_when_the_season_is_over_the_clock_goes_on_at_another_pace_from_where_it_is(tmp_path: Path) -> None:
    file, over = tmp_path / "clock", parse_instant("2020-04-26T00:00:00Z")
    write_clock(file, over - 60 * MINUTE, 10_000)
    async with asyncio.timeout(LIMIT):
        await set_pace_after(over, file, 1)
    setting = read_clock(file)
    assert setting.factor == 1
    assert over <= setting.at < over + 24 * 60 * MINUTE


async def test_the_pace_is_left_alone_while_the_season_goes_on(tmp_path: Path) -> None:
    file, over = tmp_path / "clock", parse_instant("2020-04-26T00:00:00Z")
    write_clock(file, over - 60 * MINUTE, 1)
    task = asyncio.create_task(set_pace_after(over, file, 0))
    await asyncio.sleep(0.1)
    assert not task.done()
    assert read_clock(file).factor == 1
    task.cancel()
