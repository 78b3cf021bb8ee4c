"""The persons of a case, as those who may see them meet them: for a purpose, on a basis, and never without a trace."""

import asyncio
from typing import Any

import httpx2

from qorgau.vocabulary import INTAKE
from tests.e2e.live.world import REGION, nowhere, token
from tests.e2e.stack import Row, Stack, eventually

CENTRE, POLICE_UNIT, CLINIC = f"crisis-centre/{REGION}", f"police-unit/{REGION}-07", f"clinic/{REGION}-1"
COORDINATOR = f"coordinator/{REGION}"
NAME, WORD, STORY = "Zarina Quillfeather", "MARMALADE-77", "shattered-ottoman-at-midnight"
REPORT: Row = {
    "region": REGION,
    "channel": "crisis_centre",
    "area": "urban",
    "survivor": {
        "name": NAME,
        "iin": "860412400123",
        "birth_date": "1986-04-12",
        "phone": "+77011234567",
        "safe_contact": {"code_word": WORD},
    },
    "alleged_offender": {"name": "Yerlan Quillfeather", "iin": "840201300126"},
    "narrative": STORY,
    "consents": {CLINIC: "given"},
}


def as_(stack: Stack, agency: str, *scopes: str, subject: str = "desk-1") -> dict[str, str]:
    return token(stack, agency, scopes=list(scopes or ("cases:read", "pii:read", "facts:write")), subject=subject)


async def opened(stack: Stack, key: str, agency: str = CENTRE, **changes: Any) -> str:
    headers = as_(stack, agency, "reports:write") | {"idempotency-key": key}
    answer = await stack.http.post(f"{stack.url(INTAKE)}/v1/reports", json=REPORT | changes, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case"])


async def read(stack: Stack, case: str, agency: str, purpose: str, **more: Any) -> httpx2.Response:
    url = f"{stack.url(INTAKE)}/v1/cases/{case}/person"
    return await stack.http.get(url, params={"purpose": purpose} | more, headers=as_(stack, agency))


async def told(stack: Stack, path: str, agency: str, body: Row, key: str, subject: str = "desk-1") -> httpx2.Response:
    headers = as_(stack, agency, subject=subject) | {"idempotency-key": key}
    return await stack.http.post(f"{stack.url(INTAKE)}/v1{path}", json=body, headers=headers)


async def accesses(stack: Stack, case: str, agency: str = CENTRE) -> list[Row]:
    answer = await stack.http.get(f"{stack.url(INTAKE)}/v1/cases/{case}/accesses", headers=as_(stack, agency))
    assert answer.status_code == 200, answer.text
    items: list[Row] = answer.json()["items"]
    return items


async def to_review(stack: Stack) -> list[str]:
    """The broken glass that a coordinator is to look at, page by page."""
    grants, query = list[str](), {"limit": "1"}
    while True:
        url = f"{stack.url(INTAKE)}/v1/break-glass"
        answer = await stack.http.get(url, params=query, headers=as_(stack, COORDINATOR))
        assert answer.status_code == 200, answer.text
        grants += [grant["id"] for item in answer.json()["items"] for grant in item["grants"]]
        if answer.json()["next"] is None:
            return grants
        query["cursor"] = answer.json()["next"]


async def test_the_advocate_reads_everything_and_an_agency_with_consent_what_its_purpose_needs(live: Stack) -> None:
    case = await opened(live, "person-1")
    advocate = await read(live, case, CENTRE, "support")
    assert advocate.status_code == 200, advocate.text
    assert advocate.headers["cache-control"] == "no-store"
    assert advocate.json()["basis"] == "advocate"
    assert advocate.json()["reports"][0]["survivor"]["safe_contact"] == {"code_word": WORD}
    clinic = await read(live, case, CLINIC, "medical_care")
    assert (clinic.status_code, clinic.json()["basis"]) == (200, "consent")
    assert WORD not in clinic.text
    assert STORY not in clinic.text
    assert NAME in clinic.text
    assert (await read(live, case, CLINIC, "support")).status_code == 403
    assert (await read(live, case, CLINIC, "medical_care", classes="narrative")).status_code == 403
    lines = [(line["action"], line["agency"], line["purpose"]) for line in await accesses(live, case)]
    assert lines == [
        ("read", CENTRE, "support"),
        ("read", CLINIC, "medical_care"),
        ("refused", CLINIC, "support"),
        ("refused", CLINIC, "medical_care"),
    ]


async def test_who_has_nothing_to_do_with_a_case_cannot_tell_that_it_exists_and_leaves_a_line(live: Stack) -> None:
    case = await opened(live, "person-2", consents={})
    foreign = await read(live, case, CLINIC, "medical_care")
    missing = await read(live, "no-such-case", CLINIC, "medical_care")
    assert (foreign.status_code, foreign.json()) == (missing.status_code, missing.json())
    assert foreign.status_code == 404
    assert [line["agency"] for line in await accesses(live, case)] == [CLINIC]


async def test_glass_is_broken_for_a_reason_and_a_while_and_reviewed_by_somebody_else(live: Stack) -> None:
    case = await opened(live, "person-3", consents={})
    assert (await read(live, case, POLICE_UNIT, "emergency_response")).status_code == 404
    broken = await told(
        live, f"/cases/{case}/break-glass", POLICE_UNIT, {"reason": "immediate_danger", "hours": 1}, "glass-1"
    )
    assert broken.status_code == 201, broken.text
    grant = broken.json()["id"]
    seen = await read(live, case, POLICE_UNIT, "emergency_response")
    assert (seen.status_code, seen.json()["basis"]) == (200, "break_glass")
    assert WORD not in seen.text
    assert grant in await to_review(live)
    prosecutor = await live.http.get(f"{live.url(INTAKE)}/v1/break-glass", headers=as_(live, f"prosecutor/{REGION}"))
    assert prosecutor.status_code == 403
    path = f"/cases/{case}/break-glass/{grant}/review"
    reviewed = await told(live, path, COORDINATOR, {"verdict": "not_justified"}, "glass-2", "reviewer-1")
    assert (reviewed.status_code, reviewed.json()["review"]["verdict"]) == (200, "not_justified"), reviewed.text
    assert grant not in await to_review(live)
    assert (await read(live, case, POLICE_UNIT, "emergency_response")).status_code in (403, 404)
    assert "glass_broken" in [line["action"] for line in await accesses(live, case)]


async def test_consent_is_a_fact_of_the_case_and_opens_and_shuts_what_an_agency_reads(live: Stack) -> None:
    case = await opened(live, "person-4", consents={})
    body = {"region": REGION, "agency": CLINIC, "consent": "given"}
    answers = await asyncio.gather(
        *(told(live, f"/cases/{case}/consents", CENTRE, body, "consent-1") for _ in range(3))
    )
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await read(live, case, CLINIC, "medical_care")).status_code == 200

    async def known() -> None:
        facts, _ = await live.export(INTAKE, case)
        assert [fact.type for fact in facts] == ["report.received", "case.consent_changed"]

    await eventually(known)
    again = {**body, "consent": "withdrawn"}
    assert (await told(live, f"/cases/{case}/consents", CENTRE, again, "consent-2")).status_code == 200
    assert (await read(live, case, CLINIC, "medical_care")).status_code == 403


async def test_who_decides_on_what_somebody_else_has_changed_since_is_told_to_read_it_again(live: Stack) -> None:
    case = await opened(live, "person-if-match")
    before = (await read(live, case, CENTRE, "support")).headers["etag"]
    # Reading changes nothing that anybody decides on, and leaves its line all the same.
    assert (await read(live, case, CENTRE, "support")).headers["etag"] == before
    url = f"{live.url(INTAKE)}/v1/cases/{case}"
    listed = await live.http.get(f"{url}/accesses", headers=as_(live, CENTRE))
    assert (listed.headers["etag"], len(listed.json()["items"])) == (before, 2)

    async def decided(path: str, body: Row, key: str, tag: str) -> int:
        headers = as_(live, CENTRE) | {"idempotency-key": key, "if-match": tag}
        return (await live.http.post(f"{url}/{path}", json=body, headers=headers)).status_code

    consent = {"region": REGION, "agency": CLINIC, "consent": "withdrawn"}
    assert await decided("consents", consent, "if-match-1", before) == 200
    # Done again under its key it is the same answer, though the version has changed by it.
    assert await decided("consents", consent, "if-match-1", before) == 200
    basis = {"agency": CLINIC, "legal_basis": "court_order"}
    assert await decided("legal-bases", basis, "if-match-2", before) == 412
    assert await decided("erase", {"reason": "survivor_request"}, "if-match-3", before) == 412
    now = (await read(live, case, CENTRE, "support")).headers["etag"]
    assert now != before
    # A key that was refused is free again.
    assert await decided("legal-bases", basis, "if-match-2", now) == 200
    assert await decided("erase", {"reason": "survivor_request"}, "if-match-3", "*") == 200


async def test_what_is_erased_can_be_read_by_nobody_and_the_facts_stay(live: Stack) -> None:
    case = await opened(live, "person-5")
    erased = await told(live, f"/cases/{case}/erase", CENTRE, {"reason": "survivor_request"}, "erase-1")
    assert erased.status_code == 200, erased.text
    assert (await told(live, f"/cases/{case}/erase", CENTRE, {"reason": "survivor_request"}, "erase-1")).json() == (
        erased.json()
    )
    assert (await read(live, case, CENTRE, "support")).status_code == 410
    shown = await live.http.get(f"{live.url(INTAKE)}/v1/cases/{case}", headers=as_(live, CENTRE))
    assert (shown.status_code, shown.json()["facts"]) == (200, 1)


async def test_two_reports_on_one_pair_share_a_reference_and_are_proposed_merged_and_unmerged(live: Stack) -> None:
    desk = f"102/{REGION}"
    first = await opened(live, "person-6", survivor={"iin": "850101400120"})
    second = await opened(live, "person-7", desk, survivor={"iin": "850101400120"}, channel="102")
    found: list[Row] = []

    async def proposed() -> None:
        answer = await live.http.get(f"{live.url(INTAKE)}/v1/duplicates", headers=as_(live, desk))
        found[:] = [one for one in answer.json()["items"] if one["second"]["case"] == second]
        assert [one["first"]["case"] for one in found] == [first]

    await eventually(proposed)
    assert found[0]["score"] > 0.5
    name = found[0]["id"]
    merged = await told(live, f"/duplicates/{name}/merge", desk, {}, "merge-1")
    assert (merged.status_code, merged.json()["state"]) == (200, "merged"), merged.text
    undone = await told(live, f"/duplicates/{name}/unmerge", desk, {}, "unmerge-1")
    assert (undone.status_code, undone.json()["state"]) == (200, "open"), undone.text

    async def told_so() -> None:
        facts, _ = await live.export(INTAKE, second)
        assert [fact.type for fact in facts] == ["report.received", "report.merged", "fact.withdrawn"]
        assert facts[0].data["pair_ref"] == (await live.export(INTAKE, first))[0][0].data["pair_ref"]
        flags = [row for row in await live.flags(INTAKE, second) if row["rule"] == "F5"]
        assert [row["outcome"] for row in flags][-1:] == ["open"]

    await eventually(told_so)


async def test_nothing_personal_is_anywhere_outside_the_answers(live: Stack) -> None:
    for text in (NAME, WORD, STORY, "860412400123", "77011234567"):
        await nowhere(live, text)
