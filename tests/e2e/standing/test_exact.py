"""Live equals the specification, to the microsecond: everything is posted under a standing clock, then time goes on."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

import court_tracker.domain
import intake.domain
import police_dispatch.domain
from qorgau.assess import flag_history
from qorgau.facts import Fact, fact_from_json
from qorgau.instants import DAY, parse_instant
from tests.e2e.stack import KEEPERS, Stack, eventually, order, plain, renamed, shuffled
from tests.e2e.standing.conftest import BEFORE
from tests.expected import POLICY, SCENARIOS, load_scenario
from tests.histories import histories
from tests.oracle import load_policy

MODELS = {**intake.domain.FACTS, **police_dispatch.domain.FACTS, **court_tracker.domain.FACTS}
HISTORIES = 40


def scenario_facts(path: Path) -> list[Fact]:
    return [fact_from_json({**fact, **_texts(fact)}) for fact in load_scenario(path)["facts"]]


def _texts(fact: dict[str, Any]) -> dict[str, str]:
    """Timestamps that YAML has read as such, as text again."""
    return {name: fact[name].isoformat() for name in ("time", "recorded") if hasattr(fact.get(name), "isoformat")}


def admissible(fact: Fact) -> Fact | None:
    """The fact as the door would let it in: from a kind of agency that may post it, with its data as they must be."""
    model = MODELS.get(fact.type)
    if model is None or (fact.case is None) != (model.context is True) or fact.recorded < parse_instant(BEFORE):
        return None
    kind = sorted(model.posted_by - {"system"})[0]
    try:
        model.model_validate(dict(fact.data))
    except ValueError:
        return None
    if fact.data["region"] == "KZ-99" or fact.time < parse_instant(BEFORE):
        return None
    source = fact.source if fact.type == "fact.withdrawn" else f"{kind}/KZ-75"
    return Fact(fact.id, source, fact.type, fact.time, fact.recorded, fact.case, fact.data)


def random_cases() -> list[Fact]:
    """Random histories under the default policy, each in cases of its own, as far as the door lets their facts in."""
    found: list[list[Fact]] = []

    @settings(
        max_examples=HISTORIES,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(histories(load_policy(POLICY), 2, 25))
    def collect(facts: list[dict[str, Any]]) -> None:
        admitted = [admissible(fact_from_json(fact)) for fact in facts]
        found.append([fact for fact in admitted if fact is not None])

    collect()
    return [fact for number, facts in enumerate(found) for fact in apart(facts, f"r{number}-")]


def apart(facts: Sequence[Fact], prefix: str) -> list[Fact]:
    """The same facts in cases of other names; those of no case, which all histories share, under other ids."""
    return renamed([fact if fact.case else replace(fact, id=f"{prefix}{fact.id}") for fact in facts], prefix)


async def test_scenarios_and_random_histories_come_out_exactly_as_specified(stack: Stack) -> None:
    facts = [fact for path in SCENARIOS for fact in scenario_facts(path)] + random_cases()
    by_case: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.case is not None:
            by_case[fact.case].append(fact)
    assert len(by_case) > 30
    await stack.post(shuffled(facts, seed=4))
    until = max(fact.known_at for fact in facts) + 100 * DAY
    stack.set_clock(until)
    expected = {
        (service, case): order(stack.expected(service, own, until, facts))
        for service in KEEPERS
        for case, own in by_case.items()
    }
    assert sum(map(len, expected.values())) > 100
    for (service, case), rows in expected.items():

        async def same(service: str = service, case: str = case, rows: Sequence[dict[str, Any]] = rows) -> None:
            assert order(await stack.flags(service, case)) == rows

        await eventually(same)


def on_a_pair(case: str, id: str, days: int, recorded: int = 0) -> Fact:
    at = parse_instant("2029-06-01T05:00:00Z") + days * DAY
    return Fact(
        id, "102/KZ-75", "report.received", at, at + recorded, case, {**_REPORT, "report_id": id, "pair_ref": PAIR}
    )


async def test_reports_of_other_cases_on_the_same_pair_raise_the_repeat_at_the_instant_specified(stack: Stack) -> None:
    facts = [
        on_a_pair("pair-a", "p1", 0),
        on_a_pair("pair-b", "p2", 10),
        on_a_pair("pair-c", "p3", 20, recorded=5 * DAY),
        replace(on_a_pair("pair-b", "p4", 21), type="report.merged", data={**_REPORT_IDS, "report_id": "p2"}),
        on_a_pair("pair-d", "p5", 100),
    ]
    await stack.post(shuffled(facts, seed=9))
    until = max(fact.known_at for fact in facts) + 10 * DAY
    stack.set_clock(until)
    rows = [row.to_json() for row in flag_history(facts, stack.plans["intake"], until) if row.rule == "F5"]
    assert {row["case"] for row in rows} == {"pair-b", "pair-c", "pair-d"}
    for case in ("pair-a", "pair-b", "pair-c", "pair-d"):
        own = [row for row in rows if row["case"] == case]

        async def same(case: str = case, own: Sequence[dict[str, Any]] = own) -> None:
            items = await stack.flag_items("intake", case)
            assert [plain(row) for row in items if row["rule"] == "F5"] == own
            # The law: what is exported gives what was raised.
            facts, _ = await stack.export("intake", case)
            assert {fact.case for fact in facts} == {case}
            replayed = stack.expected("intake", facts, until, await stack.heard("intake", case))
            assert [row for row in replayed if row["rule"] == "F5"] == own

        await eventually(same)


async def test_nothing_is_judged_while_the_clock_stands_and_all_of_it_once_it_moves(stack: Stack) -> None:
    at = parse_instant("2030-01-01T00:00:00Z")
    stack.set_clock(at)
    fact = Fact("s1", "102/KZ-75", "report.received", at + 1, at + 1, "standing", _REPORT)
    await stack.post([fact])

    async def filed() -> None:
        assert (await stack.export("intake", "standing"))[0] == [fact]

    await eventually(filed)
    assert (await stack.export("intake", "standing"))[1] is None
    stack.set_clock(at + DAY)

    async def raised() -> None:
        rules = {row["rule"] for row in await stack.flags("intake", "standing")}
        assert rules == {"P01"}

    await eventually(raised)


PAIR = "pair-1"
_REPORT_IDS = {"region": "KZ-75", "into_report_id": "p1"}
_REPORT = {"region": "KZ-75", "report_id": "r1", "channel": "102", "area": "urban"}
