"""A case comes back from its document as it went in, with what a newer program added to it."""

from dataclasses import replace

import bson
import pytest

from qorgau.facts import Fact
from qorgau.record import CaseRecord
from qorgau.rows import FlagEvent, FlagRow
from qorgau.shell.documents import (
    EVENTS,
    NOTHING,
    SCHEMA,
    NewerDocument,
    Stored,
    Told,
    from_document,
    to_document,
    with_events,
)

FACT = Fact(
    "f1", "102/KZ-75", "police.arrived", 1_700_000_000_123_456, 2, "c1", {"$set": 2**63, "a.b": {"x": [1, None]}}
)
ROW = FlagRow("c1", "P03", "k", "breach", "critical", 10, 20, 20, None, None, "open", (("L2", 20),), "KZ-75", "102")
OF_ANOTHER, CONTEXT = replace(FACT, case="c2"), replace(FACT, case=None)
RECORD = CaseRecord("c1", (FACT,), (ROW,), 25, 30, 4, ((30, "P03", "k", 10), (31, "F7", "", None)), "fp")


def again(stored: Stored) -> Stored:
    document = to_document(stored, 3, "2.x")
    return from_document(bson.decode(bson.encode(document)))


def test_a_case_comes_back_as_it_went_in() -> None:
    event = FlagEvent("raised", ROW, 20, 4)
    told = Told(40, 9, {"id": {"rule": "P03"}})
    stored = with_events(
        Stored(replace(RECORD, others=(OF_ANOTHER, CONTEXT)), "1.x", full=True, closed=True), (event,), 21
    )
    assert again(stored) == replace(stored, version="2.x")
    silent = replace(stored, told=told)
    assert again(silent) == replace(silent, version="2.x")


def test_fields_of_a_newer_program_are_kept() -> None:
    document = to_document(Stored(RECORD), 3, "1.x") | {"attribution": {"legs": [1]}}
    assert to_document(from_document(document), 3, "2.x")["attribution"] == {"legs": [1]}


def test_a_document_in_a_newer_form_is_refused_and_not_misread() -> None:
    document = to_document(Stored(RECORD), 3, "1.x") | {"schema": SCHEMA + 1, "facts": {"in": "another form"}}
    with pytest.raises(NewerDocument) as refused:
        from_document(document)
    assert (refused.value.status, refused.value.problem()["type"]) == (503, "urn:qorgau:problem:newer-document")


def test_pending_says_what_kafka_has_not_acknowledged() -> None:
    told = with_events(Stored(RECORD), (FlagEvent("raised", ROW, 20, 4),), 21)
    assert (Stored(RECORD).pending, told.pending) == (NOTHING, EVENTS)


def test_an_event_carries_the_row_its_number_and_when_it_was_saved() -> None:
    told = with_events(Stored(RECORD), (FlagEvent("raised", ROW, 20, 4),), 21)
    headers = dict(told.outbox[0].headers("police-dispatch", "c1"))
    assert headers["ce_type"] == b"qorgau.flag.raised.v1"
    assert headers["ce_source"] == b"system/police-dispatch"
    for text in ('"seq":4', '"emitted_at":"1970-01-01T00:00:00.000021Z"', f'"id":"{ROW.id}"', '"rule":"P03"'):
        assert text in told.outbox[0].value
