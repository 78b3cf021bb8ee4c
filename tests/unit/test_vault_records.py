"""The vault's record of a case: reading and its trace, consent, broken glass, erasure, and how it is written down."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import bson
import pytest

from intake.vault.access import Consent, Grant, Reader, Refusal
from intake.vault.blind import IndexKeys, Traces, traces
from intake.vault.classes import CALLER, CLASSES, CONTACT, IDENTITY, NARRATIVE, OFFENDER, SAFE_CONTACT
from intake.vault.dealing import (
    MOST_REFUSED,
    MOST_WAITING,
    Readable,
    basis_changed,
    break_glass,
    break_glass_reviewed,
    chained,
    consent_changed,
    erased,
    expired,
    read,
    unreviewed,
)
from intake.vault.form import Personal, split
from intake.vault.keys import Wrapped
from intake.vault.packing import pack, unpack
from intake.vault.records import (
    MOST_AGENCIES,
    MOST_REPORTS,
    CaseKey,
    Erased,
    Marks,
    Report,
    VaultRecord,
    facts_told,
    linked,
    marked,
    opened,
    reindexed,
    report_added,
    rewrapped,
)
from intake.vault.sealing import Unsealable
from intake.vault.storing import from_document, to_document
from qorgau.errors import TooManyRequests
from qorgau.facts import Fact
from qorgau.instants import HOUR

NOW = 1_775_000_000_000_000
CENTRE, POLICE = "crisis-centre/KZ-75", "police-unit/KZ-75-03"
DATA_KEY = bytes(range(32))
KEY = CaseKey("d1", Wrapped("k1", b"wrapped canary key"))
INDEXES = IndexKeys("i1", {"i1": bytes(32)})
FORM: dict[str, Any] = {
    "survivor": {
        "name": "Canary Aigul",
        "iin": "860412400123",
        "phone": "+77011234567",
        "safe_contact": {"code_word": "canaryword"},
        "address": {"settlement": "Canaryville", "street": "Canary", "building": "1"},
    },
    "alleged_offender": {"iin": "000000000101"},
    "caller": {"phone": "+77070000000"},
    "narrative": "canary narrative",
    "risk": {"tool": "dash", "answers": {"q1": "yes"}},
    "consents": {POLICE: "given"},
    "legal_bases": {"102/KZ-75": "vital_interest"},
}
FACT = Fact("r1", CENTRE, "report.received", NOW, NOW, "c1", {"region": "KZ-75", "report_id": "r1"})


def told(form: dict[str, Any] = FORM) -> Personal:
    personal = split(form).personal
    assert personal is not None
    return personal


def reader(agency: str = POLICE, subject: str = "desk-1") -> Reader:
    return Reader(agency, subject, frozenset({"pii:read"}))


def report(name: str = "r1", source: str = CENTRE, personal: Personal | None = None) -> Report:
    personal = told() if personal is None else personal
    fields = pack("c1", name, personal, DATA_KEY, "d1")
    return Report(name, source, NOW, "i1:body:x", fields, traces(personal, INDEXES), {"region": "KZ-75"})


@pytest.fixture
def record() -> VaultRecord:
    return opened("c1", report(), [FACT], KEY, told(), NOW)


def actions(record: VaultRecord) -> list[str]:
    return [line.action for line in record.audit]


def test_a_report_opens_a_case_with_its_fact_to_be_told_and_its_sharing(record: VaultRecord) -> None:
    assert (record.facts, record.pending, record.marks.opened) == ((FACT,), True, NOW)
    assert record.sharing.advocate == CENTRE
    assert record.sharing.consents == {POLICE: Consent("given", NOW, CENTRE)}
    assert record.sharing.bases["102/KZ-75"].code == "vital_interest"
    assert record.kept == CLASSES - {"children"}
    assert not facts_told(record).pending


def test_a_report_of_codes_alone_needs_no_key() -> None:
    plain = opened("c1", Report("r1", "102/KZ-75", NOW, "x"), [FACT], None, None, NOW)
    assert (plain.key, plain.kept, plain.sharing.advocate) == (None, frozenset(), None)
    answer = read(plain, reader("102/KZ-75"), "emergency_response", None, NOW)[1]
    assert answer == Refusal("no_basis")
    with pytest.raises(ValueError, match="need the case's key"):
        opened("c1", report(), [FACT], None, told(), NOW)


def test_the_same_report_again_changes_nothing_and_another_one_is_added(record: VaultRecord) -> None:
    assert report_added(record, report(), [FACT], told(), NOW + 1) is record
    more = report_added(facts_told(record), report("r2", "helpline-150/KZ-75"), [FACT], told(), NOW + 1)
    assert ([each.id for each in more.reports], more.pending) == (["r1", "r2"], True)
    # The first advocate stays it.
    assert more.sharing.advocate == CENTRE
    assert more.known("r2") is more.reports[1]


def test_a_case_takes_a_bounded_number_of_reports(record: VaultRecord) -> None:
    full = replace(record, reports=tuple(replace(record.reports[0], id=f"r{n}") for n in range(MOST_REPORTS)))
    with pytest.raises(TooManyRequests):
        report_added(full, report("another"), [], None, NOW)


def test_an_agency_too_many_is_not_noted_and_so_may_not_read(record: VaultRecord) -> None:
    for number in range(MOST_AGENCIES + 9):
        record = consent_changed(record, f"102/{number}", "given", reader(CENTRE), NOW)
        record = basis_changed(record, f"clinic/{number}", "court_order", reader(CENTRE), NOW)
    assert (len(record.sharing.consents), len(record.sharing.bases)) == (MOST_AGENCIES, MOST_AGENCIES)
    withdrawn = consent_changed(record, POLICE, "withdrawn", reader(CENTRE), NOW + 1)
    assert read(withdrawn, reader(), "proceedings", None, NOW + 1)[1] == Refusal("no_basis")


def test_what_is_read_leaves_a_line_that_says_who_what_why_and_no_value(record: VaultRecord) -> None:
    after, answer = read(record, reader(), "protective_order", [IDENTITY, CONTACT], NOW)
    assert isinstance(answer, Readable)
    shown = unpack("c1", "r1", answer.fields["r1"], DATA_KEY, answer.key.id)
    survivor = {name: FORM["survivor"][name] for name in ("name", "iin", "phone", "address")}
    assert shown == {"survivor": survivor}
    (line,) = after.audit
    assert (line.seq, line.at, line.action, line.agency, line.subject) == (1, NOW, "read", POLICE, "desk-1")
    assert (line.purpose, line.basis, line.classes) == ("protective_order", "consent", (CONTACT, IDENTITY))
    assert line.fields == ("survivor.address", "survivor.iin", "survivor.name", "survivor.phone")
    assert "canary" not in repr((after, answer)).lower()
    assert "8604" not in repr((after, answer))


def test_an_attempt_that_is_refused_shows_nothing_and_leaves_a_line(record: VaultRecord) -> None:
    after, answer = read(record, reader("court/KZ-75"), "proceedings", None, NOW)
    assert answer == Refusal("no_basis")
    assert [(line.action, line.purpose, line.detail) for line in after.audit] == [
        ("refused", "proceedings", "no_basis")
    ]
    # A purpose of the sender's own may be about a person.
    after, _ = read(record, reader(), "because Aigul canary", None, NOW)
    assert "canary" not in repr(after.audit)
    assert after.audit[0].purpose is None


def test_nothing_is_read_while_too_much_waits_for_the_chain_and_refusals_fill_only_half(record: VaultRecord) -> None:
    for _ in range(MOST_WAITING):
        record, _answer = read(record, reader("court/KZ-75"), "proceedings", None, NOW)
    assert len(record.audit) == MOST_REFUSED
    while len(record.audit) < MOST_WAITING:
        record, answer = read(record, reader(), "proceedings", None, NOW)
        assert isinstance(answer, Readable)
    assert read(record, reader(), "proceedings", None, NOW) == (record, Refusal("busy"))
    assert break_glass(record, reader(), "immediate_danger", timedelta(hours=1), "g1", NOW) == (record, Refusal("busy"))
    freed = chained(record, record.seq - 1)
    assert [line.seq for line in freed.audit] == [record.seq]
    after, answer = read(freed, reader(), "proceedings", None, NOW)
    assert isinstance(answer, Readable)
    assert after.seq == record.seq + 1


def test_what_is_not_there_is_not_read(record: VaultRecord) -> None:
    thin = expired(record, {NARRATIVE: "line"}, NOW)
    answer = read(thin, reader("102/KZ-75"), "emergency_response", [NARRATIVE], NOW)[1]
    assert answer == Refusal("nothing_kept")


def test_withdrawn_consent_shuts_at_once_and_a_word_that_comes_late_does_not_count(record: VaultRecord) -> None:
    shut = consent_changed(record, POLICE, "withdrawn", reader(CENTRE), NOW + 2)
    assert read(shut, reader(), "proceedings", None, NOW + 3)[1] == Refusal("no_basis")
    assert consent_changed(shut, POLICE, "given", reader(CENTRE), NOW + 1) is shut
    again = consent_changed(shut, POLICE, "given", reader(CENTRE), NOW + 4)
    assert isinstance(read(again, reader(), "proceedings", None, NOW + 5)[1], Readable)
    assert [(line.action, line.detail) for line in again.audit] == [
        ("consent_withdrawn", POLICE),
        ("consent_given", POLICE),
    ]


def test_a_legal_basis_is_noted_and_taken_back(record: VaultRecord) -> None:
    court = reader("court/KZ-75")
    based = basis_changed(record, court.agency, "court_order", reader(CENTRE), NOW)
    assert isinstance(read(based, court, "proceedings", None, NOW)[1], Readable)
    ended = basis_changed(based, court.agency, None, reader(CENTRE), NOW)
    assert read(ended, court, "proceedings", None, NOW)[1] == Refusal("no_basis")
    assert actions(ended) == ["basis_noted", "basis_ended"]


def test_broken_glass_opens_is_noted_ends_by_itself_and_waits_for_its_review(record: VaultRecord) -> None:
    clinic = reader("clinic/KZ-75")
    broken, grant = break_glass(record, clinic, "medical_emergency", timedelta(hours=2), "g1", NOW)
    assert isinstance(grant, Grant)
    assert (grant.until, unreviewed(broken)) == (NOW + 2 * HOUR, (grant,))
    assert break_glass(broken, clinic, "medical_emergency", timedelta(hours=9), "g1", NOW + 1) == (broken, grant)
    after, answer = read(broken, clinic, "medical_care", None, NOW + HOUR)
    assert isinstance(answer, Readable)
    assert (after.audit[-1].basis, after.audit[-1].detail) == ("break_glass", "g1")
    assert read(broken, clinic, "medical_care", None, NOW + 2 * HOUR)[1] == Refusal("no_basis")
    judge = reader("coordinator/KZ-75", "c1")
    reviewed, _ = break_glass_reviewed(after, "g1", "not_justified", judge, NOW + HOUR)
    assert unreviewed(reviewed) == ()
    assert read(reviewed, clinic, "medical_care", None, NOW + HOUR)[1] == Refusal("no_basis")
    assert actions(reviewed) == ["glass_broken", "read", "glass_reviewed"]


def test_glass_that_may_not_be_broken_leaves_a_line_and_no_grant(record: VaultRecord) -> None:
    after, answer = break_glass(record, reader("court/KZ-75"), "immediate_danger", timedelta(hours=1), "g1", NOW)
    assert (answer, after.sharing.grants, actions(after)) == (Refusal("no_emergency_kind"), (), ["refused"])
    broken, _ = break_glass(record, reader(), "immediate_danger", timedelta(hours=1), "g1", NOW)
    stranger = break_glass(broken, reader("clinic/KZ-75"), "immediate_danger", timedelta(hours=1), "g1", NOW)
    assert stranger == (broken, Refusal("no_such_grant"))


@pytest.mark.parametrize(
    ("grant", "verdict", "who", "refused"),
    [
        ("g2", "justified", reader("coordinator", "c1"), "no_such_grant"),
        ("g1", "canary", reader("coordinator", "c1"), "unknown_verdict"),
        ("g1", "justified", reader(POLICE, "c1"), "no_coordinator"),
        ("g1", "justified", reader("coordinator"), "own_grant"),
    ],
)
def test_a_review_needs_a_grant_a_verdict_and_another_person(
    record: VaultRecord, grant: str, verdict: str, who: Reader, refused: str
) -> None:
    broken, _ = break_glass(record, reader(), "immediate_danger", timedelta(hours=1), "g1", NOW)
    assert break_glass_reviewed(broken, grant, verdict, who, NOW) == (broken, Refusal(refused))


def test_a_review_is_made_once(record: VaultRecord) -> None:
    broken, _ = break_glass(record, reader(), "immediate_danger", timedelta(hours=1), "g1", NOW)
    judge = reader("coordinator", "c1")
    reviewed, _ = break_glass_reviewed(broken, "g1", "justified", judge, NOW)
    assert break_glass_reviewed(reviewed, "g1", "not_justified", judge, NOW) == (reviewed, Refusal("reviewed_before"))


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
    assert reindexed(gone, {"r1": traces(told(), INDEXES)}) is gone
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


def test_new_indexes_take_the_place_of_the_old_ones(record: VaultRecord) -> None:
    newer = traces(told(), IndexKeys("i2", {"i2": bytes(range(32))}))
    assert reindexed(record, {"r1": newer}).reports[0].traces == newer
    assert reindexed(record, {}).reports == record.reports


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
