"""From the outbox into Kafka: what was saved is published whole and in order, then forgotten; also after a crash."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from qorgau.bus import Outgoing, Producer
from qorgau.front.envelope import to_kafka
from qorgau.shell.crash import crash_point
from qorgau.shell.documents import Stored
from qorgau.store import Store
from qorgau.telemetry import Metrics
from qorgau.vocabulary import FLAGS_TOPIC, facts_topic

# As many cases as one batch of a round has; what is left comes with the next look.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Relay:
    """The outboxes of one service."""

    service: str
    store: Store
    producer: Producer
    metrics: Metrics

    async def publish(self, cases: Sequence[Stored]) -> dict[int, int]:
        """Publish what these cases have to tell, then forget it there. Returns, for each partition of the flags topic,
        how far everything of ours is told. Raises Unavailable, and repeating it is then safe."""
        telling = [stored for stored in cases if stored.pending]
        if not telling:
            return {}
        records = [record for stored in telling for record in self._records(stored)]
        offsets = await self.producer.publish(records)
        crash_point("after-publish")
        told: dict[int, int] = {}
        for record, offset in zip(records, offsets, strict=True):
            if record.topic == FLAGS_TOPIC:
                number = self.store.partition(record.key.decode())
                told[number] = max(told.get(number, 0), offset + 1)
        await self.store.clear(telling)
        crash_point("after-clear")
        return told

    async def sweep(self, numbers: Collection[int]) -> dict[int, int]:
        """Publish what a crash, or Kafka's absence, left in the outboxes of these partitions."""
        found = await self.store.untold(numbers, AT_ONCE)
        self.metrics.outbox.set(sum(len(stored.outbox) + len(stored.reports) for stored in found.values()))
        # Emptied by one writer while another saved it: nothing is left to publish, and it says that something is.
        await self.store.clear([stored for stored in found.values() if not stored.pending])
        return await self.publish(list(found.values()))

    async def rescue(self, numbers: Collection[int]) -> None:
        """Publish the reports of these partitions that were safe, and not in the log, when the database was made again;
        what else waited there is worked out anew."""
        former = self.store.former()
        if former is None:
            return
        of_former = replace(self, store=former)
        while reporting := await former.reporting(numbers):
            found = (await former.load(sorted(reporting)[:AT_ONCE])).values()
            await of_former.publish([replace(stored, outbox=()) for stored in found])
            await former.clear([stored for stored in found if not stored.reports])

    async def tell_reports(self, numbers: Collection[int]) -> None:
        """Return when no report of these partitions waits for Kafka. Raises Unavailable."""
        while await self.store.reporting(numbers):
            await self.sweep(numbers)

    def _records(self, stored: Stored) -> list[Outgoing]:
        case = stored.record.case
        reports = [Outgoing(facts_topic(self.service), *to_kafka(fact)) for fact in stored.reports]
        events = sorted(stored.outbox, key=lambda event: event.seq)
        flags = [
            Outgoing(FLAGS_TOPIC, case.encode(), event.value.encode(), event.headers(self.service, case))
            for event in events
        ]
        return [*reports, *flags]
