"""Live equals the specification where what happens at a court reaches cases that wait there."""

from collections.abc import Sequence

from qorgau.assess import flag_history
from qorgau.facts import Fact
from qorgau.instants import DAY, HOUR, format_instant, parse_instant
from qorgau.vocabulary import COURT
from tests.e2e.stack import Row, Stack, eventually, order, shuffled

AT = parse_instant("2031-03-03T04:00:00Z")
SYSTEM = "system/court-tracker"
QUARANTINE = {"category": "emergency_regime"}


def at_court(id: str, type: str, at: int, case: str | None, of: str, **data: object) -> Fact:
    return Fact(id, f"court/{of}", type, at, at, case, {"region": of[:5], **data})


def registered(case: str, court: str, at: int = AT) -> Fact:
    data = {"protocol_id": case, "court": court, "arrest_eligible": True}
    return at_court(f"r-{case}", "court.case_registered", at, case, court, **data)


def decided(id: str, court: str, days: float, **data: object) -> Fact:
    at = AT + int(days * DAY)
    item = {"court": court, "registered_at": format_instant(at - HOUR), **QUARANTINE, **data}
    return at_court(id, "court.docket_item_decided", at, None, court, **item)


def listed(case: str, court: str, days: float, hearing: str = "h1", at: int = AT + HOUR) -> Fact:
    date = format_instant(AT + int(days * DAY))
    data = {"protocol_id": case, "hearing_id": f"{case}-{hearing}", "scheduled_for": date}
    return at_court(f"l-{case}-{hearing}", "court.hearing_scheduled", at, case, court, **data)


async def flags_are(stack: Stack, case: str, wanted: Sequence[Row]) -> None:
    """The case has exactly these flags, and they are what its export gives."""

    async def same() -> None:
        live = order(await stack.flags(COURT, case))
        facts, as_of = await stack.export(COURT, case)
        assert as_of is not None
        assert order(stack.expected(COURT, facts, as_of, await stack.heard(COURT, case))) == live
        assert live == order(wanted)

    await eventually(same)


async def test_items_of_its_docket_reach_each_case_that_waits_there_and_no_other(stack: Stack) -> None:
    here, elsewhere = "KZ-75-31", "KZ-75-32"
    done = at_court("d", "court.decision_issued", AT + 3 * DAY, "q-done", here, protocol_id="q-done", sanction="fine")
    mistake = decided("i9", here, 2.1)
    undone = Fact("w9", mistake.source, "fact.withdrawn", AT + 9 * DAY, AT + 9 * DAY, None, {**_UNDONE})
    facts = [
        *(registered(case, here) for case in ("q-one", "q-two", "q-done")),
        registered("q-other", elsewhere),
        # It waits since after they were registered, so they do not overtake it.
        registered("q-late", here, AT + 8 * DAY),
        *(decided(f"i{n}", here, 1 + n) for n in range(4)),
        decided("i4", here, 2, registered_at=format_instant(AT - DAY)),
        decided("i5", here, 2, category="other"),
        mistake,
        undone,
        done,
    ]
    await stack.post(shuffled(facts, seed=3))
    until = AT + 30 * DAY
    stack.set_clock(until)
    rows = flag_history(facts, stack.plans[COURT], until)
    assert {row.case for row in rows if row.rule == "F3"} == {"q-one", "q-two", "q-done"}
    for case in ("q-one", "q-two", "q-done", "q-other", "q-late"):
        await flags_are(stack, case, [row.to_json() for row in rows if row.case == case])


async def test_one_fact_suspends_every_hearing_of_the_region_and_says_when_each_resumes(stack: Stack) -> None:
    courts = ["KZ-71-31", "KZ-71-32", "KZ-75-33"]
    stopped, court_of = AT + 100 * DAY, {f"st-{n}": courts[n % 3] for n in range(12)}
    begun = stopped - DAY
    data = {"legal_basis": "state_of_emergency", "tolls_term": True, "until": format_instant(stopped + 20 * DAY)}
    facts = [
        *(registered(case, court, begun) for case, court in court_of.items()),
        *(listed(case, court, 102, at=begun + HOUR) for case, court in court_of.items()),
        at_court("stop", "court.operations_limited", stopped, None, "KZ-71", **data),
        # Listed while the courts stand, for a day on which they still will.
        listed("st-0", courts[0], 105, "h2", at=stopped + 2 * DAY),
        at_court("go", "court.operations_restored", stopped + 10 * DAY, None, "KZ-71"),
    ]
    facts = [fact if fact.case else _of_region(fact) for fact in facts]
    await stack.post(shuffled(facts, seed=5))
    until = stopped + 40 * DAY
    stack.set_clock(until)
    for case, court in court_of.items():
        hit = court.startswith("KZ-71")

        async def told(case: str = case, hit: bool = hit) -> None:
            own, _ = await stack.export(COURT, case)
            gone = {fact.data["fact_id"] for fact in own if fact.type == "fact.withdrawn"}
            said = sorted(
                (f.type, f.time) for f in own if f.source == SYSTEM and f.id not in gone and f.type != "fact.withdrawn"
            )
            times = [stopped, stopped + 2 * DAY + 1][: 2 if case == "st-0" else 1]
            wanted = [("court.hearing_resumed", stopped + 10 * DAY)] * len(times)
            wanted += [("court.hearing_suspended", at) for at in times]
            assert said == (wanted if hit else [])

        await eventually(told)
        own, _ = await stack.export(COURT, case)
        rows = [row.to_json() for row in flag_history(own, stack.plans[COURT], until)]
        await flags_are(stack, case, rows)
        raised = {row["rule"] for row in rows if row["level"] in ("breach", "flag")}
        assert ({"F1", "P19"} <= raised) is hit
        first = min((row["raised_at"] for row in rows if row["rule"] == "F1"), default=None)
        assert first == (format_instant(stopped) if hit else None)
    await cost_is_told(stack, courts[0], sorted(case for case, court in court_of.items() if court == courts[0]), until)


async def cost_is_told(stack: Stack, court: str, cases: Sequence[str], until: int) -> None:
    """The court's hearings are listed as they stand, page by page, and what its stop has cost is counted."""
    url = stack.url(COURT)
    lost = AT + 102 * DAY
    listed: list[Row] = []
    cursor: str | None = None
    while cursor is not None or not listed:
        query = {"court": court, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await stack.http.get(f"{url}/v1/hearings", params=query)).json()
        listed, cursor = listed + page["items"], page["next"]
    assert sorted({row["case"] for row in listed}) == cases
    assert {row["state"] for row in listed} <= {"awaiting_date", "relisted"}
    now = (await stack.http.get(f"{url}/v1/courts/{court}")).json()
    assert now["limited"] is False
    assert sum(now["hearings"].values()) == len(listed)
    told = (await stack.http.get(f"{url}/v1/courts/{court}/impact")).json()
    assert (told["protocols_hit"], told["hearings_hit"], told["awaiting_date"]) == (len(cases), len(listed), len(cases))
    longest = (parse_instant(told["as_of"]) - lost) / DAY
    assert parse_instant(told["as_of"]) >= until
    assert abs(told["days_lost"]["longest"] - longest) < 0.01
    again = await stack.http.get(f"{url}/v1/hearings", params={"court": court})
    unchanged = await stack.http.get(
        f"{url}/v1/hearings", params={"court": court}, headers={"if-none-match": again.headers["etag"]}
    )
    assert unchanged.status_code == 304
    assert (await stack.http.get(f"{url}/v1/courts/KZ-71-99/impact")).status_code == 404


def _of_region(fact: Fact) -> Fact:
    return Fact(fact.id, "court/KZ-71-31", fact.type, fact.time, fact.recorded, None, fact.data)


_UNDONE = {"region": "KZ-75", "fact_id": "i9", "reason": "entered_in_error"}
