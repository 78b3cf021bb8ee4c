"""A database made again: the new edition begins empty beside the old one, and nothing that counts is lost."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from qorgau.bus import TopicSpec, prepare_topics
from qorgau.embedded.pair import Pair
from qorgau.errors import NotFound
from qorgau.facts import Fact
from qorgau.record import CaseRecord, learn
from qorgau.shell.cases import StoredCases
from qorgau.shell.documents import Stored
from qorgau.shell.edition import Edition, MadeAgain, begin_next, drop_others, newest
from qorgau.shell.follower import Follower, LogRecord
from qorgau.shell.mongo import collection
from qorgau.shell.progress import Progress
from qorgau.shell.remaking import NotRead, Servers, check_database, remake
from qorgau.store import Store
from qorgau.telemetry import Metrics
from qorgau.vocabulary import COPIES_TOPICS, FACTS_TOPICS, FLAGS_TOPIC, INTAKE, REFERENCES_TOPIC

FACT = Fact("f1", "102/KZ-75", "report.received", 1, 2, "c1", {"region": "KZ-75"})


@pytest.fixture
async def database(pair: Pair) -> AsyncIterator[Any]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(pair.mongo, serverSelectionTimeoutMS=10_000)
    name = f"editions_{uuid.uuid4().hex}"
    yield client[name]
    await client.drop_database(name)
    client.close()


def store_of(database: Any) -> Store:
    return Store(Edition(database), lambda _: 0, Metrics())


def commands_of(metrics: Metrics) -> float:
    """How many commands the database was given."""
    return metrics.registry.get_sample_value("qorgau_store_commands_total") or 0


async def names(database: Any) -> set[str]:
    return set(await database.list_collection_names())


async def test_a_new_edition_is_empty_and_has_the_indexes_of_the_one_before(database: Any) -> None:
    store = store_of(database)
    await store.prepare()
    await store.save([Stored(learn(CaseRecord("c1"), [FACT]))])
    assert await begin_next(database) == 1
    again = store_of(database)
    await again.edition.begin()
    assert not (await again.load(["c1"]))["c1"].version
    before, after = await database["cases"].index_information(), await database["cases_1"].index_information()
    assert before.keys() == after.keys() >= {"next_due_1", "pending_1", "flags.id_1"}


async def test_what_a_late_writer_still_writes_does_not_get_into_the_new_edition(database: Any) -> None:
    late = store_of(database)
    await late.prepare()
    assert not await late.edition.is_over()
    await begin_next(database)
    # Looked a moment ago, so it does not know yet.
    assert not await late.edition.is_over()
    await late.save([Stored(learn(CaseRecord("c1"), [FACT]))])
    new = store_of(database)
    await new.edition.begin()
    assert await new.one("c1") is None


async def test_what_was_known_of_cases_counts_until_their_partition_is_made_again_and_is_not_asked_for_then(
    database: Any,
) -> None:
    metrics = Metrics()
    store = Store(Edition(database), lambda case: int(case.removeprefix("c")), metrics)
    await store.prepare()
    since, other = replace(FACT, id="since"), replace(FACT, case="c2")
    await store.save([Stored(learn(CaseRecord(str(fact.case)), [fact])) for fact in (FACT, other)])
    await begin_next(database)
    await store.edition.begin()
    progress = Progress(store.edition, metrics)
    cases = StoredCases(store, progress)
    await store.save([Stored(learn(CaseRecord("c1"), [since]))])
    assert await cases.facts_of(["c1", "c2", "c3"]) == {"c1": (FACT, since), "c2": (other,)}
    # As the first round does that has read everything: c2 is not in the log.
    await progress.save({}, judged=[2])
    assert await cases.facts_of(["c1", "c2"]) == {"c1": (FACT, since)}
    await progress.save({}, judged=[1])
    assert await cases.facts_of(["c1", "c2"]) == {"c1": (since,)}
    before = commands_of(metrics)
    assert await cases.facts_of(["c1", "c2"]) == {"c1": (since,)}
    assert commands_of(metrics) - before == 1


async def test_of_two_that_make_it_again_at_once_one_does(database: Any) -> None:
    await store_of(database).prepare()
    done = await asyncio.gather(*(begin_next(database) for _ in range(3)), return_exceptions=True)
    assert done.count(1) == 1
    assert all(isinstance(one, MadeAgain) for one in done if one != 1)


async def test_an_interrupted_making_can_be_repeated(database: Any) -> None:
    await store_of(database).prepare()
    await begin_next(database)
    number = await begin_next(database)
    await drop_others(database, number)
    assert number == 2
    assert not await names(database) & {"cases", "cases_1"}
    assert "cases_2" in await names(database)


async def test_it_is_begun_also_where_nobody_reads_the_log_and_readers_keep_what_there_was(
    pair: Pair, database: Any
) -> None:
    prefix = database.name
    topics = (*FACTS_TOPICS, *COPIES_TOPICS, REFERENCES_TOPIC, FLAGS_TOPIC)
    await prepare_topics(pair.kafka, dict.fromkeys(topics, TopicSpec(12)))
    of_intake = database.client[f"{prefix}_intake"]
    servers = Servers(pair.kafka, pair.mongo, prefix)
    with pytest.raises(NotFound):
        await check_database(INTAKE, servers)
    await Progress(Edition(of_intake), Metrics()).fix_partitions(12)
    await store_of(of_intake).save([Stored(learn(CaseRecord("c1"), [FACT]))])
    await collection(of_intake, "vault").insert_one({"_id": "c1"})
    await begin_next(of_intake)
    try:
        with pytest.raises(NotRead):
            await remake(INTAKE, servers, lambda done, total: None, timedelta(seconds=1))
        assert await newest(of_intake) == 2
        # Who began it stands in the chain, whether or not it was finished.
        (line,) = await of_intake.audit.find({}).to_list(None)
        assert (line["kind"], line["details"]) == ("rebuild.beginning", {"edition": "2"})
        # What readers are shown until the new one is there, and what no log has.
        assert {"cases", "vault"} <= await names(of_intake)
    finally:
        await database.client.drop_database(of_intake.name)


class Log:
    """One partition with two records, the second of which is kept back."""

    def __init__(self) -> None:
        self.more = asyncio.Event()

    async def ends(self) -> Sequence[int]:
        return [2]

    async def follow(self, offsets: Sequence[int]) -> AsyncGenerator[Sequence[LogRecord], None]:
        for offset in range(offsets[0], 2):
            if offset == 1:
                while not self.more.is_set():
                    yield []
                    await asyncio.sleep(0.02)
            yield [LogRecord(0, offset, b"", [], b"")]
        while True:
            yield []
            await asyncio.sleep(0.02)


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # what is waited for is a plain attribute
            await asyncio.sleep(0.02)


async def test_a_follower_reads_everything_again_and_its_readers_move_when_all_is_read(database: Any) -> None:
    handled: list[tuple[int, int]] = []
    log, edition, readers = Log(), Edition(database), Edition(database)

    async def handle(records: Sequence[LogRecord]) -> None:
        handled.extend((edition.number, record.offset) for record in records)

    stopping = asyncio.Event()
    log.more.set()
    running = asyncio.create_task(Follower("topic", log, handle, edition, readers).run(stopping))
    await eventually(lambda: len(handled) == 2)
    log.more.clear()
    await begin_next(database)
    await eventually(lambda: len(handled) == 3)
    await asyncio.sleep(0.1)
    assert (handled, readers.number) == ([(0, 0), (0, 1), (1, 0)], 0)
    log.more.set()
    await eventually(lambda: readers.number == 1)
    stopping.set()
    await asyncio.wait_for(running, 10)
    assert handled == [(0, 0), (0, 1), (1, 0), (1, 1)]
