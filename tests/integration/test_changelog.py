"""The log of changes on the real database: in order, each change once, whoever writes and however often."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from qorgau.embedded.pair import Pair
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.identity.sender import Reach, Sender
from qorgau.record import CaseRecord, learn
from qorgau.shell.edition import Edition, begin_next
from qorgau.state.book import is_shown
from qorgau.state.changelog import ON_A_LEAF, ChangeLog, Entry
from qorgau.state.changes import Change
from qorgau.state.rows import Seen
from qorgau.store import connect

TYPE = "court.hearing_held"


def changes(record: CaseRecord, told: Mapping[str, Change]) -> list[Change]:
    """A change a fact, under one key, in the order they are given."""
    number = told["h"].number if "h" in told else 0
    states = [str(fact.data["state"]) for fact in record.facts]
    return [
        Change(
            "h", n, n, state, states[n - 2] if n > 1 else None, str(record.facts[0].data["region"]), "court", {"n": n}
        )
        for n, state in enumerate(states, start=1)
        if n > number
    ]


def seen(case: str, *states: str, region: str = "KZ-75") -> Seen:
    facts = [
        Fact(f"{case}-{n}", f"court/{region}", TYPE, n, n, case, {"region": region, "state": state})
        for n, state in enumerate(states)
    ]
    return Seen(learn(CaseRecord(case), facts), (), 1)


@pytest.fixture
async def database(pair: Pair) -> AsyncIterator[Any]:
    client, name = connect(pair.mongo), f"changes_{uuid.uuid4().hex}"
    yield client[name]
    await client.drop_database(name)
    client.close()


async def log_of(database: Any, edition: int = 0) -> ChangeLog:
    log = ChangeLog(Edition(database, edition), changes, frozenset({TYPE}))
    await log.prepare()
    return log


async def entries(log: ChangeLog) -> list[Entry]:
    """All there is, in order; the numbers of the leaves have no gap."""
    leaves = await log.leaves(0, 10_000)
    assert [leaf.number for leaf in leaves] == list(range(1, len(leaves) + 1))
    assert await log.newest() == len(leaves)
    assert len({leaf.mark for leaf in leaves}) == len(leaves)
    return [entry for leaf in leaves for entry in leaf.entries]


async def told(log: ChangeLog) -> list[tuple[str, str]]:
    return [(entry.case, entry.change.state) for entry in await entries(log)]


async def test_changes_stand_in_the_order_in_which_they_were_found_and_once(database: Any) -> None:
    log = await log_of(database)
    await log.show([seen("b", "listed"), seen("a", "listed", "held")])
    await log.show([seen("a", "listed", "held"), seen("b", "listed", "suspended")])
    assert await told(log) == [("b", "listed"), ("a", "listed"), ("a", "held"), ("b", "suspended")]


async def test_many_changes_stand_on_leaves_of_bounded_size(database: Any) -> None:
    log = await log_of(database)
    await log.show([seen(f"c{n}", "listed") for n in range(2 * ON_A_LEAF + 1)])
    leaves = await log.leaves(0, 10)
    assert [len(leaf.entries) for leaf in leaves] == [ON_A_LEAF, ON_A_LEAF, 1]
    assert [leaf.number for leaf in await log.leaves(2, 1)] == [2]


async def test_two_who_write_at_the_same_time_tell_each_change_once_and_in_the_order_of_its_hearing(
    database: Any,
) -> None:
    logs = [await log_of(database) for _ in range(3)]
    cases = [f"c{n}" for n in range(12)]
    states = ["listed", "suspended", "held"]

    async def write(log: ChangeLog, shift: int) -> None:
        for upto in (1, 2, 3):
            for case in cases[shift:] + cases[:shift]:
                await log.show([seen(case, *states[:upto])])

    await asyncio.gather(*(write(log, 4 * n) for n, log in enumerate(logs)))
    found = await told(logs[0])
    assert len(found) == 36
    assert all([state for of, state in found if of == case] == states for case in cases)


async def test_nothing_comes_to_stand_before_what_was_read(database: Any) -> None:
    one, other = await log_of(database), await log_of(database)
    await one.show([seen("a", "listed")])
    await other.show([seen("b", "listed")])
    # It remembers an end that is none any more.
    await one.show([seen("c", "listed")])
    assert await told(one) == [("a", "listed"), ("b", "listed"), ("c", "listed")]


async def test_the_end_is_found_wherever_it_is_also_before_where_it_was(database: Any) -> None:
    log = await log_of(database)
    for count in range(12):
        assert await (await log_of(database)).newest() == await log.newest() == count
        await log.show([seen(f"c{count}", "listed")])
    # A server that died has lost the last ones.
    await log._leaves.delete_many({"_id": {"$gt": 7}})
    assert await log.newest() == 7
    await log.show([seen("c", "listed")])
    assert (await told(log))[7:] == [("c", "listed")]


async def test_a_writer_that_failed_looks_where_the_end_is(database: Any, pair: Pair) -> None:
    log = await log_of(database)
    await log.show([seen("a", "listed")])
    gone = connect("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200")
    away = ChangeLog(Edition(gone[database.name]), changes, frozenset({TYPE}))
    with pytest.raises(Unavailable):
        await away.show([seen("a", "listed", "held")])
    gone.close()
    await log.show([seen("a", "listed", "held")])
    assert await told(log) == [("a", "listed"), ("a", "held")]


async def test_a_case_without_a_row_of_the_list_costs_nothing_and_tells_nothing(database: Any) -> None:
    log = await log_of(database)
    fact = Fact("f", "102/KZ-75", "police.arrived", 1, 1, "a", {"region": "KZ-75", "state": "x"})
    await log.show([Seen(learn(CaseRecord("a"), [fact]), (), 1)])
    assert await told(log) == []


async def test_an_entry_is_shown_to_whom_the_list_shows_its_row(database: Any) -> None:
    log = await log_of(database)
    await log.show([seen("a", "listed"), seen("b", "held", region="KZ-71")])

    async def shown(agency: str, region: str, reach: Reach) -> str:
        by = Sender(agency, frozenset(), frozenset({region}), reach)
        return "".join(one.case for one in await entries(log) if is_shown(by, one.change.region, one.parts))

    assert await shown("coordinator/KZ-75", "KZ-75", Reach.REGION) == "a"
    assert await shown("court/KZ-71", "KZ-71", Reach.OWN) == "b"
    assert await shown("court/KZ-71", "KZ-75", Reach.REGION) == "ab"
    assert await shown("court/KZ-71-9", "KZ-71", Reach.OWN) == ""
    assert await shown("court/KZ-71", "KZ-75", Reach.CODES) == "a"
    assert await shown("watchdog", "*", Reach.CODES) == "ab"


async def test_what_is_made_again_still_tells_each_change_once(database: Any) -> None:
    log = await log_of(database)
    await log.show([seen("a", "listed")])
    again = await log_of(database, await begin_next(database))
    await asyncio.gather(again.show([seen("a", "listed")]), (await log_of(database, 1)).show([seen("a", "listed")]))
    assert await told(again) == [("a", "listed")]
