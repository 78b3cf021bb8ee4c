"""What it takes to check a chain with many anchors, on the real pair."""

import uuid

import pytest

from qorgau.audit import verifying
from qorgau.audit.anchor import Anchoring
from qorgau.audit.book import AuditBook
from qorgau.audit.checking import Finding
from qorgau.bus import TopicSpec, prepare_topics
from qorgau.embedded.pair import Pair
from qorgau.store import connect
from qorgau.telemetry import Metrics
from qorgau.vocabulary import AUDIT_TOPIC, INTAKE
from tests.audit_waiting import entry
from tests.buses import producing


class Counting(AuditBook):
    """Counts how often its end is looked for."""

    looked = 0

    async def last_number(self) -> int:
        self.looked += 1
        return await super().last_number()


async def test_the_end_is_looked_for_only_where_an_anchor_is_beyond_what_is_known(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "AT_ONCE", 2)
    await prepare_topics(pair.kafka, {AUDIT_TOPIC: TopicSpec(1)})
    deployment, client = f"d{uuid.uuid4().hex[:20]}", connect(pair.mongo)
    database, findings = client[f"{deployment}_intake"], list[Finding]()
    book = Counting(database, INTAKE, deployment)
    await book.prepare()
    async with producing(pair.kafka) as producer:
        anchoring = Anchoring(deployment, book, producer, lambda: 1, Metrics())
        for number in range(7):
            await book.append([entry(number)])
            await anchoring.anchor()
    try:
        checked = await verifying.check_chain(book, pair.kafka, INTAKE, deployment, findings.append)
        assert (checked.anchors, checked.anchored, findings) == (7, 7, [])
        # For the entries and what came meanwhile, for the first of four batches of anchors, and for what is told last.
        assert book.looked == 4
        await database.audit.delete_many({"_id": {"$gt": 5}})
        await verifying.check_chain(book, pair.kafka, INTAKE, deployment, findings.append)
        assert [(one.kind, one.first, one.last) for one in findings] == [("truncated", 6, 7)]
    finally:
        await client.drop_database(database.name)
        client.close()
