"""A report from the desk to the supervisor's screen: safe when it is answered, also while Kafka is away; flags as they
are raised, none missed and none twice; and why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from qorgau.instants import format_instant
from qorgau.vocabulary import INTAKE, NOTIFIER, POLICE
from tests.e2e.following import feed
from tests.e2e.live.world import REGION, ago, check_refused, registered, token
from tests.e2e.stack import KEEPERS, PATIENCE, Row, Stack, eventually

REPORT = {"channel": "102", "area": "urban", "region": REGION}


async def report(stack: Stack, key: str, **changes: Any) -> httpx2.Response:
    desk = token(stack, scopes=["reports:write"]) | {"idempotency-key": key}
    return await stack.http.post(f"{stack.url(INTAKE)}/v1/reports", json=REPORT | changes, headers=desk)


async def shown(stack: Stack, service: str, case: str) -> Row:
    answer = await stack.http.get(f"{stack.url(service)}/v1/cases/{case}")
    assert answer.status_code == 200, answer.text
    body: Row = answer.json()
    return body


async def test_a_report_opens_a_case_that_can_be_read_at_once_and_the_same_key_finds_it_again(live: Stack) -> None:
    at = format_instant(ago(minutes=2))
    answer = await report(live, "report-1", time=at)
    case = answer.json()["case"]
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/cases/{case}")
    read = await live.http.get(f"{live.url(INTAKE)}{answer.headers['location']}", headers=token(live))
    assert (read.status_code, read.json()["facts"], read.json()["agencies"]) == (200, 1, [f"102/{REGION}"])
    # Also while it is on its way into the log and back.
    for _ in range(50):
        assert (await live.http.get(f"{live.url(INTAKE)}/v1/cases/{case}", headers=token(live))).status_code == 200
    again = await asyncio.gather(*(report(live, "report-1", time=at) for _ in range(5)))
    assert [one.json() for one in again] == [answer.json()] * 5
    assert (await report(live, "report-2", time=at)).json()["case"] != case
    check_refused(await report(live, "report-1", area="rural"), 422)
    check_refused(await report(live, "report-3", safe_phone="Aigul 860412400123"), 422)
    for service in KEEPERS:
        await eventually(lambda service=service: known(live, service, case))  # type: ignore[misc]


async def known(stack: Stack, service: str, case: str) -> None:
    assert (await shown(stack, service, case))["facts"] == 1


@asynccontextmanager
async def streaming(stack: Stack, last: str | None = None) -> AsyncIterator[AsyncIterator[tuple[str, Row]]]:
    """The notifier's stream of flags: the id and the data of each event, from now on or after an id."""
    async with feed(stack, NOTIFIER, "/v1/flags/stream", last=last) as events:
        yield ((at, data) async for at, _, data in events)


async def of_case(events: AsyncIterator[tuple[str, Row]], case: str, count: int) -> list[tuple[str, Row]]:
    """The next events of a case, so many."""
    found: list[tuple[str, Row]] = []
    async with asyncio.timeout(PATIENCE):
        async for at, data in events:
            if data.get("case") == case:
                found.append((at, data))
            if len(found) == count:
                break
    return found


async def test_flags_are_streamed_as_they_are_raised_and_a_reader_goes_on_where_it_was(live: Stack) -> None:
    async with streaming(live) as events:
        begin, nothing = await anext(events)
        assert nothing == {}
        await live.post([registered("stream-1", "stream-case")])
        first = await of_case(events, "stream-case", 2)
    assert {data["rule"] for _, data in first} == {"P03"}
    assert [data["seq"] for _, data in first] == [1, 2]
    await live.post([registered("stream-2", "stream-late")])
    await eventually(lambda: listed(live, "stream-late"))
    async with streaming(live, first[-1][0]) as events:
        missed = await of_case(events, "stream-late", 1)
    assert missed[0][1]["case"] == "stream-late"
    async with streaming(live, begin) as events:
        assert [data for _, data in await of_case(events, "stream-case", 2)] == [data for _, data in first]
    async with streaming(live, first[0][0]) as events:
        # Its id may differ: how far the other partitions are by then is chance.
        assert [data for _, data in await of_case(events, "stream-case", 1)] == [data for _, data in first[1:]]


async def flags(stack: Stack, case: str) -> list[Row]:
    answer = await stack.http.get(f"{stack.url(NOTIFIER)}/v1/flags", params={"case": case})
    items: list[Row] = answer.json()["items"]
    return items


async def listed(stack: Stack, case: str) -> None:
    assert await flags(stack, case)


async def test_the_notifier_sends_on_to_the_service_that_explains(live: Stack) -> None:
    await live.post([registered("explain-1", "explain-case")])
    await eventually(lambda: listed(live, "explain-case"))
    flag = (await flags(live, "explain-case"))[0]
    url = f"{live.url(NOTIFIER)}/v1/flags/{flag['id']}/explanation"
    sent_on = await live.http.get(url)
    assert sent_on.status_code == 307
    assert sent_on.headers["location"] == f"{live.url(POLICE)}/v1/flags/{flag['id']}/explanation"
    # At another origin a client sends no token by itself.
    explained = await live.http.get(sent_on.headers["location"])
    assert explained.status_code == 200, explained.text
    assert explained.json()["rule"]["id"] == flag["rule"]
    stranger = token(live, "102/KZ-71", regions=["KZ-71"])
    check_refused(await live.http.get(url, headers=stranger), 404)


async def test_a_report_is_taken_while_kafka_is_away_and_comes_to_all_when_it_is_back(live: Stack) -> None:

    await live.system.pair.kill("kafka")
    try:
        answer = await report(live, "report-away")
        case = answer.json()["case"]
        assert answer.status_code == 201
        assert (await report(live, "report-away")).json() == answer.json()
        read = await shown(live, INTAKE, case)
        assert read["facts"] == 1
        # What was given no answer can be sent again; it is safe as well.
        refused = await live.http.post(f"{live.url(POLICE)}/v1/facts", json={}, headers=token(live))
        assert refused.status_code == 422
    finally:
        await live.system.pair.start("kafka")
    for service in KEEPERS:
        await eventually(lambda service=service: known(live, service, case))  # type: ignore[misc]

    async def judged() -> None:
        for service in KEEPERS:
            read = await shown(live, service, case)
            assert (read["status"], read["as_of"] is not None) == ("open", True)

    await eventually(judged)
    facts = [await live.export(service, case) for service in KEEPERS]
    assert all([fact.id for fact in own] == [fact.id for fact in facts[0][0]] for own, _ in facts)
