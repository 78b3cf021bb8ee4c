"""Which cases are an agency's own, over HTTP and by the rule itself: read by its parts, written into by who was given
it, and a case of others is as one that is not there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import orjson
import pytest
from docs import generate

import court_tracker.api
from qorgau.auth import make_token
from qorgau.facts import Fact
from qorgau.front.door import Admitted, Door
from qorgau.front.gate import Gate
from qorgau.front.keeper import Keeper
from qorgau.front.posting import Posting
from qorgau.front.reading import Reading, Shown
from qorgau.front.registering import Registry
from qorgau.identity.membership import REFERS, codes_only, is_part, may_add, may_read, referred_to
from qorgau.identity.sender import FLAGS_READ, SCOPES, Sender
from qorgau.identity.table import TABLE
from qorgau.record import CaseRecord
from qorgau.rows import DeadlineRow, FlagRow
from qorgau.service import Readiness
from qorgau.telemetry import Metrics
from qorgau.vocabulary import COURT, FACT_TYPES, KINDS
from tests.entry import KnownFacts, access

KEY = "a key of the tests that is long enough"
PAIR = "pair-0123456789abcdef"


def fact(kind: str, source: str, region: str = "KZ-75", case: str = "c1", **data: Any) -> Fact:
    return Fact(f"{kind}-{source}", source, kind, 1, 1, case, {"region": region, **data})


REPORT = fact("report.received", "helpline-150", report_id="r1", pair_ref=PAIR, district="d1", age_band="30-39")
NEEDS_POLICE = fact("report.triaged", "helpline-150", report_id="r1", needs_police=True)


def part(agency: str, *facts: Fact, regions: frozenset[str] = frozenset({"KZ-75"})) -> bool:
    return is_part(agency, regions.__contains__, facts)


def test_an_agency_is_part_of_a_case_it_opened_or_took_up() -> None:
    assert part("helpline-150", REPORT)
    assert not part("helpline-111", REPORT)
    assert not part("helpline-150/KZ-75", REPORT)
    assert not part("helpline-150")


def test_a_case_is_referred_to_the_kind_that_a_fact_asks_to_act_in_its_region() -> None:
    assert part("102/KZ-75", NEEDS_POLICE)
    assert part("police-unit/KZ-75-03", NEEDS_POLICE)
    assert not part("102/KZ-71", NEEDS_POLICE, regions=frozenset({"KZ-71"}))
    assert not part("shelter/KZ-75", NEEDS_POLICE)
    no_police = replace(NEEDS_POLICE, data={**NEEDS_POLICE.data, "needs_police": False})
    assert not part("102/KZ-75", no_police)
    assert part("crisis-centre/KZ-75", no_police)
    asked = fact("shelter.referral_requested", "helpline-150", "KZ-71")
    assert part("shelter/KZ-71", asked, regions=frozenset({"KZ-71"}))
    assert not part("shelter/KZ-75", asked)


@pytest.mark.parametrize("name", REFERS)
def test_every_referral_is_a_fact_of_the_vocabulary_and_asks_kinds_of_it(name: str) -> None:
    assert name in FACT_TYPES
    assert REFERS[name] <= KINDS
    assert referred_to(fact(name, "x"))


def test_an_offer_makes_nobody_part_and_its_acceptance_does() -> None:
    offer = fact("case.transfer_offered", "helpline-150", to="shelter/KZ-71", transfer_id="t1")
    accepted, declined = (
        fact(f"case.transfer_{answer}", "shelter/KZ-71", transfer_id="t1") for answer in ("accepted", "declined")
    )
    there = frozenset({"KZ-71"})
    assert not part("shelter/KZ-71", REPORT, offer, regions=there)
    assert part("shelter/KZ-71", REPORT, offer, accepted, regions=there)
    assert not part("shelter/KZ-71", REPORT, offer, declined, regions=there)
    consent = fact("case.consent_changed", "helpline-150", agency="clinic/KZ-75", consent="given")
    assert not part("clinic/KZ-75", REPORT, consent)


def test_what_was_withdrawn_makes_nobody_part() -> None:
    arrived = fact("police.arrived", "102/KZ-71", "KZ-71")
    gone = fact("fact.withdrawn", "102/KZ-71", "KZ-71", fact_id=arrived.id, reason="wrong_case")
    assert part("102/KZ-71", REPORT, arrived)
    assert not part("102/KZ-71", REPORT, arrived, gone)
    by_another = replace(gone, source="102/KZ-75")
    assert part("102/KZ-71", REPORT, arrived, by_another)


def test_a_fact_counts_where_its_source_was_given_the_case() -> None:
    mine, there = fact("police.arrived", "102/KZ-75"), fact("shelter.admitted", "shelter/KZ-71", "KZ-71")
    offer = fact("case.transfer_offered", "helpline-150", to="shelter/KZ-71", transfer_id="t1")
    asked = fact("shelter.referral_requested", "helpline-150", "KZ-71")
    # It opens a case; in its region it takes one up; elsewhere it must have been named, asked, or be there already.
    assert may_add(mine, [])
    assert may_add(mine, [REPORT])
    assert not may_add(there, [REPORT])
    assert may_add(there, [REPORT, offer])
    assert may_add(there, [REPORT, asked])
    assert may_add(there, [REPORT, replace(there, id="earlier", data={"region": "KZ-75"})])


def sender(agency: str, *regions: str) -> Sender:
    """Somebody who reads flags, with what the table lets it reach."""
    known = Sender(agency, SCOPES - {"admin"}, frozenset(regions))
    return replace(known, reach=TABLE["GET", "/v1/flags"].admit(known))


@pytest.mark.parametrize(
    ("who", "reads"),
    [
        (sender("102/KZ-75", "KZ-75"), True),
        (sender("102/KZ-71", "KZ-71"), False),
        (sender("102", "*"), True),
        (sender("court/KZ-75-02", "KZ-75"), False),
        (sender("coordinator/KZ-75", "KZ-75"), True),
        (sender("coordinator/KZ-75", "KZ-71"), False),
        (sender("prosecutor", "*"), True),
        (sender("watchdog", "*"), True),
        (sender("watchdog", "KZ-71"), False),
        (sender("*", "*"), True),
        (sender("*", "KZ-71"), False),
    ],
)
def test_a_case_is_read_by_its_parts_and_by_who_looks_after_its_region(who: Sender, reads: bool) -> None:
    assert FLAGS_READ in who.scopes
    assert may_read(who, [REPORT, NEEDS_POLICE]) is reads
    assert not may_read(who, [])


def test_what_points_at_a_person_or_a_pair_is_not_among_the_codes() -> None:
    shown = {"flags": [{"rule": "F5", "key": PAIR, "id": "f1"}], "data": {**REPORT.data, "relation": "x", "sex": "f"}}
    assert codes_only(shown) == {
        "flags": [{"rule": "F5", "key": "", "id": "f1"}],
        "data": {"region": "KZ-75", "report_id": "r1"},
    }


@dataclass
class World:
    """Cases, a log, a waiting room and the topic of references of one service, in memory."""

    known: KnownFacts = field(default_factory=KnownFacts)
    facts: list[Fact] = field(default_factory=list)
    parked: list[Admitted] = field(default_factory=list)
    registered_by: set[tuple[str, str]] = field(default_factory=set)

    async def append(self, facts: list[Fact]) -> None:
        self.facts += facts

    async def cases_of(self, digests: Any) -> dict[str, str]:
        return {}

    async def park(self, admitted: list[Admitted]) -> None:
        self.parked += admitted

    async def announce(self, digest: str, value: bytes) -> int:
        told = orjson.loads(value)
        self.registered_by.add((told["case"], told.get("agency")))
        return 0

    async def register(self, digest: str, case: str, position: int, agency: str | None = None) -> str:
        return case

    async def registered(self, case: str, agency: str) -> bool:
        return (case, agency) in self.registered_by

    async def case(self, case: str) -> Shown | None:
        facts = self.known.facts.get(case)
        flags = (FlagRow(case, "F5", PAIR, "flag", "high", None, None, 1),)
        return None if facts is None else Shown(CaseRecord(case, tuple(facts), flags, as_of=2), "1")

    async def case_of_flag(self, flag_id: str) -> str | None:
        flags = {FlagRow(case, "F5", PAIR, "flag", "high", None, None, 1).id: case for case in self.known.facts}
        return flags.get(flag_id)

    def deadlines(self, record: CaseRecord) -> list[DeadlineRow]:
        return [DeadlineRow(record.case, "P17", "protocol-1", "high", 1, 2, "running")]

    def closed(self, record: CaseRecord) -> bool:
        return False

    def explain(self, record: CaseRecord, flag_id: str) -> dict[str, Any]:
        return {"flag": {"key": PAIR}, "facts": [{"key": PAIR}]}


PROTOCOL = fact("protocol.drawn_up", "police-unit/KZ-75-03", protocol_id="p1")
ELSEWHERE = [replace(one, data={**one.data, "region": "KZ-71"}) for one in (REPORT, NEEDS_POLICE)]


@pytest.fixture
def world() -> World:
    # Referred to courts of KZ-75; of that region and referred to none; of another region; and "missing" is not there.
    facts = {"own": [REPORT, PROTOCOL], "near": [REPORT], "foreign": ELSEWHERE}
    return World(KnownFacts({case: [replace(one, case=case) for one in of] for case, of in facts.items()}))


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async def ready() -> Readiness:
        return Readiness(True)

    anyone: Any = world
    door = Door(COURT, generate.MODELS[COURT], frozenset({"KZ-75", "KZ-71"}), lambda: 2_000_000_000_000_000, KEY)
    posting = Posting(door, anyone, anyone, Metrics(), Gate(world.known))
    reading = Reading(COURT, world, world, world.registered)
    registry = Registry(anyone, world, world, KEY, door.kinds)
    app = court_tracker.api.build_api(Keeper(posting, registry, reading, ready, access(KEY)))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        yield client


def bearer(agency: str = "court/KZ-75-01", *regions: str, **claims: Any) -> dict[str, str]:
    token = make_token(
        KEY, **{"agency": agency, "scopes": SCOPES - {"admin"}, "regions": regions or ("KZ-75",), **claims}
    )
    return {"authorization": f"Bearer {token}"}


def paths(case: str) -> list[str]:
    flag = FlagRow(case, "F5", PAIR, "flag", "high", None, None, 1).id
    return [f"/v1/cases/{case}", f"/v1/cases/{case}/facts", f"/v1/cases/{case}/flags", f"/v1/flags/{flag}/explanation"]


READERS = {
    "court/KZ-75-01": (("KZ-75",), {"own"}),
    "court/KZ-71-01": (("KZ-71",), set()),
    "shelter/KZ-75": (("KZ-75",), set()),
    "102/KZ-71": (("KZ-71",), {"foreign"}),
    "helpline-150": (("*",), {"own", "near", "foreign"}),
    "coordinator/KZ-75": (("KZ-75",), {"own", "near"}),
    "prosecutor": (("*",), {"own", "near", "foreign"}),
    "watchdog/coalition": (("*",), {"own", "near", "foreign"}),
    "*": (("*",), {"own", "near", "foreign"}),
}


@pytest.mark.parametrize("agency", READERS)
async def test_a_case_of_others_is_read_by_nobody_and_looks_as_one_that_is_not_there(
    client: httpx2.AsyncClient, agency: str
) -> None:
    regions, seen = READERS[agency]
    who = bearer(agency, *regions)
    for kind in range(4):
        missing = await client.get(paths("missing")[kind], headers=who)
        assert missing.status_code == 404
        for case in ("own", "near", "foreign"):
            answer = await client.get(paths(case)[kind], headers=who)
            assert answer.status_code == (200 if case in seen else 404), (case, answer.text)
            if case not in seen:
                assert answer.content == missing.content
                assert answer.headers.keys() == missing.headers.keys()


async def test_who_watches_sees_codes_and_flags_of_every_case_and_points_at_nobody(client: httpx2.AsyncClient) -> None:
    for case in ("own", "foreign"):
        for path in paths(case):
            shown = (await client.get(path, headers=bearer("watchdog", "*"))).text
            for hidden in (PAIR, "pair_ref", "age_band", "30-39", "district", "protocol-1"):
                assert hidden not in shown, path
        facts = await client.get(paths(case)[1], headers=bearer("prosecutor", "*"))
        assert PAIR in facts.text


async def test_who_registered_a_reference_of_a_case_reads_it(client: httpx2.AsyncClient, world: World) -> None:
    taking_up = {"json": {"case": "near"}, "headers": bearer()}
    assert (await client.get("/v1/cases/near", headers=bearer())).status_code == 404
    assert (await client.put("/v1/references/court/1", **taking_up)).status_code == 201  # type: ignore[arg-type]
    assert world.registered_by == {("near", "court/KZ-75-01")}
    assert (await client.get("/v1/cases/near", headers=bearer())).status_code == 200
    assert (await client.get("/v1/cases/near", headers=bearer("court/KZ-75-02"))).status_code == 404


@pytest.mark.parametrize("agency", ["court/KZ-71-01", "shelter/KZ-75", "coordinator/KZ-71"])
async def test_no_number_is_given_to_a_case_of_others_nor_to_one_that_is_not_there(
    client: httpx2.AsyncClient, world: World, agency: str
) -> None:
    who = bearer(agency, "KZ-71" if "KZ-71" in agency else "KZ-75")
    case = "own" if "KZ-71" in agency else "foreign"
    theirs, missing = [
        await client.put("/v1/references/court/1", json={"case": name}, headers=who) for name in (case, "missing")
    ]
    assert (theirs.status_code, theirs.content) == (404, missing.content)
    assert theirs.headers.keys() == missing.headers.keys()
    assert not world.registered_by


def held_event(case: str, source: str = "court/KZ-75-01", region: str = "KZ-75", name: str = "f1") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": source,
        "type": "qorgau.court.hearing_held.v1",
        "subject": case,
        "time": "2026-04-14T19:15:00+05:00",
        "data": {"region": region, "protocol_id": "p1", "hearing_id": "h1"},
    }


async def post(client: httpx2.AsyncClient, event: Any, **claims: Any) -> httpx2.Response:
    kind = "application/cloudevents-batch+json" if isinstance(event, list) else "application/cloudevents+json"
    return await client.post(
        "/v1/facts", content=orjson.dumps(event), headers=bearer(**claims) | {"content-type": kind}
    )


async def test_a_fact_for_a_case_of_others_is_kept_apart_and_answered_like_one_that_opens_a_case(
    client: httpx2.AsyncClient, world: World
) -> None:
    foreign, missing = await post(client, held_event("foreign")), await post(client, held_event("missing"))
    assert foreign.status_code == missing.status_code == 202
    assert foreign.text.replace("foreign", "missing") == missing.text
    assert foreign.headers.keys() == missing.headers.keys()
    assert [one.case for one in world.facts] == ["missing"]
    assert [(one.fact.case, one.reference) for one in world.parked] == [("foreign", "case:foreign")]


async def test_facts_count_at_once_in_cases_of_ones_own_and_of_ones_region(
    client: httpx2.AsyncClient, world: World
) -> None:
    batch = [held_event(case, name=f"f-{case}") for case in ("own", "near", "foreign", "missing")]
    assert (await post(client, batch)).status_code == 207
    assert [one.case for one in world.facts] == ["own", "near", "missing"]
    assert [one.fact.case for one in world.parked] == ["foreign"]


async def test_a_token_that_speaks_for_everybody_writes_everywhere(client: httpx2.AsyncClient, world: World) -> None:
    event = held_event("foreign")
    assert (await post(client, event, agency="*", regions=["*"])).status_code == 202
    assert [one.case for one in world.facts] == ["foreign"]
    assert world.known.asked == 0


async def test_who_is_let_in_once_is_not_looked_up_again(client: httpx2.AsyncClient, world: World) -> None:
    for number in range(5):
        await post(client, [held_event("own", name=f"f{number}-{fact}") for fact in range(5)])
    assert (len(world.facts), world.known.asked) == (25, 1)
    for number in range(3):
        await post(client, held_event("foreign", name=f"g{number}"))
    assert (len(world.parked), world.known.asked) == (3, 4)
