"""Dead letters and their replay on the real pair; the audit chain tells of what commands do, before they do it."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from qorgau.audit.book import AuditBook
from qorgau.audit.noting import note
from qorgau.audit.verifying import check_chain
from qorgau.bus import Outgoing, TopicSpec, dead_letter, prepare_topics, read_all, read_at
from qorgau.commands import dlq as command
from qorgau.embedded.pair import Pair
from qorgau.vocabulary import COURT, INTAKE, POLICE, copies_topic, dlq, facts_topic, owner_of
from tests.audit_waiting import entry
from tests.audited import chain_database
from tests.buses import new_topics, numbered, producing
from tests.command_line import Ended, Shell


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


@pytest.fixture
async def database(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """Intake's, as the environment names it; it is there when something was written into it."""
    deployment = f"d{uuid.uuid4().hex[:20]}"
    for name, value in {"KAFKA": pair.kafka, "MONGO": pair.mongo, "DATABASE": deployment}.items():
        monkeypatch.setenv(f"QORGAU_{name}", value)
    async with chain_database(pair, f"{deployment}_intake") as made:
        yield made


@pytest.fixture
async def topic(pair: Pair) -> str:
    """A topic with a record that cannot be read, told of twice, and another that is no longer there."""
    (made,) = await new_topics(pair.kafka)
    await prepare_topics(pair.kafka, {dlq(made): TopicSpec(1)})
    poison = Outgoing(made, b"a name", b"another name", [("ce_id", b"a third name")])
    async with producing(pair.kafka) as producer:
        await producer.publish([*numbered(made, 2), poison, *numbered(made, 1)])
        bad = [record async for record in read_all(pair.kafka, made) if record.key == b"a name"]
        letters = [dead_letter(bad[0], "the id is missing"), dead_letter(bad[0], "the id is missing")]
        await producer.publish([*letters, dead_letter(bad[0]._replace(offset=99), "the id is missing")])
    return made


async def run(shell: Shell, *arguments: object) -> Ended:
    """In a thread: the command has an event loop of its own."""
    return await asyncio.to_thread(shell.run, "dlq", *arguments)


def deployment_of(database: Any) -> str:
    return str(database.name).removesuffix("_intake")


async def told(pair: Pair, database: Any) -> list[Any]:
    """What stands in the chain, which is whole and anchored to its end."""
    book = AuditBook(database, INTAKE, deployment_of(database))
    findings: list[Any] = []
    checked = await check_chain(book, pair.kafka, INTAKE, deployment_of(database), findings.append)
    assert (checked.anchored, findings) == (checked.seq, [])
    return [body async for _, body in book.stored()]


async def test_a_dead_letter_leads_back_to_the_record_and_its_replay_puts_it_at_the_end(
    pair: Pair, database: Any, topic: str, shell: Shell
) -> None:
    await database.deployment.insert_one({"_id": "partitions", "count": 1})
    listed = await run(shell, "list", "--topic", topic)
    assert (listed.status, [(row["topic"], row["offset"]) for row in listed.rows]) == (0, [(topic, 2), (topic, 99)])
    assert listed.rows[0]["value_sha256"] == hashlib.sha256(b"another name").hexdigest()
    replayed = await run(shell, "replay", "--topic", topic, "--all")
    assert replayed.status == 1
    assert [(row["offset"], row["replayed"]) for row in replayed.rows] == [(2, 4), (99, None)]
    again = await read_at(pair.kafka, topic, 0, 4)
    assert again is not None
    assert (again.key, again.value, again.headers) == (b"a name", b"another name", [("ce_id", b"a third name")])
    (line,) = await told(pair, database)
    assert (line["kind"], line["actor"]) == ("dlq.replaying", {"agency": "system/command", "subject": "dlq"})
    assert line["details"] == {"topic": topic, "count": "2", "places": ["0/2", "0/99"]}


async def test_so_many_at_once_are_told_of_in_one_entry(
    pair: Pair, database: Any, topic: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_AT_ONCE", 1)
    await database.deployment.insert_one({"_id": "partitions", "count": 1})
    await run(shell, "replay", "--topic", topic, "--all")
    assert [line["details"]["places"] for line in await told(pair, database)] == [["0/2"], ["0/99"]]


async def test_nothing_is_replayed_that_cannot_be_written_down(
    pair: Pair, database: Any, topic: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [record.offset async for record in read_all(pair.kafka, topic)]
    for arguments, words in (((), "no database of intake"), (("--mongo", "mongodb://127.0.0.1:1"), "does not answer")):
        ended = await run(shell, "replay", "--topic", topic, "--all", *arguments)
        assert (ended.status, ended.out) == (2, "")
        assert words in ended.err
    assert [record.offset async for record in read_all(pair.kafka, topic)] == before
    assert await database.list_collection_names() == []


async def test_the_chain_stays_whole_beside_a_service_that_adds_to_it(pair: Pair, database: Any) -> None:
    running = AuditBook(database, INTAKE, deployment_of(database))
    await running.prepare()

    async def adds() -> None:
        for number in range(20):
            await running.append([entry(number)])

    async def does(edition: int) -> None:
        details = {"edition": str(edition)}
        await note(database, pair.kafka, INTAKE, deployment_of(database), "rebuild.beginning", details)

    await asyncio.gather(adds(), *(does(number) for number in range(3)))
    await does(3)
    lines = await told(pair, database)
    assert len(lines) == 24
    assert lines[-1]["details"] == {"edition": "3"}


def test_a_topic_belongs_to_the_service_that_writes_it_and_to_intake_where_several_do() -> None:
    topics = [facts_topic(POLICE), copies_topic(COURT), facts_topic(INTAKE), "qorgau.flags", "qorgau.inbound.102.KZ-75"]
    assert list(map(owner_of, topics)) == [POLICE, COURT, INTAKE, INTAKE, INTAKE]
