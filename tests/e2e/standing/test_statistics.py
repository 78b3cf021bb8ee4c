"""A month of reports with a surge: told by the notifier at its exact instants, explained, published, and kept through a
crash and a database made again. In a region and a year of its own."""

import csv
import io
from datetime import date, timedelta
from typing import Any

from qorgau.bus import read_all
from qorgau.facts import Fact
from qorgau.front.envelope import from_kafka
from qorgau.instants import DAY, HOUR, MINUTE, format_instant, parse_instant
from qorgau.shell.remaking import Servers, remake
from qorgau.surge.case import surge_case
from qorgau.vocabulary import FLAGS_TOPIC, INTAKE, NOTIFIER
from tests.e2e.stack import Stack, eventually

_OTHERS = ("KZ-10", "KZ-62")
# Enough around the few reports by 150 that not everything has to be withheld with them.
_AROUND = [("111", "KZ-33"), *((channel, region) for region in _OTHERS for channel in ("102", "150", "111"))]
REGION, FIRST = "KZ-33", date(2041, 3, 1)
BEGIN = parse_instant("2041-03-01T00:00:00+05:00")
COUNTS = [5, 6, 4, 5, 5, 6, 5, 4, 6, 5, *[5, 6, 4, 5] * 5]
SURGE = 20
"""The 21 March, a Thursday."""


def ready(day: int) -> int:
    """When a day is looked at: at six of the next one, local time."""
    return BEGIN + (day + 1) * DAY + 6 * HOUR


def report(day: int, number: int, channel: str = "102", region: str = REGION) -> Fact:
    at = BEGIN + day * DAY + 10 * HOUR + number * MINUTE
    name = f"{region}-{channel}-{day}-{number}"
    data = {"region": region, "channel": channel, "area": "urban", "report_id": name}
    return Fact(name, f"102/{region}", "report.received", at, at, f"statistics-{region}-{day}", data)


def withdrawal(of: Fact, at: int) -> Fact:
    data = {"region": REGION, "fact_id": of.id, "reason": "entered_in_error"}
    return Fact(f"w-{of.id}", of.source, "fact.withdrawn", at, at, of.case, data)


def a_month() -> list[Fact]:
    counts = list(COUNTS)
    counts[SURGE] = 25
    usual = [report(day, number) for day, count in enumerate(counts) for number in range(count)]
    few = [report(day, 50, "150") for day in range(3)]
    around = [report(day, 50, channel, region) for day in range(30) for channel, region in _AROUND]
    return [*usual, *few, *around, *(report(day, 51, "102", region) for day in range(30) for region in _OTHERS)]


async def the_surge(stack: Stack) -> dict[str, Any]:
    """The only one."""
    found = await surges(stack)
    assert len(found) == 1, found
    return found[0]


async def surges(stack: Stack) -> list[dict[str, Any]]:
    query = {"rule": "F8", "region": REGION, "limit": "1000"}
    answer = await stack.http.get(f"{stack.url(NOTIFIER)}/v1/flags", params=query)
    answer.raise_for_status()
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def table(stack: Stack, **query: str) -> Any:
    answer = await stack.http.get(f"{stack.url(INTAKE)}/v1/statistics", params={"month": "2041-03", **query})
    assert answer.status_code == 200, answer.text
    return answer.json() if query.get("format") != "csv" else answer.text


async def test_a_surge_is_told_explained_taken_back_and_published_and_nothing_of_it_is_lost(stack: Stack) -> None:
    facts = a_month()
    await stack.post(facts)
    day = FIRST + timedelta(days=SURGE)
    stack.set_clock(ready(SURGE) + 2 * HOUR)

    async def raised() -> None:
        flag = await the_surge(stack)
        assert {name: flag[name] for name in ("case", "key", "level", "severity", "agency", "outcome")} == {
            "case": surge_case(REGION, day),
            "key": "102",
            "level": "flag",
            "severity": "medium",
            "agency": f"coordinator/{REGION}",
            "outcome": "open",
        }
        assert flag["raised_at"] == format_instant(ready(SURGE))
        assert flag["start_at"] == format_instant(BEGIN + SURGE * DAY)

    await eventually(raised)
    flag = await the_surge(stack)
    await check_explained(stack, flag)
    await stack.process(INTAKE).crash()
    await stack.process(INTAKE).wait_ready()
    gone = ready(SURGE) + 3 * HOUR
    await stack.post([withdrawal(report(SURGE, number), gone) for number in range(20)])
    assert await surge_events(stack) == [("raised", 1)]
    stack.set_clock(gone + HOUR)

    async def cleared() -> None:
        now = await the_surge(stack)
        assert (now["id"], now["cleared_at"], now["outcome"]) == (flag["id"], format_instant(gone), "cleared")

    await eventually(cleared)
    await check_published(stack, facts)
    listed = await surges(stack)
    shown = await table(stack)
    backing = stack.system.backing
    await remake(INTAKE, Servers(backing.kafka, backing.mongo, "qorgau"), lambda *_: None)
    stack.set_clock(stack.now() + HOUR)

    async def the_same() -> None:
        answer = await stack.http.get(f"{stack.url(INTAKE)}/readyz")
        assert answer.status_code == 200, answer.text
        assert await table(stack) == shown

    await eventually(the_same)
    assert await surges(stack) == listed
    assert await surge_events(stack) == [("raised", 1), ("cleared", 2)]


async def surge_events(stack: Stack) -> list[tuple[str, int]]:
    """What the flags topic ever told of the region's surges, repeats included."""
    found = []
    async for record in read_all(stack.system.backing.kafka, FLAGS_TOPIC):
        event: Any = from_kafka(record.headers, record.value)
        if event["data"]["rule"] == "F8" and event["data"]["region"] == REGION:
            found.append((event["type"].split(".")[2], event["data"]["seq"]))
    return found


async def check_explained(stack: Stack, flag: dict[str, Any]) -> None:
    """The notifier shows the way to intake, which shows the numbers."""
    asked = await stack.http.get(f"{stack.url(NOTIFIER)}/v1/flags/{flag['id']}/explanation")
    assert asked.status_code == 307
    answer = await stack.http.get(asked.headers["location"])
    assert answer.status_code == 200, answer.text
    condition = answer.json()["steps"][0]
    usual = [one["reports"] for one in condition["usual"]]
    assert (condition["reports"], usual, condition["expected"]) == (25, COUNTS[11:18], 5.0)
    assert "+400 % against usual (p = " in condition["sentence"]


async def check_published(stack: Stack, facts: list[Fact]) -> None:
    """The table of March is published when it is over, and again when it differs."""
    early = await stack.http.get(f"{stack.url(INTAKE)}/v1/statistics", params={"month": "2041-03"})
    assert early.status_code == 404
    so_far = await table(stack, provisional="true")
    assert (so_far["status"], so_far["revision"]) == ("provisional", None)
    over = parse_instant("2041-04-01T06:00:00+05:00")
    stack.set_clock(over + 5 * HOUR)
    left = sum(fact.data["channel"] == "102" and fact.data["region"] == REGION for fact in facts) - 20
    first = await eventual_table(stack, revision=1)
    cells = {(cell["region"], cell["channel"]): cell["reports"] for cell in first["cells"]}
    assert (first["as_of"], cells[REGION, "102"], cells[REGION, "total"]) == (format_instant(over), left, left + 33)
    # Three reports by 150 are too few, and what would give them away is withheld with them.
    assert cells[REGION, "150"] is cells["total", "150"] is cells[REGION, "111"] is cells[REGION, "web"] is None
    assert cells["KZ-62", "150"] == 30
    lines = list(csv.DictReader(io.StringIO(await table(stack, format="csv"))))
    assert {(line["region"], line["channel"]): line["reports"] for line in lines}[REGION, "102"] == str(left)
    await stack.post([withdrawal(report(0, 0), over + 6 * HOUR)])
    stack.set_clock(over + DAY + HOUR)
    second = await eventual_table(stack, revision=2)
    assert {(cell["region"], cell["channel"]): cell["reports"] for cell in second["cells"]}[REGION, "102"] == left - 1
    assert await table(stack, as_of=format_instant(over + DAY - 1)) == first


async def eventual_table(stack: Stack, revision: int) -> Any:
    async def published() -> None:
        assert (await table(stack))["revision"] == revision

    await eventually(published)
    return await table(stack)
