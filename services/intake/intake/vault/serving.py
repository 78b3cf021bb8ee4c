"""What people may do with the persons in the vault: read, consent, break the glass, review it, erase, list who read.

Whoever has nothing to do with a case cannot tell whether it exists, and their attempt is written down all the same.
Nothing is shown, and nothing destroyed elsewhere, before the line that says so is written with the case.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from intake.vault import dealing
from intake.vault.access import Grant, Reader, Refusal, is_advocate, may_list_reads, may_note_consent
from intake.vault.dealing import Readable
from intake.vault.opening import Locks
from intake.vault.packing import unpack
from intake.vault.records import Entry, Erased, VaultRecord, facts_added
from intake.vault.showing import grant_shown, line_shown
from intake.vault.versions import version_of
from qorgau.errors import Forbidden, NotFound, QorgauError, Unavailable
from qorgau.facts import Fact
from qorgau.front.paging import check_if_match
from qorgau.front.reading import FactsOfCase
from qorgau.identity.membership import may_read
from qorgau.identity.sender import EVERY, Sender
from qorgau.instants import format_instant

_Result = TypeVar("_Result")
_COORDINATOR = "coordinator"
# Few wait for their review; so many are looked at before it is seen whose region they are in.
_AT_ONCE = 100


class Book(Protocol):
    """The records of the vault."""

    async def unreviewed(self, after: str, limit: int) -> list[VaultRecord]:
        """Records with broken glass that nobody has looked at yet, those after a case, by case."""

    async def find(self, case: str) -> VaultRecord | None:
        """The record of a case, or None."""

    async def change(self, case: str, change: Callable[[VaultRecord], tuple[VaultRecord, _Result]]) -> _Result:
        """Change a record in one write; what `change` gave besides."""


Forget = Callable[[str], Awaitable[None]]
LinesOf = Callable[[str], Awaitable[Sequence[Entry]]]


@dataclass(frozen=True, slots=True)
class Versioned:
    """An answer, and the version of what was decided in the case when it was made."""

    body: dict[str, Any]
    version: str


@dataclass(frozen=True, slots=True)
class Persons:
    """The persons of one vault. `facts_of` gives the facts of a case, `lines_of` what of it is in the audit chain,
    `forget` lets go of a case wherever its people could still be recognised."""

    book: Book
    locks: Locks | None
    facts_of: FactsOfCase
    lines_of: LinesOf
    forget: Forget
    now: Callable[[], int]

    async def read(self, case: str, sender: Sender, purpose: str, wanted: Iterable[str] | None) -> Versioned:
        """What the sender may see of the persons of a case, for this purpose. Raises NotFound, Forbidden, Erased,
        Unavailable; an attempt that is refused leaves a line too."""
        record = await self._record(case)
        seen, reader = await self._visible(record, sender), _reader(sender, _opener(record))
        if sender.agency == EVERY and not seen:
            # It acts as whoever opened the case, but in its own regions only.
            raise NotFound
        classes = None if wanted is None else list(wanted)

        def looked(record: VaultRecord) -> tuple[VaultRecord, tuple[Readable | Refusal, str]]:
            changed, found = dealing.read(record, reader, purpose, classes, self.now())
            return changed, (found, version_of(changed))

        result, version = await self.book.change(case, looked)
        if isinstance(result, Refusal):
            raise _refused(result, seen)
        reports = await self._opened(case, result)
        return Versioned({"case": case, "basis": result.access.basis, "reports": reports}, version)

    async def note_consent(
        self, case: str, sender: Sender, agency: str, state: str, fact: Fact, if_match: str | None = None
    ) -> None:
        """What the survivor said about sharing with an agency: in the vault and as a fact of the case, in one write."""
        reader = await self._of_the_case(case, sender)

        def noted(record: VaultRecord) -> tuple[VaultRecord, None]:
            told = facts_added(record, [fact])
            if told is not record:
                told = dealing.consent_changed(told, agency, state, reader, fact.recorded)
            return told, None

        await self._change(case, noted, if_match)

    async def note_basis(
        self, case: str, sender: Sender, agency: str, code: str | None, if_match: str | None = None
    ) -> None:
        """The legal basis on which an agency may read without consent, or that there is none any more."""
        reader = await self._of_the_case(case, sender)
        await self._change(
            case, lambda record: (dealing.basis_changed(record, agency, code, reader, self.now()), None), if_match
        )

    async def refer(
        self,
        case: str,
        sender: Sender,
        agency: str,
        purpose: str | None,
        classes: Collection[str],
        facts: Sequence[Fact],
    ) -> str | None:
        """Ask another agency to act in a case: who is told what, and the facts that follow, in one write. Returns what
        entitles the agency to what it is told; None where that is codes alone."""
        await self._member(case, sender)
        by = _reader(sender, facts[0].source)
        result = await self.book.change(
            case, lambda record: dealing.referred(record, by, agency, purpose, classes, facts, facts[0].recorded)
        )
        if isinstance(result, Refusal):
            raise _refused(result, True)
        return result

    async def break_glass(
        self, case: str, sender: Sender, reason: str, length: timedelta, grant_id: str
    ) -> dict[str, Any]:
        """Break the glass for a reason and so long; the grant. The same id again is the same grant."""
        record = await self._record(case)
        if not _in_regions(sender, record):
            raise NotFound
        result = await self.book.change(
            case, lambda known: dealing.break_glass(known, _reader(sender, "102"), reason, length, grant_id, self.now())
        )
        return grant_shown(case, _or_refused(result))

    async def review(
        self, case: str, sender: Sender, grant_id: str, verdict: str, if_match: str | None = None
    ) -> dict[str, Any]:
        """What a coordinator finds about a break-glass, afterwards."""
        await self._member(case, sender)
        reader = _reader(sender, _COORDINATOR)
        result = await self._change(
            case, lambda record: dealing.break_glass_reviewed(record, grant_id, verdict, reader, self.now()), if_match
        )
        return grant_shown(case, _or_refused(result))

    async def to_review(self, sender: Sender, after: str, limit: int) -> list[tuple[str, dict[str, Any]]]:
        """At most `limit` cases in the sender's regions with broken glass that nobody has looked at yet, each after its
        key, which is the case; those after a key. Raises Forbidden for who reviews none."""
        if _reader(sender, _COORDINATOR).kind != _COORDINATOR:
            raise Forbidden("Coordinators look at broken glass.")
        found: list[tuple[str, dict[str, Any]]] = []
        while True:
            records = await self.book.unreviewed(after, _AT_ONCE)
            for record in (record for record in records if _in_regions(sender, record)):
                grants = [grant_shown(record.case, grant) for grant in dealing.unreviewed(record)]
                found.append((record.case, {"case": record.case, "grants": grants}))
            if len(records) < _AT_ONCE or len(found) >= limit:
                return found[:limit]
            after = records[-1].case

    async def erase(self, case: str, sender: Sender, reason: str, if_match: str | None = None) -> dict[str, Any]:
        """Destroy the key of a case, and with it every personal field; facts, flags and statistics stay."""
        await self._member(case, sender)

        def gone(record: VaultRecord) -> tuple[VaultRecord, tuple[Refusal | None, int | None]]:
            changed, refusal = dealing.erased(record, _reader(sender, _COORDINATOR), reason, self.now())
            return changed, (refusal, changed.erased_at)

        refusal, erased_at = await self._change(case, gone, if_match)
        if refusal is not None:
            raise _refused(refusal, True)
        if self.locks is not None:
            self.locks.data_keys.forget(case)
        await self.forget(case)
        return {"case": case, "erased_at": format_instant(erased_at or self.now())}

    async def accesses(self, case: str, sender: Sender) -> Versioned:
        """Who did what with the persons of a case, and when, the oldest first; for the advocate and coordinators."""
        record = await self._member(case, sender)
        refusal = may_list_reads(_reader(sender, _COORDINATOR), record.sharing)
        if refusal is not None:
            raise _refused(refusal, True)
        lines = {line.seq: line for line in (*await self.lines_of(case), *record.audit)}
        return Versioned({"items": [line_shown(lines[seq]) for seq in sorted(lines)], "next": None}, version_of(record))

    async def _change(
        self, case: str, change: Callable[[VaultRecord], tuple[VaultRecord, _Result]], if_match: str | None
    ) -> _Result:
        """Change a record, if it is as who decides has read it. Raises StaleVersion."""

        def checked(record: VaultRecord) -> tuple[VaultRecord, _Result]:
            check_if_match(if_match, version_of(record))
            return change(record)

        return await self.book.change(case, checked)

    async def _opened(self, case: str, found: Readable) -> list[dict[str, Any]]:
        if self.locks is None:
            raise Unavailable("This vault has no keys now; tell its operator.")
        key = await self.locks.data_keys.unwrapped(case, found.key.wrapped)
        return [
            {"report_id": report, **unpack(case, report, fields, key, found.key.id)}
            for report, fields in found.fields.items()
        ]

    async def _record(self, case: str) -> VaultRecord:
        record = await self.book.find(case)
        if record is None:
            raise NotFound
        return record

    async def _visible(self, record: VaultRecord, sender: Sender) -> bool:
        """Whether the sender may know that the case exists: part of it, or entitled by somebody."""
        sharing = record.sharing
        entitled = sender.agency in sharing.consents or sender.agency in sharing.bases
        granted = any((grant.agency, grant.subject) == (sender.agency, sender.subject) for grant in sharing.grants)
        return entitled or granted or may_read(sender, await self.facts_of(record.case))

    async def _member(self, case: str, sender: Sender) -> VaultRecord:
        record = await self._record(case)
        if not is_advocate(_reader(sender, _COORDINATOR), record.sharing) and not may_read(
            sender, await self.facts_of(case)
        ):
            raise NotFound
        return record

    async def _of_the_case(self, case: str, sender: Sender) -> Reader:
        """Who notes consents and legal bases in a case."""
        await self._member(case, sender)
        reader = _reader(sender, "crisis-centre")
        refusal = may_note_consent(reader)
        if refusal is not None:
            raise _refused(refusal, True)
        return reader


def _in_regions(sender: Sender, record: VaultRecord) -> bool:
    return any(sender.has_region(report.codes.get("region")) for report in record.reports)


def _opener(record: VaultRecord) -> str:
    """The agency that opened the case, the advocate before others."""
    return record.sharing.advocate or record.reports[0].source if record.reports else _COORDINATOR


def _reader(sender: Sender, development: str) -> Reader:
    """Who acts; a token of a development machine, which speaks for everybody, acts as this agency."""
    return Reader(development if sender.agency == EVERY else sender.agency, sender.subject, sender.scopes)


def _or_refused(result: Grant | Refusal) -> Grant:
    if isinstance(result, Refusal):
        raise _refused(result, True)
    return result


def _refused(refusal: Refusal, seen: bool) -> QorgauError:
    """A refusal as its answer; to whom may not know of the case it is not there."""
    if not seen:
        return NotFound()
    if refusal.code == "erased":
        return Erased(refusal.advice)
    if refusal.code in ("nothing_kept", "no_such_grant"):
        return NotFound()
    return Unavailable(refusal.advice) if refusal.code == "busy" else Forbidden(refusal.advice)
