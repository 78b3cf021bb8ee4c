"""What intake has told of nobody's case, in the database: outside the editions, because what is told stays told.

It is written, told and found again as cases are, by the same store; there are no facts in it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from intake.telling import remembered
from qorgau.errors import NotFound
from qorgau.front.flagbook import FlagEntry
from qorgau.front.reading import flag_item
from qorgau.identity.sender import Sender
from qorgau.rows import FlagRow
from qorgau.shell.documents import Stored, from_document
from qorgau.shell.edition import Edition
from qorgau.shell.mongo import collection, deadline
from qorgau.store import Store
from qorgau.telemetry import Metrics
from qorgau.vocabulary import INTAKE

# More are told with the next look.
_AT_ONCE = 500


class _Apart(Edition):
    """No edition: whatever is made again, this is not."""

    def __init__(self, database: Any, kept_in: str) -> None:
        super().__init__(database)
        self._kept_in = kept_in

    def collection(self, name: str, *, flushed: bool = False) -> Any:
        """The documents, for the store that asks for its cases."""
        return collection(self.database, self._kept_in, flushed=flushed)


class ToldBook:
    """The documents of one collection. `partition`: on which partition of the log a case is; `extra_of`: what the rows
    of a document tell of its further fields."""

    def __init__(
        self,
        database: Any,
        kept_in: str,
        partition: Callable[[str], int],
        extra_of: Callable[[Sequence[FlagRow]], Mapping[str, Any]],
        metrics: Metrics,
    ) -> None:
        self.store = Store(_Apart(database, kept_in), partition, metrics)
        self.partition = partition
        self._extra_of = extra_of
        self._told = collection(database, kept_in)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        async with deadline():
            for name in ("up", "pending", "flags.id"):
                await self._told.create_index([(name, 1)])

    async def load(self, cases: Collection[str]) -> dict[str, Stored]:
        """Those cases, new ones for those that are not there."""
        return await self.store.load(cases)

    async def save(self, changed: Sequence[Stored]) -> tuple[dict[str, Stored], set[str]]:
        """Write these by compare-and-swap: those that were written, and those that somebody else had changed."""
        return await self.store.save(changed)

    async def untold(self, numbers: Collection[int]) -> list[Stored]:
        """What was written and not told."""
        return list((await self.store.untold(numbers, _AT_ONCE)).values()) if numbers else []

    async def visible(self, flag_id: str, sender: Sender) -> tuple[FlagRow, Mapping[str, Any]]:
        """A flag that this sender may see, and the evidence kept of it; raises NotFound."""
        async with deadline():
            document = await self._told.find_one({"flags.id": flag_id})
        if document is None:
            raise NotFound
        stored = from_document(document)
        row = next(row for row in stored.record.flags if row.id == flag_id)
        entry = FlagEntry(row.id, INTAKE, stored.record.seq, row.raised_at, flag_item(row))
        if not entry.visible_to(sender):
            raise NotFound
        return row, stored.extra["evidence"].get(row.id, {})

    async def up(self) -> list[Stored]:
        """What has a flag that is up."""
        async with deadline():
            return [from_document(document) for document in await self._told.find({"up": True}).to_list(None)]

    async def remember(self, entries: Iterable[FlagEntry]) -> None:
        """Take over what the flags topic tells of these and is not known: the database was lost, or put back."""
        by_case: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for entry in entries:
            by_case[str(entry.item["case"])].append(entry.item)
        await self.store.change(by_case, lambda stored: remembered(stored, by_case[stored.record.case], self._extra_of))
