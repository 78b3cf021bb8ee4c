"""The shell: a tracker that files, judges and tells what is in the log, against a bare loop over the same facts."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from benchmarks.bare import PATIENCE, Bare, bare_loop
from benchmarks.figures import Figure, say
from benchmarks.load import renamed
from benchmarks.machine import cpu_seconds
from benchmarks.rig import Rig, rig
from benchmarks.typical import typical
from qorgau.bus import Outgoing
from qorgau.facts import WITHDRAWAL, Fact
from qorgau.front.envelope import to_kafka
from qorgau.heart.collecting import collect_seldom
from qorgau.instants import DAY, SECOND
from qorgau.season import Planned, season
from qorgau.vocabulary import facts_topic

NAME = "shell"
OURS, OTHER = "tracker", "bare loop"
# As often as costs nothing that can be measured.
_LOOK_EVERY = 0.02
_WEEKS, _CALLS_A_DAY = 2, 100.0


@dataclass(slots=True)
class Side:
    """What one side did, round by round, with the same number of facts."""

    facts: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    everybody: list[float] = field(default_factory=list)
    commands: list[float] = field(default_factory=list)

    def add(self, facts: int, wall: float, own: float, servers: float, commands: float) -> None:
        """One round: seconds of the wall, of the side's own process, of both servers; commands to the database."""
        self.facts.append(facts / wall)
        self.own.append(own / facts * 1e6)
        self.everybody.append((own + servers) / facts * 1e6)
        self.commands.append(commands / facts)


def run(short: bool) -> list[Figure]:
    """Facts per second from the log to the last flag in it, and what each side needs for them."""
    # As every process of a service does: the bare loop is in this one.
    collect_seldom()
    return asyncio.run(_run(*((2_000, 2) if short else (12_000, 4))))


async def _run(facts: int, rounds: int) -> list[Figure]:
    # Two weeks that ended last midnight: much of it is decided, and some of it still goes on.
    now = time.time_ns() // 1_000
    planned = season(1, now - now % DAY - 7 * _WEEKS * DAY, _WEEKS, _CALLS_A_DAY)
    load = list(islice((one for one in planned if one.fact.case is not None), facts))
    kind = typical([planned.fact for planned in load], now)
    ours, other = Side(), Side()
    async with rig() as servers, servers.tracking(), bare_loop(servers, kind) as bare:
        # The first round is for caches, connections and the first growth of files.
        for number in range(rounds + 1):
            say(f"shell: round {number} of {rounds}" if number else "shell: warming up")
            sides = (Side(), Side()) if number == 0 else (ours, other)
            await _round(servers, bare, load, f"{number}-", *sides)
    return _figures(ours, other, kind.size)


async def _round(servers: Rig, bare: Bare, load: Sequence[Planned], prefix: str, ours: Side, other: Side) -> None:
    records = list(_records(load, prefix))
    before, already = await servers.counters(), await servers.committed()
    with servers.stopped():
        await servers.produce(records)
        used = cpu_seconds([servers.pid]), cpu_seconds(servers.servers)
        begun = time.perf_counter()
    await _until(lambda: _applied(servers, already + len(records)))
    await _until(lambda: _judged(servers))
    wall = time.perf_counter() - begun
    own, others = cpu_seconds([servers.pid]) - used[0], cpu_seconds(servers.servers) - used[1]
    after = await servers.counters()
    commands = after["qorgau_store_commands_total"] - before["qorgau_store_commands_total"]
    ours.add(len(records), wall, own, others, commands)

    sent, used_by_servers = bare.commands, cpu_seconds(servers.servers)
    wall, own = await bare.run(len(records))
    other.add(len(records), wall, own, cpu_seconds(servers.servers) - used_by_servers, bare.commands - sent)


def _records(load: Iterable[Planned], prefix: str) -> Iterable[Outgoing]:
    """The load as it is in the log, about other cases than in the rounds before."""
    for planned, fact in zip(load, renamed([planned.fact for planned in load], prefix), strict=True):
        if fact.type == WITHDRAWAL:
            fact = _withdrawing(fact, prefix)
        yield Outgoing(facts_topic(planned.service), *to_kafka(fact))


def _withdrawing(fact: Fact, prefix: str) -> Fact:
    withdrawn = {**fact.data, "fact_id": prefix + str(fact.data["fact_id"])}
    return Fact(fact.id, fact.source, fact.type, fact.time, fact.recorded, fact.case, withdrawn)


async def _until(done: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    until = time.monotonic() + 10 * PATIENCE
    while not await done():
        if time.monotonic() > until:
            raise TimeoutError("the tracker does not get on")
        await asyncio.sleep(_LOOK_EVERY)


async def _applied(servers: Rig, facts: int) -> bool:
    return await servers.committed() >= facts


async def _judged(servers: Rig) -> bool:
    """Nothing is due and nothing is left to be told."""
    cases = servers.database()["cases"]
    now = time.time_ns() // 1_000
    # What has become due just now was not part of it.
    due = await cases.find_one({"next_due": {"$gt": 0, "$lte": now - SECOND}}, {"_id": 1})
    return due is None and await cases.find_one({"pending": {"$in": [1, 2]}}, {"_id": 1}) is None


def _figures(ours: Side, other: Side, size: int) -> list[Figure]:
    document = f"documents of {size:,} bytes"
    rows: list[tuple[str, str, list[float], list[float], str]] = [
        ("facts applied", "facts/s", ours.facts, other.facts, ">= 0.65 of the bare loop"),
        ("own processor time", "us for a fact", ours.own, other.own, ""),
        ("processor time with both servers", "us for a fact", ours.everybody, other.everybody, ""),
        ("commands to the database", "commands for a fact", ours.commands, other.commands, "ours <= 0.02"),
    ]
    return [
        Figure(NAME, name, unit, OURS, f"{OTHER}, {document}", values, against, aim)
        for name, unit, values, against, aim in rows
    ]
