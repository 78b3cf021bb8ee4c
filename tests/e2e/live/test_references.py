"""A fact that names an official number instead of a case waits until the number is registered, at any service."""

import secrets

from qorgau.instants import MINUTE, format_instant
from qorgau.vocabulary import COURT, INTAKE, POLICE, REFERENCES_TOPIC
from tests.e2e.live.world import STRUCTURED, ago, arrived, check_refused, nowhere, records, token
from tests.e2e.stack import KEEPERS, Row, Stack, eventually

# Official numbers are secrets: whoever reads a log must not find a case by them.
NUMBER = f"25-{secrets.token_hex(8)}"


async def post(stack: Stack, event: Row) -> Row:
    answer = await stack.http.post(
        f"{stack.url(POLICE)}/v1/facts", json=event, headers=token(stack) | {"content-type": STRUCTURED}
    )
    assert answer.status_code == 202, answer.text
    body: Row = answer.json()
    return body


async def register(stack: Stack, service: str, number: str, case: str) -> int:
    answer = await stack.http.put(f"{stack.url(service)}/v1/references/erdr/{number}", json={"case": case})
    if answer.status_code == 409:
        check_refused(answer, 409, number)
    return answer.status_code


async def test_a_parked_fact_is_joined_and_judged_when_its_number_is_registered_elsewhere(live: Stack) -> None:
    event = arrived("ref-1", f"ref:erdr/{NUMBER}", time=format_instant(ago(hours=12)))
    assert await post(live, event) == {"id": "ref-1", "case": None, "status": "parked"}
    # Twice is once.
    assert (await post(live, event))["status"] == "parked"
    await live.process(POLICE).crash()
    await live.process(POLICE).wait_ready()
    before = ago()
    assert await register(live, COURT, NUMBER, "ref-case") == 201
    assert await register(live, INTAKE, NUMBER, "ref-case") in (200, 201)

    async def joined() -> None:
        for service in KEEPERS:
            facts, as_of = await live.export(service, "ref-case")
            assert [(fact.id, fact.case) for fact in facts] == [("ref-1", "ref-case")]
            assert as_of is not None
            # Stamped anew: it became known with the registration, not when it was parked.
            assert before < facts[0].recorded < before + MINUTE

    await eventually(joined)

    deadlines = (await live.http.get(f"{live.url(POLICE)}/v1/cases/ref-case")).json()["deadlines"]
    assert {row["rule"] for row in deadlines} >= {"P06", "P08"}
    facts, as_of = await live.export(POLICE, "ref-case")
    assert await live.flags(POLICE, "ref-case") == live.expected(POLICE, facts, as_of or 0)


async def test_once_known_everywhere_a_number_is_as_good_as_its_case_and_belongs_to_no_other(live: Stack) -> None:
    number = f"{NUMBER}-2"
    assert await register(live, INTAKE, number, "ref-known") == 201

    async def known() -> None:
        for service in KEEPERS:
            assert await register(live, service, number, "ref-known") == 200
            assert await register(live, service, number, "ref-other") == 409

    await eventually(known)
    answer = await post(live, arrived("ref-2", f"ref:erdr/{number}"))
    assert answer == {"id": "ref-2", "case": "ref-known", "status": "accepted"}
    await nowhere(live, number)
    assert len([record for record in await records(live, REFERENCES_TOPIC) if b"ref-known" in (record.value or b"")])


async def test_a_number_of_somebody_elses_case_cannot_be_registered(live: Stack) -> None:
    await post(live, arrived("ref-3", "ref-foreign"))

    async def there() -> None:
        assert len((await live.export(POLICE, "ref-foreign"))[0]) == 1

    await eventually(there)
    stranger = token(live, "102/KZ-71", regions=["KZ-71"])
    url = f"{live.url(POLICE)}/v1/references/erdr/{NUMBER}-3"
    check_refused(await live.http.put(url, json={"case": "ref-foreign"}, headers=stranger), 404)
    assert (await live.http.put(url, json={"case": "ref-foreign"}, headers=token(live))).status_code == 201
