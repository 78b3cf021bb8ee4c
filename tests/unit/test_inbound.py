"""What agencies write to Kafka themselves: each service takes its own; what nobody takes is told, without content."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import Any

import orjson
import pytest

import court_tracker.domain
import intake.domain
import police_dispatch.domain
from qorgau.bus import Incoming, Outgoing, Place
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.front.door import Admitted, Door
from qorgau.front.inbound import Inbound
from qorgau.front.posting import Posting
from qorgau.telemetry import Metrics
from qorgau.vocabulary import COURT, INTAKE, POLICE
from tests.entry import open_gate

KEY = "a key of the tests that is long enough"
TOPIC = "qorgau.inbound.102.KZ-75"
SECRET = "Aigul-860412400123"
DOMAINS: Mapping[str, ModuleType] = {
    INTAKE: intake.domain,
    POLICE: police_dispatch.domain,
    COURT: court_tracker.domain,
}
ARRIVED = {
    "ce_specversion": "1.0",
    "ce_id": "f1",
    "ce_source": "102/KZ-75",
    "ce_type": "qorgau.police.arrived.v1",
    "ce_subject": "case-1",
    "ce_time": "2026-04-14T19:15:00+05:00",
}
DATA = {"region": "KZ-75", "response": "incident", "injury": False, "sexual": False}


def record(offset: int = 0, data: object = None, **changes: str | None) -> Incoming:
    headers = {name: value for name, value in (ARRIVED | changes).items() if value is not None}
    value = data if isinstance(data, bytes) else orjson.dumps(DATA if data is None else data)
    return Incoming(TOPIC, 0, offset, None, [(name, text.encode()) for name, text in headers.items()], value, 1)


def withdrawal(fact_id: str = "f1", **changes: str | None) -> Incoming:
    data = {"region": "KZ-75", "fact_id": fact_id, "reason": "entered_in_error"}
    return record(1, data, ce_id="w1", ce_type="qorgau.fact.withdrawn.v1", **changes)


@dataclass
class World:
    """The topics, the log and the cases of one service in memory."""

    service: str
    coming: list[list[Incoming]] = field(default_factory=list)
    committed: list[dict[Place, int]] = field(default_factory=list)
    stopped: int = 0
    facts: list[Fact] = field(default_factory=list)
    parked: list[Admitted] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    known: tuple[Fact, ...] = ()
    down: int = 0
    revoked: frozenset[str] = frozenset()
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self, wait: timedelta, most: int) -> list[Incoming]:
        if self.coming:
            return self.coming[0]
        self.ended.set()
        await asyncio.sleep(0)
        return []

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        if offsets:
            self.committed.append(dict(offsets))
            del self.coming[0]

    async def stop(self) -> None:
        self.stopped += 1

    async def append(self, facts: Sequence[Fact]) -> None:
        if self.down:
            self.down -= 1
            raise Unavailable
        self.facts += facts

    async def cases_of(self, digests: Collection[str]) -> Mapping[str, str]:
        return {}

    async def park(self, admitted: Sequence[Admitted]) -> None:
        self.parked += admitted

    async def facts_of(self, case: str) -> Sequence[Fact]:
        return self.known

    async def publish(self, records: Sequence[Outgoing]) -> list[int]:
        self.letters += [{"in": record.topic, **orjson.loads(record.value or b"")} for record in records]
        assert all(SECRET.encode() not in (record.value or b"") + record.key for record in records)
        return list(range(len(records)))

    async def ensure(self, name: str) -> None:
        self.made.append(name)

    def inbound(self) -> Inbound:
        models = DOMAINS[self.service].FACTS
        door = Door(self.service, models, frozenset({"KZ-75"}), lambda: 2_000_000_000_000_000, KEY)
        posting = Posting(door, self, self, Metrics(), open_gate(), way="kafka")
        revoked = self.revoked.__contains__
        anything: Any = self
        return Inbound(self.service, anything, posting, self.facts_of, anything, Metrics(), self.ensure, revoked)

    async def take(self, *records: Incoming) -> "World":
        """What becomes of one batch."""
        self.coming.append(list(records))
        running = asyncio.create_task(self.inbound().run(self.ended))
        await asyncio.wait_for(running, 10)
        return self

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(letter["offset"], letter["reason"]) for letter in self.letters]


async def test_a_good_fact_is_put_into_the_log_by_the_service_that_owns_it_and_by_no_other() -> None:
    worlds = [await World(service).take(record()) for service in DOMAINS]
    assert [[fact.id for fact in world.facts] for world in worlds] == [[], ["f1"], []]
    assert worlds[1].facts[0].recorded == 2_000_000_000_000_000
    assert all((world.committed, world.letters) == ([{(TOPIC, 0): 1}], []) for world in worlds)


@pytest.mark.parametrize(
    ("bad", "teller", "reason"),
    [
        (record(data=b"{" + SECRET.encode()), INTAKE, "Send well-formed JSON in UTF-8."),
        (record(ce_type=SECRET), INTAKE, "No fact has this type."),
        (record(ce_type=None), INTAKE, "No fact has this type."),
        (record()._replace(headers=[("content-type", SECRET.encode())]), INTAKE, "Send application/cloudevents+json"),
        (record()._replace(trouble="a header's name is not UTF-8"), INTAKE, "a header's name is not UTF-8"),
        (record(data=DATA | {SECRET: SECRET}), POLICE, "data: data has a field"),
        (record(ce_source="102/KZ-71"), POLICE, "source: The source is not the agency"),
        (record(ce_recordedtime="2026-04-14T19:15:00+05:00"), POLICE, "recordedtime: Leave recordedtime out"),
        (record(ce_time="2026-04-14T19:15:00"), POLICE, "time: It is"),
        (record(ce_subject=SECRET + "$"), POLICE, "subject: A case is 1 to 64"),
        (withdrawal(ce_subject=SECRET + "$"), INTAKE, "subject: A case is 1 to 64"),
        (withdrawal(ce_source="102/KZ-71"), INTAKE, "source: The source is not the agency"),
    ],
)
async def test_a_bad_record_is_told_once_by_place_and_reason_and_holds_nobody_up(
    bad: Incoming, teller: str, reason: str
) -> None:
    for service in DOMAINS:
        world = await World(service).take(bad._replace(offset=3), record(4))
        assert [fact.id for fact in world.facts] == (["f1"] if service == POLICE else [])
        assert world.committed == [{(TOPIC, 0): 5}]
        if service == teller:
            assert [(at, text[: len(reason)]) for at, text in world.reasons] == [(3, reason)]
            assert world.made == [f"{TOPIC}.dlq"] == [letter["in"] for letter in world.letters]
        else:
            assert (world.letters, world.made) == ([], [])


async def test_a_withdrawal_goes_where_the_fact_went() -> None:
    known = (Fact("f1", "102/KZ-75", "police.arrived", 1, 1, "case-1", DATA),)
    worlds = [await World(service, known=known).take(withdrawal()) for service in DOMAINS]
    assert [[fact.id for fact in world.facts] for world in worlds] == [[], ["w1"], []]


async def test_a_withdrawal_of_a_fact_that_is_not_known_is_taken_by_all() -> None:
    known = (Fact("f2", "102/KZ-75", "police.arrived", 1, 1, "case-1", DATA),)
    for service in DOMAINS:
        assert [fact.id for fact in (await World(service).take(withdrawal())).facts] == ["w1"]
        assert [fact.id for fact in (await World(service, known=known).take(withdrawal())).facts] == ["w1"]


async def test_a_fact_with_a_reference_waits_for_it() -> None:
    world = await World(POLICE).take(record(ce_subject="ref:erdr/25-1234"))
    assert ([len(world.facts), len(world.parked)], world.committed) == ([0, 1], [{(TOPIC, 0): 1}])


async def test_what_cannot_be_kept_now_is_not_committed_and_is_read_again() -> None:
    world = await World(POLICE, down=1).take(record())
    assert [fact.id for fact in world.facts] == ["f1"]
    assert (world.committed, world.stopped) == ([{(TOPIC, 0): 1}], 2)


async def test_nothing_of_a_revoked_agency_is_taken_and_intake_tells_of_it() -> None:
    for service in DOMAINS:
        world = await World(service, revoked=frozenset({"102/KZ-75"})).take(record(), withdrawal())
        assert (world.facts, world.parked, world.committed) == ([], [], [{(TOPIC, 0): 2}])
        told = [(0, "The agency is revoked."), (1, "The agency is revoked.")]
        assert world.reasons == (told if service == INTAKE else [])
