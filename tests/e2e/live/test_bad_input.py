"""Whatever is sent to a running service that it must not take: the right status, nothing echoed, nothing kept."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qorgau.instants import DAY, MINUTE, format_instant
from qorgau.vocabulary import INTAKE, NOTIFIER, POLICE, SERVICES
from tests.e2e.live.world import (
    BATCH,
    CANARY,
    REGION,
    STRUCTURED,
    ago,
    arrived,
    check_refused,
    headers_of,
    nowhere,
    stored,
    token,
)
from tests.e2e.stack import KEEPERS, Row, Stack, eventually

OPERATORS: tuple[Any, ...] = ({"$gt": ""}, {"$ne": None}, {"$where": CANARY}, [CANARY], 7, True, None)


def without(event: Row, name: str) -> Row:
    return {key: value for key, value in event.items() if key != name}


def with_data(event: Row, **data: Any) -> Row:
    return event | {"data": event["data"] | data}


def ahead(span: int) -> str:
    return format_instant(ago() + span)


def not_as_documented() -> Iterator[Row]:
    """Events that are JSON and not facts; every value that may be anything is the canary."""
    good = arrived("bad-1", "bad-case")
    yield good | {"type": f"qorgau.{CANARY}.v1"}
    yield good | {"type": "qorgau.report.received.v1"}
    yield with_data(good, narrative=CANARY)
    yield with_data(good, **{CANARY: CANARY})
    yield with_data(good, response=CANARY)
    yield with_data(good, injury=CANARY)
    yield with_data(good, injury="false")
    yield with_data(good, region=CANARY)
    yield with_data(good, region="KZ-99")
    yield with_data(good, injury=True)
    yield with_data(good, occurred_at=CANARY)
    yield good | {"name": CANARY}
    yield good | {"data": CANARY}
    yield good | {"data": [good["data"]]}
    yield good | {"specversion": "0.3"}
    yield good | {"id": CANARY}
    yield good | {"time": CANARY}
    yield good | {"time": "2026-04-14T19:15:00"}
    yield good | {"time": "2026-04-14"}
    yield good | {"time": 1_776_000_000}
    yield good | {"time": ahead(DAY + MINUTE)}
    yield good | {"datacontenttype": "text/plain"}
    yield good | {"dataschema": CANARY}
    for name in ("specversion", "id", "source", "type", "time", "subject", "data"):
        yield without(good, name)
    for case in (
        "",
        CANARY,
        "c" * 65,
        "../c",
        "c/1",
        "c.1",
        "$c",
        "\u0441",
        "c\n",
        "ref:",
        f"ref:erdr/{CANARY}",
        "ref:x",
    ):
        yield good | {"subject": case}
    for value in OPERATORS:
        for name in good:
            if name != "data":
                yield good | {name: value}
        for name in good["data"]:
            if not (value is True and name in ("injury", "sexual")):
                yield with_data(good, **{name: value})


def unreadable() -> Iterator[tuple[bytes, int]]:
    """Bodies that are no JSON that everybody reads alike."""
    text = json.dumps(with_data(arrived("bad-2", "bad-case"), narrative=CANARY))
    yield text[:-1].encode(), 400
    yield b"", 400
    yield b"\xff\xfe" + text.encode(), 400
    yield text.encode("utf-16"), 400
    yield text.replace('"injury": false', '"injury": NaN').encode(), 400
    yield text.replace('"injury": false', '"injury": -Infinity').encode(), 400
    yield text.replace(CANARY, "\\ud800" + CANARY).encode(), 400
    yield text.replace('"data"', f'"id": "{CANARY}", "data"').encode(), 400
    yield b"[" * 1_000 + b"]" * 1_000, 400
    yield b'{"data":' * 1_000 + b"1" + b"}" * 1_000, 400
    yield text.encode() + b" " * 1_000_000, 413
    yield json.dumps(CANARY).encode(), 422
    yield json.dumps([arrived("bad-3", "bad-case")]).encode(), 422


async def post(stack: Stack, body: Any, *, service: str = POLICE, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await stack.http.post(
        f"{stack.url(service)}/v1/facts", content=content, headers={"content-type": STRUCTURED} | headers
    )


async def a_good_case(stack: Stack, case: str) -> dict[str, Any]:
    """A case with one fact that is judged, and its export at every service."""
    answer = await post(stack, arrived("good-1", case), **token(stack))
    assert (answer.status_code, answer.json()) == (202, {"id": "good-1", "case": case, "status": "accepted"})

    async def judged() -> None:
        for service in KEEPERS:
            facts, as_of = await stack.export(service, case)
            assert (len(facts), as_of is not None) == (1, True)

    await eventually(judged)
    return {service: (await stack.export(service, case))[0] for service in KEEPERS}


async def test_bad_facts_get_their_status_and_leave_nothing_behind(live: Stack) -> None:
    before = await a_good_case(live, "bad-case")
    kept = {place: text for place, text in (await stored(live)).items() if "positions" not in place}
    mine = token(live)
    for event in not_as_documented():
        check_refused(await post(live, event, **mine), 422)
    events = list(not_as_documented())
    answer = await post(live, events, **mine, **{"content-type": BATCH})
    assert answer.status_code == 207
    assert CANARY not in answer.text
    assert {result["status"] for result in answer.json()["results"]} == {"rejected"}
    for body, status in unreadable():
        check_refused(await post(live, body, **mine), status)
    check_refused(await post(live, b"{}", **mine, **{"content-type": CANARY}), 415)
    assert {service: (await live.export(service, "bad-case"))[0] for service in KEEPERS} == before
    after = {place: text for place, text in (await stored(live)).items() if "positions" not in place}
    assert {place: without_instant(text) for place, text in after.items()} == {
        place: without_instant(text) for place, text in kept.items()
    }
    await nowhere(live)


def without_instant(text: str) -> Any:
    """Documents without what a case that is only looked at gets: the instant, and the version of the write."""
    documents = json.loads(text)
    for document in documents:
        for name in ("as_of", "v", "next_due", "timers"):
            document.pop(name, None)
    return documents


async def test_binary_events_with_bad_headers_are_refused(live: Stack) -> None:
    good = arrived("bad-4", "bad-case")
    data = json.dumps(good["data"]).encode()
    for name in ("id", "source", "type", "subject", "time"):
        for value in ('{"$gt":""}', "%FF", "%00", "Aigul%20860412400123", ""):
            headers = headers_of(good) | {f"ce-{name}": value, "content-type": "application/json"}
            answer = await post(live, data, **token(live), **headers)
            assert answer.status_code in ((400, 403, 422) if name == "source" else (400, 422)), (name, value)
            check_refused(answer, answer.status_code)
    doubled = [*headers_of(good).items(), ("ce-id", "other"), ("content-type", "application/json")]
    answer = await live.http.post(
        f"{live.url(POLICE)}/v1/facts", content=data, headers=[*doubled, *token(live).items()]
    )
    check_refused(answer, 400)


async def test_what_a_token_does_not_allow_is_refused(live: Stack) -> None:
    good, key = arrived("bad-5", "bad-case"), live.system.backing.token_key
    event = good | {"recordedtime": format_instant(ago(hours=1))}
    check_refused(await post(live, event, **token(live)), 403)
    check_refused(await post(live, good, **token(live, "102/KZ-71")), 403)
    check_refused(await post(live, good, **token(live, "court/KZ-75")), 403)
    check_refused(await post(live, good, **token(live, regions=["KZ-71"])), 403)
    check_refused(await post(live, good, **token(live, scopes=["cases:read"])), 403)
    good_token = token(live)["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(good_token, options={"verify_signature": False})
    issuer = live.system.backing.issuer
    assert issuer is not None
    public = json.loads(issuer.jwks.read_bytes())["keys"][0]["x"]
    named = {"typ": "JWT", "kid": jwt.get_unverified_header(good_token)["kid"]}
    bad = [
        token(live, lifetime=timedelta(minutes=-1))["authorization"],
        f"Bearer {good_token[:-4]}AAAA",
        f"Bearer {jwt.encode(claims, key, headers=named)}",
        f"Bearer {jwt.encode(claims, public, headers=named)}",
        f"Bearer {jwt.encode(claims, '', algorithm='none', headers=named)}",
        f"Bearer {jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm='EdDSA', headers=named)}",
        f"Bearer {jwt.encode(claims | {'agency': {'$gt': ''}}, key, headers={'typ': 'JWT'})}",
        "Bearer Aigul860412400123",
        "Basic QWlndWw6ODYwNDEyNDAwMTIz",
        "",
    ]
    for authorization in bad:
        answer = await post(live, good, authorization=authorization)
        check_refused(answer, 401, "Aigul")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert (await live.export(POLICE, "bad-case"))[0][0].id == "good-1"
    for part in good_token.split("."):
        await nowhere(live, part)


async def test_reads_with_bad_names_and_of_others_are_refused_alike(live: Stack) -> None:
    await a_good_case(live, "foreign-case")
    supervisor, stranger = token(live, "coordinator"), token(live, "102/KZ-71", regions=["KZ-71"])
    for service in KEEPERS:
        for what in ("", "/facts", "/flags"):
            theirs = await live.http.get(f"{live.url(service)}/v1/cases/foreign-case{what}", headers=stranger)
            nobodys = await live.http.get(f"{live.url(service)}/v1/cases/no-such-case{what}", headers=stranger)
            check_refused(theirs, 404)
            assert theirs.json() == nobodys.json()
            for case in ("c.1", "%7B%22$gt%22:%22%22%7D", "a" * 65, "Aigul%20860412400123"):
                answer = await live.http.get(f"{live.url(service)}/v1/cases/{case}{what}", headers=supervisor)
                check_refused(answer, 422)
    for query in ("limit=0", "limit=Aigul", "cursor=Aigul", "since=Aigul", "level=Aigul", "rule=$gt"):
        answer = await live.http.get(f"{live.url(NOTIFIER)}/v1/flags?{query}", headers=supervisor)
        check_refused(answer, 422, "Aigul")
    # A filter that does not exist would filter nothing.
    for query in ("case[$ne]=x", "regoin=KZ-75", "Aigul=1"):
        answer = await live.http.get(f"{live.url(NOTIFIER)}/v1/flags?{query}", headers=supervisor)
        check_refused(answer, 400, query.partition("=")[0])
    answer = await live.http.get(
        f"{live.url(NOTIFIER)}/v1/flags/stream", headers=supervisor | {"last-event-id": "Aigul"}
    )
    check_refused(answer, 422, "Aigul")
    for service in SERVICES:
        check_refused(await live.http.get(f"{live.url(service)}/Aigul/860412400123", headers=supervisor), 404)


async def test_bad_reports_and_references_are_refused_and_leave_nothing(live: Stack) -> None:
    report = {"channel": "102", "area": "urban", "region": REGION}
    url, desk = f"{live.url(INTAKE)}/v1/reports", token(live, scopes=["reports:write", "facts:write"])
    bad: list[Any] = [report | {name: CANARY} for name in ("name", "iin", "note", "channel", "region", "report_id")]
    bad += [report | {name: value} for name in report for value in OPERATORS]
    bad += [report | {"time": CANARY}, report | {"time": ahead(DAY + MINUTE)}, [report], CANARY]
    for number, body in enumerate(deepcopy(bad)):
        answer = await live.http.post(url, json=body, headers=desk | {"idempotency-key": f"bad-{number}"})
        check_refused(answer, 422)
    for key in ({}, {"idempotency-key": CANARY}, {"idempotency-key": "k" * 129}):
        check_refused(await live.http.post(url, json=report, headers=desk | key), 400)
    check_refused(await live.http.post(url, json=report, headers=token(live) | {"idempotency-key": "k"}), 403)
    reference = f"{live.url(INTAKE)}/v1/references"
    for path, body in (
        ("erdr/1", {"case": CANARY}),
        ("erdr/1", {"case": {"$gt": ""}}),
        ("erdr/1", {"case": "c", "name": CANARY}),
        ("erdr/Aigul%20860412400123", {"case": "bad-case"}),
        ("%24gt/1", {"case": "bad-case"}),
    ):
        check_refused(await live.http.put(f"{reference}/{path}", json=body, headers=desk), 422)
    await nowhere(live)
