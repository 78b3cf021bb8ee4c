"""What is done with the vault from time to time, on the real database: keys wrapped anew, what is over let go."""

import uuid
from collections.abc import AsyncIterator, Sequence

import pytest

from intake.vault.access import Reader
from intake.vault.blind import IndexKeys, traces
from intake.vault.book import VaultBook
from intake.vault.dealing import Readable, erased, read
from intake.vault.form import split
from intake.vault.keys import DataKeys, HeldKeys, Keyring, Wrapped
from intake.vault.opening import Locks
from intake.vault.packing import pack, unpack
from intake.vault.records import CaseKey, Marks, Report, VaultRecord, opened
from intake.vault.retention import retained
from intake.vault.upkeep import Upkeep
from qorgau.embedded.data import default_retention
from qorgau.embedded.pair import Pair
from qorgau.facts import Fact
from qorgau.instants import DAY
from qorgau.retention import load_retention
from qorgau.store import connect

POLICY = load_retention(default_retention())
INDEXES = IndexKeys("i1", {"i1": b"i" * 32})
OLD, NEW = Keyring("k1", {"k1": b"1" * 32}), Keyring("k2", {"k1": b"1" * 32, "k2": b"2" * 32})
CENTRE = Reader("crisis-centre/KZ-75", "desk-1", frozenset({"pii:read"}))
BODY = {
    "region": "KZ-75",
    "channel": "150",
    "area": "urban",
    "survivor": {"name": "Айгүл", "iin": "860412400123", "safe_contact": {"code_word": "apricot"}},
    "alleged_offender": {"iin": "840201300126"},
}


class World:
    """A vault with one case, its upkeep, the facts of the case, and what was forgotten."""

    def __init__(self, book: VaultBook) -> None:
        self.book = book
        self.ring = OLD
        self.well = True
        self.provider = HeldKeys(lambda: self.ring, lambda: self.well)
        self.keys = DataKeys(self.provider, lambda: 0.0)
        self.facts: list[Fact] = []
        self.forgotten: list[str] = []
        self.at = 0
        locks = Locks(self.provider, self.keys, lambda: INDEXES)
        self.upkeep = Upkeep(book, locks, POLICY, self.facts_of, self.forget, lambda: self.at, lambda: [0])

    async def facts_of(self, case: str) -> Sequence[Fact]:
        return self.facts

    async def forget(self, case: str) -> None:
        self.forgotten.append(case)

    async def append(self, facts: Sequence[Fact]) -> None:
        return

    async def open(self, case: str) -> None:
        personal, data_key = split(BODY).personal, b"d" * 32
        fields = pack(case, "r1", personal, data_key, "d1")
        report = Report("r1", CENTRE.agency, 0, "digest", fields, traces(personal, INDEXES), {"region": "KZ-75"})
        fact = Fact("r1", CENTRE.agency, "report.received", 0, 0, case, {"region": "KZ-75"})
        self.facts.append(fact)
        key = CaseKey("d1", await self.provider.wrap(data_key, case))
        record = opened(case, report, [fact], key, personal, 0)
        assert await self.book.open(retained(POLICY, record, Marks(opened=0), 0))

    async def record(self, case: str = "c1") -> VaultRecord:
        found = await self.book.find(case)
        assert found is not None
        return found

    async def word(self, wrapped: Wrapped | None = None) -> str:
        """The code word, as the advocate reads it."""
        record = await self.record()
        _, seen = read(record, CENTRE, "support", None, self.at)
        assert isinstance(seen, Readable)
        key = await self.keys.unwrapped("c1", wrapped or seen.key.wrapped)
        return str(unpack("c1", "r1", seen.fields["r1"], key, "d1")["survivor"]["safe_contact"]["code_word"])


@pytest.fixture
async def world(pair: Pair) -> AsyncIterator[World]:
    client = connect(pair.mongo)
    name = f"upkeep_{uuid.uuid4().hex}"
    book = VaultBook(client[name], lambda case: 0 if case == "c1" else 1, None)  # type: ignore[arg-type]
    made = World(book)
    book._log = made
    await book.prepare()
    await made.open("c1")
    yield made
    await book.close()
    await client.drop_database(name)
    client.close()


async def test_keys_that_cannot_be_used_as_they_stand_are_told_of_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    seen = True
    for world.well in (True, False, False, True, True):
        seen = await world.upkeep.look_at_keys(seen)
    said = [record.getMessage() for record in caplog.records if record.name == "qorgau.vault"]
    assert [("cannot" in text, "again" in text) for text in said] == [(True, False), (False, True)]


async def test_after_a_rotation_keys_are_wrapped_anew_and_the_old_one_can_go(world: World) -> None:
    assert await world.upkeep.rewrap() == 0
    world.ring = NEW
    assert await world.word() == "apricot"
    assert await world.upkeep.rewrap() == 1
    record = await world.record()
    assert record.key is not None
    assert record.key.wrapped.kek == "k2"
    world.ring = Keyring("k2", {"k2": b"2" * 32})
    assert await world.word() == "apricot"
    assert await world.upkeep.rewrap() == 0


async def test_a_key_that_was_erased_is_not_put_back_by_a_rotation(world: World) -> None:
    world.ring = NEW
    stale = await world.record()
    await world.book.change("c1", lambda record: erased(record, CENTRE, "survivor_request", 1))
    assert world.upkeep.locks is not None
    assert not await world.upkeep._rewrap(stale, world.upkeep.locks)
    assert (await world.record()).key is None


async def test_another_replica_looks_after_other_partitions(world: World) -> None:
    world.ring = NEW
    await world.open("c2")
    await world.upkeep.rewrap()
    other = await world.record("c2")
    assert other.key is not None
    assert other.key.wrapped.kek == "k2"  # wrapped by the current key when it was opened
    assert [record.case for record in await world.book.wrapped_otherwise([1], "k9", 9)] == ["c2"]


async def test_what_is_over_goes_class_by_class_and_the_key_with_the_last(world: World) -> None:
    assert await world.upkeep.retain() == 0
    world.at = 366 * DAY
    assert await world.upkeep.retain() == 1
    record = await world.record()
    assert "safe_contact" not in record.kept
    assert "identity" in record.kept
    assert [line.action for line in record.audit] == ["period_ended"]
    assert world.forgotten == []
    world.at = 3_000 * DAY
    await world.upkeep.retain()
    record = await world.record()
    assert (record.kept, record.key, record.due) == (frozenset(), None, None)
    assert world.forgotten == ["c1"]


async def test_a_closed_case_lets_go_earlier_and_a_reopened_one_does_not(world: World) -> None:
    closing = Fact("x1", "coordinator", "case.closed", 10 * DAY, 10 * DAY, "c1", {"region": "KZ-75"})
    world.at = 10 * DAY
    await world.upkeep.heard([closing])
    assert (await world.record()).due == 40 * DAY
    reopened = Fact("x2", "coordinator", "case.reopened", 11 * DAY, 11 * DAY, "c1", {"region": "KZ-75"})
    world.facts.append(closing)
    await world.upkeep.heard([reopened])
    assert (await world.record()).due == (11 + 365) * DAY


async def test_consent_that_comes_as_a_fact_counts_in_the_vault(world: World) -> None:
    data = {"region": "KZ-75", "agency": "clinic/KZ-75-1", "consent": "given"}
    given = Fact("k1", CENTRE.agency, "case.consent_changed", 5, 5, "c1", data)
    await world.upkeep.heard([given, Fact("k2", CENTRE.agency, "case.consent_changed", 5, 5, "unknown", data)])
    assert (await world.record()).sharing.consents["clinic/KZ-75-1"].state == "given"
    withdrawn = Fact("k3", CENTRE.agency, "case.consent_changed", 6, 6, "c1", {**data, "consent": "withdrawn"})
    await world.upkeep.heard([withdrawn, given])
    assert (await world.record()).sharing.consents["clinic/KZ-75-1"].state == "withdrawn"
