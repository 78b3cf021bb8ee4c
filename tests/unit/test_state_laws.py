"""Laws of the lists of both services, on random histories: whatever is posted, rows come of it, and always the same."""

import random
import re
from dataclasses import replace
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import court_tracker.state.items
import police_dispatch.state.items
from qorgau.assess import judged
from qorgau.facts import WITHDRAWAL, Fact, fact_from_json
from qorgau.front.answers import structure
from qorgau.front.posted import is_agency
from qorgau.instants import DAY, parse_instant
from qorgau.plan import Plan
from qorgau.record import CaseRecord, learn
from qorgau.rows import Judged
from qorgau.state.rows import UNENDED, Listed
from qorgau.vocabulary import COURT, FACT_TYPES, POLICE
from tests.dense_histories import dense
from tests.heart import plan_of
from tests.histories import histories
from tests.random_policies import default_policy
from tests.stated import CHECKS, PROJECTIONS, SERVICES, WORDS, listed, moment, post

few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
CODES = {"findings": {check.code for checks in CHECKS.values() for check in checks}}
ITEMS = {**police_dispatch.state.items.ITEMS, **court_tracker.state.items.ITEMS}
# Rules whose deadlines are those of some row, by service.
SHOWN = {
    POLICE: {"P03", "P04", "P05", "P06", "P07", "P08", "P09", "P10", "P11", "P12", "P13", "P20", "P21", "P22", "P23"},
    COURT: {"P14", "P15", "P17", "P18", "P19", "P27"},
}
CODE = re.compile(r"[A-Za-z0-9._:/#-]*", re.ASCII)
Case = tuple[CaseRecord, Plan, list[Judged], str]


@st.composite
def cases(draw: Any) -> Case:
    """A record of a random history at a random instant, with the deadlines of one service."""
    if draw(st.booleans()):
        policy, rows, _ = draw(dense())
    else:
        policy = default_policy()
        rows = draw(histories(policy, max_cases=2))
    facts = [fact for fact in map(fact_from_json, rows) if fact.case == "c1"]
    service = draw(st.sampled_from(SERVICES))
    ends = sorted({fact.known_at for fact in facts}) or [0]
    as_of = draw(st.sampled_from(ends) | st.sampled_from([ends[-1] + days * DAY for days in (1, 40)]))
    record = replace(learn(CaseRecord("c1"), facts), as_of=as_of)
    plan = plan_of(policy, service)
    return record, plan, judged(record, plan), service


def rows_of(case: Case, **changes: Any) -> list[Listed]:
    record, plan, due, service = case
    return list(PROJECTIONS[service](plan)(replace(record, **changes), due))


@few
@given(cases())
def test_whatever_was_posted_each_row_has_a_key_of_its_own_and_a_word_for_how_it_stands(case: Case) -> None:
    rows = rows_of(case)
    assert len({(row.kind, row.key) for row in rows}) == len(rows)
    for row in rows:
        assert row.state in (WORDS | CODES)[row.kind]
        assert row.agency is None or is_agency(row.agency)
        assert not {"case", "key", "state", "region", "agency", "court", "due_at", "overdue"} & row.item.keys()


@few
@given(cases())
def test_a_row_is_json_as_the_description_of_the_service_says(case: Case) -> None:
    for row in rows_of(case):
        item = orjson.loads(orjson.dumps(dict(row.item)))
        described = structure(**ITEMS[row.kind])
        assert item.keys() == described["properties"].keys()
        jsonschema.validate(item, described)


@few
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_in_which_facts_came_changes_no_row(case: Case, dice: random.Random) -> None:
    record, _, due, _ = case
    facts, rows = list(record.facts), list(due)
    dice.shuffle(facts)
    dice.shuffle(rows)
    shuffled = (replace(record, facts=tuple(facts)), case[1], rows, case[3])
    assert rows_of(shuffled) == rows_of(case)


@few
@given(cases())
def test_what_was_withdrawn_or_is_not_known_yet_makes_the_rows_of_a_case_without_it(case: Case) -> None:
    record, at = case[0], case[0].as_of or 0
    known = [fact for fact in record.facts if fact.known_at <= at]
    gone = {(fact.source, fact.data.get("fact_id")) for fact in known if fact.type == WITHDRAWAL}
    kept = tuple(fact for fact in known if fact.type == WITHDRAWAL or fact.identity not in gone)
    assert rows_of(case, facts=kept) == rows_of(case)


@few
@given(cases())
def test_what_somebody_still_has_to_do_stands_in_some_row_and_makes_its_due(case: Case) -> None:
    _, _, due, service = case
    rows = rows_of(case)
    shown = {waits["rule"] for row in rows for waits in row.item["deadlines"]}
    assert shown >= {one.row.rule for one in due if one.row.state in UNENDED and one.row.rule in SHOWN[service]}
    for row in rows:
        dues = [waits["due_at"] for waits in row.item["deadlines"] if waits["due_at"] is not None]
        assert row.due == (parse_instant(dues[0]) if dues else None)
        assert dues == sorted(dues, key=parse_instant)


@pytest.mark.parametrize(
    ("service", "type"),
    [(fact.service, name) for name, fact in FACT_TYPES.items() if fact.service in SERVICES and not fact.context],
)
def test_every_fact_of_a_service_makes_a_row_that_is_no_finding(service: str, type: str) -> None:
    references = {name: "k1" for name in FACT_TYPES[type].fields if name.endswith("_id")}
    rows = listed(service, [post(type, "03-02T10:00", **references)], moment("03-02T11:00"))
    assert [row for row in rows if row.kind != "findings"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_field_that_says_what_it_may_not_is_shown_nowhere(service: str) -> None:
    secret, pair = "Aliya, Abay 12", "pair-of-two"
    facts: list[Fact] = []
    for name, type in FACT_TYPES.items():
        if type.context or type.service is None:
            continue
        data: dict[str, Any] = dict.fromkeys([*type.fields, "note", "name"], secret) | {"pair_ref": pair}
        data |= {field: "k1" for field in type.fields if field.endswith("_id")} | {"region": "KZ-75"}
        source = "102/KZ-75" if len(facts) % 2 else f"102/{secret}"
        facts.append(
            post(name, f"03-02T1{len(facts) // 60}:{len(facts) % 60:02}", id=f"f{len(facts)}", source=source, **data)
        )
    rows = listed(service, facts, moment("03-02T12:00"))
    assert {row.kind for row in rows} > {"findings"}
    for row in rows:
        told = repr((row.state, row.region, row.agency, row.court, row.item))
        assert secret not in told
        assert pair not in told
        texts = re.findall(r'"([^"]*)"', orjson.dumps(dict(row.item)).decode())
        assert all(CODE.fullmatch(text) for text in texts)


def test_a_case_that_was_never_judged_has_no_rows() -> None:
    record = learn(CaseRecord("c1"), [post("police.incident_registered", "03-02T10:00")])
    for service in SERVICES:
        assert list(PROJECTIONS[service](plan_of(default_policy(), service))(record, [])) == []
