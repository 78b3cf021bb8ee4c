"""What must be true when a fault is over (design.md 6), from outside: by what services export and topics hold."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from qorgau.bus import read_all
from qorgau.facts import Fact
from qorgau.vocabulary import FLAGS_TOPIC, NOTIFIER
from tests.e2e.stack import KEEPERS, PATIENCE, Row, Stack, eventually, order, plain

_MADE_WITH_THE_EVENT = ("emitted_at", "seq")
Posted = Mapping[str, Collection[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the flags topic; `at`: its partition and offset."""

    at: tuple[int, int]
    service: str
    change: str
    item: Row

    @property
    def key(self) -> tuple[Any, ...]:
        """What a flag is (I6)."""
        return tuple(self.item[name] for name in ("case", "rule", "key", "start_at", "level", "raised_at"))

    @property
    def row(self) -> Row:
        """The flag without what an event adds."""
        return {name: value for name, value in self.item.items() if name not in _MADE_WITH_THE_EVENT}


async def told(stack: Stack) -> list[Told]:
    """Everything in the flags topic, repeats included, each case in its order."""
    events = []
    async for record in read_all(stack.system.backing.kafka, FLAGS_TOPIC):
        named = {name: value.decode() for name, value in record.headers}
        change = named["ce_type"].removeprefix("qorgau.flag.").removesuffix(".v1")
        place = record.partition, record.offset
        events.append(Told(place, named["ce_source"].removeprefix("system/"), change, json.loads(record.value or b"")))
    return events


def as_read(events: Iterable[Told]) -> dict[tuple[str, str], list[Told]]:
    """By service and case, as a reader sees them who ignores what is not newer than what it has."""
    read: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for one in events:
        known = read[one.service, one.item["case"]]
        if not known or one.item["seq"] > known[-1].item["seq"]:
            known.append(one)
    return read


def check_pairs(events: Iterable[Told]) -> None:
    """One flag id for each flag, raised once, first, and cleared at most once, last (I6)."""
    ids: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    changes: dict[str, list[str]] = defaultdict(list)
    for one in events:
        ids[(one.service, *one.key)].add(one.item["id"])
        changes[one.item["id"]].append(one.change)
    assert all(len(known) == 1 for known in ids.values())
    assert len({name for known in ids.values() for name in known}) == len(ids)
    for made in changes.values():
        assert made[0] == "raised"
        assert made.count("raised") == 1
        assert "cleared" not in made[:-1]


def newest(events: Iterable[Told]) -> dict[str, Told]:
    """The newest event of each flag, by its id."""
    return {one.item["id"]: one for one in events}


async def check(stack: Stack, posted: Posted, until: int, *, remade: bool = False, patience: float = 60) -> int:
    """Everything that must hold of these cases once the clock stands at `until`; how many flags they have.

    `posted`: source and id of every fact that was answered 2xx, by case. `remade`: a database was lost or put back.
    """
    stack.set_clock(until)
    saved: dict[tuple[str, str], list[Row]] = {}
    turns = asyncio.Semaphore(8)

    async def one(service: str, case: str) -> None:
        async with turns:
            await eventually(lambda: _as_specified(stack, service, case, posted[case], until, saved), patience)

    async with asyncio.TaskGroup() as group:
        for case in posted:
            for service in KEEPERS:
                group.create_task(one(service, case))
    await eventually(lambda: _all_is_told(stack, saved, remade), patience)
    return sum(map(len, saved.values()))


async def _as_specified(
    stack: Stack,
    service: str,
    case: str,
    posted: Collection[tuple[str, str]],
    until: int,
    saved: dict[tuple[str, str], list[Row]],
) -> None:
    facts, _ = await stack.export(service, case)
    check_facts(facts, posted)
    items = await stack.flag_items(service, case)
    live = list(map(plain, items))
    expected = stack.expected(service, facts, until, await stack.heard(service, case))
    assert order(live) == order(expected), (service, case)
    saved[service, case] = items


def check_facts(facts: Iterable[Fact], posted: Collection[tuple[str, str]]) -> None:
    """Every fact that was answered 2xx is there once (I1, I4), and none that nobody posted (I2)."""
    identities = [fact.identity for fact in facts]
    assert sorted(identities) == sorted(set(posted))


async def _all_is_told(stack: Stack, saved: Mapping[tuple[str, str], list[Row]], remade: bool) -> None:
    """The topic, as a reader sees it, and the notifier tell exactly what is saved (I3)."""
    read = as_read(await told(stack))
    listed = await notified(stack)
    for place, items in saved.items():
        events = read.get(place, [])
        final = newest(events)
        wrong = [(listed.get(name), one.item) for name, one in final.items() if listed.get(name) != one.item]
        assert not wrong, (place, wrong)
        rows = {name: one.row for name, one in final.items()}
        if remade:
            # It may have learned facts at other instants than before: what it no longer knows of must be down.
            rows = {name: row for name, row in rows.items() if row["cleared_at"] is None or name in _ids(items)}
        else:
            check_pairs(events)
            assert [one.item["seq"] for one in events] == list(range(1, len(events) + 1)), place
        assert rows == {item["id"]: item for item in items}, place


def _ids(items: Iterable[Row]) -> set[str]:
    return {item["id"] for item in items}


async def until_so(holds: Callable[[], bool], words: str, patience: float = PATIENCE) -> None:
    """Returns when it is so; fails with these words when it does not come to be."""
    until = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < until, words
        await asyncio.sleep(0.02)


_OF_NOW = {"certainty", "unknown_since"}


async def notified(stack: Stack) -> dict[str, Row]:
    """The notifier's list, by flag id, without how certain each is: that goes by which feeds are silent now."""
    rows: dict[str, Row] = {}
    cursor: str | None = None
    while True:
        query = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
        answer = await stack.http.get(f"{stack.url(NOTIFIER)}/v1/flags", params=query)
        answer.raise_for_status()
        page = answer.json()
        rows |= {row["id"]: {name: row[name] for name in row.keys() - _OF_NOW} for row in page["items"]}
        cursor = page["next"]
        if cursor is None:
            return rows
