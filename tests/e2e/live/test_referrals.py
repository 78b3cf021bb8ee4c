"""A case is referred and offered: who is asked, what they are told, and who hears that nobody answered."""

from typing import Any

from qorgau.facts import Fact
from qorgau.instants import format_instant
from qorgau.vocabulary import COURT, INTAKE, NOTIFIER, POLICE
from tests.e2e.live.test_persons import CENTRE, CLINIC, accesses, as_, opened, read, told
from tests.e2e.live.world import REGION, STRUCTURED, ago, check_refused, token
from tests.e2e.stack import KEEPERS, Row, Stack, eventually

SHELTER = f"shelter/{REGION}-2"


async def refer(stack: Stack, case: str, key: str, **body: Any) -> Row:
    answer = await told(stack, f"/cases/{case}/referrals", CENTRE, {"region": REGION} | body, key)
    assert answer.status_code == 200, answer.text
    said: Row = answer.json()
    return said


async def seen(stack: Stack, service: str, case: str, agency: str) -> int:
    url = f"{stack.url(service)}/v1/cases/{case}"
    return (await stack.http.get(url, headers=as_(stack, agency))).status_code


async def test_who_is_referred_to_is_part_of_the_case_everywhere_and_what_they_are_told_is_written_down(
    live: Stack,
) -> None:
    case = await opened(live, "referral-1")
    assert await seen(live, INTAKE, case, CLINIC) == 404
    asked: Row = {"agency": CLINIC, "purpose": "medical_care", "classes": ["identity"]}
    said = await refer(live, case, "referral-1a", **asked)
    assert (said["agency"], said["classes"], said["basis"]) == (CLINIC, ["identity"], "consent")
    # The same again is the same.
    assert await refer(live, case, "referral-1a", **asked) == said
    assert [
        (line["action"], line["detail"], line["classes"], line["purpose"]) for line in await accesses(live, case)
    ] == [("referred", CLINIC, ["identity"], "medical_care")]

    async def part() -> None:
        assert [await seen(live, service, case, CLINIC) for service in KEEPERS] == [200] * len(KEEPERS)

    await eventually(part)
    assert await seen(live, INTAKE, case, f"clinic/{REGION}-2") == 404
    # It may read what it has a basis for, and post what it does.
    assert (await read(live, case, CLINIC, "medical_care")).status_code == 200
    exam = {
        "specversion": "1.0",
        "id": "referral-exam",
        "source": CLINIC,
        "type": "qorgau.exam.completed.v1",
        "subject": case,
        "time": format_instant(ago(seconds=5)),
        "data": {"region": REGION, "exam_id": "e1"},
    }
    headers = as_(live, CLINIC) | {"content-type": STRUCTURED}
    posted = await live.http.post(f"{live.url(POLICE)}/v1/facts", json=exam, headers=headers)
    assert posted.json()["status"] == "accepted"


async def test_nobody_is_told_what_they_may_not_read_and_then_nothing_follows(live: Stack) -> None:
    case = await opened(live, "referral-2")
    path = f"/cases/{case}/referrals"
    refused: list[tuple[Row, int]] = [
        # No consent, no law; not what the purpose needs; no purpose; nobody else; more than there is.
        ({"agency": f"forensic/{REGION}", "purpose": "medical_care", "classes": ["identity"]}, 403),
        ({"agency": CLINIC, "purpose": "medical_care", "classes": ["narrative"]}, 403),
        ({"agency": CLINIC, "classes": ["identity"]}, 422),
        ({"agency": CLINIC, "purpose": "medical_care"}, 422),
        ({"agency": CENTRE}, 422),
        ({"agency": CLINIC, "purpose": "curiosity", "classes": ["identity"]}, 422),
        ({"agency": CLINIC, "classes": ["everything"], "purpose": "medical_care"}, 422),
        ({"agency": CLINIC, "note": "SEVENFOLD-77"}, 422),
    ]
    for number, (body, status) in enumerate(refused):
        answer = await told(live, path, CENTRE, {"region": REGION} | body, f"referral-2-{number}")
        check_refused(answer, status, "SEVENFOLD-77")
    stranger = await told(live, path, f"clinic/{REGION}-9", {"region": REGION, "agency": CLINIC}, "referral-2-s")
    check_refused(stranger, 404)
    assert {line["action"] for line in await accesses(live, case)} == {"refused"}
    facts, _ = await live.export(INTAKE, case)
    assert {fact.type for fact in facts} <= {"report.received"}
    assert await seen(live, INTAKE, case, CLINIC) == 404


async def test_a_shelter_that_is_asked_has_its_hours_to_find_a_place(live: Stack) -> None:
    case = await opened(live, "referral-3")
    assert (await refer(live, case, "referral-3a", agency=SHELTER))["basis"] is None

    async def running() -> None:
        state = (await live.http.get(f"{live.url(INTAKE)}/v1/cases/{case}", headers=as_(live, SHELTER))).json()
        assert [row["rule"] for row in state["deadlines"] if row["state"] == "running"].count("P24") == 1

    await eventually(running)
    assert [line["detail"] for line in await accesses(live, case)] == [SHELTER]


async def test_an_agency_outside_the_case_neither_refers_nor_offers_it_by_a_fact(live: Stack) -> None:
    case = await opened(live, "referral-4")

    async def known() -> None:
        assert (await live.export(INTAKE, case))[0]

    await eventually(known)
    for kind, data in (
        ("referred", {"referral_id": "x", "agency": CLINIC}),
        ("transfer_offered", {"transfer_id": "x", "to": CLINIC}),
    ):
        event = {
            "specversion": "1.0",
            "id": f"referral-4-{kind}",
            "source": f"clinic/{REGION}-9",
            "type": f"qorgau.case.{kind}.v1",
            "subject": case,
            "time": format_instant(ago(seconds=5)),
            "data": {"region": REGION, **data},
        }
        headers = as_(live, f"clinic/{REGION}-9") | {"content-type": STRUCTURED}
        check_refused(await live.http.post(f"{live.url(INTAKE)}/v1/facts", json=event, headers=headers), 403)


async def test_an_offer_nobody_answers_is_flagged_to_who_was_asked_and_to_who_offered_and_to_nobody_else(
    live: Stack,
) -> None:
    at = ago(days=2)
    data = {"region": REGION, "report_id": "r1", "channel": "102", "area": "urban"}
    offer = {"region": REGION, "transfer_id": "t1", "to": CLINIC}
    police = f"102/{REGION}"
    case = "offered-case"
    await live.post(
        [
            Fact("offer-1", police, "report.received", at, at, case, data),
            Fact("offer-2", police, "case.transfer_offered", at, at, case, offer),
        ]
    )

    async def told_of(agency: str) -> set[str]:
        headers = token(live, agency, scopes=["flags:read"], regions=[REGION])
        answer = await live.http.get(f"{live.url(NOTIFIER)}/v1/flags", params={"case": case}, headers=headers)
        return {flag["rule"] for flag in answer.json()["items"] if flag["level"] == "breach" and flag["rule"][0] == "T"}

    async def both() -> None:
        assert await told_of(CLINIC) == {"T01"}
        assert await told_of(police) == {"T02"}

    await eventually(both)
    assert await told_of(f"clinic/{REGION}-2") == set()
    assert await told_of(f"coordinator/{REGION}") == {"T01", "T02"}
    assert await live.flags(COURT, case) == []
