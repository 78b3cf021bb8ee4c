"""One import: rows or messages in, facts out, and a ledger in which each is used, or not used for a reason."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from qorgau.facts import Fact
from qorgau.importing.files import FactFile, SideFile
from qorgau.importing.making import Made, Maker, Record, Seen, Unused
from qorgau.importing.reasons import EXPECTED
from qorgau.importing.sending import BATCH_FACTS, Refusal, Sending


@dataclass(frozen=True, slots=True)
class Settled:
    """A row whose facts went out, or one of whose facts the service refused."""

    record: Record
    facts: tuple[Fact, ...]
    refusal: Refusal | None = None


class Outlet(Protocol):
    """Where facts go. Both tell which rows are settled by now."""

    def put(self, record: Record, facts: tuple[Fact, ...]) -> Sequence[Settled]: ...

    def finish(self) -> Sequence[Settled]: ...


class ToNowhere:
    """Rows are counted and nothing is kept."""

    def put(self, record: Record, facts: tuple[Fact, ...]) -> Sequence[Settled]:
        return (Settled(record, facts),)

    def finish(self) -> Sequence[Settled]:
        return ()


class ToFile(ToNowhere):
    """Facts as lines of a file."""

    def __init__(self, file: FactFile) -> None:
        self._file = file

    def put(self, record: Record, facts: tuple[Fact, ...]) -> Sequence[Settled]:
        self._file.write(facts)
        return super().put(record, facts)


class ToService:
    """Facts posted in batches; the facts of one row are never in two. Raises NotSent."""

    def __init__(self, sending: Sending, batch_facts: int = BATCH_FACTS) -> None:
        self._sending = sending
        self._batch_facts = batch_facts
        self._waiting: list[tuple[Record, tuple[Fact, ...]]] = []

    def put(self, record: Record, facts: tuple[Fact, ...]) -> Sequence[Settled]:
        full = sum(len(more) for _, more in self._waiting) + len(facts) > self._batch_facts
        settled = self.finish() if full else ()
        self._waiting.append((record, facts))
        return settled

    def finish(self) -> Sequence[Settled]:
        if not self._waiting:
            return ()
        answers = iter(self._sending.post([fact for _, facts in self._waiting for fact in facts]))
        settled = [Settled(record, facts, _first(answers, len(facts))) for record, facts in self._waiting]
        self._waiting = []
        return settled


class Import:
    """The ledger of one import, and the way of a row through it."""

    def __init__(self, maker: Maker, outlet: Outlet, side: SideFile) -> None:
        self._maker = maker
        self._outlet = outlet
        self._side = side
        self._seen = Seen()
        self.rows = self.used = 0
        self.rejected: Counter[str] = Counter()
        self.facts: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.dropped: Counter[tuple[str, str]] = Counter()

    @property
    def bad_rows(self) -> int:
        """How many rows could not be used although they should have been."""
        return sum(count for reason, count in self.rejected.items() if reason not in EXPECTED)

    @property
    def unsettled(self) -> int:
        """How many rows were read of which it is not known whether their facts were taken."""
        return self.rows - self.used - self.rejected.total()

    def take(self, record: Record) -> None:
        """One row: to the outlet, or to the side file with its reason."""
        self.rows += 1
        try:
            made = self._made(record)
        except Unused as unused:
            self._reject(record, unused.reason, column=unused.column)
            return
        self.notes.update(made.notes)
        self.dropped.update(made.dropped)
        self._settle(self._outlet.put(record, made.facts))

    def finish(self) -> None:
        """After the last row."""
        self._settle(self._outlet.finish())

    def summary(self) -> dict[str, Any]:
        """The ledger for machines: rows = used + all that is rejected + unsettled."""
        return {
            "rows": self.rows,
            "used": self.used,
            "rejected": dict(sorted(self.rejected.items())),
            "unsettled": self.unsettled,
            "facts": dict(sorted(self.facts.items())),
            "notes": dict(sorted(self.notes.items())),
            "dropped": self._dropped(),
        }

    def _dropped(self) -> dict[str, dict[str, int]]:
        """What was left out of what was used: by column or path, why and how often."""
        parts: dict[str, dict[str, int]] = {}
        for (part, why), count in sorted(self.dropped.items()):
            parts.setdefault(part, {})[why] = count
        return parts

    def _made(self, record: Record) -> Made:
        if record.content is None:
            raise Unused(record.reason)
        made = self._maker.make(record)
        return Made(self._seen.new(made.facts), made.notes, made.dropped)

    def _settle(self, settled: Sequence[Settled]) -> None:
        for one in settled:
            if one.refusal is not None:
                self._reject(one.record, "refused", field=one.refusal.field, advice=one.refusal.detail)
                continue
            self.used += 1
            self.facts.update(fact.type for fact in one.facts)

    def _reject(self, record: Record, reason: str, **details: str) -> None:
        self.rejected[reason] += 1
        self._side.write(record, reason, whole=reason not in EXPECTED, **details)


def _first(answers: Iterator[Refusal | None], count: int) -> Refusal | None:
    """Of the next answers the first that is a refusal."""
    refusals = [answer for answer in islice(answers, count) if answer is not None]
    return refusals[0] if refusals else None
