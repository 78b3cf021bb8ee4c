"""Reports and transfers at intake: one write, the same answer for the same key, and who may hand a case on."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
import pytest

import intake.domain
from intake.reports import Reports, reports_router
from intake.transfers import transfer_guard
from intake.vault.blind import IndexKeys, Traces
from intake.vault.keys import DataKeys, HeldKeys, Keyring
from intake.vault.opening import Locks, Opening
from intake.vault.packing import unpack
from intake.vault.records import VaultRecord
from intake.vault.storing import to_document
from qorgau.auth import make_token
from qorgau.embedded.data import default_retention
from qorgau.facts import Fact
from qorgau.front.door import Door, Sender
from qorgau.instants import parse_instant
from qorgau.retention import load_retention
from qorgau.service import PROBLEM, Readiness, build_app
from qorgau.telemetry import Metrics
from tests.entry import access

NOW = parse_instant("2026-04-14T19:20:00+05:00")
KEY = "a key of the tests that is long enough"
SECRET = "Aigul-860412400123"
REPORT = {"region": "KZ-75", "channel": "150", "area": "urban"}


POLICY = load_retention(default_retention())
KEYS = IndexKeys("i1", {"i1": b"i" * 32})
RING = Keyring("k1", {"k1": b"k" * 32})


class Memory:
    """A vault in memory: its book and its pairs."""

    def __init__(self) -> None:
        self.records: dict[str, VaultRecord] = {}
        self.known: dict[str, str] = {}

    @property
    def cases(self) -> dict[str, Fact]:
        """The report of each case."""
        return {case: record.facts[0] for case, record in self.records.items()}

    async def open(self, record: VaultRecord) -> bool:
        return self.records.setdefault(record.case, record) is record

    async def find(self, case: str) -> VaultRecord | None:
        return self.records.get(case)

    async def reference(self, case: str, searched: Traces, stored: Traces, now: int) -> str | None:
        found = sorted(searched.pair)
        known = [self.known[index] for index in found if index in self.known]
        reference = known[0] if known else f"pair-{len(self.known)}"
        self.known |= dict.fromkeys(found, reference)
        return reference if found else None


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
async def client(memory: Memory) -> AsyncIterator[httpx2.AsyncClient]:
    async def ready() -> Readiness:
        return Readiness(True)

    door = Door("intake", intake.domain.FACTS, frozenset({"KZ-75", "KZ-71"}), lambda: NOW, KEY)
    provider = HeldKeys(lambda: RING)
    locks = Locks(provider, DataKeys(provider, lambda: 0.0), lambda: KEYS)
    reports = Reports(door, Opening(memory, memory, locks, KEYS, POLICY), KEY, Metrics())
    app = build_app("intake", [reports_router(reports, access(KEY))], ready=ready, metrics=reports.metrics)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        yield client


def token(agency: str = "helpline-150/KZ-75", scope: str = "reports:write", region: str = "KZ-75") -> str:
    return make_token(KEY, agency=agency, scopes=[scope], regions=[region])


async def report(client: httpx2.AsyncClient, body: object, key: str | None = "k1", **claims: str) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token(**claims)}", "content-type": "application/json"}
    return await client.post(
        "/v1/reports", content=json.dumps(body), headers=headers | ({"idempotency-key": key} if key else {})
    )


async def test_a_report_opens_a_case_and_says_where_it_is(client: httpx2.AsyncClient, memory: Memory) -> None:
    answer = await report(client, REPORT)
    body = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/cases/{body['case']}")
    fact = memory.cases[body["case"]]
    assert (fact.type, fact.source, fact.time, fact.recorded) == ("report.received", "helpline-150/KZ-75", NOW, NOW)
    assert fact.data == {**REPORT, "report_id": body["report_id"]}


async def test_the_same_key_gets_the_same_answer_and_another_key_another_case(
    client: httpx2.AsyncClient, memory: Memory
) -> None:
    first = await report(client, REPORT)
    again = await report(client, REPORT)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (await report(client, REPORT, "k2")).json()["case"] != first.json()["case"]
    other = await report(client, {**REPORT, "region": "KZ-71"}, agency="helpline-150/KZ-71", region="KZ-71")
    assert other.json()["case"] != first.json()["case"]
    assert len(memory.cases) == 3


async def test_a_key_used_for_another_report_is_refused(client: httpx2.AsyncClient, memory: Memory) -> None:
    await report(client, REPORT)
    for other in ({**REPORT, "area": "rural"}, {**REPORT, "time": "2026-04-14T10:00:00Z"}):
        answer = await report(client, other)
        assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")
    assert len(memory.cases) == 1


PERSONAL = {
    "survivor": {
        "name": "Айгүл Сейітқызы",
        "iin": "860412400123",
        "phone": "+7 701 123 45 67",
        "safe_contact": {"code_word": "SUNFLOWER"},
    },
    "alleged_offender": {"name": "Ерлан Сейітов", "birth_date": "1984-02-01", "phone": "8 701 765 43 21"},
    "narrative": "He hit her with a chair.",
}


async def test_what_is_personal_is_sealed_in_the_vault_and_in_no_fact(
    client: httpx2.AsyncClient, memory: Memory
) -> None:
    answer = await report(client, {**REPORT, **PERSONAL, "needs_police": True, "priority": "prompt"})
    record = memory.records[answer.json()["case"]]
    assert [fact.type for fact in record.facts] == ["report.received", "report.triaged"]
    told = repr([(fact.source, dict(fact.data)) for fact in record.facts]) + repr(record) + answer.text
    stored = to_document(record, 0, "1")
    assert not [word for word in ("Айгүл", "8604", "701", "SUNFLOWER", "Ерлан", "1984", "chair") if word in told]
    assert not [word for word in ("Айгүл", "SUNFLOWER", "chair", "860412400123") if word in repr(stored)]
    assert record.key is not None
    key = await HeldKeys(lambda: RING).unwrap(record.key.wrapped, record.case)
    opened = unpack(record.case, record.reports[0].id, record.reports[0].fields, key, record.key.id)
    assert opened["survivor"]["safe_contact"] == {"code_word": "SUNFLOWER"}
    assert opened["narrative"] == PERSONAL["narrative"]


async def test_two_reports_on_the_same_two_people_carry_the_same_random_reference(
    client: httpx2.AsyncClient, memory: Memory
) -> None:
    iin = {"survivor": {"iin": "860412400123"}, "alleged_offender": {"iin": "840201300126"}}
    wrong = {"survivor": {"iin": "860412400123"}, "alleged_offender": {"name": "Ерлан Сейітов"}}
    answers = [await report(client, {**REPORT, **who}, f"k{n}") for n, who in enumerate((iin, iin, wrong))]
    pairs = [memory.cases[answer.json()["case"]].data.get("pair_ref") for answer in answers]
    assert pairs[0] == pairs[1]
    assert pairs[0] is not None
    assert pairs[2] is None


async def test_the_same_key_with_another_narrative_is_refused_and_repeats_nothing_of_either(
    client: httpx2.AsyncClient, memory: Memory
) -> None:
    await report(client, {**REPORT, **PERSONAL})
    answer = await report(client, {**REPORT, **PERSONAL, "narrative": "another " + SECRET})
    assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")
    assert SECRET not in answer.text
    assert (await report(client, {**REPORT, **PERSONAL})).status_code == 201


async def test_a_number_that_cannot_be_right_is_taken_and_named(client: httpx2.AsyncClient, memory: Memory) -> None:
    answer = await report(client, {**REPORT, "survivor": {"iin": "860412400128"}})
    assert (answer.status_code, answer.json()["doubts"]) == (201, ["survivor.iin"])


async def test_a_development_token_speaks_for_the_desk_of_the_channel(
    client: httpx2.AsyncClient, memory: Memory
) -> None:
    for channel, source in (("102", "102/KZ-75"), ("111", "helpline-111/KZ-75"), ("web", "crisis-centre/KZ-75")):
        answer = await report(client, {**REPORT, "channel": channel}, f"key-{channel}", agency="*", region="*")
        assert memory.cases[answer.json()["case"]].source == source


BAD: dict[str, tuple[Any, str | None, dict[str, str], int]] = {
    "no key": (REPORT, None, {}, 400),
    "key with a space": (REPORT, "a b", {}, 400),
    "key too long": (REPORT, "k" * 129, {}, 400),
    "a name": ({**REPORT, "name": SECRET}, "k1", {}, 422),
    "a number": ({**REPORT, "iin": "860412400123"}, "k1", {}, 422),
    "an id of the sender's": ({**REPORT, "report_id": "r1"}, "k1", {}, 422),
    "operator": ({**REPORT, "area": {"$gt": ""}}, "k1", {}, 422),
    "operator in the time": ({**REPORT, "time": {"$gt": ""}}, "k1", {}, 422),
    "a text in a code": ({**REPORT, "relation": "her husband " + SECRET}, "k1", {}, 422),
    "injury without an instant": ({**REPORT, "injury": True}, "k1", {}, 422),
    "a list": ([REPORT], "k1", {}, 422),
    "no report": ({}, "k1", {}, 422),
    "a name in a person": ({**REPORT, "survivor": {"name": SECRET, "pet": "x"}}, "k1", {}, 422),
    "a priority alone": ({**REPORT, "priority": "prompt"}, "k1", {}, 422),
    "police without a priority": ({**REPORT, "needs_police": True}, "k1", {}, 422),
    "another region": ({**REPORT, "region": "KZ-71"}, "k1", {}, 403),
    "a court": (REPORT, "k1", {"agency": "court/KZ-75"}, 403),
    "another scope": (REPORT, "k1", {"scope": "facts:write"}, 403),
}


@pytest.mark.parametrize(("body", "key", "claims", "status"), BAD.values(), ids=BAD)
async def test_a_bad_report_gets_its_status_and_leaves_nothing(
    client: httpx2.AsyncClient, memory: Memory, body: Any, key: str | None, claims: dict[str, str], status: int
) -> None:
    answer = await report(client, body, key, **claims)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert not [text for text in (SECRET, "Aigul", "8604", "$gt", "husband") if text in answer.text]
    assert not memory.cases


def fact(fact_type: str, source: str, case: str | None = "c1", **data: str) -> Fact:
    return Fact(f"{fact_type}-{source}", source, fact_type, 0, 0, case, {"region": "KZ-75", **data})


STORED = [
    fact("report.received", "102/KZ-75"),
    fact("case.transfer_offered", "102/KZ-75", transfer_id="t1", to="shelter/KZ-75"),
]


async def refused(facts: Sequence[Fact], agency: str = "102/KZ-75") -> list[bool]:
    async def facts_of(case: str) -> Sequence[Fact]:
        return STORED if case == "c1" else []

    guard = transfer_guard(facts_of)
    return [refusal is not None for refusal in await guard(facts, Sender(agency, frozenset(), frozenset()))]


async def test_a_case_is_offered_by_an_agency_that_has_a_fact_in_it() -> None:
    offer = {"transfer_id": "t2", "to": "shelter/KZ-75"}
    assert await refused([fact("case.transfer_offered", "102/KZ-75", **offer)]) == [False]
    assert await refused([fact("case.transfer_offered", "court/KZ-75", **offer)]) == [True]
    assert await refused([fact("case.transfer_offered", "102/KZ-75", "c2", **offer)]) == [True]
    assert await refused([fact("case.transfer_offered", "102/KZ-75", None, **offer)]) == [True]
    assert await refused([fact("case.closed", "court/KZ-75")]) == [False]


@pytest.mark.parametrize("answer", ["case.transfer_accepted", "case.transfer_declined"])
async def test_an_offer_is_answered_by_the_agency_it_was_made_to(answer: str) -> None:
    assert await refused([fact(answer, "shelter/KZ-75", transfer_id="t1")]) == [False]
    assert await refused([fact(answer, "shelter/KZ-75", transfer_id="t2")]) == [True]
    assert await refused([fact(answer, "shelter/KZ-71", transfer_id="t1")]) == [True]
    assert await refused([fact(answer, "shelter/KZ-71", transfer_id="t1")], agency="*") == [False]


async def test_what_stands_earlier_in_a_batch_counts() -> None:
    batch = [
        fact("survivor.contacted", "helpline-150", "c2"),
        fact("case.transfer_offered", "helpline-150", "c2", transfer_id="t3", to="helpline-150"),
        fact("case.transfer_accepted", "helpline-150", "c2", transfer_id="t3"),
        fact("case.transfer_accepted", "helpline-150", "c2", transfer_id="t4"),
    ]
    assert await refused(batch, agency="helpline-150") == [False, False, False, True]
