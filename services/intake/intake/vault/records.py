"""The vault's record of one case: what is in it, and how reports, links and keys change it. Pure.

A record is one document and a change one write of it. Which facts are still to be told, and which audit entries are
still to be chained, stands in it too. What people do with it, reading above all, is in `dealing.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from intake.vault.access import ADVOCATES, Basis, Consent, Sharing
from intake.vault.blind import Traces
from intake.vault.classes import class_of
from intake.vault.form import Personal
from intake.vault.keys import Wrapped
from qorgau.errors import Rejected, TooManyRequests
from qorgau.facts import Fact

# More reports or agencies in one case come from a sender that went wild; the document has to stay small.
MOST_REPORTS = 200
MOST_AGENCIES = 200

_Word = TypeVar("_Word", Consent, Basis)


class Erased(Rejected):
    """The personal data of this case were destroyed, and no more can be added."""

    slug, title, status = "erased", "The personal data of this case were destroyed", 410


@dataclass(frozen=True, slots=True)
class CaseKey:
    """The case's data key, wrapped, under an id that stands in everything it seals."""

    id: str
    wrapped: Wrapped


@dataclass(frozen=True, slots=True)
class Report:
    """One report as the vault keeps it: sealed field by field, what can be compared, the codes that travel, and a
    keyed digest of the request, by which the same key with another body is noticed."""

    id: str
    source: str
    at: int
    request: str
    fields: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    traces: Traces = field(default_factory=Traces, repr=False)
    codes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line for the audit chain: who did what, when, for which purpose and on which basis. Never a value."""

    seq: int
    at: int
    action: str
    agency: str
    subject: str
    purpose: str | None = None
    basis: str | None = None
    classes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """When things happened from which a period of retention counts; `closed` only while the case is closed."""

    opened: int | None = None
    last_fact: int | None = None
    closed: int | None = None


@dataclass(frozen=True, slots=True)
class VaultRecord:
    """The vault's record of a case. `key` is gone when it was erased; `facts` came this way, `pending`: not all of them
    are known to be in the log; `due`: when the next of it has to go; `destroyed`: which classes went, and when."""

    case: str
    key: CaseKey | None = None
    reports: tuple[Report, ...] = ()
    facts: tuple[Fact, ...] = ()
    pending: bool = False
    pair_ref: str | None = None
    sharing: Sharing = field(default_factory=Sharing)
    audit: tuple[Entry, ...] = ()
    seq: int = 0
    marks: Marks = field(default_factory=Marks)
    due: int | None = None
    destroyed: Mapping[str, int] = field(default_factory=dict)
    erased_at: int | None = None
    version: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kept(self) -> frozenset[str]:
        """The classes of which something is still there."""
        return frozenset(class_of(name) for report in self.reports for name in report.fields)

    def known(self, report_id: str) -> Report | None:
        """The report of that id, by which a repeated request is answered."""
        return next((report for report in self.reports if report.id == report_id), None)


def opened(
    case: str, report: Report, facts: Sequence[Fact], key: CaseKey | None, personal: Personal | None, now: int
) -> VaultRecord:
    """A case with its first report; the facts of it are still to be told. Without a personal part it needs no key."""
    record = VaultRecord(case, key, marks=Marks(opened=now))
    return report_added(record, report, facts, personal, now)


def report_added(
    record: VaultRecord, report: Report, facts: Sequence[Fact], personal: Personal | None, now: int
) -> VaultRecord:
    """The record with one more report; the same report again changes nothing. Raises Erased, TooManyRequests."""
    if record.known(report.id) is not None:
        return record
    if record.erased_at is not None and report.fields:
        raise Erased("Open another case.")
    if report.fields and record.key is None:
        raise ValueError("sealed fields need the case's key")
    if len(record.reports) >= MOST_REPORTS:
        raise TooManyRequests("The case holds too many reports.")
    return replace(
        record,
        reports=(*record.reports, report),
        facts=(*record.facts, *facts),
        pending=record.pending or bool(facts),
        sharing=_with_report(record.sharing, report, personal, now),
    )


def facts_added(record: VaultRecord, facts: Sequence[Fact]) -> VaultRecord:
    """The record with facts that are still to be told; those it has already change nothing."""
    known = {fact.identity for fact in record.facts}
    new = tuple(fact for fact in facts if fact.identity not in known)
    return replace(record, facts=(*record.facts, *new), pending=True) if new else record


def linked(record: VaultRecord, pair_ref: str) -> VaultRecord:
    """The record under the reference of its pair; a reference once given stays."""
    return record if record.pair_ref is not None else replace(record, pair_ref=pair_ref)


def rewrapped(record: VaultRecord, wrapped: Wrapped) -> VaultRecord:
    """The same data key under another key-encryption key; an erased record has none to wrap."""
    return record if record.key is None else replace(record, key=replace(record.key, wrapped=wrapped))


def marked(record: VaultRecord, marks: Marks, due: int | None) -> VaultRecord:
    """The record with what its periods of retention count from, and when the next of it has to go."""
    return replace(record, marks=replace(marks, opened=record.marks.opened), due=due)


def consented(sharing: Sharing, agency: str, consent: Consent) -> Sharing:
    """What holds after a word about consent; of two words the later one counts, however they arrive."""
    known = sharing.consents.get(agency)
    if known is not None and known.at > consent.at:
        return sharing
    return replace(sharing, consents=_with(sharing.consents, agency, consent))


def based(sharing: Sharing, agency: str, basis: Basis) -> Sharing:
    """What holds after a legal basis was noted."""
    return replace(sharing, bases=_with(sharing.bases, agency, basis))


def _with_report(sharing: Sharing, report: Report, personal: Personal | None, now: int) -> Sharing:
    kind = report.source.partition("/")[0]
    # The first of them that told of it: two advocates would each think that the other one calls.
    if sharing.advocate is None and kind in ADVOCATES:
        sharing = replace(sharing, advocate=report.source)
    if personal is None:
        return sharing
    for agency, state in personal.consents.items():
        sharing = consented(sharing, agency, Consent(state, now, report.source))
    for agency, code in personal.legal_bases.items():
        sharing = based(sharing, agency, Basis(code, now, report.source))
    return sharing


def _with(words: Mapping[str, _Word], agency: str, word: _Word) -> Mapping[str, _Word]:
    # One agency more than anybody works with is not noted, and so may not read: the safe side.
    return words if agency not in words and len(words) >= MOST_AGENCIES else {**words, agency: word}
