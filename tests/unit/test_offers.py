"""An offer nobody answers: whose flags they are, and that one who is asked to act too is told what it may read."""

import pytest

from intake.vault.access import Consent, Reader, Refusal, Sharing
from intake.vault.dealing import referred
from intake.vault.keys import Wrapped
from intake.vault.records import CaseKey, VaultRecord
from qorgau.embedded.data import default_policy
from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR
from qorgau.plan import Plan, compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord, advance, learn
from qorgau.vocabulary import INTAKE

HELPLINE, CENTRE, CLINIC = "helpline-150", "crisis-centre/KZ-75", "clinic/KZ-75-1"
NOW = 1_775_000_000_000_000


@pytest.fixture(scope="module", name="plan")
def default_plan() -> Plan:
    return compile_policy(load_policy(default_policy()), INTAKE)


def fact(kind: str, source: str, at: int = NOW, **data: str) -> Fact:
    return Fact(f"{kind}-{source}-{at}", source, kind, at, at, "c1", {"region": "KZ-75", **data})


OFFER = fact("case.transfer_offered", HELPLINE, transfer_id="t1", to=CENTRE)


def agencies(plan: Plan, until: int, *facts: Fact) -> dict[tuple[str, str], str | None]:
    record, _ = advance(learn(CaseRecord("c1"), facts), until, plan)
    return {(row.rule, row.level): row.agency for row in record.flags}


def test_after_a_day_the_agency_that_was_asked_and_the_one_that_offered_are_both_flagged(plan: Plan) -> None:
    assert agencies(plan, NOW + DAY - 1, OFFER) == {("T01", "warn"): CENTRE}
    both = {("T01", "warn"): CENTRE, ("T01", "breach"): CENTRE, ("T02", "breach"): HELPLINE}
    assert agencies(plan, NOW + DAY, OFFER) == both
    # What others do in the case does not make it theirs.
    elsewhere = fact("survivor.contacted", "crisis-centre/KZ-71", NOW + HOUR)
    assert agencies(plan, NOW + DAY, OFFER, elsewhere) == both


@pytest.mark.parametrize("answer", ["case.transfer_accepted", "case.transfer_declined"])
def test_an_answer_in_time_flags_nobody_and_one_to_another_offer_is_none(plan: Plan, answer: str) -> None:
    in_time = fact(answer, CENTRE, NOW + HOUR, transfer_id="t1")
    assert agencies(plan, NOW + 3 * DAY, OFFER, in_time) == {}
    other = fact(answer, CENTRE, NOW + HOUR, transfer_id="t2")
    assert ("T02", "breach") in agencies(plan, NOW + 3 * DAY, OFFER, other)


def test_where_an_offer_names_nobody_it_is_nobodys_lateness(plan: Plan) -> None:
    nobody = fact("case.transfer_offered", HELPLINE, transfer_id="t1")
    assert agencies(plan, NOW + DAY, nobody)["T01", "breach"] is None


SHARING = Sharing(advocate=HELPLINE, consents={CLINIC: Consent("given", NOW, HELPLINE)})
RECORD = VaultRecord("c1", sharing=SHARING, key=CaseKey("d1", Wrapped("k1", b"wrapped")))
BY = Reader(HELPLINE, "desk-1", frozenset())
ASKED = [fact("case.referred", HELPLINE, referral_id="x1", agency=CLINIC)]


def test_a_referral_stands_in_the_record_with_its_line_and_once() -> None:
    record, basis = referred(RECORD, BY, CLINIC, "medical_care", ["identity"], ASKED, NOW)
    assert (basis, record.facts, record.pending) == ("consent", tuple(ASKED), True)
    [line] = record.audit
    assert (line.action, line.agency, line.detail, line.classes) == ("referred", HELPLINE, CLINIC, ("identity",))
    assert (line.purpose, line.basis) == ("medical_care", "consent")
    assert referred(record, BY, CLINIC, "medical_care", ["identity"], ASKED, NOW + 1) == (record, "consent")


def test_codes_alone_need_no_basis_and_personal_data_do() -> None:
    forensic = [fact("case.referred", HELPLINE, referral_id="x2", agency="forensic/KZ-75")]
    record, basis = referred(RECORD, BY, "forensic/KZ-75", None, (), forensic, NOW)
    assert (basis, record.facts, record.audit[0].classes) == (None, tuple(forensic), ())
    refused, why = referred(RECORD, BY, "forensic/KZ-75", "medical_care", ["identity"], forensic, NOW)
    assert why == Refusal("no_basis")
    assert (refused.facts, [line.action for line in refused.audit]) == ((), ["refused"])


def test_of_a_case_that_is_erased_nobody_is_told_anything_personal() -> None:
    gone = VaultRecord("c1", sharing=SHARING, erased_at=NOW)
    assert referred(gone, BY, CLINIC, "medical_care", ["identity"], ASKED, NOW)[1] == Refusal("erased")
    assert referred(gone, BY, CLINIC, None, (), ASKED, NOW)[1] is None
