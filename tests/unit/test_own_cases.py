"""Cases over HTTP: read by their parts, written into by who was given them; a case of others is as one that is not
there."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx2
import orjson
import pytest
from docs import generate

import court_tracker.api
from qorgau.auth import make_token
from qorgau.facts import Fact
from qorgau.front.casefeed import CaseFeed
from qorgau.front.door import Admitted, Door
from qorgau.front.gate import Gate
from qorgau.front.keeper import Keeper
from qorgau.front.posting import Posting
from qorgau.front.reading import Reading, Shown
from qorgau.front.registering import Registry
from qorgau.front.streams import Streams
from qorgau.identity.sender import SCOPES
from qorgau.record import CaseRecord
from qorgau.rows import DeadlineRow, FlagRow, Judged
from qorgau.service import Readiness
from qorgau.shell.lookout import Lookout
from qorgau.telemetry import Metrics
from qorgau.vocabulary import COURT
from tests.entry import KnownFacts, access

KEY = "a key of the tests that is long enough"
PAIR = "pair-0123456789abcdef"


def fact(kind: str, source: str, region: str = "KZ-75", case: str = "c1", **data: Any) -> Fact:
    return Fact(f"{kind}-{source}", source, kind, 1, 1, case, {"region": region, **data})


REPORT = fact("report.received", "helpline-150", report_id="r1", pair_ref=PAIR, district="d1", age_band="30-39")
NEEDS_POLICE = fact("report.triaged", "helpline-150", report_id="r1", needs_police=True)


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

    async def facts_of(self, case: str) -> Sequence[Fact]:
        return self.known.facts.get(case, ())

    async def case(self, case: str) -> Shown | None:
        facts = self.known.facts.get(case)
        flags = (FlagRow(case, "F5", PAIR, "flag", "high", None, None, 1),)
        return None if facts is None else Shown(CaseRecord(case, tuple(facts), flags, as_of=2), "1")

    async def versions(self, cases: Collection[str]) -> dict[str, str]:
        return {}

    async def case_of_flag(self, flag_id: str) -> str | None:
        flags = {FlagRow(case, "F5", PAIR, "flag", "high", None, None, 1).id: case for case in self.known.facts}
        return flags.get(flag_id)

    def judged(self, record: CaseRecord) -> list[Judged]:
        row = DeadlineRow(record.case, "P17", "protocol-1", "high", 1, 2, "running")
        return [Judged(row, PROTOCOL, None, None, None, None, None)]

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
    registry = Registry(anyone, world, world.facts_of, KEY, door.kinds)
    feed = CaseFeed(reading, Lookout(world.versions), Streams(Metrics(), lasts=timedelta()))
    app = court_tracker.api.build_api(Keeper(posting, registry, reading, anyone, ready, access(KEY), feed))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        yield client


def bearer(agency: str = "court/KZ-75-01", *regions: str, **claims: Any) -> dict[str, str]:
    token = make_token(
        KEY, **{"agency": agency, "scopes": SCOPES - {"admin"}, "regions": regions or ("KZ-75",), **claims}
    )
    return {"authorization": f"Bearer {token}"}


def paths(case: str) -> list[str]:
    flag = FlagRow(case, "F5", PAIR, "flag", "high", None, None, 1).id
    of_case = [f"/v1/cases/{case}{part}" for part in ("", "/facts", "/flags", "/events?after=0")]
    return [*of_case, f"/v1/flags/{flag}/explanation"]


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
    for kind in range(5):
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
