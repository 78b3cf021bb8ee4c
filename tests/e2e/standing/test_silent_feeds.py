"""A shelter falls silent before a place was due: unknown wherever it is shown, flagged, and settled when it speaks
again. In a region and a year of its own, after those of the scenarios: the clock goes on."""

from typing import Any

from qorgau.facts import Fact
from qorgau.feeds.case import silence_case
from qorgau.instants import HOUR, format_instant, parse_instant
from qorgau.vocabulary import INTAKE, NOTIFIER
from tests.e2e.stack import Stack, eventually

REGION, SHELTER, CENTRE, CASE = "KZ-59", "shelter/KZ-59", "crisis-centre/KZ-59", "feeds-1"
BEGIN = parse_instant("2039-03-01T00:00:00Z")
# It reports every four hours for twenty days, so ten hours without a word are too long.
LAST = BEGIN + (20 * 6 - 1) * 4 * HOUR
SILENT_AT, SPOKE = LAST + 10 * HOUR, LAST + 13 * HOUR


def reports() -> list[Fact]:
    data = {"region": REGION, "places": 20, "free": 3, "quarantine_free": 1}
    instants = range(BEGIN, LAST + 1, 4 * HOUR)
    return [Fact(f"capacity-{at}", SHELTER, "shelter.capacity_reported", at, at, None, data) for at in instants]


async def items(stack: Stack, service: str, path: str, **query: str) -> list[dict[str, Any]]:
    answer = await stack.http.get(f"{stack.url(service)}/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def metric(stack: Stack, certainty: str) -> bool:
    text = (await stack.http.get(f"{stack.url(INTAKE)}/metrics")).text
    return f'qorgau_breaches{{certainty="{certainty}",region="{REGION}",rule="P24"}} 1.0' in text


async def silence(stack: Stack) -> dict[str, Any]:
    listed = await items(stack, NOTIFIER, "flags", rule="F10", region=REGION)
    assert len(listed) == 1, listed
    return listed[0]


async def test_a_breach_is_unknown_while_who_could_have_prevented_it_is_silent_and_settled_afterwards(
    stack: Stack,
) -> None:
    asked = LAST + HOUR
    requested = Fact("asked", CENTRE, "shelter.referral_requested", asked, asked, CASE, {"region": REGION})
    await stack.post([*reports(), requested])
    stack.set_clock(LAST + 12 * HOUR)

    async def unknown() -> None:
        listed = await items(stack, NOTIFIER, "flags", region=REGION, certainty="unknown")
        assert len(listed) == 1, listed
        breach = listed[0]
        assert (breach["rule"], breach["level"], breach["outcome"]) == ("P24", "breach", "open")
        assert breach["unknown_since"] == format_instant(LAST)
        state = (await stack.http.get(f"{stack.url(INTAKE)}/v1/cases/{CASE}")).json()
        marks = [(row["rule"], row["certainty"]) for row in (*state["deadlines"], *state["flags"])]
        assert marks == [("P24", "unknown")] * 2
        flag = await silence(stack)
        assert (flag["case"], flag["agency"]) == (silence_case(SHELTER, REGION), SHELTER)
        assert (flag["start_at"], flag["raised_at"]) == (format_instant(LAST), format_instant(SILENT_AT))
        feeds = {one["agency"]: one for one in await items(stack, INTAKE, "feeds") if one["region"] == REGION}
        assert (feeds[SHELTER]["state"], feeds[SHELTER]["expected_within"]) == ("silent", "PT10H")
        assert feeds[CENTRE]["state"] == "unexpected"
        assert await metric(stack, "unknown")

    await eventually(unknown)
    before = await silence(stack)
    explained = await stack.http.get(f"{stack.url(INTAKE)}/v1/flags/{before['id']}/explanation")
    assert explained.json()["steps"][1]["basis"] == "learned"
    data = {"region": REGION}
    await stack.post([Fact("in", SHELTER, "shelter.admitted", LAST + 2 * HOUR, SPOKE, CASE, data)])
    stack.set_clock(SPOKE + HOUR)

    async def settled() -> None:
        assert await items(stack, NOTIFIER, "flags", region=REGION, certainty="unknown") == []
        listed = await items(stack, NOTIFIER, "flags", region=REGION, rule="P24", level="breach")
        assert [(row["outcome"], row["certainty"]) for row in listed] == [("late_recording", "certain")]
        flag = await silence(stack)
        assert (flag["id"], flag["cleared_at"]) == (before["id"], format_instant(SPOKE))
        assert not await metric(stack, "unknown")

    await eventually(settled)
