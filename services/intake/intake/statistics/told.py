"""What was told of surges, in the database: a document for each region and day, and up to when all were judged."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any

from pymongo import UpdateOne

from intake.toldbook import ToldBook
from qorgau.rows import FlagRow
from qorgau.shell.mongo import collection, deadline, write_all
from qorgau.telemetry import Metrics
from qorgau.telemetry import Stored as Shown


class SurgeBook(ToldBook):
    """The regions and days of which something was told. `partition`: on which partition of the log a case is; `day_of`:
    the day a flag is about."""

    def __init__(
        self, database: Any, partition: Callable[[str], int], day_of: Callable[[FlagRow], date], metrics: Metrics
    ) -> None:
        def extra_of(rows: Sequence[FlagRow]) -> Mapping[str, Any]:
            return {"region": rows[0].region, "day": day_of(rows[0]).isoformat()}

        super().__init__(database, "surges", partition, extra_of, metrics)
        self._judged = collection(database, "surges_judged")

    async def judged(self, numbers: Collection[int]) -> dict[int, int]:
        """The instant up to which each partition was judged, where it ever was."""
        async with deadline():
            documents = await self._judged.find({"_id": {"$in": sorted(numbers)}}).to_list(None)
        return {document["_id"]: document["at"] for document in documents}

    async def keep_judged(self, judged: Mapping[int, int]) -> None:
        """Note it; never an earlier one than is noted."""
        writes = [UpdateOne({"_id": number}, {"$max": {"at": at}}, upsert=True) for number, at in judged.items()]
        await write_all(self._judged, writes)

    async def shown(self, numbers: Collection[int]) -> list[Shown]:
        """How many flags are up, by region, channel and period, and as all other flags are counted."""
        alarms: Counter[tuple[str, ...]] = Counter()
        flags: Counter[tuple[str, ...]] = Counter()
        for stored in await self.up():
            if self.partition(stored.record.case) not in numbers:
                continue
            for row in stored.record.flags:
                if row.cleared_at is None:
                    channel, _, period = row.key.partition("/")
                    alarms[row.region or "", channel, period or "day"] += 1
                    flags[row.rule, row.level, row.severity, row.region or ""] += 1
        return [
            *(Shown("qorgau_surge_alarms", labels, count) for labels, count in alarms.items()),
            *(Shown("qorgau_flags_open", labels, count) for labels, count in flags.items()),
        ]
