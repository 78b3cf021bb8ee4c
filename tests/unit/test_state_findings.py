"""What cannot have happened so is found, by every check of both services, and not where the order is right."""

from dataclasses import replace
from typing import Any

import pytest

from qorgau.facts import Fact
from qorgau.instants import HOUR, format_instant
from qorgau.state.checks import Check
from qorgau.vocabulary import COURT, FACT_TYPES, POLICE
from tests.stated import CHECKS, LATER, listed, moment, post, withdrawn

ALL = [(service, check) for service, checks in CHECKS.items() for check in checks]
NEEDS = [(service, check, type) for service, check in ALL for type in check.needs]
AFTER = [(service, check, type) for service, check in ALL for type in check.after]
UNLESS = [(service, check, type) for service, check in ALL for type in check.unless]
DATED = [(service, check) for service, check in ALL if check.not_later or check.not_earlier]
HERE = "03-02T10:00"


def about(check: Check, type: str, time: str, key: str = "k1", **data: Any) -> Fact:
    """A fact that agrees with another of the same key in all that the check compares."""
    data |= dict.fromkeys(check.scope, key)
    return post(type, time, id=f"{type}-{time.replace(':', '.')}-{key}", **data)


def found(service: str, check: Check, *facts: Fact) -> list[tuple[str, str | None]]:
    """The facts that a check finds, each with the one it does not fit."""
    rows = [row for row in listed(service, facts, moment(LATER)) if row.kind == "findings" and row.state == check.code]
    return [(row.item["fact"]["id"], (row.item["against"] or {}).get("id")) for row in rows]


@pytest.mark.parametrize(("service", "check", "type"), NEEDS, ids=lambda value: getattr(value, "code", value))
def test_a_fact_that_needs_another_is_found_unless_that_one_came_before(service: str, check: Check, type: str) -> None:
    fact, before, after = about(check, check.fact, HERE), "03-02T09:00", "03-02T10:01:01"
    assert found(service, check, fact) == [(fact.id, None)]
    assert found(service, check, fact, about(check, type, before)) == []
    late = about(check, type, after)
    assert found(service, check, fact, late) == [(fact.id, late.id)]
    # Two clocks a minute apart are no mistake of anybody's.
    assert found(service, check, fact, about(check, type, "03-02T10:01:00")) == []
    if check.scope:
        assert found(service, check, fact, about(check, type, before, "k2")) == [(fact.id, None)]


@pytest.mark.parametrize(("service", "check", "type"), NEEDS, ids=lambda value: getattr(value, "code", value))
def test_a_withdrawal_brings_a_needed_fact_to_nothing_and_mends_the_one_that_needs_it(
    service: str, check: Check, type: str
) -> None:
    fact, needed = about(check, check.fact, HERE), about(check, type, "03-02T09:00")
    assert found(service, check, fact, needed, withdrawn(needed, "03-03T10:00")) == [(fact.id, None)]
    assert found(service, check, fact, withdrawn(fact, "03-03T10:00")) == []


@pytest.mark.parametrize(("service", "check", "type"), AFTER, ids=lambda value: getattr(value, "code", value))
def test_a_fact_that_cannot_follow_another_is_found_where_it_does(service: str, check: Check, type: str) -> None:
    fact, before = about(check, check.fact, HERE), about(check, type, "03-02T09:58:59")
    assert found(service, check, fact, before) == [(fact.id, before.id)]
    assert found(service, check, fact) == []
    assert found(service, check, fact, about(check, type, "03-02T09:59:00")) == []
    if type != check.fact:
        assert found(service, check, fact, about(check, type, "03-02T11:00")) == []
    assert found(service, check, fact, before, withdrawn(before, "03-03T10:00")) == []
    if check.scope:
        assert found(service, check, fact, about(check, type, "03-02T09:00", "k2")) == []


@pytest.mark.parametrize(("service", "check", "type"), UNLESS, ids=lambda value: getattr(value, "code", value))
def test_what_lets_a_fact_follow_must_lie_between_the_two(service: str, check: Check, type: str) -> None:
    fact, before = about(check, check.fact, HERE), about(check, check.after[0], "03-02T09:00")
    assert found(service, check, fact, before, about(check, type, "03-02T09:30")) == []
    assert found(service, check, fact, before, about(check, type, "03-02T08:00")) == [(fact.id, before.id)]
    assert found(service, check, fact, before, about(check, type, "03-02T10:05")) == [(fact.id, before.id)]


@pytest.mark.parametrize(("service", "check"), DATED, ids=lambda value: getattr(value, "code", value))
def test_an_instant_in_the_data_cannot_lie_on_the_wrong_side_of_its_fact(service: str, check: Check) -> None:
    wrong, right = ("03-02T11:00", "03-02T09:00") if check.not_later else ("03-02T09:00", "03-02T11:00")
    field = check.not_later or check.not_earlier
    for time, is_found in ((wrong, True), (right, False), (HERE, False)):
        fact = about(check, check.fact, HERE, **{field: format_instant(moment(time))})
        rows = [row for row in listed(service, [fact], moment(LATER)) if row.state == check.code]
        assert [row.item["stamp"] for row in rows] == [format_instant(moment(time))] * is_found
    assert found(service, check, about(check, check.fact, HERE, **{field: "tomorrow"})) == []


def test_every_check_is_of_one_kind_and_about_fields_that_its_facts_have() -> None:
    assert len({check.code for _, check in ALL}) == len(ALL)
    for _, check in ALL:
        assert [bool(check.needs), bool(check.after), bool(check.not_later or check.not_earlier)].count(True) == 1
        fields = {*check.scope, *filter(None, (check.not_later, check.not_earlier))}
        assert fields <= FACT_TYPES[check.fact].fields.keys(), check.code
        for type in (*check.needs, *check.after, *check.unless):
            assert set(check.scope) <= FACT_TYPES[type].fields.keys(), check.code


def test_a_finding_names_both_sides_and_the_agency_whose_fact_does_not_fit() -> None:
    issued = post("order.issued", "03-02T12:00", id="f1", order_id="o1", source="police-unit/u1")
    served = post("order.served", HERE, id="f2", order_id="o1", source="police-unit/u2", recorded="03-02T13:00")
    [row] = [one for one in listed(POLICE, [issued, served], moment("03-03T00:00")) if one.kind == "findings"]
    assert (row.key, row.state) == ("order_served_before_issue:police-unit/u2#f2", "order_served_before_issue")
    assert (row.agency, row.region, row.due) == ("police-unit/u2", "KZ-75", None)
    fact = {"id": "f2", "source": "police-unit/u2", "type": "order.served", "at": "2026-03-02T05:00:00Z"}
    against = {"id": "f1", "source": "police-unit/u1", "type": "order.issued", "at": "2026-03-02T07:00:00Z"}
    assert (row.item["fact"], row.item["against"]) == (fact, against)
    assert row.item["known_at"] == "2026-03-02T08:00:00Z"


def test_a_check_after_an_end_that_nobody_posted_is_found() -> None:
    served = post("order.served", "03-02T10:00", order_id="o1")
    check = post("order.compliance_checked", "04-02T10:00", order_id="o1", complied=True)
    rows = [row for row in listed(POLICE, [served, check], moment(LATER)) if row.state == "order_checked_after_end"]
    assert [row.item["against"] for row in rows] == [
        {"id": None, "source": None, "type": "order.expired", "at": "2026-04-01T05:00:00Z"}
    ]


def test_a_fact_that_does_not_say_which_order_it_is_about_is_not_compared_with_one() -> None:
    reported = post("order.violation_reported", HERE, area="urban")
    assert not [row for row in listed(POLICE, [reported], moment(LATER)) if row.kind == "findings"]


def test_a_hearing_suspended_by_the_system_is_judged_like_one_suspended_by_its_court() -> None:
    decided = post("court.decision_issued", "03-01T10:00", protocol_id="p1", sanction="fine")
    source = "system/court-tracker"
    stopped = post("court.hearing_suspended", HERE, source=source, protocol_id="p1", hearing_id="h1", tolls_term=False)
    rows = [row for row in listed(COURT, [decided, stopped], moment(LATER)) if row.kind == "findings"]
    codes = {row.state for row in rows if row.agency == source}
    assert codes == {"hearing_suspended_never_listed", "hearing_suspended_after_decision"}


def test_a_case_that_went_as_it_should_has_no_finding() -> None:
    story = [
        *[("police.incident_registered", {}), ("police.dispatched", {}), ("police.arrived", {})],
        *[("risk.assessed", {}), ("order.issued", {"order_id": "o1"}), ("order.served", {"order_id": "o1"})],
        *[("order.prosecutor_notified", {"order_id": "o1"}), ("order.acknowledged", {"order_id": "o1"})],
        *[("offender.detained", {}), ("exam.requested", {"exam_id": "e1"}), ("exam.completed", {"exam_id": "e1"})],
        *[("exam.report_issued", {"exam_id": "e1"}), ("protocol.drawn_up", {"protocol_id": "p1"})],
        *[("police.outcome_recorded", {}), ("court.case_registered", {"protocol_id": "p1"})],
        ("court.hearing_scheduled", {"protocol_id": "p1", "hearing_id": "h1"}),
        ("court.hearing_suspended", {"protocol_id": "p1", "hearing_id": "h1"}),
        ("court.hearing_resumed", {"protocol_id": "p1", "hearing_id": "h1"}),
        ("court.hearing_held", {"protocol_id": "p1", "hearing_id": "h1"}),
        *[("court.decision_issued", {"protocol_id": "p1"}), ("offender.released", {})],
    ]
    facts = [
        post(type, f"03-02T{8 + place // 2:02}:{30 * (place % 2):02}", **data)
        for place, (type, data) in enumerate(story)
    ]
    for service in CHECKS:
        assert [row.state for row in listed(service, facts, moment(LATER)) if row.kind == "findings"] == []
    # The same an hour of somebody's clock askew.
    askew = [replace(fact, time=fact.time - HOUR) if fact.type == "order.served" else fact for fact in facts]
    assert [row.state for row in listed(POLICE, askew, moment(LATER)) if row.kind == "findings"] == [
        "order_served_before_issue"
    ]
