"""How a case is written down: one document with its facts, its flags, what is due next and what is not yet in Kafka.

Instants are 64-bit integers of microseconds (the database's own dates stop at milliseconds). The data of a fact is JSON
text, so that no field name and no number in it means anything to the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from qorgau.errors import QorgauError
from qorgau.facts import Fact
from qorgau.front.envelope import JSON, Headers
from qorgau.front.reading import flag_item
from qorgau.instants import format_instant
from qorgau.record import CaseRecord
from qorgau.rows import FlagEvent, FlagRow

# Raised with every change that a program of before would misread; further fields are no such change, they are kept.
SCHEMA = 1
# What `pending` says: nothing to publish, or flag events.
NOTHING, EVENTS = 0, 1
# The fields that `facts_in` reads.
FACTS = {"schema": 1, "facts": 1}
_KNOWN = frozenset(
    (
        *("_id", "p", "v", "schema", "facts", "flags", "as_of", "next_due", "seq", "timers", "fp", "law_from"),
        *("outbox", "others", "pending", "full", "closed", "told", "open"),
    )
)


class NewerDocument(QorgauError):
    """A document that a newer program wrote in another form. It must be neither read nor written by this one."""

    slug, title, status = "newer-document", "A newer program has written this database: update this one", 503


@dataclass(frozen=True, slots=True)
class Event:
    """A flag event as it will be published: `value` is the whole JSON, made when it was saved."""

    id: str
    seq: int
    type: str
    at: int
    value: str

    def headers(self, service: str, case: str) -> Headers:
        """Its headers on the flags topic, in the binary mode of CloudEvents."""
        return [
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_source", f"system/{service}".encode()),
            ("ce_type", self.type.encode()),
            ("ce_time", format_instant(self.at).encode()),
            ("ce_subject", case.encode()),
            ("content-type", JSON.encode()),
        ]


@dataclass(frozen=True, slots=True)
class Told:
    """What the flags topic already tells of a case whose record was made again: the newest instant and number, and
    each flag's newest data by its id. The record publishes nothing until it has passed `at`."""

    at: int
    seq: int
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stored:
    """A case as one document. `version` is empty while it is new; `full`: facts were parked because it holds too many;
    `closed`: no duty runs any more; `extra`: fields that no case has, of a surge or of a newer program, kept as they
    are."""

    record: CaseRecord
    version: str = ""
    outbox: tuple[Event, ...] = ()
    full: bool = False
    closed: bool = False
    told: Told | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def next_due(self) -> int | None:
        """When it must be looked at next; a record that catches up also when it has passed what was told of it."""
        due, told = self.record.next_due, None if self.told is None else self.told.at
        return min(due, told) if due is not None and told is not None else due if told is None else told

    @property
    def count(self) -> int:
        """How often it was written; 0 while it is new."""
        return int(self.version.partition(".")[0] or 0)

    @property
    def pending(self) -> int:
        """What of it is not yet acknowledged by Kafka."""
        return EVENTS if self.outbox else NOTHING


def flag_event(change: FlagEvent, emitted_at: int) -> Event:
    """A change of a flag as the event that will tell of it; `emitted_at` is fixed here, with the saving."""
    data = flag_item(change.flag) | {"emitted_at": format_instant(emitted_at), "seq": change.seq}
    return Event(
        id=change.id,
        seq=change.seq,
        type=f"qorgau.flag.{change.change}.v1",
        at=change.at,
        value=orjson.dumps(data).decode(),
    )


def to_document(stored: Stored, partition: int, version: str) -> dict[str, Any]:
    """The document of a case in a partition, under a new version."""
    record = stored.record
    up = [row for row in record.flags if row.cleared_at is None]
    return {
        **stored.extra,
        "_id": record.case,
        "p": partition,
        "v": version,
        "schema": SCHEMA,
        "facts": [_fact_document(fact) for fact in record.facts],
        "flags": [_flag_document(row) for row in record.flags],
        "as_of": record.as_of,
        "next_due": stored.next_due,
        "seq": record.seq,
        "timers": [list(timer) for timer in record.timers],
        "fp": record.fingerprint,
        "law_from": record.law_from,
        "outbox": [_event_document(event) for event in stored.outbox],
        "others": [fact_document(fact) for fact in record.others],
        "pending": stored.pending,
        "full": stored.full,
        "closed": stored.closed,
        "told": _told_document(stored.told),
        # What is up, for counting in the database without opening the flags.
        "open": [f"{row.rule}|{row.level}|{row.severity}|{row.region or ''}" for row in up],
    }


def from_document(document: Mapping[str, Any]) -> Stored:
    """The case of a document; raises NewerDocument."""
    check_schema(document)
    case = document["_id"]
    timers = tuple((at, rule, key, start) for at, rule, key, start in document["timers"])
    told_of = document["told"]
    # While it catches up the document is due earlier than the record; it is looked at again soon enough either way.
    record = CaseRecord(
        case=case,
        facts=facts_in(document),
        flags=tuple(_flag(case, flag) for flag in document["flags"]),
        as_of=document["as_of"],
        next_due=document["next_due"],
        seq=document["seq"],
        timers=timers,
        fingerprint=document["fp"],
        law_from=document["law_from"],
        others=tuple(map(fact_of_document, document.get("others", ()))),
    )
    return Stored(
        record=record,
        version=document["v"],
        outbox=tuple(Event(e["id"], e["seq"], e["type"], e["at"], e["value"]) for e in document["outbox"]),
        full=document["full"],
        closed=document["closed"],
        told=None if told_of is None else Told(told_of["at"], told_of["seq"], orjson.loads(told_of["rows"])),
        extra={name: value for name, value in document.items() if name not in _KNOWN},
    )


def facts_in(document: Mapping[str, Any]) -> tuple[Fact, ...]:
    """The facts in the document of a case; raises NewerDocument."""
    check_schema(document)
    return tuple(_fact(document["_id"], fact) for fact in document["facts"])


def check_schema(document: Mapping[str, Any]) -> None:
    """Raises NewerDocument where this program does not know the form of the document."""
    if document["schema"] > SCHEMA:
        raise NewerDocument


def with_events(stored: Stored, changes: tuple[FlagEvent, ...], emitted_at: int) -> Stored:
    """The case with more to publish."""
    if not changes:
        return stored
    return replace(stored, outbox=(*stored.outbox, *(flag_event(change, emitted_at) for change in changes)))


def fact_document(fact: Fact) -> dict[str, Any]:
    """A fact that stands in a document of its own, with its case."""
    return _fact_document(fact) | {"case": fact.case}


def fact_of_document(document: Mapping[str, Any]) -> Fact:
    """The fact of such a document."""
    return _fact(document["case"], document)


def _fact_document(fact: Fact) -> dict[str, Any]:
    data = orjson.dumps(dict(fact.data)).decode()
    return {
        "id": fact.id,
        "source": fact.source,
        "type": fact.type,
        "time": fact.time,
        "rec": fact.recorded,
        "data": data,
    }


def _fact(case: str | None, document: Mapping[str, Any]) -> Fact:
    return Fact(
        document["id"],
        document["source"],
        document["type"],
        document["time"],
        document["rec"],
        case,
        orjson.loads(document["data"]),
    )


def _flag_document(row: FlagRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "rule": row.rule,
        "key": row.key,
        "level": row.level,
        "severity": row.severity,
        "start": row.start_at,
        "due": row.due_at,
        "raised": row.raised_at,
        "cleared": row.cleared_at,
        "late": row.late_by,
        "outcome": row.outcome,
        "steps": [list(step) for step in row.escalations],
        "region": row.region,
        "agency": row.agency,
    }


def _flag(case: str, document: Mapping[str, Any]) -> FlagRow:
    return FlagRow(
        case=case,
        rule=document["rule"],
        key=document["key"],
        level=document["level"],
        severity=document["severity"],
        start_at=document["start"],
        due_at=document["due"],
        raised_at=document["raised"],
        cleared_at=document["cleared"],
        late_by=document["late"],
        outcome=document["outcome"],
        escalations=tuple((step, at) for step, at in document["steps"]),
        region=document["region"],
        agency=document["agency"],
    )


def _event_document(event: Event) -> dict[str, Any]:
    return {"id": event.id, "seq": event.seq, "type": event.type, "at": event.at, "value": event.value}


def _told_document(told: Told | None) -> dict[str, Any] | None:
    if told is None:
        return None
    return {"at": told.at, "seq": told.seq, "rows": orjson.dumps(dict(told.rows)).decode()}
