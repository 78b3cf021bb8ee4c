"""How the vault's record of a case is written down, and read again: one document, instants as 64-bit integers, bytes as
bytes. Field names of the form never become names of the database, which gives `.` and `$` a meaning. Pure.

A document of an older program has fewer fields; what a newer one added is kept as it is.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from intake.vault.access import Basis, Consent, Grant, Review, Sharing
from intake.vault.blind import Traces
from intake.vault.dealing import unreviewed
from intake.vault.keys import Wrapped
from intake.vault.records import CaseKey, Entry, Marks, Report, VaultRecord
from qorgau.shell.documents import NewerDocument, fact_document, fact_of_document

SCHEMA = 1
_TRACES = ("survivor", "offender", "pair", "phones", "places")
# The last line is derived from the others, for the database to search by.
_KNOWN = frozenset(
    (
        *("_id", "p", "v", "schema", "facts", "pending", "key", "reports", "pair_ref", "advocate", "consents", "bases"),
        *("grants", "audit", "seq", "marks", "due", "destroyed", "erased_at"),
        *("kek", "indexes", "unreviewed", "unchained"),
    )
)


def to_document(record: VaultRecord, partition: int, version: str) -> dict[str, Any]:
    """The document of a case in a partition, under a new version."""
    sharing = record.sharing
    return {
        **record.extra,
        "_id": record.case,
        "p": partition,
        "v": version,
        "schema": SCHEMA,
        "facts": [fact_document(fact) for fact in record.facts],
        "pending": int(record.pending),
        "key": _key_document(record.key),
        "reports": [_report_document(report) for report in record.reports],
        "pair_ref": record.pair_ref,
        "advocate": sharing.advocate,
        "consents": [[agency, each.state, each.at, each.by] for agency, each in sharing.consents.items()],
        "bases": [[agency, each.code, each.at, each.by] for agency, each in sharing.bases.items()],
        "grants": [_grant_document(grant) for grant in sharing.grants],
        "audit": [_entry_document(entry) for entry in record.audit],
        "seq": record.seq,
        "marks": [record.marks.opened, record.marks.last_fact, record.marks.closed],
        "due": record.due,
        "destroyed": [[name, at] for name, at in sorted(record.destroyed.items())],
        "erased_at": record.erased_at,
        "kek": None if record.key is None else record.key.wrapped.kek,
        "indexes": sorted({index for report in record.reports for index in report.traces.all}),
        "unreviewed": int(bool(unreviewed(record))),
        "unchained": int(bool(record.audit)),
    }


def from_document(document: Mapping[str, Any]) -> VaultRecord:
    """The record of a document; raises NewerDocument for one in a form that this program does not know."""
    get = document.get
    if get("schema", SCHEMA) > SCHEMA:
        raise NewerDocument
    return VaultRecord(
        case=document["_id"],
        key=_key(get("key")),
        reports=tuple(map(_report, get("reports", ()))),
        facts=tuple(map(fact_of_document, get("facts", ()))),
        pending=bool(get("pending", 0)),
        pair_ref=get("pair_ref"),
        sharing=Sharing(
            advocate=get("advocate"),
            consents={agency: Consent(state, at, by) for agency, state, at, by in get("consents", ())},
            bases={agency: Basis(code, at, by) for agency, code, at, by in get("bases", ())},
            grants=tuple(map(_grant, get("grants", ()))),
        ),
        audit=tuple(map(_entry, get("audit", ()))),
        seq=get("seq", 0),
        marks=Marks(*get("marks", ())),
        due=get("due"),
        destroyed=dict(get("destroyed", ())),
        erased_at=get("erased_at"),
        version=get("v", ""),
        extra={name: value for name, value in document.items() if name not in _KNOWN},
    )


def _key_document(key: CaseKey | None) -> dict[str, Any] | None:
    return None if key is None else {"id": key.id, "kek": key.wrapped.kek, "value": key.wrapped.value}


def _key(document: Mapping[str, Any] | None) -> CaseKey | None:
    if document is None:
        return None
    return CaseKey(document["id"], Wrapped(document["kek"], bytes(document["value"])))


def _report_document(report: Report) -> dict[str, Any]:
    return {
        "id": report.id,
        "source": report.source,
        "at": report.at,
        "request": report.request,
        "fields": [[name, sealed] for name, sealed in report.fields.items()],
        "traces": {name: sorted(getattr(report.traces, name)) for name in _TRACES},
        # As text, so that no name and no number in it means anything to the database.
        "codes": orjson.dumps(dict(report.codes)).decode(),
    }


def _report(document: Mapping[str, Any]) -> Report:
    return Report(
        id=document["id"],
        source=document["source"],
        at=document["at"],
        request=document["request"],
        fields={name: bytes(sealed) for name, sealed in document["fields"]},
        traces=Traces(**{name: frozenset(document["traces"][name]) for name in _TRACES}),
        codes=orjson.loads(document["codes"]),
    )


def _grant_document(grant: Grant) -> list[Any]:
    review = grant.review
    reviewed = None if review is None else [review.verdict, review.at, review.agency, review.subject]
    return [grant.id, grant.agency, grant.subject, grant.reason, grant.at, grant.until, reviewed]


def _grant(document: list[Any]) -> Grant:
    name, agency, subject, reason, at, until, reviewed = document
    return Grant(name, agency, subject, reason, at, until, None if reviewed is None else Review(*reviewed))


def _entry_document(entry: Entry) -> list[Any]:
    return [
        *(entry.seq, entry.at, entry.action, entry.agency, entry.subject, entry.purpose, entry.basis),
        *(list(entry.classes), list(entry.fields), entry.detail),
    ]


def _entry(document: list[Any]) -> Entry:
    seq, at, action, agency, subject, purpose, basis, classes, fields, detail = document
    return Entry(seq, at, action, agency, subject, purpose, basis, tuple(classes), tuple(fields), detail)
