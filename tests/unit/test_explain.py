"""An explanation says what the heart computed, in numbers that add up and in English; for any flag of any history."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings

from qorgau.assess import by_case, case_history
from qorgau.explain import explain
from qorgau.explaining.wording import length
from qorgau.facts import Fact, fact_from_json
from qorgau.front.judging import PlanJudge
from qorgau.instants import HOUR, MINUTE, SECOND, parse_duration, parse_instant
from qorgau.plan import Plan, compile_policy
from qorgau.policy import load_policy
from qorgau.record import CaseRecord, advance, learn
from qorgau.rows import FlagRow
from qorgau.rules import Policy
from tests.command_line import Row
from tests.expected import POLICY, SCENARIOS, load_scenario
from tests.histories import judged
from tests.worked import protection
from tests.worked_examples import EXAMPLES, Example, as_of

PLAN = compile_policy(load_policy(POLICY))
FLOWING = re.compile(r"[A-Z].*[^.]\.", re.DOTALL)


def records(facts: Iterable[Row], plan: Plan, until: str | None) -> list[CaseRecord]:
    """The record of every case of a history, judged to the end."""
    world = [fact_from_json(fact) for fact in facts]
    at = max(fact.known_at for fact in world) if until is None else parse_instant(until)
    cases = {case: own for case, own in by_case(world).items() if case is not None}
    return [advance(learn(CaseRecord(case), own), at, plan, world)[0] for case, own in cases.items()]


def steps(explanation: Row) -> dict[str, Row]:
    """The steps by their names; of several escalations the last."""
    return {step["step"]: step for step in explanation["steps"]}


def sentence_of(explanation: Row, step: str) -> str:
    return str(steps(explanation)[step]["sentence"])


def check_sums(row: FlagRow, told: dict[str, Row]) -> None:
    """start + span + what was granted = need, start + need + what was stood = due."""
    start, need = parse_instant(told["start"]["at"]), parse_duration(told["need"]["length"])
    granted = parse_duration(told["extended"]["total"]) if "extended" in told else 0
    stood = parse_duration(told["tolled"]["total"]) if "tolled" in told else 0
    assert start == row.start_at
    assert parse_instant(told["base_due"]["at"]) + granted == start + need
    if told["due"]["at"] is not None:
        assert parse_instant(told["due"]["at"]) == start + need + stood
    if "extended" in told:
        assert sum(parse_duration(grant["granted"]) for grant in told["extended"]["grants"]) == granted
    if "tolled" in told:
        assert sum(parse_duration(span["length"]) for span in told["tolled"]["spans"]) == stood


def check(row: FlagRow, explanation: Row) -> None:
    """What holds of every explanation."""
    told = steps(explanation)
    assert explanation["flag"] == {"id": row.id, **row.to_json(), "region": row.region, "agency": row.agency}
    assert explanation["rule"]["id"] == row.rule
    assert parse_instant(told["raised"]["at"]) == row.raised_at
    assert json.loads(json.dumps(explanation)) == explanation
    for sentence in [explanation["sentence"], *(step["sentence"] for step in explanation["steps"])]:
        assert FLOWING.fullmatch(sentence), sentence
        assert not re.search("  |None|True", sentence), sentence
    if row.level == "flag":
        assert ("cleared" in told) == (row.cleared_at is not None)
        return
    assert told["due"]["at"] == row.to_json()["due_at"]
    assert [
        (step["to"], parse_instant(step["at"])) for step in explanation["steps"] if step["step"] == "escalated"
    ] == [*row.escalations]
    check_sums(row, told)
    if row.late_by is not None:
        assert parse_duration(told["late"]["late_by"]) == row.late_by


@given(judged(max_cases=2))
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_due_of_an_explanation_is_that_of_the_flag_and_its_ledger_adds_up(drawn: Any) -> None:
    raw, facts, until = drawn
    plan = compile_policy(Policy.model_validate(raw))
    world = [fact_from_json(fact) for fact in facts]
    for record in records(facts, plan, until):
        for row in record.flags:
            event(f"{row.level} {row.outcome}")
            check(row, explain(record, row.id, plan, world))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_flag_of_a_scenario_is_explained(path: Any) -> None:
    scenario = load_scenario(path)
    world = [fact_from_json(fact) for fact in scenario["facts"]]
    found = 0
    for record in records(scenario["facts"], PLAN, scenario["as_of"][-1]):
        for row in record.flags:
            check(row, explain(record, row.id, PLAN, world))
            found += 1
    assert found == len(scenario["expect"]["flags"])


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.flags and not one.tweak], ids=str)
def test_every_flag_of_a_worked_example_is_explained(example: Example) -> None:
    world = [fact_from_json(fact) for fact in example.facts]
    for record in records(example.facts, PLAN, as_of(example)):
        for row in record.flags:
            check(row, explain(record, row.id, PLAN, world))


def scenario_explained(name: str, rule: str, level: str) -> Row:
    scenario = next(load_scenario(path) for path in SCENARIOS if path.stem.startswith(name))
    world = [fact_from_json(fact) for fact in scenario["facts"]]
    (record,) = [one for one in records(scenario["facts"], PLAN, scenario["as_of"][-1]) if one.flags]
    row = next(row for row in record.flags if (row.rule, row.level) == (rule, level))
    return explain(record, row.id, PLAN, world)


def test_the_slow_rural_police_are_explained_as_a_person_would() -> None:
    story = scenario_explained("s02", "P03", "breach")
    assert story["sentence"] == (
        "Police arrive, danger to life or violence going on (P03). The term began on 10 February 2026 at 22:10 "
        "and ended on 10 February 2026 at 22:30; it was answered on 10 February 2026 at 23:05, 35 minutes late."
    )
    assert [step["sentence"] for step in story["steps"]] == [
        "The term began on 10 February 2026 at 22:10 (Asia/Almaty, UTC+5) with police.incident_registered "
        "(fact f03 of 102/KZ-31).",
        "It lasts 20 minutes as they pass, because area is rural in the start fact; the severity is critical.",
        "Without interruption it would end on 10 February 2026 at 22:30.",
        "So the running time allowed was 20 minutes.",
        "It was due on 10 February 2026 at 22:30.",
        "The warning was set for 10 February 2026 at 22:26.",
        "A breach could be told from 10 February 2026 at 22:30 on.",
        "The breach was raised on 10 February 2026 at 22:30.",
        "It was answered on 10 February 2026 at 23:05 by police.arrived (fact f04 of 102/KZ-31).",
        "That is 35 minutes after the due.",
        "L2, the regional supervisor, was told on 10 February 2026 at 22:30.",
        "The flag was cleared on 10 February 2026 at 23:05: the duty was done, but late.",
    ]
    assert (
        story["rule"] | {"id": "P03", "duty": "police dispatch (102)", "effective_from": "2020-01-01"} == story["rule"]
    )
    assert story["facts"]["start"]["id"] == "f03"
    assert story["facts"]["end"]["id"] == "f04"


def posted(id: str, type: str, time: str, **data: object) -> Row:
    return {
        "id": id,
        "source": "court/KZ-75-01",
        "type": type,
        "time": f"{time}:00+05:00",
        "case": "c1",
        "data": {"region": "KZ-75", "protocol_id": "p1", **data},
    }


SUSPENDED = {"tolls_term": True, "legal_basis": "state_of_emergency", "hearing_id": "h1"}


def test_tolls_and_extensions_are_told_as_ledgers_with_the_facts_that_made_them() -> None:
    facts = [
        posted("r", "court.case_registered", "2026-06-01T10:00", arrest_eligible=False),
        posted("s", "court.hearing_suspended", "2026-06-02T10:00", **SUSPENDED),
        posted("e", "court.hearing_resumed", "2026-06-05T12:00", hearing_id="h1"),
        posted("x", "court.term_extended", "2026-06-10T10:00", days=10),
        posted("y", "court.term_extended", "2026-06-11T10:00", days=10),
    ]
    (record,) = records(facts, PLAN, "2026-07-10T10:00:00+05:00")
    told = steps(explain(record, next(row for row in record.flags if row.rule == "P18").id, PLAN))
    (span,) = told["tolled"]["spans"]
    assert (span["by"]["id"], span["until"]["id"], span["length"]) == ("s", "e", "P3DT2H")
    assert told["tolled"]["sentence"] == (
        "The clock stood from 2 June 2026 at 10:00 to 5 June 2026 at 12:00, 3 days and 2 hours in all."
    )
    assert [(grant["fact"]["id"], grant["granted"]) for grant in told["extended"]["grants"]] == [
        ("x", "P10D"),
        ("y", "P5D"),
    ]
    assert told["extended"]["sentence"] == (
        "It was extended: 10 days on 10 June 2026 at 10:00 by court.term_extended (fact x of court/KZ-75-01) and "
        "5 days on 11 June 2026 at 10:00 by court.term_extended (fact y of court/KZ-75-01)."
    )
    assert told["need"]["length"] == "P30D"
    assert told["due"]["sentence"] == "It was due on 4 July 2026 at 12:00."


def test_a_protection_gap_is_told_with_the_order_the_date_and_what_lies_between() -> None:
    story = scenario_explained("s10", "F9", "flag")
    assert story["sentence"] == (
        "The order ends before a suspended hearing takes place (F9). It was raised on 29 March 2020 at 15:00 and was "
        "cleared on 14 April 2020 at 16:00."
    )
    told = steps(story)
    assert told["condition"]["sentence"] == (
        "What court.hearing_suspended (fact f04 of court/KZ-39-01) of 27 March 2020 at 09:00 suspended takes place "
        "too late: order o1 ends on 24 April 2020 at 12:00, the new date is 14 May 2020 at 10:00, 19 days and 22 hours "
        "later."
    )
    assert [fact["id"] for fact in told["condition"]["facts"]] == ["f04", "f05"]
    assert told["cleared"]["sentence"] == (
        "It was cleared on 14 April 2020 at 16:00, when order.extended (fact f10 of police-unit/KZ-39) became known."
    )


def test_a_gap_without_a_date_and_one_after_the_date_are_told_in_their_own_words() -> None:
    told = set[str]()
    for example in protection.EXAMPLES:
        for record in records(example.facts, PLAN, as_of(example)):
            told |= {
                sentence_of(explain(record, row.id, PLAN), "condition") for row in record.flags if row.rule == "F9"
            }
    for words in (
        "suspended had no new date, and order o1 had ended on 1 July 2026 at 09:00.",
        "suspended had not taken place: order o1 had ended on 1 July 2026 at 09:00, "
        "the new date is 1 July 2026 at 09:00.",
    ):
        assert any(sentence.endswith(words) for sentence in told), words


def test_days_that_were_not_counted_are_named() -> None:
    facts = [posted("k", "risk.assessed", "2026-04-30T10:00", level="high")]
    (record,) = records(facts, PLAN, "2026-05-08T00:00:00+05:00")
    row = next(row for row in record.flags if row.rule == "P07" and row.level == "breach")
    told = steps(explain(record, row.id, PLAN))
    assert told["days_off"]["days"] == ["2026-05-01", "2026-05-02", "2026-05-03"]
    assert told["days_off"]["sentence"] == "Days off do not count: 1 May, 2 May and 3 May."
    assert told["due"]["sentence"] == "It was due on 7 May 2026 at 00:00."


def test_another_offset_than_at_the_start_is_said() -> None:
    facts = [posted("o", "order.issued", "2024-02-29T19:00", order_id="o1")]
    (record,) = records(facts, PLAN, "2024-03-02T00:00:00+05:00")
    row = next(row for row in record.flags if row.rule == "P09" and row.level == "breach")
    story = explain(record, row.id, PLAN)
    assert "29 February 2024 at 20:00 (Asia/Almaty, UTC+6)" in sentence_of(story, "start")
    assert sentence_of(story, "due") == "It was due on 1 March 2024 at 19:00 (UTC+5)."


def test_each_outcome_is_told_in_its_own_words() -> None:
    told = Counter()  # type: Counter[str]
    for example in EXAMPLES:
        if example.tweak is None:
            for record in records(example.facts, PLAN, as_of(example)):
                told.update(
                    sentence_of(explain(record, row.id, PLAN), "outcome").partition(": ")[2]
                    for row in record.flags
                    if row.level != "flag"
                )
    for words in (
        "the time ran out",
        "only the recording was late",
        "the clock stands",
        "no longer counts",
        "moved to",
    ):
        assert any(words in sentence for sentence in told), words


def test_a_flag_that_never_was_is_a_key_error() -> None:
    (record,) = records(load_scenario(SCENARIOS[1])["facts"], PLAN, None)
    for name in ("", "f" * 36, record.flags[0].id[:-1]):
        with pytest.raises(KeyError):
            explain(record, name, PLAN)
    with pytest.raises(KeyError):
        explain(CaseRecord("c"), record.flags[0].id, PLAN)


def test_a_flag_of_a_rule_that_the_policy_no_longer_has_is_still_explained() -> None:
    (record,) = records(load_scenario(SCENARIOS[1])["facts"], PLAN, None)
    other = compile_policy(load_policy(POLICY), "intake")
    for row in record.flags:
        story = explain(record, row.id, other)
        assert "no such deadline" in story["sentence"] or story["rule"]["service"] == "intake"


def test_the_judge_of_the_services_says_what_the_heart_says() -> None:
    judge = PlanJudge(PLAN)
    (record,) = records(load_scenario(SCENARIOS[1])["facts"], PLAN, None)
    assert [one.row.rule for one in judge.judged(record)] == ["P01", "P03", "P06", "P08", "P26"]
    assert not judge.closed(record)
    assert judge.explain(record, record.flags[0].id) == explain(record, record.flags[0].id, PLAN)
    own = [fact for fact in record.facts if fact.case is not None]
    assert record.flags == case_history(own, PLAN, record.as_of or 0)
    closing = Fact("z", "coordinator/KZ-31", "case.closed", record.as_of or 0, record.as_of or 0, record.case, {})
    assert judge.closed(CaseRecord(record.case, (*record.facts, closing), as_of=record.as_of))


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (0, "0 seconds"),
        (1, "0.000001 seconds"),
        (SECOND, "1 second"),
        (90 * SECOND, "1 minute and 30 seconds"),
        (24 * HOUR + 3 * HOUR + 5 * MINUTE, "1 day, 3 hours and 5 minutes"),
        (2 * HOUR + SECOND // 2, "2 hours and 0.5 seconds"),
    ],
)
def test_a_length_is_told_in_english_and_never_rounded(span: int, words: str) -> None:
    assert length(span) == words
