"""How a report gets into the vault: its pair recognised, its personal part sealed under a new key, all in one write."""

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from intake.vault.blind import IndexKeys, Traces, body_digest, is_same_body, traces
from intake.vault.form import Personal
from intake.vault.keys import DataKeys, KeyProvider, new_data_key
from intake.vault.packing import pack
from intake.vault.records import CaseKey, Marks, Report, VaultRecord, linked, opened
from intake.vault.retention import retained
from intake.vault.sealing import Draw
from qorgau.errors import Unavailable
from qorgau.facts import Fact
from qorgau.front.idempotency import other_body
from qorgau.retention import Retention


@dataclass(frozen=True, slots=True)
class Locks:
    """What the vault is locked with: who wraps data keys, those in use, and the index secrets, which are rotated."""

    provider: KeyProvider
    data_keys: DataKeys
    indexes: Callable[[], IndexKeys]


class Book(Protocol):
    """Where records are kept."""

    async def open(self, record: VaultRecord) -> bool:
        """Write a new case; whether it was new."""

    async def find(self, case: str) -> VaultRecord | None:
        """The record of a case, or None."""


class PairsOf(Protocol):
    """Who recognises pairs."""

    async def reference(self, case: str, searched: Traces, stored: Traces, now: int) -> str | None:
        """The reference of a report's pair, or None."""


@dataclass(frozen=True, slots=True)
class Told:
    """A report as the door let it in: its id, its facts (the report, perhaps a triage), the personal part, the body."""

    id: str
    facts: Sequence[Fact]
    personal: Personal | None = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens cases in a vault; without `locks` only reports that carry nothing personal."""

    book: Book
    pairs: PairsOf
    locks: Locks | None
    plain: IndexKeys
    retention: Retention
    draw: Draw = os.urandom

    async def open_case(self, told: Told) -> Sequence[Fact]:
        """Write the case; return its facts as stored, older ones where it is there already. Raises Invalid where the
        same key came with another body, Unavailable where it cannot be made durable or sealed."""
        report, keys = told.facts[0], self._keys()
        case, now, request = str(report.case), report.recorded, body_digest(told.body, keys)
        searched, traced = self._traces(told.personal, keys)
        facts = await self._linked(case, told, searched, traced, now)
        key, fields = await self._sealed(case, told)
        stored = Report(
            id=told.id,
            source=report.source,
            at=now,
            request=request,
            fields=fields,
            traces=traced,
            codes=dict(facts[0].data),
        )
        record = opened(case, stored, facts, key, told.personal, now)
        record = retained(self.retention, record, Marks(), now)
        pair = facts[0].data.get("pair_ref")
        if await self.book.open(record if pair is None else linked(record, str(pair))):
            return facts
        return await self._known(case, told)

    async def _known(self, case: str, told: Told) -> Sequence[Fact]:
        """What the first request with this key wrote."""
        record = await self.book.find(case)
        report = None if record is None else record.known(told.id)
        if record is None or report is None:
            raise Unavailable
        # Of a report that was erased nobody knows any more what it said.
        if report.request and not is_same_body(report.request, told.body, self._keys()):
            raise other_body()
        return record.facts

    def _traces(self, personal: Personal | None, keys: IndexKeys) -> tuple[Traces, Traces]:
        """By what the people are searched, under every index secret, and by what they are kept, under the newest."""
        if self.locks is None:
            return Traces(), Traces()
        searched, newest = traces(personal, keys), keys.newest()
        return searched, searched if newest == keys else traces(personal, newest)

    async def _linked(self, case: str, told: Told, searched: Traces, traced: Traces, now: int) -> Sequence[Fact]:
        """The facts, the report with the reference of its pair where the vault recognises one."""
        pair = await self.pairs.reference(case, searched, traced, now)
        if pair is None:
            return told.facts
        report = told.facts[0]
        return [replace(report, data={**report.data, "pair_ref": pair}), *told.facts[1:]]

    async def _sealed(self, case: str, told: Told) -> tuple[CaseKey | None, Mapping[str, bytes]]:
        if told.personal is None:
            return None, {}
        if self.locks is None:
            raise Unavailable("This vault has no keys yet, so it takes no personal fields; tell its operator.")
        data_key, key_id = new_data_key(self.draw), secrets.token_hex(8)
        fields = pack(case, told.id, told.personal, data_key, key_id, self.draw)
        return CaseKey(key_id, await self.locks.provider.wrap(data_key, case)), fields

    def _keys(self) -> IndexKeys:
        return self.locks.indexes() if self.locks else self.plain
