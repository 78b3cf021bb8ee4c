"""What a desk tells of people is in the sealed part of the vault and in the answers to those who may read it, and
nowhere else in the system, whatever went wrong on the way. That the search would find it: test_leaks.py."""

import copy
import json
from typing import Any

from qorgau.bus import Outgoing, Producer, TopicSpec, prepare_topics
from qorgau.telemetry import Metrics
from qorgau.vocabulary import INTAKE, facts_topic
from tests.e2e.live.world import REGION, arrived, check_refused, kafka_headers_of, records
from tests.e2e.stack import Row, Stack, eventually
from tests.e2e.vault.canaries import Canaries
from tests.e2e.vault.clients import CODES, DESK, Client, full

CLINIC = f"clinic/{REGION}-1"


async def test_of_a_full_report_that_is_taken_read_and_refused_to_others_nothing_is_outside(stack: Stack) -> None:
    client = Client(stack, 1)
    made = client.plant("answer read")
    taken = await client.report("taken", full(made))
    assert taken.status_code == 201, taken.text
    assert "doubts" not in taken.json()
    case = taken.json()["case"]
    assert (await client.report("taken", full(made))).json() == taken.json()
    person = f"/cases/{case}/person"
    purposes = ("support", "call_back")
    read = [await client.send("read", "GET", person, params={"purpose": purpose}) for purpose in purposes]
    # That everything was there to be found, and is sealed: otherwise the rest shows nothing.
    assert [text for text in texts_read(made) if not any(text in answer.text for answer in read)] == []
    other = client.as_(CLINIC)
    refused = await client.send("refused", "GET", person, params={"purpose": "medical_care"}, headers=other)
    assert refused.status_code == 404
    name = made.texts["survivor.name"]
    asked = await client.send("asked", "GET", person, params={"purpose": name, "classes": made.texts["narrative"]})
    assert asked.status_code in (403, 422)
    await client.send("path", "GET", f"/cases/{made.texts['survivor.name'].split()[0]}/person?purpose={name}")
    for path in ("accesses", "facts", "flags"):
        await client.send(path, "GET", f"/cases/{case}/{path}")

    async def told() -> None:
        facts, _ = await stack.export(INTAKE, case)
        assert [fact.type for fact in facts] == ["report.received"]

    await eventually(told)
    await client.nowhere()


def texts_read(made: Canaries) -> list[str]:
    """What of the canaries is read as it was sent; phones are kept in another form."""
    return [text for path, text in made.texts.items() if not path.endswith("phone")]


async def test_what_is_refused_at_the_door_leaves_nothing(stack: Stack) -> None:
    client = Client(stack, 20)
    for name, body in wrong_forms(client).items():
        check_refused(await client.report(name, body), 422, "qz")
    for name, raw, status in unreadable(client):
        check_refused(await client.report(name, raw), status, "qz")
    typed = await client.report("type", full(client.plant()), **{"content-type": "text/plain; name=qz"})
    check_refused(typed, 415, "qz")
    large = client.plant()
    check_refused(await client.report("large", full(large, narrative=large.texts["narrative"] * 1_500)), 422, "qz")
    check_refused(await client.report("huge", json.dumps(full(large)).encode() + b" " * 1_000_000), 413, "qz")
    check_refused(await client.report("no key", full(client.plant()), key="a key"), 400, "qz")
    named = client.plant()
    word = named.texts["survivor.name"].split()[0]
    odd = {"traceparent": word, "tracestate": f"name={word}", "x-request-id": word, "user-agent": word}
    assert (await client.report("named", CODES, key=word, **odd)).status_code == 201
    check_refused(await client.report("named", full(named), key=word), 422, "qz")
    unknown = client.plant()
    bad_token = {"authorization": f"Bearer {unknown.texts['risk.answers.value']}"}
    check_refused(await client.report("token", full(unknown), **bad_token), 401, "qz")
    check_refused(await client.report("place", full(unknown), **client.as_(DESK, "cases:read")), 403, "qz")
    await client.cut_off(json.dumps(full(client.plant())).encode())
    await client.nowhere()


def wrong_forms(client: Client) -> dict[str, Any]:
    """Reports with one thing wrong, of every kind that the form knows, each otherwise full."""

    made = client.plant()

    def of(change: Row) -> Row:
        body: Row = copy.deepcopy(full(made))
        for path, value in change.items():
            *steps, last = path.split(".")
            part: Any = body
            for step in steps:
                part = part[int(step)] if step.isdigit() else part[step]
            part[int(last) if last.isdigit() else last] = value(made) if callable(value) else value
        return body

    def name(made: Canaries) -> str:
        return made.texts["survivor.name"]

    return {
        "unknown field": of({"surname": name}),
        "unknown field inside": of({"survivor.surname": name}),
        "name as a field": of({"survivor.qzfield": name}),
        "null": of({"survivor.name": None}),
        "another type": of({"survivor.name": lambda made: [name(made)]}),
        "no object": of({"survivor": name}),
        "phone": of({"survivor.phone": name}),
        "date": of({"survivor.birth_date": lambda made: name(made)}),
        "no day": of({"survivor.birth_date": "1987-02-31"}),
        "iin": of({"survivor.iin": name}),
        "age": of({"survivor.children.0.age": name}),
        "old child": of({"survivor.children.0.age": 99}),
        "clock": of({"survivor.safe_contact.times.0.from": name}),
        "code": of({"survivor.safe_contact.channels.0.kind": name}),
        "empty": of({"survivor.name": "   "}),
        "long": of({"survivor.name": lambda made: name(made) * 20}),
        "control": of({"survivor.name": lambda made: f"{name(made)}\u0007"}),
        "agency": of({"consents": lambda made: {name(made): "given"}}),
        "consent": of({"consents": lambda made: {CLINIC: name(made)}}),
        "answers": of({"risk.answers": lambda made: {name(made): "yes"}}),
        "tool": of({"risk.tool": name}),
        "relation": of({"caller.is_to_survivor": name}),
        "region": of({"region": name}),
        "channel": of({"channel": name}),
        "time": of({"time": name}),
        "district": of({"district": name}),
        "own id": of({"report_id": name}),
        "priority": of({"priority": name}),
        "pair": of({"pair_ref": name}),
        "inexact": of({"survivor.children.0.age": 1e300}),
        "a list": [of({})],
    }


def unreadable(client: Client) -> list[tuple[str, bytes, int]]:
    """Bodies that are no JSON, or not the one thing they seem to be."""
    plain = json.dumps(full(client.plant()), ensure_ascii=False)
    return [
        ("half", plain[: len(plain) // 2].encode(), 400),
        ("utf-16", plain.encode("utf-16"), 400),
        ("doubled", f'{{"narrative": "x", {plain[1:]}'.encode(), 400),
        ("deep", f'{{"narrative": {"[" * 99}{plain}{"]" * 99}}}'.encode(), 400),
        ("infinite", plain.replace('"urban"', "NaN").encode(), 400),
        ("half a letter", plain.encode().replace("Қ".encode(), b"\xd2"), 400),
        ("text", json.dumps(plain).encode(), 422),
    ]


async def test_poison_with_people_in_it_is_told_of_by_place_and_hash_alone(stack: Stack) -> None:
    client = Client(stack, 80)
    kafka, inbound, topic = stack.system.backing.kafka, "qorgau.inbound.102-KZ-75", facts_topic(INTAKE)
    await prepare_topics(kafka, {inbound: TopicSpec(1)})
    theirs = client.plant()
    ours = client.plant(f"file kafka/log/{topic}-", f"record {topic} ")
    producer = Producer(kafka, Metrics())
    placed = [(inbound, each) for each in poison(theirs)] + [(topic, each) for each in poison(ours)]
    await producer.publish([Outgoing(place, b"k", value, headers) for place, (value, headers) in placed])
    await producer.stop()

    async def told() -> None:
        for place, of in ((inbound, theirs), (topic, ours)):
            assert len(await records(stack, f"{place}.dlq")) >= len(poison(of))

    await eventually(told)
    await client.nowhere()


def poison(made: Canaries) -> list[tuple[bytes, list[tuple[str, bytes]]]]:
    """Values and headers of records that cannot be read, or that say more than a fact may."""
    name = made.texts["survivor.name"]
    good = kafka_headers_of(arrived("p1", "qz-poison"))
    told = arrived("p2", "qz-poison", data={"region": REGION, "response": "incident", "injury": False, "note": name})
    body = full(made)
    # Without what others have as well: a child's age, an hour of the day.
    body["survivor"] = {
        part: value for part, value in made.survivor.items() if part not in ("children", "safe_contact")
    }
    changed = [(header, name.encode() if header == "ce_time" else text) for header, text in good]
    return [
        (json.dumps(body).encode(), good),
        (json.dumps(body, ensure_ascii=False).encode(), []),
        (name.encode("utf-16"), good),
        (json.dumps(told["data"]).encode(), kafka_headers_of(told)),
        (b"{}", changed),
        (b"{}", [*good, ("name", name.encode())]),
    ]
