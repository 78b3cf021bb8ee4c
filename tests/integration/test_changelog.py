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
from qorgau.state.changelog import ChangeLog
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


ALL = Sender("coordinator/KZ", frozenset(), frozenset({"*"}), Reach.REGION)


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


async def told(log: ChangeLog, by: Sender = ALL, after: int = 0, **wanted: str) -> list[tuple[str, str]]:
    found = await log.page(wanted, by, after, await log.newest(), 1_000)
    assert [number for number, _ in found] == sorted({number for number, _ in found})
    return [(one["case"], one["state"]) for _, one in found]


async def test_changes_stand_in_the_order_in_which_they_were_found_and_once(database: Any) -> None:
    log = await log_of(database)
    await log.show([seen("b", "listed"), seen("a", "listed", "held")])
    await log.show([seen("a", "listed", "held"), seen("b", "listed", "suspended")])
    assert await told(log) == [("b", "listed"), ("a", "listed"), ("a", "held"), ("b", "suspended")]


async def test_a_reader_goes_on_after_a_number_and_misses_nothing(database: Any) -> None:
    log = await log_of(database)
    await log.show([seen("a", "listed", "suspended", "held")])
    first = await log.page({}, ALL, 0, await log.newest(), 2)
    assert [(case, state) for case, state in await told(log, after=first[-1][0])] == [("a", "held")]


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
    end = await one.newest()
    # It remembers an end that is none any more.
    await one.show([seen("c", "listed")])
    assert await told(one, after=end) == [("c", "listed")]


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
    assert await log.newest() == 0


async def test_readers_see_what_the_list_would_show_them_and_what_they_ask_for(database: Any) -> None:
    log = await log_of(database)
    await log.show([seen("a", "listed"), seen("b", "held", region="KZ-71")])

    def by(agency: str, region: str, reach: Reach) -> Sender:
        return Sender(agency, frozenset(), frozenset({region}), reach)

    assert await told(log, by("coordinator/KZ-75", "KZ-75", Reach.REGION)) == [("a", "listed")]
    assert await told(log, by("court/KZ-71", "KZ-71", Reach.OWN)) == [("b", "held")]
    assert await told(log, by("court/KZ-71-9", "KZ-71", Reach.OWN)) == []
    assert await told(log, by("watchdog", "*", Reach.CODES)) == [("a", "listed"), ("b", "held")]
    assert await told(log, region="KZ-71") == [("b", "held")]
    assert await told(log, state="listed") == await told(log, case="a") == [("a", "listed")]
    assert await told(log, court="another") == []


async def test_what_is_made_again_still_tells_each_change_once(database: Any) -> None:
    log = await log_of(database)
    await log.show([seen("a", "listed")])
    again = await log_of(database, await begin_next(database))
    await asyncio.gather(again.show([seen("a", "listed")]), (await log_of(database, 1)).show([seen("a", "listed")]))
    assert await told(again) == [("a", "listed")]
