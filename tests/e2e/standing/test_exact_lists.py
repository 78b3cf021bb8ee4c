"""What duty officers and supervisors ask for is answered by the running services as the facts have it."""

from typing import Any

from qorgau.instants import DAY
from qorgau.vocabulary import COURT, INTAKE, POLICE
from tests.e2e.stack import Stack, eventually, renamed, shuffled
from tests.e2e.standing.test_exact import scenario_facts
from tests.expected import SCENARIOS

CASES = {"s01": "ls-case-s01", "s08": "ls-case-s08"}


async def items(stack: Stack, service: str, kind: str, **query: str) -> list[dict[str, Any]]:
    answer = await stack.http.get(f"{stack.url(service)}/v1/{kind}", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def the_only(stack: Stack, service: str, kind: str, case: str) -> dict[str, Any]:
    found = await items(stack, service, kind, case=case)
    assert len(found) == 1
    return found[0]


async def test_responses_orders_hearings_and_accounts_are_listed_as_posted(stack: Stack) -> None:
    chosen = [path for path in SCENARIOS if path.name[:3] in CASES]
    facts = [fact for path in chosen for fact in renamed(scenario_facts(path), "ls-")]
    await stack.post(shuffled(facts, seed=8))
    stack.set_clock(max(stack.now(), *(fact.known_at for fact in facts)) + DAY)

    async def listed() -> None:
        response = await the_only(stack, POLICE, "responses", CASES["s01"])
        assert response["state"] == "closed"
        lapsed = await the_only(stack, POLICE, "orders", CASES["s08"])
        assert lapsed["state"] == "expired"
        court_case = await the_only(stack, COURT, "court-cases", CASES["s01"])
        assert court_case["state"] == "decided"
        assert not court_case["overdue"]

    await eventually(listed)
    for service in (INTAKE, POLICE, COURT):
        answer = await stack.http.get(f"{stack.url(service)}/v1/cases/{CASES['s01']}/attribution")
        assert answer.status_code == 200
    sums = await stack.http.get(f"{stack.url(INTAKE)}/v1/attribution")
    assert sums.status_code == 200


async def test_a_list_refuses_what_it_does_not_know(stack: Stack) -> None:
    url = f"{stack.url(POLICE)}/v1/orders"
    for query in ({"due_before": "tomorrow"}, {"cursor": "nonsense"}, {"colour": "red"}, {"limit": "0"}):
        answer = await stack.http.get(url, params=query)
        assert answer.status_code in (400, 422), query
        assert not any(value in answer.text for value in query.values() if value != "0")
