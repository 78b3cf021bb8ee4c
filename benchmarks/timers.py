"""Timers: how long after its due a flag is in Kafka, and the memory of a tracker, by how many cases are open."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from benchmarks.bare import PATIENCE
from benchmarks.figures import Figure, percentile, say
from benchmarks.load import season_cases
from benchmarks.machine import resident
from benchmarks.rig import PARTITIONS, Rig, number_of, rig
from benchmarks.typical import own_plan
from qorgau.bus import Topic
from qorgau.facts import Fact
from qorgau.instants import HOUR, MINUTE, SECOND
from qorgau.plan import Plan
from qorgau.record import CaseRecord, advance, learn
from qorgau.season import BEGINS
from qorgau.shell.documents import Stored, to_document
from qorgau.shell.edition import Edition
from qorgau.shell.progress import Progress
from qorgau.store import Store
from qorgau.telemetry import Metrics
from qorgau.vocabulary import FLAGS_TOPIC

NAME = "timers"
# So many deadlines pass in a second, more than a country has; those of a storm are another question.
_A_SECOND = 40
# From the insertion of what will be due to the first due instant; the tracker starts meanwhile.
_LEAD = 9 * SECOND
_AT_ONCE = 2_000
_VERSION = "1.benchmark"


@dataclass(slots=True)
class Seen:
    """With one number of open cases, round by round: milliseconds of lag, bytes of the tracker."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    bytes: list[float] = field(default_factory=list)


def run(short: bool) -> list[Figure]:
    """The lag with more and more open cases against that with a thousand, and what each of them takes."""
    sizes, rounds, seconds = ((0, 1_000, 10_000), 1, 5) if short else ((0, 1_000, 10_000, 100_000), 3, 15)
    return asyncio.run(_run(sizes, rounds, seconds))


async def _run(sizes: Collection[int], rounds: int, seconds: int) -> list[Figure]:
    plan, seen = own_plan(), {size: Seen() for size in sizes}
    async with rig() as servers:
        async with servers.tracking("first"):
            pass  # makes the topics
        documents = list(_open_documents(plan))
        for size in sizes:
            say(f"timers: {size:,} open cases are put into the database")
            await _fill(servers, size, documents)
        names = count()
        for number in range(rounds):
            for size in sizes:
                say(f"timers: round {number + 1} of {rounds}, {size:,} open cases")
                await _round(servers, plan, size, seconds, names, seen[size])
    mean = sum(len(json.dumps(document)) for document in documents) / len(documents)
    return [*_lags(seen), *_memory(seen, mean)]


def _prefix(size: int) -> str:
    return f"open{size}"


async def _fill(servers: Rig, size: int, documents: list[dict[str, Any]]) -> None:
    """So many open cases of which nothing is due for hours; a database for each size, so that rounds can take turns."""
    await Store(Edition(servers.database(_prefix(size))), number_of, Metrics()).prepare()
    cases = servers.database(_prefix(size))["cases"]
    draw = random.Random(size)
    for start in range(0, size, _AT_ONCE):
        batch = []
        for number in range(start, min(start + _AT_ONCE, size)):
            name, due = f"open-{number}", time.time_ns() // 1_000 + draw.randrange(6 * HOUR, 200 * HOUR)
            batch.append({**draw.choice(documents), "_id": name, "p": number_of(name), "next_due": due})
        await cases.insert_many(batch, ordered=False)


def _open_documents(plan: Plan) -> Iterator[dict[str, Any]]:
    """Cases of a season as they are in the database in the middle of their lives."""
    for facts in season_cases(weeks=2)[:200]:
        half = facts[: len(facts) // 2 + 1]
        record, _ = advance(learn(CaseRecord(half[0].case or ""), half), half[-1].known_at + MINUTE, plan)
        yield to_document(Stored(record), 0, _VERSION)


async def _round(servers: Rig, plan: Plan, size: int, seconds: int, names: Iterable[int], seen: Seen) -> None:
    """Put in what will be due, start the tracker, see when each flag comes."""
    database = servers.database(_prefix(size))
    begin = time.time_ns() // 1_000 + _LEAD
    number = seconds * _A_SECOND
    dues = {f"due-{next(iter(names))}": begin + place * SECOND // _A_SECOND for place in range(number)}
    await database["cases"].insert_many([_due_document(case, due, plan) for case, due in dues.items()])
    ends = await Topic(servers.pair.kafka, FLAGS_TOPIC).ends()
    # What other trackers told in the same topic is no business of this one.
    told = {(FLAGS_TOPIC, place): end for place, end in enumerate(ends)}
    await Progress(Edition(database), Metrics()).save(told)
    async with servers.tracking(_prefix(size)), _flags(servers, ends) as flags:
        late = time.time_ns() // 1_000 - begin
        told_at = await _told(flags, dues.keys())
        seen.bytes.append(resident(servers.pid))
    # A tracker that was not up yet when they were due shows how long it started and nothing else.
    lags = [(told_at[case] - due) / 1_000 for case, due in dues.items() if case in told_at and due - begin > late]
    seen.p50.append(percentile(lags, 50))
    seen.p99.append(percentile(lags, 99))


def _due_document(case: str, due: int, plan: Plan) -> dict[str, Any]:
    """A call that a unit has to reach by this instant, of which nothing but the breach is to come."""
    data = {"region": "KZ-75", "priority": "immediate", "area": "urban"}
    record = _called(case, BEGINS, data, plan)
    fact = record.facts[0]
    by = due - (_breach(record, plan) - fact.time)
    moved = _called(case, by, data, plan)
    judged, _ = advance(moved, due - SECOND, plan)
    return to_document(Stored(judged), number_of(case), _VERSION)


def _called(case: str, at: int, data: dict[str, Any], plan: Plan) -> CaseRecord:
    fact = Fact(f"call-{case}", "102/KZ-75", "police.incident_registered", at, at, case, data)
    return learn(CaseRecord(case), [fact])


def _breach(record: CaseRecord, plan: Plan) -> int:
    """The first instant at which a deadline of the case is missed."""
    judged, _ = advance(record, record.facts[0].time + 6 * HOUR, plan)
    return min(row.raised_at for row in judged.flags if row.level == "breach")


@asynccontextmanager
async def _flags(servers: Rig, ends: list[int]) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers.pair.kafka, enable_auto_commit=False)
    consumer.assign([TopicPartition(FLAGS_TOPIC, number) for number in range(PARTITIONS)])
    await consumer.start()
    try:
        for number, end in enumerate(ends):
            consumer.seek(TopicPartition(FLAGS_TOPIC, number), end)
        yield consumer
    finally:
        await consumer.stop()


async def _told(consumer: AIOKafkaConsumer, cases: Collection[str]) -> dict[str, int]:
    """When the breach of each case was put into Kafka, in microseconds, as its producer stamped it."""
    told: dict[str, int] = {}
    heard = time.monotonic()
    while len(told) < len(cases) and time.monotonic() - heard < PATIENCE:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                flag = json.loads(record.value)
                if flag["level"] == "breach" and flag["case"] in cases:
                    told.setdefault(flag["case"], record.timestamp * 1_000)
                    heard = time.monotonic()
    return told


def _lags(seen: dict[int, Seen]) -> list[Figure]:
    few = next(size for size in seen if size)
    found = []
    for size, one in seen.items():
        for what, lags, least in (("p50", one.p50, seen[few].p50), ("p99", one.p99, seen[few].p99)):
            if size > few:
                against = f"{few:,} open cases"
                aim = "ours < 250 ms at 100,000" if what == "p99" else ""
                found.append(Figure(NAME, f"lag {what}", "ms", f"{size:,} open cases", against, lags, least, aim))
    return found


def _memory(seen: dict[int, Seen], document: float) -> list[Figure]:
    none = seen[0].bytes
    return [
        Figure(
            NAME,
            f"memory of an open case, of {size:,}",
            "bytes",
            "tracker's resident memory",
            "its document as text",
            [(held - bare) / size for held, bare in zip(seen[size].bytes, none, strict=True)],
            [document] * len(none),
            "what is due soon, not what is open",
        )
        for size in seen
        if size >= 10_000
    ]
