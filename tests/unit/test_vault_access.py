"""Who may read what: each way in, each way that stays shut, and the tables themselves."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.vault.access import (
    ADVOCATES,
    BREAK_REASONS,
    LONGEST_BREAK,
    PURPOSES,
    REFUSALS,
    Access,
    Basis,
    Consent,
    Grant,
    Reader,
    Refusal,
    Review,
    Sharing,
    decide,
    may_break_glass,
    may_erase,
    may_list_reads,
    may_note_consent,
    may_review,
)
from intake.vault.classes import CALLER, CLASSES, CONTACT, IDENTITY, NARRATIVE, OFFENDER, SAFE_CONTACT
from qorgau.instants import HOUR
from qorgau.vocabulary import KINDS

PII = frozenset({"pii:read"})
NOW = 1_000 * HOUR
CENTRE, POLICE, SHELTER = "crisis-centre/KZ-75", "police-unit/KZ-75-03", "shelter/KZ-75"
ADVOCATED = Sharing(advocate=CENTRE)


def reader(agency: str, subject: str = "desk-1", scopes: frozenset[str] = PII) -> Reader:
    return Reader(agency, subject, scopes)


def consent(state: str) -> Consent:
    return Consent(state, 0, CENTRE)


def glass(agency: str = POLICE, until: int = NOW + HOUR, review: Review | None = None) -> Sharing:
    return Sharing(CENTRE, grants=(Grant("g1", agency, "desk-1", "immediate_danger", NOW, until, review),))


def code(answer: Access | Refusal) -> str:
    return answer.code if isinstance(answer, Refusal) else answer.basis


def test_the_advocate_reads_without_being_asked_for_consent_and_sees_the_safe_contact() -> None:
    answer = decide(reader(CENTRE), "support", [SAFE_CONTACT], ADVOCATED, NOW)
    assert answer == Access(frozenset({SAFE_CONTACT}), "advocate")


def test_another_crisis_centre_is_not_the_advocate() -> None:
    assert code(decide(reader("crisis-centre/KZ-71"), "support", None, ADVOCATED, NOW)) == "no_basis"
    assert code(decide(reader("crisis-centre"), "support", None, ADVOCATED, NOW)) == "no_basis"


def test_a_police_unit_named_as_advocate_is_none() -> None:
    assert code(decide(reader(POLICE), "proceedings", None, Sharing(advocate=POLICE), NOW)) == "no_basis"


def test_consent_opens_what_the_purpose_needs_and_no_more() -> None:
    sharing = Sharing(CENTRE, {POLICE: consent("given")})
    answer = decide(reader(POLICE), "protective_order", None, sharing, NOW)
    assert answer == Access(PURPOSES["protective_order"].classes, "consent")
    assert code(decide(reader(POLICE), "protective_order", [SAFE_CONTACT], sharing, NOW)) == "class_not_for_purpose"
    assert code(decide(reader(POLICE), "protective_order", [], sharing, NOW)) == "class_not_for_purpose"
    assert code(decide(reader(POLICE), "protective_order", ["canary"], sharing, NOW)) == "class_not_for_purpose"


@pytest.mark.parametrize("state", ["refused", "withdrawn"])
def test_refused_or_withdrawn_consent_opens_nothing(state: str) -> None:
    sharing = Sharing(CENTRE, {POLICE: consent(state)})
    assert code(decide(reader(POLICE), "protective_order", None, sharing, NOW)) == "no_basis"


def test_consent_for_one_unit_is_none_for_another() -> None:
    sharing = Sharing(CENTRE, {POLICE: consent("given")})
    for other in ("police-unit/KZ-75-04", "police-unit", "102/KZ-75"):
        assert code(decide(reader(other), "emergency_response", None, sharing, NOW)) == "no_basis"


def test_a_legal_basis_stands_where_consent_was_refused_but_opens_no_safe_contact() -> None:
    sharing = Sharing(CENTRE, {SHELTER: consent("refused")}, {SHELTER: Basis("child_protection", 0, CENTRE)})
    answer = decide(reader(SHELTER), "shelter", None, sharing, NOW)
    assert answer == Access(PURPOSES["shelter"].classes - {SAFE_CONTACT}, "legal_basis:child_protection")
    assert code(decide(reader(SHELTER), "shelter", [SAFE_CONTACT], sharing, NOW)) == "class_not_for_basis"
    given_too = replace(sharing, consents={SHELTER: consent("given")})
    assert code(decide(reader(SHELTER), "shelter", [SAFE_CONTACT], given_too, NOW)) == "consent"


def test_who_called_is_not_the_survivors_to_give_away() -> None:
    desk = "102/KZ-75"
    assert code(decide(reader(desk), "call_back", [CALLER], Sharing(CENTRE, {desk: consent("given")}), NOW)) == (
        "class_not_for_basis"
    )
    basis = Sharing(CENTRE, bases={desk: Basis("statutory_duty", 0, CENTRE)})
    assert code(decide(reader(desk), "call_back", [CALLER], basis, NOW)) == "legal_basis:statutory_duty"


def test_broken_glass_opens_for_its_person_and_its_time_only() -> None:
    answer = decide(reader(POLICE), "emergency_response", None, glass(), NOW)
    assert answer == Access(frozenset({IDENTITY, CONTACT, OFFENDER, NARRATIVE}), "break_glass", "g1")
    assert code(decide(reader(POLICE), "emergency_response", None, glass(), NOW + HOUR - 1)) == "break_glass"
    for who, when in ((reader(POLICE, "desk-2"), NOW), (reader(POLICE), NOW + HOUR), (reader(POLICE), NOW - 1)):
        assert code(decide(who, "emergency_response", None, glass(), when)) == "no_basis"


def test_glass_opens_neither_the_safe_contact_nor_who_called() -> None:
    for agency, purpose, wanted in ((SHELTER, "shelter", SAFE_CONTACT), ("102/KZ-75", "call_back", CALLER)):
        assert code(decide(reader(agency), purpose, [wanted], glass(agency), NOW)) == "class_not_for_basis"


def test_a_review_that_finds_it_unjustified_shuts_it_at_once() -> None:
    for verdict, expected in (("justified", "break_glass"), ("not_justified", "no_basis")):
        shared = glass(review=Review(verdict, NOW, "coordinator/KZ-75", "c1"))
        assert code(decide(reader(POLICE), "emergency_response", None, shared, NOW)) == expected


def test_glass_counts_only_where_nothing_else_opens() -> None:
    both = replace(glass(), consents={POLICE: consent("given")})
    assert code(decide(reader(POLICE), "emergency_response", None, both, NOW)) == "consent"


@pytest.mark.parametrize(
    ("who", "purpose", "refused"),
    [
        (reader(CENTRE, scopes=frozenset({"cases:read", "admin"})), "support", "no_scope"),
        (reader("watchdog/KZ-75"), "support", "kind_never_reads"),
        (reader("*"), "support", "kind_never_reads"),
        (reader("system/intake"), "support", "kind_never_reads"),
        (reader("crisis-centre/KZ 75"), "support", "kind_never_reads"),
        (reader(CENTRE), "curiosity", "unknown_purpose"),
        (reader(CENTRE), "", "unknown_purpose"),
        (reader("court/KZ-75"), "support", "purpose_not_of_kind"),
    ],
)
def test_without_scope_kind_or_purpose_nothing_opens(who: Reader, purpose: str, refused: str) -> None:
    open_to_all = Sharing(who.agency, {who.agency: consent("given")}, {who.agency: Basis("court_order", 0, CENTRE)})
    answer = decide(who, purpose, None, open_to_all, NOW)
    assert answer == Refusal(refused)
    assert isinstance(answer, Refusal)
    assert answer.advice == REFUSALS[refused]


@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(sorted(PURPOSES)),
    st.none() | st.sets(st.sampled_from(sorted(CLASSES))),
    st.sampled_from(["advocate", "consent", "basis", "glass", "nothing"]),
)
def test_whatever_opens_is_what_was_asked_for_and_what_the_purpose_needs(
    kind: str, purpose: str, wanted: set[str] | None, basis: str
) -> None:
    agency = f"{kind}/KZ-71"
    sharing = {
        "advocate": Sharing(agency),
        "consent": Sharing(consents={agency: consent("given")}),
        "basis": Sharing(bases={agency: Basis("court_order", 0, CENTRE)}),
        "glass": glass(agency),
        "nothing": ADVOCATED,
    }[basis]
    answer = decide(reader(agency), purpose, wanted, sharing, NOW)
    if isinstance(answer, Access):
        assert answer.classes
        assert answer.classes <= PURPOSES[purpose].classes
        assert wanted is None or answer.classes == wanted
        assert kind in PURPOSES[purpose].kinds
        assert SAFE_CONTACT not in answer.classes or basis in ("advocate", "consent")
        assert basis != "nothing"
    else:
        assert answer.advice


def test_every_purpose_is_of_kinds_and_classes_that_exist() -> None:
    for purpose in PURPOSES.values():
        assert purpose.kinds <= KINDS - {"system"}
        assert purpose.classes <= CLASSES
    assert ADVOCATES <= KINDS


@pytest.mark.parametrize(
    ("who", "reason", "length", "refused"),
    [
        (reader(POLICE), "immediate_danger", timedelta(hours=4), None),
        (reader(POLICE), "immediate_danger", LONGEST_BREAK, None),
        (reader(POLICE), "immediate_danger", LONGEST_BREAK + timedelta(seconds=1), "too_long"),
        (reader(POLICE), "immediate_danger", timedelta(), "too_long"),
        (reader(POLICE), "immediate_danger", timedelta(hours=-1), "too_long"),
        (reader(POLICE), "because", timedelta(hours=1), "unknown_reason"),
        (reader("court/KZ-75"), "immediate_danger", timedelta(hours=1), "no_emergency_kind"),
        (reader("prosecutor/KZ-75"), "immediate_danger", timedelta(hours=1), "no_emergency_kind"),
        (reader("watchdog"), "immediate_danger", timedelta(hours=1), "no_emergency_kind"),
        (reader("*"), "immediate_danger", timedelta(hours=1), "no_emergency_kind"),
        (reader(POLICE, scopes=frozenset({"admin"})), "immediate_danger", timedelta(hours=1), "no_scope"),
    ],
)
def test_the_glass_breaks_for_a_reason_and_a_time_and_not_for_everybody(
    who: Reader, reason: str, length: timedelta, refused: str | None
) -> None:
    answer = may_break_glass(who, reason, length)
    assert (None if answer is None else answer.code) == refused
    assert BREAK_REASONS


def test_a_coordinator_reviews_and_nobody_what_they_did_themselves() -> None:
    grant = glass().grants[0]
    assert may_review(reader("coordinator/KZ-75", "c1"), grant) is None
    assert may_review(reader(POLICE, "c1"), grant) == Refusal("no_coordinator")
    assert may_review(reader("coordinator/KZ-75", "desk-1"), grant) == Refusal("own_grant")


def test_the_advocate_or_a_coordinator_erases_and_lists_and_helplines_note_consent() -> None:
    for may in (may_erase, may_list_reads):
        assert may(reader(CENTRE), ADVOCATED) is None
        assert may(reader("coordinator/KZ-75"), ADVOCATED) is None
        for other in ("crisis-centre/KZ-71", POLICE, "*"):
            assert may(reader(other), ADVOCATED) == Refusal("no_advocate")
    assert may_note_consent(reader("helpline-150/KZ-75")) is None
    assert may_note_consent(reader(POLICE)) == Refusal("no_advocate")
