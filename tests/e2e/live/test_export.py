"""A case for another system: a line a thing, codes; the person only for who may have her, and never without a trace."""

import json

from qorgau.vocabulary import INTAKE, POLICE
from tests.e2e.live.test_persons import CENTRE, CLINIC, NAME, POLICE_UNIT, STORY, accesses, as_, opened
from tests.e2e.live.world import REGION, check_refused, registered, token
from tests.e2e.stack import Row, Stack, eventually


async def exported(stack: Stack, case: str, headers: Row, **query: str) -> list[Row]:
    answer = await stack.http.get(f"{stack.url(INTAKE)}/v1/cases/{case}/export", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["cache-control"] == "no-store"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_case_is_exported_with_its_facts_and_the_flags_of_all_services(live: Stack) -> None:
    await live.post([registered("export-call", "export-codes")])
    watches = token(live, f"coordinator/{REGION}", scopes=["cases:read"])

    async def whole() -> None:
        raised = {flag["id"] for flag in await live.flag_items(POLICE, "export-codes")}
        assert raised
        lines = await exported(live, "export-codes", watches)
        assert [line["kind"] for line in lines[:2]] == ["case", "fact"]
        assert {line["id"] for line in lines[2:] if line["kind"] == "flag"} == raised

    await eventually(whole)
    case, fact, *_ = await exported(live, "export-codes", watches)
    assert (case["case"], case["regions"], fact["type"]) == ("export-codes", [REGION], "police.incident_registered")


async def test_without_a_purpose_no_person_is_in_it_and_no_read_is_written_down(live: Stack) -> None:
    case = await opened(live, "export-1")
    lines = await exported(live, case, as_(live, CENTRE))
    assert {line["kind"] for line in lines} == {"case", "fact"}
    assert not [part for part in (NAME, STORY, "8604") if part in json.dumps(lines)]
    assert await accesses(live, case) == []


async def test_the_person_is_in_it_for_a_purpose_on_a_basis_and_with_a_line_of_audit(live: Stack) -> None:
    case = await opened(live, "export-2")
    lines = await exported(live, case, as_(live, CENTRE), purpose="support")
    [person] = [line for line in lines if line["kind"] == "person"]
    assert (person["basis"], person["survivor"]["name"], person["narrative"]) == ("advocate", NAME, STORY)
    [line] = await accesses(live, case)
    assert (line["action"], line["agency"], line["purpose"], line["basis"]) == ("read", CENTRE, "support", "advocate")
    few = await exported(live, case, as_(live, CENTRE), purpose="support", classes="narrative")
    assert [set(line) for line in few if line["kind"] == "person"] == [
        {"kind", "case", "basis", "report_id", "narrative"}
    ]


async def test_without_scope_basis_or_part_in_the_case_nothing_is_exported(live: Stack) -> None:
    case = await opened(live, "export-3", needs_police=True, priority="prompt")
    url = f"{live.url(INTAKE)}/v1/cases/{case}/export"
    refused: list[tuple[Row, Row, int]] = [
        # Part of the case, and without a basis for the person.
        (as_(live, POLICE_UNIT), {"purpose": "protective_order"}, 403),
        (as_(live, CENTRE, "cases:read"), {"purpose": "support"}, 403),
        (as_(live, CENTRE, "pii:read"), {"purpose": "support"}, 403),
        # Those who look after cases see codes, and no person.
        (token(live, "watchdog", scopes=["cases:read", "pii:read"], regions=["*"]), {"purpose": "support"}, 403),
        (token(live, CENTRE, scopes=["cases:read", "pii:read", "admin"]), {"purpose": "support"}, 403),
        (token(live, "court/KZ-71", regions=["KZ-71"]), {}, 404),
    ]
    for headers, query, status in refused:
        check_refused(await live.http.get(url, params=query, headers=headers), status, NAME)
    assert {line["kind"] for line in await exported(live, case, as_(live, POLICE_UNIT))} >= {"case", "fact"}
    # With consent noted for it, the clinic has a basis for the person; it is no part of the case.
    clinic = await live.http.get(url, params={"purpose": "medical_care"}, headers=as_(live, CLINIC))
    assert clinic.status_code == 404
