"""How the vault writes a record down: the same when read back, nothing in plain, and no newer form misread."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import bson
import pytest

from intake.vault.classes import NARRATIVE
from intake.vault.dealing import break_glass, break_glass_reviewed, erased, expired, read
from intake.vault.packing import unpack
from intake.vault.records import Marks, VaultRecord, linked, marked
from intake.vault.sealing import Unsealable
from intake.vault.storing import SCHEMA, from_document, to_document
from qorgau.shell.documents import NewerDocument
from tests.vault_case import CENTRE, DATA_KEY, NOW, POLICE, new_record, reader


@pytest.fixture
def record() -> VaultRecord:
    return new_record()


def busy(record: VaultRecord) -> VaultRecord:
    """A record with something of everything."""
    record, _ = break_glass(linked(record, "p1"), reader(), "immediate_danger", timedelta(hours=1), "g1", NOW)
    record, _ = break_glass(record, reader(POLICE, "desk-2"), "immediate_danger", timedelta(hours=1), "g2", NOW)
    record, _ = break_glass_reviewed(record, "g1", "justified", reader("coordinator", "c1"), NOW)
    record, _ = read(record, reader(), "proceedings", None, NOW)
    record = expired(record, {NARRATIVE: "narrative/0"}, NOW, NOW + 9)
    return marked(record, Marks(None, NOW, NOW + 1), NOW + 9)


def emptied(record: VaultRecord) -> VaultRecord:
    return erased(record, reader(CENTRE), "survivor_request", NOW)[0]


@pytest.mark.parametrize("made", [lambda record: record, busy, emptied])
def test_a_record_is_the_same_after_the_database(
    record: VaultRecord, made: Callable[[VaultRecord], VaultRecord]
) -> None:
    there = replace(made(record), version="v1", extra={"newer": [1]})
    document = bson.decode(bson.encode(to_document(there, 3, "v1")))
    assert from_document(document) == there
    assert (document["p"], document["schema"], document["newer"]) == (3, 1, [1])


def test_the_document_says_what_the_database_has_to_search_by(record: VaultRecord) -> None:
    document = to_document(busy(record), 3, "v1")
    assert (document["kek"], document["unreviewed"], document["unchained"], document["pending"]) == ("k1", 1, 1, 1)
    assert set(document["indexes"]) == record.reports[0].traces.all
    assert to_document(record, 3, "v1")["unreviewed"] == 0


def test_a_document_from_before_there_was_a_personal_part_is_read() -> None:
    before = {"_id": "c1", "p": 3, "facts": [], "pending": 1}
    assert from_document(before) == VaultRecord("c1", pending=True)


def test_the_document_and_every_text_of_the_record_hold_nothing_in_plain(record: VaultRecord) -> None:
    document = bson.encode(to_document(busy(record), 3, "v1"))
    for canary in ("Canary", "canaryword", "860412400123", "7011234567", "7070000000"):
        assert canary.encode() not in document
        assert canary not in repr(record)


def test_a_field_moved_to_another_report_of_the_case_does_not_open(record: VaultRecord) -> None:
    fields = record.reports[0].fields
    assert unpack("c1", "r1", fields, DATA_KEY, "d1")["narrative"] == "canary narrative"
    for case, name in (("c1", "r2"), ("c2", "r1")):
        with pytest.raises(Unsealable):
            unpack(case, name, fields, DATA_KEY, "d1")
    swapped = {"survivor.name": fields["narrative"]}
    with pytest.raises(Unsealable):
        unpack("c1", "r1", swapped, DATA_KEY, "d1")


def test_a_document_in_a_newer_form_is_refused_and_not_misread() -> None:
    document = to_document(VaultRecord("c1"), 3, "v1")
    assert from_document(document).case == "c1"
    with pytest.raises(NewerDocument):
        from_document({**document, "schema": SCHEMA + 1})
