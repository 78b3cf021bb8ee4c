"""Facts that agencies write to Kafka themselves: not yet the log. Each goes through the same door as a posted one.

Every service reads all inbound topics and takes what is its own; what belongs to nobody is told by intake alone.
"""

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from qorgau.bus import InboundReader, Incoming, Producer, dead_letter
from qorgau.errors import Forbidden, Malformed, QorgauError, Rejected
from qorgau.facts import WITHDRAWAL, fact_type
from qorgau.front.door import WRITE, Sender
from qorgau.front.envelope import from_kafka
from qorgau.front.posted import REFERENCE
from qorgau.front.posting import Posting
from qorgau.front.reading import FactsOfCase
from qorgau.identity.tokens import nobody
from qorgau.pausing import pause
from qorgau.telemetry import Metrics
from qorgau.vocabulary import FACT_TYPES, INTAKE, dlq, inbound_agency

WAIT = timedelta(seconds=1)
AT_ONCE = 500
_CASE = re.compile(REFERENCE[1:-1])
_REVOKED = Forbidden("The agency is revoked.")
_log = logging.getLogger("qorgau")


@dataclass(frozen=True, slots=True)
class Inbound:
    """The inbound side of one service; `posting` says `kafka` as its way; `ensure_topic` makes one that is missing."""

    service: str
    reader: InboundReader
    posting: Posting
    facts_of: FactsOfCase
    producer: Producer
    metrics: Metrics
    ensure_topic: Callable[[str], Awaitable[None]]
    revoked: Callable[[str], bool] = nobody

    async def run(self, stopping: asyncio.Event) -> None:
        """Take what comes until it is time to stop; what cannot be kept now is read again."""
        try:
            while not stopping.is_set():
                try:
                    await self._take(await self.reader.fetch(WAIT, AT_ONCE))
                except QorgauError as error:
                    _log.warning("inbound topics cannot be read now: %s; trying again", error.title)
                    await self.reader.stop()
                    await pause(stopping, WAIT)
        finally:
            await self.reader.stop()

    async def _take(self, records: Sequence[Incoming]) -> None:
        by_topic: dict[str, list[Incoming]] = defaultdict(list)
        for record in records:
            by_topic[record.topic].append(record)
        for topic, some in by_topic.items():
            await self._post(inbound_agency(topic), some)
        await self.reader.commit({record.place: record.offset + 1 for record in records})

    async def _post(self, agency: str, records: Sequence[Incoming]) -> None:
        if self.revoked(agency):
            await self._refuse([(record, _REVOKED) for record in records] if self.service == INTAKE else [])
            return
        sender = Sender(agency, frozenset({WRITE}), frozenset({"*"}))
        refused: list[tuple[Incoming, Rejected]] = []
        taken: list[tuple[Incoming, object, bool]] = []
        for record in records:
            try:
                event = _event(record)
                ours = await self._is_ours(event)
                if ours is not False:
                    taken.append((record, event, ours is True or self.service == INTAKE))
            except Malformed as error:
                refused += [(record, error)] if self.service == INTAKE else []
        outcomes = await self.posting.post([event for _, event, _ in taken], sender)
        refused += [
            (record, outcome)
            for (record, _, tells), outcome in zip(taken, outcomes, strict=True)
            if tells and isinstance(outcome, Rejected)
        ]
        await self._refuse(refused)

    async def _refuse(self, refused: Sequence[tuple[Incoming, Rejected]]) -> None:
        """Tell of records of one topic by dead letters."""
        for _, refusal in refused:
            self.metrics.dead_letters.labels("qorgau.inbound", refusal.slug).inc()
        if refused:
            await self.ensure_topic(dlq(refused[0][0].topic))
            await self.producer.publish([dead_letter(record, _reason(refusal)) for record, refusal in refused])

    async def _is_ours(self, event: object) -> bool | None:
        """Whether this service owns the fact; None where that is not known. Raises Malformed where nobody does."""
        name = event.get("type") if isinstance(event, dict) else None
        known = FACT_TYPES.get(fact_type(name)) if isinstance(name, str) else None
        if known is None:
            raise Malformed("No fact has this type.")
        if known.name == WITHDRAWAL:
            return await self._withdraws_ours(event)
        return self.service in known.services

    async def _withdraws_ours(self, event: object) -> bool | None:
        """A withdrawal goes where the fact went. While that is not known here it may be ours: each service then takes
        it, and the copies are one fact; if it is refused, intake alone tells of it."""
        assert isinstance(event, dict)
        case, data = event.get("subject"), event.get("data")
        if not isinstance(case, str) or not _CASE.fullmatch(case) or not isinstance(data, dict):
            return None
        for fact in await self.facts_of(case):
            if fact.identity == (event.get("source"), data.get("fact_id")):
                known = FACT_TYPES.get(fact.type)
                return None if known is None else self.service in known.services
        return None


def _reason(refusal: Rejected) -> str:
    why = refusal.detail or refusal.title
    return f"{refusal.field}: {why}" if refusal.field else why


def _event(record: Incoming) -> object:
    """The event of a record; raises Malformed where it cannot be read as one, whatever the reason."""
    if record.trouble:
        raise Malformed(record.trouble)
    try:
        return from_kafka(record.headers, record.value)
    except Rejected as error:
        raise Malformed(error.detail) from None
