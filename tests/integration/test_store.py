"""The store on the real database: compare-and-swap, what is due, what is untold, and what survives a kill -9."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from qorgau.embedded.pair import Pair
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.record import CaseRecord
from qorgau.shell.census import tally
from qorgau.shell.documents import SCHEMA, Event, NewerDocument, Stored
from qorgau.shell.edition import Edition
from qorgau.shell.recent import Recent
from qorgau.store import Due, Store, connect
from qorgau.telemetry import Metrics

EVENT = Event("e1", 1, "qorgau.flag.raised.v1", 5, "{}")


@pytest.fixture
async def store(pair: Pair) -> AsyncIterator[Store]:
    client = connect(pair.mongo)
    name = f"store_{uuid.uuid4().hex}"
    made = Store(Edition(client[name]), lambda case: len(case) % 3, Metrics())
    await made.prepare()
    await made.prepare()
    yield made
    await client.drop_database(name)
    client.close()


def case(name: str, next_due: int | None = None) -> Stored:
    fact = Fact("f1", "102/KZ-75", "police.arrived", 1, 2, name, {"region": "KZ-75"})
    return Stored(CaseRecord(name, (fact,), next_due=next_due))


async def test_a_case_comes_back_and_a_new_one_is_empty(store: Store) -> None:
    kept, lost = await store.save([case("c1", 7)])
    assert lost == set()
    assert await store.load(["c1", "c2"]) == {"c1": kept["c1"], "c2": Stored(CaseRecord("c2"))}


async def test_of_two_writers_one_loses_and_is_told_so(store: Store) -> None:
    other = Store(store.edition, store.partition, Metrics())
    both_new = [await store.save([case("c1", 1)]), await other.save([case("c1", 2), case("c2")])]
    assert [lost for _, lost in both_new] == [set(), {"c1"}]
    mine, theirs = (await store.load(["c1"]))["c1"], (await other.load(["c1"]))["c1"]
    assert (await other.save([replace(theirs, full=True)]))[1] == set()
    assert (await store.save([replace(mine, closed=True)]))[1] == {"c1"}
    assert (await store.load(["c1"]))["c1"].full


async def test_a_write_that_is_repeated_without_knowing_its_outcome_loses_nothing(store: Store) -> None:
    kept, _ = await store.save([case("c1", 1)])
    assert (await store.save([case("c1", 1)]))[1] == set()
    assert (await store.load(["c1"]))["c1"].version == kept["c1"].version


async def test_due_cases_come_oldest_first_of_the_partitions_asked_for(store: Store) -> None:
    await store.save([case("a", 5), case("b", 3), case("c", 9), case("dd", 4), case("e")])
    assert await store.due({1}, None, 8, 9) == [Due(3, "b"), Due(5, "a")]
    assert await store.due({1, 2}, 3, 9, 2) == [Due(4, "dd"), Due(5, "a")]


async def test_what_is_told_is_forgotten_by_its_id_and_what_came_meanwhile_stays(store: Store) -> None:
    kept, _ = await store.save([replace(case("c1"), outbox=(EVENT,)), replace(case("c2"), outbox=(EVENT,))])
    assert set(await store.untold({2}, 9)) == {"c1", "c2"}
    later = replace(kept["c2"], outbox=(EVENT, replace(EVENT, id="e2", seq=2)))
    await store.save([later])
    await store.clear(kept.values())
    assert {name: [e.id for e in one.outbox] for name, one in (await store.untold({2}, 9)).items()} == {"c2": ["e2"]}


async def test_cases_of_other_policies_are_found_page_by_page(store: Store) -> None:
    judged = [replace(case(f"c{n}"), record=replace(case(f"c{n}").record, fingerprint=f"p{n % 2}")) for n in range(5)]
    await store.save(judged)
    assert await store.sweep({2}, "p1", "", 3) == (["c0", "c2"], "c2")
    assert await store.sweep({2}, "p1", "c2", 3) == (["c4"], None)


async def test_the_cases_of_one_partition_are_counted(store: Store) -> None:
    await store.save([case("c1"), replace(case("c2"), closed=True), replace(case("c3"), full=True), case("elsewhere")])
    assert tally(await store.countable(2)) == {
        ("qorgau_cases", ("open",)): 1,
        ("qorgau_cases", ("closed",)): 1,
        ("qorgau_cases", ("unknown",)): 1,
    }


async def test_a_case_in_a_newer_form_is_neither_read_nor_written(store: Store) -> None:
    await store.save([case("c1")])
    cases = store.edition.collection("cases")
    newer = {"schema": SCHEMA + 1, "v": "2.newer", "facts": "another form", "pending": 1}
    await cases.update_one({"_id": "c1"}, {"$set": newer})
    before = await cases.find_one({"_id": "c1"})
    for reading in (store.load(["c1"]), store.facts(["c1"]), store.one("c1"), store.untold({2}, 9)):
        with pytest.raises(NewerDocument):
            await reading
    # Who has not read it can only begin it, and loses.
    assert (await store.save([case("c1")]))[1] == {"c1"}
    assert await cases.find_one({"_id": "c1"}) == before


async def test_whatever_was_saved_survives_kill_9_of_the_database(pair: Pair, store: Store) -> None:
    """The writes are not flushed one by one; the barrier behind them is what makes them safe."""
    for start in range(0, 400, 100):
        new = [case(f"k{number}", 1) for number in range(start, start + 100)]
        kept, _ = await store.save(new)
        changed, _ = await store.save([replace(one, full=True) for one in kept.values()])
        assert len(changed) == 100
    await pair.restart("mongo")
    found = await store.load([f"k{number}" for number in range(400)])
    assert all(one.full for one in found.values())


async def test_a_case_saved_a_moment_ago_is_not_loaded_and_whoever_was_in_between_still_wins(store: Store) -> None:
    often = Store(store.edition, store.partition, Metrics(), Recent())
    kept, _ = await often.save([case("c1", 7)])
    # Loaded by somebody else and changed: what is remembered is older now, and found out by its version.
    await store.save([replace(kept["c1"], full=True)])
    remembered = (await often.load(["c1"]))["c1"]
    assert remembered == kept["c1"]
    assert (await often.save([replace(remembered, closed=True)]))[1] == {"c1"}
    assert (await often.load(["c1"]))["c1"].full


async def test_a_change_is_made_again_where_somebody_was_in_between_and_what_it_leaves_is_not_written(
    store: Store,
) -> None:
    often = Store(store.edition, store.partition, Metrics(), Recent())
    kept, _ = await often.save([case("c1", 7), case("c2")])
    await store.save([replace(kept["c1"], full=True)])
    closing = {"c1": True, "c2": False}
    await often.change(closing, lambda one: replace(one, closed=True) if closing[one.record.case] else one)
    found = await store.load(["c1", "c2"])
    assert (found["c1"].full, found["c1"].closed) == (True, True)
    assert found["c2"] == kept["c2"]


async def test_a_case_is_remembered_without_what_was_told(store: Store) -> None:
    often = Store(store.edition, store.partition, Metrics(), Recent())
    kept, _ = await often.save([replace(case("c1"), outbox=(EVENT,)), replace(case("c2"), outbox=(EVENT,))])
    assert [often.recent.get(name) for name in ("c1", "c2")] == [None, None]
    await often.clear([kept["c1"]])
    assert (await often.load(["c1"]))["c1"] == (await store.load(["c1"]))["c1"]
    assert often.recent.get("c1") == replace(kept["c1"], outbox=())
    # Somebody else was in between: it is not known how the case is.
    await store.save([replace(kept["c2"], full=True)])
    await often.clear([kept["c2"]])
    assert often.recent.get("c2") is None
    assert (await often.load(["c2"]))["c2"].full


class Amnesia:
    """A database whose server dies after the writes and comes back before the barrier, without what was not flushed."""

    def __init__(self, database: Any, lost: str) -> None:
        self._database, self._lost = database, lost

    def get_collection(self, name: str, **options: Any) -> Any:
        kept = self._database.get_collection(name, **options)
        return _Barriers(kept, self._database["cases"], self._lost) if name == "barriers" else kept


class _Barriers:
    def __init__(self, kept: Any, cases: Any, lost: str) -> None:
        self._kept, self._cases, self._lost = kept, cases, lost

    async def replace_one(self, *told: Any, **options: Any) -> Any:
        await self._cases.delete_one({"_id": self._lost})
        return await self._kept.replace_one(*told, **options)


async def test_writes_that_a_server_lost_before_it_flushed_anything_do_not_count_as_safe(store: Store) -> None:
    kept, _ = await store.save([case("c1", 1)])
    forgetful = Store(Edition(Amnesia(store.edition.database, "c2")), store.partition, Metrics())
    with pytest.raises(Unavailable):
        await forgetful.save([kept["c1"], case("c2", 1)])
    assert (await forgetful.save([case("c3", 1)]))[1] == set()
