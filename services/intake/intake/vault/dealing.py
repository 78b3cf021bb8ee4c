"""What people do with a case in the vault: read, consent, break the glass, review, erase; and what a period ends. Pure.

Each gives a new record with the line for the audit chain in it, and what may be done once that record is written.
Nothing may be shown or destroyed elsewhere before it is.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from intake.vault import access
from intake.vault.access import PURPOSES, VERDICTS, Access, Basis, Consent, Grant, Reader, Refusal, Review
from intake.vault.blind import Traces
from intake.vault.classes import CALLER, CLASSES, CONTACT, IDENTITY, OFFENDER, class_of
from intake.vault.records import CaseKey, Entry, Report, VaultRecord, based, consented, facts_added
from qorgau.facts import Fact
from qorgau.identity.sender import PII_READ
from qorgau.instants import MICROSECOND

# What may wait to be chained. Beyond it nothing is read, for a read that leaves no trace is worse than none; attempts
# that were refused fill only half, so that they cannot shut others out.
MOST_WAITING = 1_000
MOST_REFUSED = MOST_WAITING // 2
MOST_GRANTS = 200

# Who acts where no person does.
SYSTEM = Reader("system/intake", "retention", frozenset())
ERASE_REASONS = frozenset({"survivor_request", "court_order", "entered_in_error"})
_STEP = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Readable:
    """What may be shown: the sealed fields by report, and the key that opens them."""

    access: Access
    key: CaseKey
    fields: Mapping[str, Mapping[str, bytes]] = field(repr=False)


def read(
    record: VaultRecord, reader: Reader, purpose: str, wanted: Iterable[str] | None, now: int
) -> tuple[VaultRecord, Readable | Refusal]:
    """What the reader may see, and the record with the line that says so; an attempt that is refused leaves one too."""
    decision = access.decide(reader, purpose, wanted, record.sharing, now)
    if isinstance(decision, Refusal):
        return _refused(record, reader, purpose, decision, now), decision
    if record.key is None:
        gone = Refusal("erased" if record.erased_at is not None else "nothing_kept")
        return _refused(record, reader, purpose, gone, now), gone
    shown = {report.id: sealed for report in record.reports if (sealed := _of_classes(report, decision.classes))}
    names = {name for sealed in shown.values() for name in sealed}
    if not names:
        return _refused(record, reader, purpose, Refusal("nothing_kept"), now), Refusal("nothing_kept")
    if len(record.audit) >= MOST_WAITING:
        return record, Refusal("busy")
    line = Entry(
        *(record.seq + 1, now, "read", reader.agency, reader.subject, purpose, decision.basis),
        classes=tuple(sorted({class_of(name) for name in names})),
        fields=tuple(sorted(names)),
        detail=decision.grant,
    )
    return _noted(record, line), Readable(decision, record.key, shown)


def consent_changed(record: VaultRecord, agency: str, state: str, by: Reader, at: int) -> VaultRecord:
    """The record after the survivor gave, refused or withdrew consent for an agency; the latest word counts."""
    sharing = consented(record.sharing, agency, Consent(state, at, by.agency))
    if sharing == record.sharing:
        return record
    return _noted(replace(record, sharing=sharing), _line(record, by, f"consent_{state}", at, detail=agency))


def referred(
    record: VaultRecord,
    by: Reader,
    agency: str,
    purpose: str | None,
    classes: Collection[str],
    facts: Sequence[Fact],
    now: int,
) -> tuple[VaultRecord, str | Refusal | None]:
    """The record after an agency was asked to act, with the facts that say so, and what entitles it to the classes it
    is told: it is told nothing that it may not read. The same facts again change nothing."""
    told = (
        access.decide(Reader(agency, "", frozenset({PII_READ})), purpose, classes, record.sharing, now)
        if purpose
        else None
    )
    added = facts_added(record, facts)
    if added is record:
        return record, told.basis if isinstance(told, access.Access) else None
    if isinstance(told, Refusal):
        return _refused(record, by, purpose, told, now), told
    if told is not None and record.key is None:
        return record, Refusal("erased" if record.erased_at is not None else "nothing_kept")
    basis = told.basis if told is not None else None
    if len(record.audit) >= MOST_WAITING:
        return record, Refusal("busy")
    line = _line(
        record, by, "referred", now, purpose=purpose, basis=basis, classes=tuple(sorted(classes)), detail=agency
    )
    return _noted(added, line), basis


def basis_changed(record: VaultRecord, agency: str, code: str | None, by: Reader, at: int) -> VaultRecord:
    """The record after a legal basis was noted for an agency, or taken back (None)."""
    others = {other: basis for other, basis in record.sharing.bases.items() if other != agency}
    sharing = replace(record.sharing, bases=others)
    if code is not None:
        sharing = based(sharing, agency, Basis(code, at, by.agency))
    if sharing == record.sharing:
        return record
    changed = replace(record, sharing=sharing)
    return _noted(changed, _line(record, by, "basis_noted" if code else "basis_ended", at, basis=code, detail=agency))


def break_glass(
    record: VaultRecord, reader: Reader, reason: str, length: timedelta, grant_id: str, now: int
) -> tuple[VaultRecord, Grant | Refusal]:
    """The record with glass broken by this reader for so long. The same id again is the same grant."""
    known = next((grant for grant in record.sharing.grants if grant.id == grant_id), None)
    if known is not None:
        theirs = (known.agency, known.subject) == (reader.agency, reader.subject)
        return record, known if theirs else Refusal("no_such_grant")
    refusal = access.may_break_glass(reader, reason, length)
    if refusal is not None:
        return _refused(record, reader, None, refusal, now), refusal
    if len(record.sharing.grants) >= MOST_GRANTS or len(record.audit) >= MOST_WAITING:
        return record, Refusal("busy")
    grant = Grant(grant_id, reader.agency, reader.subject, reason, now, now + length // _STEP * MICROSECOND)
    changed = replace(record, sharing=replace(record.sharing, grants=(*record.sharing.grants, grant)))
    return _noted(changed, _line(record, reader, "glass_broken", now, basis=reason, detail=grant_id)), grant


def break_glass_reviewed(
    record: VaultRecord, grant_id: str, verdict: str, reader: Reader, now: int
) -> tuple[VaultRecord, Grant | Refusal]:
    """The record after a coordinator looked at it; what was not justified ends at once."""
    known = next((grant for grant in record.sharing.grants if grant.id == grant_id), None)
    refusal = _cannot_review(known, verdict, reader)
    if known is None or refusal is not None:
        return record, refusal or Refusal("no_such_grant")
    reviewed = replace(known, review=Review(verdict, now, reader.agency, reader.subject))
    grants = tuple(reviewed if grant.id == grant_id else grant for grant in record.sharing.grants)
    changed = replace(record, sharing=replace(record.sharing, grants=grants))
    return _noted(changed, _line(record, reader, "glass_reviewed", now, basis=verdict, detail=grant_id)), reviewed


def erased(record: VaultRecord, reader: Reader, reason: str, now: int) -> tuple[VaultRecord, Refusal | None]:
    """The record without its key, without all that it sealed, and without what could recognise the person again.

    The facts and the statistics made of them stay true: they never held anything of the person."""
    refusal = access.may_erase(reader, record.sharing)
    if refusal is None and reason not in ERASE_REASONS:
        refusal = Refusal("unknown_erase_reason")
    if refusal is not None:
        return _refused(record, reader, None, refusal, now), refusal
    if record.erased_at is not None:
        return record, None
    gone = replace(_without(record, CLASSES, now), key=None, erased_at=now, due=None)
    line = _line(record, reader, "erased", now, basis=reason, classes=tuple(sorted(record.kept)))
    return _noted(gone, line), None


def expired(record: VaultRecord, because: Mapping[str, str], now: int, due: int | None = None) -> VaultRecord:
    """The record without the classes whose period has ended (each with the line of the policy that says so), one line
    for the audit for each. With the last of them the key goes too. `due`: when the next has to go."""
    kept = record.kept
    gone = replace(_without(record, because.keys(), now), due=due)
    for name in sorted(because):
        if name in kept:
            line = _line(gone, SYSTEM, "period_ended", now, basis=because[name], classes=(name,))
            gone = _noted(gone, line)
    return gone if gone.kept or not kept else replace(gone, key=None, erased_at=now, due=None)


def chained(record: VaultRecord, through: int) -> VaultRecord:
    """The record once the lines up to this number stand in the audit chain."""
    return replace(record, audit=tuple(line for line in record.audit if line.seq > through))


def unreviewed(record: VaultRecord) -> tuple[Grant, ...]:
    """The broken glass nobody has looked at yet."""
    return tuple(grant for grant in record.sharing.grants if grant.review is None)


def _cannot_review(grant: Grant | None, verdict: str, reader: Reader) -> Refusal | None:
    if grant is None:
        return Refusal("no_such_grant")
    if grant.review is not None:
        return Refusal("reviewed_before")
    return Refusal("unknown_verdict") if verdict not in VERDICTS else access.may_review(reader, grant)


def _of_classes(report: Report, classes: Iterable[str]) -> dict[str, bytes]:
    return {name: sealed for name, sealed in report.fields.items() if class_of(name) in classes}


def _without(record: VaultRecord, classes: Iterable[str], now: int) -> VaultRecord:
    """Without these classes, and without the indexes that were made of them."""
    gone = frozenset(classes)
    destroyed = {**record.destroyed, **{name: now for name in gone & record.kept}}
    return replace(
        record, reports=tuple(_thinned(report, CLASSES - gone) for report in record.reports), destroyed=destroyed
    )


def _thinned(report: Report, classes: frozenset[str]) -> Report:
    fields = _of_classes(report, classes)
    left = frozenset(map(class_of, fields))
    traces, none = report.traces, frozenset[str]()
    return replace(
        report,
        fields=fields,
        # With the last field goes the digest of the request, by which a guess at all of it could be confirmed.
        request=report.request if fields or not report.fields else "",
        traces=Traces(
            survivor=traces.survivor if IDENTITY in left else none,
            offender=traces.offender if OFFENDER in left else none,
            pair=traces.pair if {IDENTITY, OFFENDER} <= left else none,
            phones=traces.phones if {CONTACT, CALLER} & left else none,
            places=traces.places if {CONTACT, CALLER} & left else none,
        ),
    )


def _refused(record: VaultRecord, reader: Reader, purpose: str | None, refusal: Refusal, now: int) -> VaultRecord:
    if len(record.audit) >= MOST_REFUSED:
        return record
    # A purpose is repeated only where it is one of ours: whatever was sent may be about a person.
    stated = purpose if purpose in PURPOSES else None
    return _noted(record, _line(record, reader, "refused", now, purpose=stated, detail=refusal.code))


def _line(
    record: VaultRecord,
    who: Reader,
    action: str,
    at: int,
    *,
    purpose: str | None = None,
    basis: str | None = None,
    classes: tuple[str, ...] = (),
    detail: str | None = None,
) -> Entry:
    return Entry(record.seq + 1, at, action, who.agency, who.subject, purpose, basis, classes, (), detail)


def _noted(record: VaultRecord, line: Entry) -> VaultRecord:
    return replace(record, audit=(*record.audit, line), seq=line.seq)
