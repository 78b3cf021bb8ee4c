"""The vault's record of a case: opening it, adding to it, erasing it, periods that end, and keys that change."""

from dataclasses import replace

import bson
import pytest

from intake.vault.access import Consent, Refusal
from intake.vault.blind import Traces
from intake.vault.classes import CALLER, CLASSES, CONTACT, IDENTITY, OFFENDER, SAFE_CONTACT
from intake.vault.dealing import erased, expired, read
from intake.vault.keys import Wrapped
from intake.vault.records import (
    MOST_REPORTS,
    CaseKey,
    Erased,
    Marks,
    Report,
    VaultRecord,
    linked,
    marked,
    opened,
    report_added,
    rewrapped,
)
from intake.vault.storing import to_document
from qorgau.errors import TooManyRequests
from qorgau.instants import HOUR
from tests.vault_case import CENTRE, FACT, KEY, NOW, POLICE, new_record, reader, report, told


@pytest.fixture
def record() -> VaultRecord:
    return new_record()


def test_a_report_opens_a_case_with_its_fact_to_be_told_and_its_sharing(record: VaultRecord) -> None:
    assert (record.facts, record.pending, record.marks.opened) == ((FACT,), True, NOW)
    assert record.sharing.advocate == CENTRE
    assert record.sharing.consents == {POLICE: Consent("given", NOW, CENTRE)}
    assert record.sharing.bases["102/KZ-75"].code == "vital_interest"
    assert record.kept == CLASSES - {"children"}


def test_a_report_of_codes_alone_needs_no_key() -> None:
    plain = opened("c1", Report("r1", "102/KZ-75", NOW, "x"), [FACT], None, None, NOW)
    assert (plain.key, plain.kept, plain.sharing.advocate) == (None, frozenset(), None)
    answer = read(plain, reader("102/KZ-75"), "emergency_response", None, NOW)[1]
    assert answer == Refusal("no_basis")
    with pytest.raises(ValueError, match="need the case's key"):
        opened("c1", report(), [FACT], None, told(), NOW)


def test_the_same_report_again_changes_nothing_and_another_one_is_added(record: VaultRecord) -> None:
    assert report_added(record, report(), [FACT], told(), NOW + 1) is record
    more = report_added(replace(record, pending=False), report("r2", "helpline-150/KZ-75"), [FACT], told(), NOW + 1)
    assert ([each.id for each in more.reports], more.pending) == (["r1", "r2"], True)
    # The first advocate stays it.
    assert more.sharing.advocate == CENTRE
    assert more.known("r2") is more.reports[1]


def test_a_case_takes_a_bounded_number_of_reports(record: VaultRecord) -> None:
    full = replace(record, reports=tuple(replace(record.reports[0], id=f"r{n}") for n in range(MOST_REPORTS)))
    with pytest.raises(TooManyRequests):
        report_added(full, report("another"), [], None, NOW)


def test_erasing_leaves_the_facts_and_nothing_of_the_person(record: VaultRecord) -> None:
    gone, refusal = erased(linked(record, "pair1"), reader(CENTRE), "survivor_request", NOW + 1)
    assert refusal is None
    assert (gone.key, gone.kept, gone.erased_at, gone.facts) == (None, frozenset(), NOW + 1, (FACT,))
    assert all(each.traces == Traces() for each in gone.reports)
    assert gone.destroyed.keys() == record.kept
    document = bson.encode(to_document(gone, 3, "v2"))
    for report_ in record.reports:
        for sealed in report_.fields.values():
            assert sealed not in document
        assert not [index for index in report_.traces.all if index.encode() in document]
    assert KEY.wrapped.value not in document
    # Nor the digest by which a guess at the whole request could be confirmed.
    assert record.reports[0].request.encode() not in document
    assert read(gone, reader(CENTRE), "support", None, NOW + 2)[1] == Refusal("erased")
    # Who has no business here learns nothing by it.
    assert read(gone, reader("court/KZ-75"), "proceedings", None, NOW + 2)[1] == Refusal("no_basis")


def test_an_erased_case_stays_erased(record: VaultRecord) -> None:
    gone, _ = erased(record, reader(CENTRE), "survivor_request", NOW)
    assert erased(gone, reader(CENTRE), "survivor_request", NOW + 1) == (gone, None)
    assert rewrapped(gone, Wrapped("k2", b"x")) is gone
    with pytest.raises(Erased):
        report_added(gone, report("r2"), [FACT], told(), NOW)
    bare = report_added(gone, Report("r2", "102/KZ-75", NOW, "x"), [FACT], None, NOW)
    assert len(bare.facts) == 2
    # A report of codes alone keeps its digest: a repeated request is still known.
    plain = opened("c1", Report("r1", CENTRE, NOW, "x"), [FACT], None, None, NOW)
    assert erased(plain, reader(CENTRE), "survivor_request", NOW)[0].reports == plain.reports


def test_only_the_advocate_or_a_coordinator_erases_and_says_why(record: VaultRecord) -> None:
    for who, reason, refused in (
        (reader(), "survivor_request", "no_advocate"),
        (reader(CENTRE), "canary", "unknown_erase_reason"),
    ):
        after, refusal = erased(record, who, reason, NOW)
        assert (refusal, after.key, after.kept) == (Refusal(refused), KEY, record.kept)
        assert "canary" not in repr(after.audit)


def test_a_class_whose_period_ended_goes_and_the_rest_stays(record: VaultRecord) -> None:
    after = expired(record, {SAFE_CONTACT: "safe_contact/0", "children": "children/0"}, NOW, NOW + HOUR)
    assert after.kept == record.kept - {SAFE_CONTACT}
    assert after.destroyed == {SAFE_CONTACT: NOW}
    assert (after.key, after.due) == (KEY, NOW + HOUR)
    lines = [(line.action, line.agency, line.basis, line.classes) for line in after.audit]
    assert lines == [("period_ended", "system/intake", "safe_contact/0", (SAFE_CONTACT,))]


def test_with_the_last_class_the_key_goes_too(record: VaultRecord) -> None:
    after = expired(record, dict.fromkeys(CLASSES, "line"), NOW, NOW + HOUR)
    assert (after.key, after.erased_at, after.due, after.kept) == (None, NOW, None, frozenset())
    assert expired(after, dict.fromkeys(CLASSES, "line"), NOW + 1).audit == after.audit


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ({IDENTITY}, {"offender", "phones", "places"}),
        ({OFFENDER}, {"survivor", "phones", "places"}),
        ({CONTACT}, {"survivor", "offender", "pair", "phones", "places"}),
        ({CONTACT, CALLER}, {"survivor", "offender", "pair"}),
        ({IDENTITY, OFFENDER, CONTACT, CALLER}, set()),
    ],
)
def test_an_index_goes_with_what_it_was_made_of(record: VaultRecord, gone: set[str], left: set[str]) -> None:
    after = expired(record, dict.fromkeys(gone, "line"), NOW).reports[0].traces
    kinds = ("survivor", "offender", "pair", "phones", "places")
    assert {kind for kind in kinds if getattr(after, kind)} == left


def test_a_pair_reference_once_given_stays_and_keys_and_marks_change(record: VaultRecord) -> None:
    assert linked(linked(record, "p1"), "p2").pair_ref == "p1"
    anew = rewrapped(record, Wrapped("k2", b"other"))
    assert anew.key == CaseKey("d1", Wrapped("k2", b"other"))
    assert marked(record, Marks(None, 5, 7), 9).marks == Marks(NOW, 5, 7)
    assert marked(record, Marks(), 9).due == 9
