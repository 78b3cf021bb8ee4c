"""Facts that an agency writes to a topic of its own: through the same door, into the log, or told as dead letters."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import orjson

from qorgau.bus import Outgoing, TopicSpec, prepare_topics
from qorgau.instants import DAY, format_instant
from qorgau.vocabulary import COURT, FACTS_TOPICS, INTAKE, POLICE, dlq, inbound_topic
from tests.buses import producing
from tests.e2e.live.world import CANARY, REGION, STRUCTURED, ago, arrived, kafka_headers_of, nowhere, records
from tests.e2e.stack import Row, Stack, eventually

AGENCY = f"102/{REGION}"
TOPIC = inbound_topic(AGENCY)


def binary(event: Row, **headers: bytes) -> Outgoing:
    named = [*kafka_headers_of(event), *headers.items()]
    return Outgoing(TOPIC, b"Aigul", orjson.dumps(event["data"]), named)


def structured(event: Row) -> Outgoing:
    return Outgoing(TOPIC, b"Aigul", orjson.dumps(event), [("content-type", STRUCTURED.encode())])


def bad_records() -> Iterator[Outgoing]:
    """Each is told once, by whoever would own it."""
    good = arrived("in-bad", "in-bad")
    yield Outgoing(TOPIC, b"Aigul", b'{"name": "Aigul 860412400123"', kafka_headers_of(good))
    yield Outgoing(TOPIC, b"Aigul", None, kafka_headers_of(good))
    yield Outgoing(TOPIC, b"Aigul", b"\xff" + CANARY.encode(), kafka_headers_of(good))
    yield Outgoing(TOPIC, b"Aigul", orjson.dumps(good["data"]), [("ce_id", b"\xff\xfe")])
    yield Outgoing(TOPIC, b"Aigul", orjson.dumps(good["data"]), [])
    yield Outgoing(TOPIC, b"Aigul", b"[" * 1_000 + b"]" * 1_000, kafka_headers_of(good))
    yield Outgoing(TOPIC, b"Aigul", b"x" * 1_000_000, kafka_headers_of(good))
    yield binary(good, **{"content-type": CANARY.encode()})
    yield binary(good, ce_id=b"twice")
    yield structured(good | {"type": f"qorgau.{CANARY}.v1"})
    yield structured(good | {"type": {"$gt": ""}})
    yield structured(good | {"source": "102/KZ-71"})
    yield structured(good | {"source": "court/KZ-75"})
    yield structured(good | {"subject": CANARY})
    yield structured(good | {"subject": {"$gt": ""}})
    yield structured(good | {"time": "2026-04-14T19:15:00"})
    yield structured(good | {"time": format_instant(ago() + 2 * DAY)})
    yield structured(good | {"recordedtime": format_instant(ago(hours=1))})
    yield structured(good | {"data": good["data"] | {"narrative": CANARY}})
    yield structured(good | {"type": "qorgau.fact.withdrawn.v1", "data": {"region": REGION, "fact_id": CANARY}})


async def letters(stack: Stack) -> list[dict[str, Any]]:
    return [orjson.loads(record.value or b"") for record in await records(stack, dlq(TOPIC))]


async def test_an_agency_writes_to_a_topic_of_its_own_and_what_is_wrong_is_told_without_its_content(
    live: Stack,
) -> None:
    # Nobody had such a topic when the services began: they find it by themselves.
    await prepare_topics(live.system.backing.kafka, {TOPIC: TopicSpec(1)})
    bad = list(bad_records())
    good = arrived("in-1", "in-case", source=AGENCY)
    report = good | {
        "id": "in-2",
        "type": "qorgau.report.received.v1",
        "data": {"region": REGION, "report_id": "r1", "channel": "102", "area": "urban"},
    }
    begun = ago()
    async with producing(live.system.backing.kafka) as producer:
        await producer.publish([*bad, binary(good), structured(report)])

    async def taken() -> None:
        for service in (INTAKE, POLICE, COURT):
            facts, as_of = await live.export(service, "in-case")
            assert ({fact.id for fact in facts}, as_of is not None) == ({"in-1", "in-2"}, True)
            # Stamped when it was checked, not when it was written.
            assert all(begun < fact.recorded for fact in facts)
        assert len(await letters(live)) == len(bad)

    await eventually(taken)
    deadlines = (await live.http.get(f"{live.url(POLICE)}/v1/cases/in-case")).json()["deadlines"]
    assert {row["rule"] for row in deadlines} >= {"P06", "P08"}
    told = {letter["offset"]: letter for letter in await letters(live)}
    assert sorted(told) == list(range(len(bad)))
    for offset, record in enumerate(bad):
        letter = told[offset]
        value = None if record.value is None else hashlib.sha256(record.value).hexdigest()
        assert (letter["topic"], letter["partition"], letter["value_sha256"]) == (TOPIC, 0, value)
        assert letter["reason"]
        assert "Aigul" not in json.dumps(letter)
    assert await live.export(POLICE, "in-bad") == ([], None)
    await nowhere(live)


async def test_a_withdrawal_on_an_inbound_topic_finds_the_service_its_fact_went_to(live: Stack) -> None:
    await prepare_topics(live.system.backing.kafka, {TOPIC: TopicSpec(1)})
    fact = arrived("in-3", "in-withdrawn", source=AGENCY)
    data = {"region": REGION, "fact_id": "in-3", "reason": "entered_in_error"}
    withdrawal = fact | {"id": "in-4", "type": "qorgau.fact.withdrawn.v1", "data": data}

    async def holds(*ids: str) -> None:
        for service in (INTAKE, POLICE, COURT):
            assert [fact.id for fact in (await live.export(service, "in-withdrawn"))[0]] == list(ids)

    async with producing(live.system.backing.kafka) as producer:
        await producer.publish([binary(fact)])
        await eventually(lambda: holds("in-3"))
        await producer.publish([structured(withdrawal)])
        await eventually(lambda: holds("in-3", "in-4"))
    found = [topic for topic in FACTS_TOPICS for record in await records(live, topic) if _id(record.headers) == b"in-4"]
    assert found == ["qorgau.police.facts"]
    answer = await live.http.get(f"{live.url(POLICE)}/v1/cases/in-withdrawn")
    assert answer.json()["deadlines"] == []


def _id(headers: list[tuple[str, bytes]]) -> bytes:
    return dict(headers)["ce_id"]
