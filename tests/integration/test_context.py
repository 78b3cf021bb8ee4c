"""Facts of no case on the real database, found by type and time: what capacity is read from."""

import uuid

from qorgau.embedded.pair import Pair
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.shell.context import ContextBook
from qorgau.shell.edition import Edition
from qorgau.store import connect

PLACES, DOCTORS = "shelter.capacity_reported", "exam.capacity_reported"


def fact(id: str, type: str, at: int) -> Fact:
    return Fact(id, "shelter/KZ-75", type, at, at, None, {"region": "KZ-75", "fact_id": "p1"})


async def test_reports_of_a_span_come_with_every_withdrawal_since_it_began(pair: Pair) -> None:
    client, name = connect(pair.mongo), f"context_{uuid.uuid4().hex}"
    book = ContextBook(Edition(client[name]))
    await book.edition.begin()
    await book.prepare()
    kept = [fact("p0", PLACES, 9), fact("p1", PLACES, 10), fact("p2", PLACES, 20), fact("d1", DOCTORS, 15)]
    gone = [fact("w0", WITHDRAWAL, 9), fact("w1", WITHDRAWAL, 500)]
    await book.keep([*kept, *gone])
    found = await book.dated((PLACES, WITHDRAWAL), 10, 20)
    assert sorted(one.id for one in found) == ["p1", "w1"]
    await client.drop_database(name)
    client.close()
