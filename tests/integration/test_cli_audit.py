"""`qorgau audit verify` on the real pair: clean, damaged, and what is no chain at all."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from qorgau.audit.anchor import Anchoring
from qorgau.audit.book import AuditBook
from qorgau.bus import TopicSpec, prepare_topics
from qorgau.embedded.pair import Pair
from qorgau.store import connect
from qorgau.telemetry import Metrics
from qorgau.vocabulary import AUDIT_TOPIC, INTAKE, POLICE
from tests.audit_waiting import entry
from tests.buses import producing
from tests.command_line import Ended, Shell


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


@pytest.fixture
async def client(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """A database with the chains of two services, anchored at their ends; the environment says where."""
    deployment = f"d{uuid.uuid4().hex[:20]}"
    for name, value in {"KAFKA": pair.kafka, "MONGO": pair.mongo, "DATABASE": deployment}.items():
        monkeypatch.setenv(f"QORGAU_{name}", value)
    await prepare_topics(pair.kafka, {AUDIT_TOPIC: TopicSpec(1)})
    made = connect(pair.mongo)
    async with producing(pair.kafka) as producer:
        for service, length in ((INTAKE, 5), (POLICE, 2)):
            book = AuditBook(made[f"{deployment}_{service.replace('-', '_')}"], service, deployment)
            await book.prepare()
            await book.append([entry(number) for number in range(length)])
            await Anchoring(deployment, book, producer, lambda: 1, Metrics()).anchor()
    yield made[f"{deployment}_intake"]
    await made.drop_database(f"{deployment}_intake")
    await made.drop_database(f"{deployment}_police_dispatch")
    made.close()


async def run(shell: Shell, *arguments: object) -> Ended:
    """In a thread: the command has an event loop of its own."""

    return await asyncio.to_thread(shell.run, "audit", "verify", *arguments)


async def test_chains_that_are_whole_are_a_row_each_and_status_0(shell: Shell, client: Any) -> None:
    ended = await run(shell)
    assert (ended.status, ended.err) == (0, "")
    assert [(row["service"], row["entries"], row["anchored"], row["findings"]) for row in ended.rows] == [
        ("intake", 5, 5, 0),
        ("police-dispatch", 2, 2, 0),
    ]
    only = await run(shell, "--service", "intake")
    assert only.rows == ended.rows[:1]


async def test_every_finding_is_a_row_and_status_1(shell: Shell, client: Any) -> None:
    await client.audit.update_one({"_id": 2}, {"$set": {"case": "c9"}})
    await client.audit.delete_one({"_id": 5})
    ended = await run(shell)
    assert ended.status == 1
    assert [(row["kind"], row["first"], row["last"]) for row in ended.rows[:-2]] == [
        ("edited", 2, 2),
        ("truncated", 5, 5),
    ]
    assert [row["findings"] for row in ended.rows[-2:]] == [2, 0]


async def test_a_chain_that_is_gone_is_found_through_its_anchors(shell: Shell, client: Any) -> None:
    await client.drop_collection("audit")
    ended = await run(shell, "--service", "intake")
    assert ended.status == 1
    assert [(row.get("kind"), row.get("first")) for row in ended.rows] == [("truncated", 1), (None, None)]


async def test_a_hash_that_was_kept_elsewhere_is_an_anchor(shell: Shell, client: Any) -> None:
    (row,) = (await run(shell, "--service", "intake")).rows
    kept = f"{row['seq']}:{row['hash']}"
    assert (await run(shell, "--service", "intake", "--anchor", kept)).status == 0
    ended = await run(shell, "--service", "intake", "--anchor", f"{row['seq']}:{'0' * 64}")
    assert (ended.status, ended.rows[0]["kind"]) == (1, "forked")
    ended = await run(shell, "--service", "intake", "--anchor", f"9:{row['hash']}")
    assert (ended.status, ended.rows[0]["kind"]) == (1, "truncated")


async def test_where_there_is_no_chain_or_no_server_it_does_not_say_that_all_is_well(
    shell: Shell, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments, words in (
        (["--service", "court-tracker"], "no audit chain here"),
        (["--service", "nobody"], "--service is one of"),
        (["--anchor", "5:abc"], "--anchor is"),
        (["--service", "intake", "--anchor", "x"], "--anchor is"),
        (["--retention", "/no/such/policy"], "No such file"),
        (["--kafka", "127.0.0.1:1"], "does not answer"),
    ):
        ended = await run(shell, *arguments)
        assert (ended.status, ended.out) == (2, ""), arguments
        assert words in ended.err
    for name in ("QORGAU_KAFKA", "QORGAU_MONGO"):
        monkeypatch.delenv(name)
        assert (await run(shell)).status == 2
