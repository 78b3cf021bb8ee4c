"""Reading a case of the vault and its trace, consent and legal bases, and broken glass with its review."""

from datetime import timedelta

import pytest

from intake.vault.access import Grant, Reader, Refusal
from intake.vault.classes import CONTACT, IDENTITY, NARRATIVE
from intake.vault.dealing import (
    MOST_REFUSED,
    MOST_WAITING,
    Readable,
    basis_changed,
    break_glass,
    break_glass_reviewed,
    chained,
    consent_changed,
    expired,
    read,
    unreviewed,
)
from intake.vault.packing import unpack
from intake.vault.records import MOST_AGENCIES, VaultRecord
from qorgau.instants import HOUR
from tests.vault_case import CENTRE, DATA_KEY, FORM, NOW, POLICE, actions, new_record, reader


@pytest.fixture
def record() -> VaultRecord:
    return new_record()


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
