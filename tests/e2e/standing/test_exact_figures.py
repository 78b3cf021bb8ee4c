"""A month of call-outs, refusals and decisions, in a region and a year of its own: what the running services answer for
it is what the pure functions make of the same facts, and what can be counted by hand."""

from typing import Any

from police_dispatch.regraded import KIND, desks, measured_of
from qorgau.assess import by_case, judged
from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, MINUTE, parse_instant
from qorgau.measures.figures import figures
from qorgau.record import CaseRecord, learn
from qorgau.vocabulary import COURT, INTAKE, POLICE
from tests.e2e.stack import Stack, eventually, shuffled

REGION, MONTH = "KZ-35", "2034-02"
BEGIN = parse_instant("2034-02-01T10:00:00+05:00")
OVER = parse_instant("2034-04-01T10:00:00+05:00")
CALLS, LATE, LOWERED = 8, 2, 6


def posted(number: int, kind: str, after: int, source: str, **data: Any) -> Fact:
    at = BEGIN + number * DAY + after
    data = {"region": REGION, **data}
    return Fact(f"fg-{kind}-{number}-{after}", f"{source}/{REGION}", kind, at, at, f"figures-{number}", data)


def doctors(number: int, reachable: bool) -> Fact:
    at = BEGIN + number * DAY - HOUR
    data = {"region": REGION, "on_duty": 1, "reachable": reachable}
    return Fact(f"fg-doctors-{number}", f"forensic/{REGION}", "exam.capacity_reported", at, at, None, data)


def a_case(number: int) -> list[Fact]:
    report = {"channel": "102", "area": "urban", "report_id": f"fg-{number}", "pair_ref": f"fg-pair-{number}"}
    grade = {"priority": "immediate", "area": "urban"}
    court = {"protocol_id": f"fg-{number}", "court": f"{REGION}-01", "arrest_eligible": False}
    facts = [
        posted(number, "report.received", 0, "102", **report),
        posted(number, "police.incident_registered", MINUTE, "102", report_id=f"fg-{number}", **grade),
        posted(number, "exam.blocked", DAY, "forensic", exam_id=f"fg-{number}", reason="no_expert"),
        posted(number, "court.case_registered", DAY + HOUR, "court", **court),
        posted(number, "court.decision_issued", 2 * DAY, "court", protocol_id=f"fg-{number}", sanction="warning"),
        doctors(number + 1, reachable=number < 6),
    ]
    if number < LOWERED:
        later = {"priority": "prompt", "area": "urban"}
        facts.append(posted(number, "police.reprioritised", 15 * MINUTE, "102", **later))
    arrival = (90 if number < LATE else 14) * MINUTE
    seen = {"response": "incident", "injury": False, "sexual": False}
    return [*facts, posted(number, "police.arrived", MINUTE + arrival, "102", **seen)]


async def months(stack: Stack, service: str, path: str, **query: str) -> list[dict[str, Any]]:
    query = {"since": MONTH, **query}
    answer = await stack.http.get(f"{stack.url(service)}/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["months"]
    return found


async def test_figures_of_a_month_are_those_of_its_facts(stack: Stack) -> None:
    facts = [fact for number in range(CALLS) for fact in a_case(number)]
    await stack.post(shuffled(facts, seed=9))
    stack.set_clock(max(stack.now(), OVER))
    plan = stack.plans[POLICE]
    records = [
        CaseRecord(case, learn(CaseRecord(case), own).facts, as_of=OVER)
        for case, own in by_case(facts).items()
        if case is not None
    ]
    measure = measured_of(plan)
    rows = [row for record in records for row in measure(record, judged(record, plan)) if row["month"] == MONTH]

    async def told() -> None:
        [month] = await months(stack, POLICE, "kpis", by="region")
        assert month == {
            "month": MONTH,
            "over": True,
            "rules": figures([row for row in rows if row["kind"] == "phase"], ["region"], plan.policy),
        }
        [graded] = await months(stack, POLICE, "regradings/desks")
        assert graded["desks"] == desks(row for row in rows if row["kind"] == KIND)

    await eventually(told)
    [graded] = await months(stack, POLICE, "regradings/desks")
    assert [(row["call_outs"], row["lowered"], row["repeated"]) for row in graded["desks"]] == [(CALLS, LOWERED, True)]
    [room] = await months(stack, POLICE, "capacity")
    assert [cell["total"] for cell in room["cells"]] == [CALLS]
    listed = await stack.http.get(f"{stack.url(POLICE)}/v1/regradings", params={"region": REGION, "limit": "50"})
    assert {row["case"] for row in listed.json()["items"]} == {f"figures-{number}" for number in range(LOWERED)}
    ledger = await stack.http.get(f"{stack.url(POLICE)}/v1/cases/figures-0/regrading")
    assert [grade["priority"] for grade in ledger.json()["call_outs"][0]["grades"]] == ["immediate", "prompt"]

    async def decided() -> None:
        [month] = await months(stack, INTAKE, "sanctions")
        # Beside so many of one sanction each other would be known to have none.
        assert {cell["sanction"]: cell["decisions"] for cell in month["decisions"]} == {"total": CALLS}

    await eventually(decided)

    async def heard() -> None:
        [month] = await months(stack, COURT, "kpis")
        shown = {row["rule"]: (row["cells"][-1]["n"], row["cells"][-1]["share_in_time"]) for row in month["rules"]}
        assert shown.get("P18") == (CALLS, 1.0)

    await eventually(heard)


async def test_a_month_that_is_not_over_is_told_to_supervisors_of_all_regions_who_ask_for_it(stack: Stack) -> None:
    query = {"since": "2071-01"}
    for service, path in ((POLICE, "kpis"), (INTAKE, "sanctions"), (INTAKE, "capacity"), (POLICE, "regradings/desks")):
        answer = await stack.http.get(f"{stack.url(service)}/v1/{path}", params=query)
        assert answer.status_code == 404, path
        answer = await stack.http.get(f"{stack.url(service)}/v1/{path}", params=query | {"provisional": "true"})
        assert answer.status_code == 200, path
