"""Somebody else's program, the SDK of CloudEvents as it is: it posts facts, and reads from Kafka what came of them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudevents.core.bindings import http, kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.conversion import to_binary, to_json, to_structured
from cloudevents.v1.http import CloudEvent as OldEvent
from cloudevents.v1.kafka import KafkaMessage
from cloudevents.v1.kafka import from_binary as old_from_binary

from qorgau.bus import Incoming
from qorgau.vocabulary import FLAGS_TOPIC, POLICE, facts_topic
from tests.e2e.live.world import BATCH, REGION, records
from tests.e2e.stack import Stack, eventually

LONG_AGO = datetime.now(UTC) - timedelta(hours=3)
DATA = {"region": REGION, "priority": "immediate", "area": "urban"}


def attributes(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "source": f"102/{REGION}",
        "type": "qorgau.police.incident_registered.v1",
        "subject": f"sdk-{name}",
        "time": LONG_AGO,
        "recordedtime": LONG_AGO.isoformat(),
        "datacontenttype": "application/json",
    }


def texts(name: str) -> dict[str, str]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in attributes(name).items()}


def messages() -> list[tuple[str, dict[str, str], bytes]]:
    """Each way of the SDK, the current one and the one it keeps for programs that are older, to say one event."""
    structured = http.to_structured(CloudEvent(attributes("structured"), DATA), JSONFormat())
    binary = http.to_binary(CloudEvent(attributes("binary"), DATA), JSONFormat())
    encoded = http.to_structured(CloudEvent(attributes("encoded"), json.dumps(DATA).encode()), JSONFormat())
    old_headers, old_body = to_structured(OldEvent(texts("old-structured"), DATA))
    older_headers, older_body = to_binary(OldEvent(texts("old-binary"), DATA))
    return [
        ("structured", structured.headers, structured.body),
        ("binary", binary.headers, binary.body),
        ("encoded", encoded.headers, encoded.body),
        ("old-structured", old_headers, old_body),
        ("old-binary", older_headers, older_body),
    ]


@pytest.mark.parametrize("message", messages(), ids=[name for name, _, _ in messages()])
async def test_what_the_sdk_posts_is_taken(live: Stack, message: tuple[str, dict[str, str], bytes]) -> None:
    name, headers, body = message
    answer = await live.http.post(f"{live.url(POLICE)}/v1/facts", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (202, {"id": name, "case": f"sdk-{name}", "status": "accepted"})


async def test_a_batch_of_the_sdk_is_taken(live: Stack) -> None:
    events = [JSONFormat().write(CloudEvent(attributes("batch-1"), DATA)), to_json(OldEvent(texts("batch-2"), DATA))]
    body = b"[" + b",".join(events) + b"]"
    answer = await live.http.post(f"{live.url(POLICE)}/v1/facts", content=body, headers={"content-type": BATCH})
    assert answer.status_code == 207
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "accepted"]


def event_of(record: Incoming) -> Any:
    return kafka.from_kafka(kafka.KafkaMessage(dict(record.headers), record.key, record.value or b""), JSONFormat())


async def test_the_sdk_reads_facts_and_flags_from_kafka(live: Stack) -> None:
    answer = await live.http.post(
        f"{live.url(POLICE)}/v1/facts",
        content=JSONFormat().write(CloudEvent(attributes("read"), DATA)),
        headers={"content-type": "application/cloudevents+json"},
    )
    assert answer.status_code == 202
    facts = [event_of(record) for record in await records(live, facts_topic(POLICE)) if record.key == b"sdk-read"]
    assert [(fact.get_id(), fact.get_type(), fact.get_subject(), fact.get_data()) for fact in facts] == [
        ("read", "qorgau.police.incident_registered.v1", "sdk-read", DATA)
    ]
    assert facts[0].get_time() == LONG_AGO
    assert facts[0].get_source() == f"102/{REGION}"
    assert datetime.fromisoformat(facts[0].get_extension("recordedtime")) == LONG_AGO

    async def raised() -> None:
        flags = [record for record in await records(live, FLAGS_TOPIC) if record.key == b"sdk-read"]
        events = [event_of(record) for record in flags]
        assert "qorgau.flag.raised.v1" in {event.get_type() for event in events}
        for event, record in zip(events, flags, strict=True):
            old = old_from_binary(KafkaMessage(dict(record.headers), record.key, record.value or b""))
            assert event.get_data() == old.data == json.loads(record.value or b"")
            assert (event.get_source(), event.get_subject()) == (f"system/{POLICE}", "sdk-read")
            assert (event.get_data()["case"], event.get_data()["agency"]) == ("sdk-read", f"102/{REGION}")

    await eventually(raised)
