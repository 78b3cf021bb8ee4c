"""Rows of lists on the real database: written with their case, forgotten with it, and shown to whom they concern."""

import uuid
from collections.abc import AsyncIterator, Iterable, Sequence

import pytest

from qorgau.embedded.pair import Pair
from qorgau.facts import Fact
from qorgau.identity.sender import Reach, Sender
from qorgau.record import CaseRecord, learn
from qorgau.rows import Judged
from qorgau.shell.edition import Edition
from qorgau.state.book import ListBook, Wanted
from qorgau.state.measured import MeasureBook
from qorgau.state.rows import Listed, Seen
from qorgau.store import connect

EVERYTHING = Wanted({})


def project(record: CaseRecord, _: Sequence[Judged]) -> Iterable[Listed]:
    """A row a fact, due when it happened."""
    for fact in record.facts:
        region = str(fact.data["region"])
        yield Listed("orders", fact.id, str(fact.data["state"]), region, fact.source, fact.time or None, item={"n": 1})


def fact(case: str, id: str, at: int, state: str = "issued", region: str = "KZ-75", source: str = "") -> Fact:
    return Fact(id, source or f"police-unit/{region}", "order.issued", at, at, case, {"region": region, "state": state})


def seen(case: str, version: int, *facts: Fact) -> Seen:
    return Seen(learn(CaseRecord(case), facts), (), version)


def sender(agency: str, region: str, reach: Reach) -> Sender:
    return Sender(agency, frozenset(), frozenset({region}), reach)


ALL = sender("coordinator/KZ", "*", Reach.REGION)


@pytest.fixture
async def book(pair: Pair) -> AsyncIterator[ListBook]:
    client = connect(pair.mongo)
    name = f"lists_{uuid.uuid4().hex}"
    made = ListBook(Edition(client[name]), project)
    await made.prepare()
    yield made
    await client.drop_database(name)
    client.close()


async def rows(book: ListBook, by: Sender = ALL, wanted: Wanted = EVERYTHING) -> list[tuple[str, str, str]]:
    found = await book.page("orders", wanted, by, "", 100)
    return [(row["case"], row["key"], row["state"]) for _, row in found]


async def test_rows_come_by_due_and_what_is_due_never_comes_last(book: ListBook) -> None:
    await book.show([seen("a", 1, fact("a", "late", 20), fact("a", "no", 0)), seen("b", 1, fact("b", "early", 10))])
    assert [row[1] for row in await rows(book)] == ["early", "late", "no"]
    assert [row[1] for row in await rows(book, wanted=Wanted({}, before=20))] == ["early"]


async def test_a_page_goes_on_after_its_last_row(book: ListBook) -> None:
    await book.show([seen("a", 1, *(fact("a", f"o{n}", n + 1) for n in range(5)))])
    first = await book.page("orders", EVERYTHING, ALL, "", 2)
    rest = await book.page("orders", EVERYTHING, ALL, first[-1][0], 100)
    assert [row["key"] for _, row in first + rest] == ["o0", "o1", "o2", "o3", "o4"]


async def test_a_row_changes_with_its_case_and_goes_with_what_made_it(book: ListBook) -> None:
    await book.show([seen("a", 1, fact("a", "o1", 5), fact("a", "o2", 6))])
    await book.show([seen("a", 2, fact("a", "o1", 5, "served"))])
    assert await rows(book) == [("a", "o1", "served")]


async def test_an_older_writer_changes_nothing_that_a_newer_one_wrote(book: ListBook) -> None:
    await book.show([seen("a", 3, fact("a", "o1", 5, "served"))])
    await book.show([seen("a", 2, fact("a", "o1", 5, "issued"))])
    await book.show([seen("a", 2)])
    assert await rows(book) == [("a", "o1", "served")]


async def test_filters_are_by_region_state_agency_and_case(book: ListBook) -> None:
    await book.show(
        [seen("a", 1, fact("a", "o1", 1)), seen("b", 1, fact("b", "o2", 2, "served", "KZ-71", "police-unit/KZ-71-2"))]
    )
    for name, value in (("region", "KZ-71"), ("state", "served"), ("agency", "police-unit/KZ-71-2"), ("case", "b")):
        assert [row[0] for row in await rows(book, wanted=Wanted({name: value}))] == ["b"]


async def test_each_sees_its_own_cases_or_those_of_its_regions(book: ListBook) -> None:
    asked = Fact("r", "102/KZ-75", "police.arrived", 1, 1, "c", {"region": "KZ-75", "state": "arrived"})
    await book.show(
        [
            seen("a", 1, fact("a", "o1", 1, source="police-unit/KZ-75-1")),
            seen("b", 1, fact("b", "o2", 2, region="KZ-71")),
            seen("c", 1, asked),
        ]
    )
    assert sorted(row[0] for row in await rows(book)) == ["a", "b", "c"]
    assert [row[0] for row in await rows(book, sender("prosecutor/KZ-71", "KZ-71", Reach.REGION))] == ["b"]
    assert [row[0] for row in await rows(book, sender("watchdog", "KZ-71", Reach.CODES))] == ["b"]
    assert [row[0] for row in await rows(book, sender("police-unit/KZ-75-1", "KZ-71", Reach.OWN))] == ["a"]
    # Whoever was asked to act in its region sees the case before it has posted anything.
    assert [row[0] for row in await rows(book, sender("police-unit/KZ-75-9", "KZ-75", Reach.OWN))] == ["c"]
    assert await rows(book, sender("clinic/KZ-75", "KZ-75", Reach.OWN)) == []


async def test_what_a_case_adds_to_sums_is_replaced_with_the_case(book: ListBook) -> None:
    def measure(record: CaseRecord, _: Sequence[Judged]) -> list[dict[str, object]]:
        return [{"kind": "n", "region": one.data["region"], "month": "2026-03", "n": one.time} for one in record.facts]

    sums = MeasureBook(book.edition, measure)
    await sums.prepare()
    await sums.show([seen("a", 1, fact("a", "o1", 1)), seen("b", 1, fact("b", "o2", 2, region="KZ-71"))])
    await sums.show([seen("a", 2, fact("a", "o1", 7))])
    assert sorted(row["n"] for row in await sums.rows("n", None, None)) == [2, 7]
    assert [row["n"] for row in await sums.rows("n", "KZ-75", "2026-03")] == [7]
    assert await sums.rows("n", "KZ-75", "2026-04") == []
    assert await sums.rows("m", "KZ-75", "2026-03") == []
