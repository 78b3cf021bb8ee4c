"""What somebody does to the records of a service by a command, written into the chain of that service before it is
done. Who it was, the command does not know: whoever may use it has the rights of the servers."""

import uuid
from collections.abc import Mapping
from typing import Any

from qorgau.audit.anchor import Anchoring
from qorgau.audit.book import AuditBook
from qorgau.audit.chain import Actor, Detail, Entry
from qorgau.brokers import Address
from qorgau.bus import Producer, topic_names
from qorgau.clock import wall_ticks
from qorgau.telemetry import Metrics
from qorgau.vocabulary import AUDIT_TOPIC

AGENCY = "system/command"


async def note(
    database: Any, kafka: Address, service: str, deployment: str, kind: str, details: Mapping[str, Detail]
) -> None:
    """Write down what is about to be done in the database of a service, and anchor it: that service may not run.
    Raises Unavailable; what was to be done is then left alone."""
    book = AuditBook(database, service, deployment)
    await book.prepare()
    action, _, _ = kind.partition(".")
    entry = Entry(f"{kind}.{uuid.uuid4().hex}", wall_ticks(), kind, Actor(AGENCY, action), details=details)
    head = await book.append([entry])
    # Asking for a topic by its name could make the broker create it; where there is none, no service has run yet.
    if AUDIT_TOPIC in await topic_names(kafka):
        producer = Producer(kafka, Metrics())
        try:
            await Anchoring(deployment, book, producer, wall_ticks, Metrics()).tell(head)
        finally:
            await producer.stop()
