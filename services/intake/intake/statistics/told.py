"""What was told of surges, in the database: a document for each region and day, outside the editions.

They are written, told and found again as cases are, by the same store; there are no facts in them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pymongo import UpdateOne

from intake.statistics.telling import remembered
from qorgau.front.flagbook import FlagEntry
from qorgau.rows import FlagRow
from qorgau.shell.documents import Stored, from_document
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import collection, deadline, write_all
from qorgau.store import Store
from qorgau.telemetry import Metrics
from qorgau.telemetry import Stored as Shown

# More are told with the next look.
_AT_ONCE = 500


class _Apart(Edition):
    """No edition: what is told once stays told, whatever is made again."""

    def collection(self, name: str, *, flushed: bool = False) -> Any:
        """The documents of surges, for the store that asks for its cases."""
        return collection(self.database, "surges", flushed=flushed)


class SurgeBook:
    """The regions and days of which something was told. `partition`: on which partition of the log a case is; `day_of`:
    the day a flag is about."""

    def __init__(
        self, database: Any, partition: Callable[[str], int], day_of: Callable[[FlagRow], date], metrics: Metrics
    ) -> None:
        self.store = Store(_Apart(database), partition, metrics)
        self.partition = partition
        self._day_of = day_of
        self._surges = collection(database, "surges")
        self._judged = collection(database, "surges_judged")

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline():
            for name in ("up", "pending", "flags.id"):
                await self._surges.create_index([(name, 1)])

    async def load(self, cases: Collection[str]) -> dict[str, Stored]:
        """Those cases, new ones for those that are not there."""
        return await self.store.load(cases)

    async def save(self, changed: Sequence[Stored]) -> tuple[dict[str, Stored], set[str]]:
        """Write these by compare-and-swap: those that were written, and those that somebody else had changed."""
        return await self.store.save(changed)

    async def untold(self, numbers: Collection[int]) -> list[Stored]:
        """What was written and not told."""
        return list((await self.store.untold(numbers, _AT_ONCE)).values()) if numbers else []

    async def of_flag(self, flag_id: str) -> Stored | None:
        """The region and day that raised a flag, or None."""
        async with deadline():
            document = await self._surges.find_one({"flags.id": flag_id})
        return None if document is None else from_document(document)

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

    async def remember(self, entries: Iterable[FlagEntry]) -> None:
        """Take over what the flags topic tells of surges and is not known: the database was lost, or put back."""
        by_case: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for entry in entries:
            by_case[str(entry.item["case"])].append(entry.item)
        await self.store.change(by_case, lambda stored: remembered(stored, by_case[stored.record.case], self._day_of))

    async def up(self) -> list[Stored]:
        """The regions and days with a flag that is up."""
        async with deadline():
            return [from_document(document) for document in await self._surges.find({"up": True}).to_list(None)]
