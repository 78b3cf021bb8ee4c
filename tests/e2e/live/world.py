"""What these files do with a running system: tokens, good facts, and looking everywhere for what must be nowhere."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
from bson import json_util
from motor.motor_asyncio import AsyncIOMotorClient

from qorgau.bus import Incoming, read_all, topic_names
from qorgau.facts import Fact
from qorgau.instants import format_instant
from qorgau.vocabulary import SERVICES
from tests.e2e.stack import Row, Stack

# Stands for a person: nobody may meet it again. With a space, so that it is no identifier either.
CANARY = "Aigul 860412400123"
REGION = "KZ-75"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def ago(**span: float) -> int:
    """The instant so long before now."""
    return time.time_ns() // 1_000 - timedelta(**span) // timedelta(microseconds=1)


def token(stack: Stack, agency: str = f"102/{REGION}", **claims: Any) -> dict[str, str]:
    """The header of an agency's token."""
    claims = {"scopes": ["facts:write", "cases:read", "flags:read"], "regions": [REGION]} | claims
    return {"authorization": f"Bearer {stack.system.backing.make_token(agency=agency, **claims)}"}


def arrived(name: str, case: str | None, **changes: Any) -> Row:
    """Police have arrived, as an event that says so."""
    return {
        "specversion": "1.0",
        "id": name,
        "source": f"102/{REGION}",
        "type": "qorgau.police.arrived.v1",
        "time": format_instant(ago(minutes=1)),
        "data": {"region": REGION, "response": "incident", "injury": False, "sexual": False},
        **({} if case is None else {"subject": case}),
    } | changes


def registered(name: str, case: str, *, hours: float = 3) -> Fact:
    """A call to which nobody came in time, as learned when it happened."""
    at = ago(hours=hours)
    data = {"region": REGION, "priority": "immediate", "area": "urban"}
    return Fact(name, f"102/{REGION}", "police.incident_registered", at, at, case, data)


def headers_of(event: Row) -> dict[str, str]:
    """The attributes of an event as HTTP headers of the binary mode."""
    return {f"ce-{name}": str(value) for name, value in event.items() if name != "data"}


def kafka_headers_of(event: Row) -> list[tuple[str, bytes]]:
    """The same as headers of a Kafka record."""
    return [(f"ce_{name}", str(value).encode()) for name, value in event.items() if name != "data"]


async def records(stack: Stack, topic: str) -> list[Incoming]:
    """Everything in a topic; nothing where there is none."""
    kafka = stack.system.backing.kafka
    if topic not in await topic_names(kafka):
        return []
    return [record async for record in read_all(kafka, topic)]


@asynccontextmanager
async def databases(stack: Stack) -> AsyncIterator[dict[str, Any]]:
    """The database of each service."""
    client: AsyncIOMotorClient[Row] = AsyncIOMotorClient(stack.system.backing.mongo)
    try:
        yield {service: client[f"qorgau_{service.replace('-', '_')}"] for service in SERVICES}
    finally:
        client.close()


async def stored(stack: Stack) -> dict[str, str]:
    """All that the databases hold, as text, by service and collection; without what only says that somebody lives."""
    found: dict[str, str] = {}
    async with databases(stack) as by_service:
        for service, database in by_service.items():
            for name in await database.list_collection_names():
                documents = await database[name].find({}).to_list(None)
                for document in documents:
                    document.pop("judged", None)
                found[f"{service} {name}"] = json_util.dumps(sorted(documents, key=lambda one: str(one["_id"])))
    return found


async def everywhere(stack: Stack) -> dict[str, str]:
    """Every place to which something that was sent could have got: databases, logs, metrics, topics of our own."""
    found = await stored(stack)
    for log in (stack.system.backing.folder / "logs").glob("*.log"):
        found[str(log.name)] = log.read_text(encoding="utf-8", errors="replace")
    for service in SERVICES:
        found[f"{service} metrics"] = (await stack.http.get(f"{stack.url(service)}/metrics")).text
    for topic in await topic_names(stack.system.backing.kafka):
        if not topic.startswith("qorgau.inbound.") or topic.endswith(".dlq"):
            told = await records(stack, topic)
            found[topic] = repr([(record.key, record.headers, record.value) for record in told])
    return found


async def nowhere(stack: Stack, text: str = CANARY) -> None:
    """The text is in none of these places, in whole or in its telling parts."""
    for place, content in (await everywhere(stack)).items():
        for part in (text, *text.split(), text.replace(" ", "%20")):
            assert part not in content, place


def check_refused(answer: httpx2.Response, status: int, text: str = CANARY) -> None:
    """The right status, a problem, and nothing of what was sent."""
    assert answer.status_code == status, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status"} <= problem.keys()
    assert problem["status"] == status
    for part in (text, *text.split()):
        assert part not in answer.text
        assert part not in str(answer.headers)
