"""The lines of the vault on their way into the audit chain of the service (`qorgau.audit`), and back for who asks."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from intake.vault.book import VaultBook
from intake.vault.dealing import chained
from intake.vault.records import Entry, VaultRecord
from qorgau.audit import chain
from qorgau.audit.chain import Actor, Detail
from qorgau.instants import parse_instant

KIND = "vault."


class VaultLines:
    """The `Pending` of the audit: lines that wait in the records of the vault."""

    def __init__(self, book: VaultBook) -> None:
        self._book = book

    async def pending(self, numbers: Collection[int], limit: int) -> Sequence[chain.Entry]:
        """Lines that wait in records of these partitions, about so many; those of one record in order."""
        found: list[chain.Entry] = []
        for record in await self._book.unchained(numbers, limit):
            if len(found) >= limit:
                break
            found += [_entry(record.case, line) for line in record.audit]
        return found

    async def clear(self, entries: Sequence[chain.Entry]) -> None:
        """Forget that these wait; the chain has them."""
        through: dict[str, int] = {}
        for entry in entries:
            through[str(entry.case)] = max(through.get(str(entry.case), 0), int(entry.entry_id.rpartition(".")[2]))
        for case, last in through.items():
            await self._book.change(case, partial(_chained, through=last))


def line_of(linked: Mapping[str, Any]) -> Entry:
    """A line of the vault as the chain has it."""
    details = linked["details"]
    return Entry(
        seq=int(str(linked["entry_id"]).rpartition(".")[2]),
        at=parse_instant(linked["at"]),
        action=str(linked["kind"]).removeprefix(KIND),
        agency=linked["actor"]["agency"],
        subject=linked["actor"]["subject"],
        purpose=details.get("purpose"),
        basis=details.get("basis"),
        classes=tuple(details.get("classes", ())),
        fields=tuple(details.get("fields", ())),
        detail=details.get("detail"),
    )


def _chained(record: VaultRecord, through: int) -> tuple[VaultRecord, None]:
    return chained(record, through), None


def _entry(case: str, line: Entry) -> chain.Entry:
    told: dict[str, Detail | None] = {
        "purpose": line.purpose,
        "basis": line.basis,
        "classes": line.classes or None,
        "fields": line.fields or None,
        "detail": line.detail,
    }
    return chain.Entry(
        entry_id=f"{KIND}{case}.{line.seq}",
        at=line.at,
        kind=f"{KIND}{line.action}",
        actor=Actor(line.agency, line.subject),
        case=case,
        details={name: value for name, value in told.items() if value is not None},
    )
