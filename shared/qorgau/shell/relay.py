"""From the outbox into Kafka: what was saved is published whole and in order, then forgotten; also after a crash."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from qorgau.bus import Outgoing, Producer
from qorgau.shell.crash import crash_point
from qorgau.shell.documents import Stored
from qorgau.store import Store
from qorgau.telemetry import Metrics
from qorgau.vocabulary import FLAGS_TOPIC

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
            number = self.store.partition(record.key.decode())
            told[number] = max(told.get(number, 0), offset + 1)
        await self.store.clear(telling)
        crash_point("after-clear")
        return told

    async def sweep(self, numbers: Collection[int]) -> dict[int, int]:
        """Publish what a crash, or Kafka's absence, left in the outboxes of these partitions."""
        found = await self.store.untold(numbers, AT_ONCE)
        self.metrics.outbox.set(sum(len(stored.outbox) for stored in found.values()))
        # Emptied by one writer while another saved it: nothing is left to publish, and it says that something is.
        await self.store.clear([stored for stored in found.values() if not stored.pending])
        return await self.publish(list(found.values()))

    def _records(self, stored: Stored) -> list[Outgoing]:
        case = stored.record.case
        events = sorted(stored.outbox, key=lambda event: event.seq)
        return [
            Outgoing(FLAGS_TOPIC, case.encode(), event.value.encode(), event.headers(self.service, case))
            for event in events
        ]
