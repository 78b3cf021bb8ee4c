"""Which cases are an agency's own: the rule itself."""

from dataclasses import replace
from typing import Any

import pytest

from qorgau.facts import Fact
from qorgau.identity.membership import REFERS, codes_only, is_part, may_add, may_read, referred_to
from qorgau.identity.sender import FLAGS_READ, SCOPES, Sender
from qorgau.identity.table import TABLE
from qorgau.vocabulary import FACT_TYPES, KINDS

PAIR = "pair-0123456789abcdef"


def fact(kind: str, source: str, region: str = "KZ-75", case: str = "c1", **data: Any) -> Fact:
    return Fact(f"{kind}-{source}", source, kind, 1, 1, case, {"region": region, **data})


REPORT = fact("report.received", "helpline-150", report_id="r1", pair_ref=PAIR, district="d1", age_band="30-39")
NEEDS_POLICE = fact("report.triaged", "helpline-150", report_id="r1", needs_police=True)


def part(agency: str, *facts: Fact, regions: frozenset[str] = frozenset({"KZ-75"})) -> bool:
    return is_part(agency, regions.__contains__, facts)


def test_an_agency_is_part_of_a_case_it_opened_or_took_up() -> None:
    assert part("helpline-150", REPORT)
    assert not part("helpline-111", REPORT)
    assert not part("helpline-150/KZ-75", REPORT)
    assert not part("helpline-150")


def test_a_case_is_referred_to_the_kind_that_a_fact_asks_to_act_in_its_region() -> None:
    assert part("102/KZ-75", NEEDS_POLICE)
    assert part("police-unit/KZ-75-03", NEEDS_POLICE)
    assert not part("102/KZ-71", NEEDS_POLICE, regions=frozenset({"KZ-71"}))
    assert not part("shelter/KZ-75", NEEDS_POLICE)
    no_police = replace(NEEDS_POLICE, data={**NEEDS_POLICE.data, "needs_police": False})
    assert not part("102/KZ-75", no_police)
    assert part("crisis-centre/KZ-75", no_police)
    asked = fact("shelter.referral_requested", "helpline-150", "KZ-71")
    assert part("shelter/KZ-71", asked, regions=frozenset({"KZ-71"}))
    assert not part("shelter/KZ-75", asked)


@pytest.mark.parametrize("name", REFERS)
def test_every_referral_is_a_fact_of_the_vocabulary_and_asks_kinds_of_it(name: str) -> None:
    assert name in FACT_TYPES
    assert REFERS[name] <= KINDS
    assert referred_to(fact(name, "x"))


def test_an_offer_makes_nobody_part_and_its_acceptance_does() -> None:
    offer = fact("case.transfer_offered", "helpline-150", to="shelter/KZ-71", transfer_id="t1")
    accepted, declined = (
        fact(f"case.transfer_{answer}", "shelter/KZ-71", transfer_id="t1") for answer in ("accepted", "declined")
    )
    there = frozenset({"KZ-71"})
    assert not part("shelter/KZ-71", REPORT, offer, regions=there)
    assert part("shelter/KZ-71", REPORT, offer, accepted, regions=there)
    assert not part("shelter/KZ-71", REPORT, offer, declined, regions=there)
    consent = fact("case.consent_changed", "helpline-150", agency="clinic/KZ-75", consent="given")
    assert not part("clinic/KZ-75", REPORT, consent)


def test_a_referral_makes_the_agency_it_names_part_and_no_other() -> None:
    referred = fact("case.referred", "helpline-150", referral_id="x1", agency="clinic/KZ-71-2")
    there = frozenset({"KZ-71"})
    assert part("clinic/KZ-71-2", REPORT, referred, regions=there)
    assert not part("clinic/KZ-71-1", REPORT, referred, regions=there)
    gone = fact("fact.withdrawn", "helpline-150", fact_id=referred.id, reason="wrong_case")
    assert not part("clinic/KZ-71-2", REPORT, referred, gone, regions=there)
    examined = fact("exam.completed", "clinic/KZ-71-2", "KZ-71", exam_id="e1")
    assert may_add(examined, [REPORT, referred])
    assert not may_add(examined, [REPORT])


def test_what_was_withdrawn_makes_nobody_part() -> None:
    arrived = fact("police.arrived", "102/KZ-71", "KZ-71")
    gone = fact("fact.withdrawn", "102/KZ-71", "KZ-71", fact_id=arrived.id, reason="wrong_case")
    assert part("102/KZ-71", REPORT, arrived)
    assert not part("102/KZ-71", REPORT, arrived, gone)
    by_another = replace(gone, source="102/KZ-75")
    assert part("102/KZ-71", REPORT, arrived, by_another)


def test_a_fact_counts_where_its_source_was_given_the_case() -> None:
    mine, there = fact("police.arrived", "102/KZ-75"), fact("shelter.admitted", "shelter/KZ-71", "KZ-71")
    offer = fact("case.transfer_offered", "helpline-150", to="shelter/KZ-71", transfer_id="t1")
    asked = fact("shelter.referral_requested", "helpline-150", "KZ-71")
    # It opens a case; in its region it takes one up; elsewhere it must have been named, asked, or be there already.
    assert may_add(mine, [])
    assert may_add(mine, [REPORT])
    assert not may_add(there, [REPORT])
    assert may_add(there, [REPORT, offer])
    assert may_add(there, [REPORT, asked])
    assert may_add(there, [REPORT, replace(there, id="earlier", data={"region": "KZ-75"})])


def sender(agency: str, *regions: str) -> Sender:
    """Somebody who reads flags, with what the table lets it reach."""
    known = Sender(agency, SCOPES - {"admin"}, frozenset(regions))
    return replace(known, reach=TABLE["GET", "/v1/flags"].admit(known))


@pytest.mark.parametrize(
    ("who", "reads"),
    [
        (sender("102/KZ-75", "KZ-75"), True),
        (sender("102/KZ-71", "KZ-71"), False),
        (sender("102", "*"), True),
        (sender("court/KZ-75-02", "KZ-75"), False),
        (sender("coordinator/KZ-75", "KZ-75"), True),
        (sender("coordinator/KZ-75", "KZ-71"), False),
        (sender("prosecutor", "*"), True),
        (sender("watchdog", "*"), True),
        (sender("watchdog", "KZ-71"), False),
        (sender("*", "*"), True),
        (sender("*", "KZ-71"), False),
    ],
)
def test_a_case_is_read_by_its_parts_and_by_who_looks_after_its_region(who: Sender, reads: bool) -> None:
    assert FLAGS_READ in who.scopes
    assert may_read(who, [REPORT, NEEDS_POLICE]) is reads
    assert not may_read(who, [])


def test_what_points_at_a_person_or_a_pair_is_not_among_the_codes() -> None:
    shown = {"flags": [{"rule": "F5", "key": PAIR, "id": "f1"}], "data": {**REPORT.data, "relation": "x", "sex": "f"}}
    assert codes_only(shown) == {
        "flags": [{"rule": "F5", "key": "", "id": "f1"}],
        "data": {"region": "KZ-75", "report_id": "r1"},
    }
