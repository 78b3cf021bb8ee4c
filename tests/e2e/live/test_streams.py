"""The feeds of cases and of hearings as their readers have them: cut in the middle, a service that is started again, a
fact that comes late; each thing once and in order, and to nobody whom the lists would not show it."""

import os
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import httpx2

from qorgau.facts import Fact
from qorgau.instants import format_instant
from qorgau.vocabulary import COURT, POLICE
from tests.e2e.following import Event, feed, some
from tests.e2e.live.world import REGION, ago, check_refused, registered, token
from tests.e2e.stack import KEEPERS, Stack, eventually

HERE, THERE = "KZ-75-01", "KZ-75-02"


async def started_again(stack: Stack, service: str) -> None:
    """The process is told to end, ends though somebody reads, and is started again."""
    process = stack.process(service)
    before = process.restarts
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)

    async def back() -> None:
        assert process.restarts > before
        try:
            ready = await stack.http.get(f"{stack.url(service)}/readyz")
        except httpx2.TransportError:
            raise AssertionError from None
        assert ready.status_code == 200

    await eventually(back)


def arrived_at(name: str, case: str, **ago_by: float) -> Fact:
    at = ago(**ago_by)
    data = {"region": REGION, "response": "incident", "injury": False, "sexual": False}
    return Fact(name, f"102/{REGION}", "police.arrived", at, at, case, data)


def names(events: list[Event]) -> list[tuple[str, str]]:
    """The type of each, and what it is about: the id of the fact, or the rule and level of the flag."""
    return [(kind, data["id"] if "flag" not in kind else f"{data['rule']} {data['level']}") for _, kind, data in events]


async def test_a_case_is_followed_over_a_cut_a_restart_and_a_fact_that_comes_late(live: Stack) -> None:
    path = "/v1/cases/feed-case/events"
    missing = await live.http.get(f"{live.url(POLICE)}{path}")
    check_refused(missing, 404)
    await live.post([registered("feed-1", "feed-case")])
    await eventually(lambda: _known(live, "feed-case"))
    async with feed(live, POLICE, path, after="0") as events:
        begin, kind, _ = await anext(events)
        assert (begin, kind) == ("0-0000000000000000", "")
        first = await some(events, 2)
        assert names(first)[0] == ("qorgau.police.incident_registered.v1", "feed-1")
        assert first[0][2]["data"] == {"region": REGION, "priority": "immediate", "area": "urban"}
        assert first[1][1] == "qorgau.flag.raised.v1"
        await started_again(live, POLICE)
        # The stream has ended by itself, after whole events.
        assert not [one async for one in events if not one[0]]
    at = ago(hours=2)
    dispatched = Fact("feed-late", f"102/{REGION}", "police.dispatched", at, at, "feed-case", {"region": REGION})
    arrived = arrived_at("feed-2", "feed-case", minutes=1)
    await live.post([arrived, arrived], stamped=True)
    async with feed(live, POLICE, path, last=first[-1][0]) as events:
        rest = await _until(events, "feed-2")
        # It was stamped before the case was judged last, and is told when it comes.
        await live.post([dispatched, dispatched])
        rest += await _until(events, "feed-late")
    facts = [name for kind, name in names([*first, *rest]) if "flag" not in kind]
    assert facts == ["feed-1", "feed-2", "feed-late"]
    cleared = [one for one in rest if one[1] == "qorgau.flag.cleared.v1"]
    assert {data["outcome"] for _, _, data in cleared} >= {"closed_late"}
    # Whoever reads all of it gets the same, under the same ids.
    async with feed(live, POLICE, path, after="0", last=begin) as events:
        assert await some(events, len(first + rest)) == first + rest


async def _until(events: AsyncIterator[Event], fact: str) -> list[Event]:
    found: list[Event] = []
    while not found or found[-1][2].get("id") != fact:
        found += await some(events, 1)
    return found


async def _known(stack: Stack, case: str) -> None:
    assert (await stack.http.get(f"{stack.url(POLICE)}/v1/cases/{case}")).status_code == 200


async def test_a_place_in_another_feed_is_gone_and_what_is_none_is_refused(live: Stack) -> None:
    await live.post([registered("place-1", "place-case")])
    await eventually(lambda: _known(live, "place-case"))
    for path, service, other in (
        ("/v1/cases/place-case/events", POLICE, f"7-{'0' * 16}"),
        ("/v1/hearings/events", COURT, f"7.1-{'0' * 12}"),
    ):
        url = f"{live.url(service)}{path}"
        for last, status in ((other, 410), ("CANARY", 422), ("", 422)):
            for given in ({"headers": {"last-event-id": last}}, {"params": {"after": last}}):
                answer = await live.http.get(url, **given)  # type: ignore[arg-type]
                check_refused(answer, status)
                assert "CANARY" not in answer.text


async def test_no_feed_tells_of_a_case_to_whom_its_facts_are_not_shown(live: Stack) -> None:
    await live.post([registered("mine-1", "mine-case")])
    await eventually(lambda: _known(live, "mine-case"))
    for who in (token(live, "102/KZ-71", regions=["KZ-71"]), token(live, f"shelter/{REGION}")):
        for service in KEEPERS:
            url = f"{live.url(service)}/v1/cases"
            answers = [
                await live.http.get(f"{url}/{case}/{part}", headers=who)
                for case in ("mine-case", "no-such-case")
                for part in ("facts", "events")
            ]
            assert {(one.status_code, one.content) for one in answers} == {(404, answers[0].content)}
    without = token(live, scopes=["facts:write"])
    for service, path in ((POLICE, "/v1/cases/mine-case/events"), (COURT, "/v1/hearings/events")):
        check_refused(await live.http.get(f"{live.url(service)}{path}", headers=without), 403)
        check_refused(await live.http.get(f"{live.url(service)}{path}", headers={"authorization": "Bearer x"}), 401)


def of_court(name: str, type: str, case: str, *, hours: float, court: str = HERE, **data: Any) -> Fact:
    at = ago(hours=hours)
    return Fact(name, f"court/{court}", f"court.{type}", at, at, case, {"region": REGION, "protocol_id": "p1", **data})


def dated(name: str, case: str, *, hours: float, days: float = 10, court: str = HERE) -> Fact:
    data = {"hearing_id": "h1", "scheduled_for": format_instant(ago(days=-days))}
    return of_court(name, "hearing_scheduled", case, hours=hours, court=court, **data)


def before(court: str, case: str) -> list[Fact]:
    """A case with a court, and a date."""
    begun = of_court(f"{case}-r", "case_registered", case, hours=9, court=court)
    begun = replace(begun, data={**begun.data, "court": court, "arrest_eligible": True})
    return [begun, dated(f"{case}-l", case, hours=8, court=court)]


async def test_hearings_are_followed_over_a_cut_and_a_restart_by_court_and_by_whom_the_list_shows_them(
    live: Stack,
) -> None:
    path, desk = "/v1/hearings/events", token(live, f"court/{HERE}")
    await live.post([*before(HERE, "hear-here"), *before(THERE, "hear-there")])
    await eventually(lambda: _in_list(live, {"hear-here", "hear-there"}))
    async with feed(live, COURT, path, after="0", court=HERE) as events:
        (first,) = await some(events, 1)
    assert (first[1], first[2]["was"], first[2]["state"]) == ("qorgau.hearing.changed.v1", None, "listed")
    stop = {"hearing_id": "h1", "tolls_term": True, "legal_basis": "state_of_emergency"}
    await live.post(
        [
            of_court(f"hear-{place}-s", "hearing_suspended", f"hear-{place}", hours=4, court=court, **stop)
            for place, court in (("here", HERE), ("there", THERE))
        ]
    )
    async with feed(live, COURT, path, last=first[0], court=HERE) as events:
        (second,) = await some(events, 1)
        await started_again(live, COURT)
        assert not [one async for one in events if one[1]]
    await live.post([of_court("hear-here-again", "hearing_resumed", "hear-here", hours=2, hearing_id="h1")])
    # A date that was given before the hearing was resumed, and comes after.
    late = dated("hear-here-n", "hear-here", hours=3, days=20)
    await eventually(lambda: _state(live, "hear-here", "awaiting_date"))
    await live.post([late, late])
    # What becomes known at one instant is one change.
    await eventually(lambda: _state(live, "hear-here", "relisted"))
    await live.post([dated("hear-here-d", "hear-here", hours=1, days=30)])
    async with feed(live, COURT, path, last=second[0], court=HERE) as events:
        rest = await some(events, 3)
    told = [(data["number"], data["state"]) for _, _, data in [first, second, *rest]]
    assert told == [(1, "listed"), (2, "suspended"), (3, "awaiting_date"), (4, "relisted"), (5, "listed")]
    assert {data["court"] for _, _, data in [first, second, *rest]} == {HERE}
    async with feed(live, COURT, path, after="0", who=desk, region=REGION) as events:
        assert [data for _, _, data in await some(events, 5)] == [data for _, _, data in [first, second, *rest]]
    strange = token(live, f"court/{THERE}-9")
    assert not await _cases(live, strange, "hear-here")
    async with feed(live, COURT, path, after="0", who=strange, case="hear-here") as events:
        # Where all of it has been looked at there is only a place.
        places = [await anext(events) for _ in range(2)]
    assert [one[1] for one in places] == ["", ""]
    assert places[1][0] != places[0][0]


async def _cases(stack: Stack, who: Mapping[str, str] | None = None, *only: str) -> set[str]:
    """The cases in the list of hearings."""
    query = {"limit": "1000"} | ({"case": only[0]} if only else {})
    answer = await stack.http.get(f"{stack.url(COURT)}/v1/hearings", params=query, headers=who)
    return {row["case"] for row in answer.json()["items"]}


async def _in_list(stack: Stack, cases: set[str]) -> None:
    assert cases <= await _cases(stack)


async def _state(stack: Stack, case: str, state: str) -> None:
    answer = await stack.http.get(f"{stack.url(COURT)}/v1/hearings", params={"case": case})
    assert [row["state"] for row in answer.json()["items"]] == [state]
