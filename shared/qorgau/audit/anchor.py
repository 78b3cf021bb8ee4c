"""Anchors: the end of a chain told to a topic that is only added to, so that a chain cut short or written anew shows.

They are not signed. Whoever can add to the topic cannot take away what is there, and an anchor that contradicts the
chain is found whoever wrote it; whoever can do both could also leave out the last signed ones (docs/audit.md).
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from qorgau.audit.book import AuditBook
from qorgau.audit.chain import Head
from qorgau.audit.checkpoint import Anchor
from qorgau.bus import Outgoing, Producer
from qorgau.errors import QorgauError
from qorgau.front.envelope import JSON
from qorgau.instants import format_instant, parse_instant
from qorgau.pausing import pause
from qorgau.telemetry import Metrics
from qorgau.vocabulary import AUDIT_TOPIC

# What is cut off within it is not found; more often would be a record an entry.
EVERY = timedelta(seconds=1)
# Another replica may have died between adding and anchoring.
OTHERS_EVERY = timedelta(seconds=30)
_log = logging.getLogger("qorgau")


@dataclass(slots=True)
class Anchoring:
    """Anchors the chain of one service. What this process adds, at once; what others added, sometimes. `deployment`:
    the name of the deployment, `now`: the clock."""

    deployment: str
    book: AuditBook
    producer: Producer
    now: Callable[[], int]
    metrics: Metrics
    anchored: int = 0
    looked: float = float("-inf")

    async def run(self, stopping: asyncio.Event) -> None:
        """Anchor until it is time to stop, at most once a second."""
        while not stopping.is_set():
            try:
                await self.anchor()
            except QorgauError as error:
                _log.warning("the audit chain is not anchored: %s; trying again", error.title)
            await pause(stopping, EVERY)

    async def anchor(self) -> None:
        """Tell the end of the chain if it is not told yet. Raises Unavailable, and repeating it is safe."""
        head = self.book.added
        if time.monotonic() - self.looked >= OTHERS_EVERY.total_seconds():
            head = await self.book.head()
            self.looked = time.monotonic()
        if head is None or head.seq <= self.anchored:
            return
        await self.tell(head)

    async def tell(self, head: Head) -> None:
        """Anchor this entry. Raises Unavailable, and repeating it is safe."""
        await self.producer.publish([anchor_record(head, self.deployment, self.now())])
        self.anchored = max(self.anchored, head.seq)
        self.metrics.audit_anchored.set(time.time())


def anchor_record(head: Head, deployment: str, at: int) -> Outgoing:
    """The record that says where a chain ended at an instant."""
    value = {
        "service": head.service,
        "deployment": deployment,
        "seq": head.seq,
        "hash": head.hash,
        "at": format_instant(at),
    }
    return Outgoing(AUDIT_TOPIC, head.service.encode(), orjson.dumps(value), [("content-type", JSON.encode())])


def read_anchor(value: bytes | None, deployment: str) -> Anchor | None:
    """The end of a chain that a record tells of; None where it is no anchor, or one of another deployment."""
    try:
        said: Any = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(said, dict) or said.get("deployment") != deployment:
        return None
    service, seq, hashed = said.get("service"), said.get("seq"), said.get("hash")
    if not isinstance(service, str) or not isinstance(hashed, str) or type(seq) is not int or seq < 1:
        return None
    try:
        return Anchor(service, seq, hashed, parse_instant(said.get("at")))
    except ValueError:
        return Anchor(service, seq, hashed)
