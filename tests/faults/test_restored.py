"""A database put back from an old copy catches up with the log and with what it had already told."""

import pytest

from qorgau.instants import DAY
from qorgau.vocabulary import POLICE
from tests.e2e.stack import Stack
from tests.faults.checks import as_read, check, newest, told
from tests.faults.harness import copied, put_back
from tests.faults.load import ARRIVED, DISPATCH, UNIT, Planned, calls, under_load

CASES = 15


def ends() -> list[Planned]:
    """What meets, or meets too late, what the first calls have left open."""
    cases = [f"before-{n}" for n in range(CASES)]
    arrived = [
        Planned(n / 10, POLICE, "police.arrived", DISPATCH, "a2", case, ARRIVED, 0) for n, case in enumerate(cases)
    ]
    risk = {"region": ARRIVED["region"], "level": "standard", "tool": "dash"}
    assessed = [Planned(n / 10, POLICE, "risk.assessed", UNIT, "k2", case, risk, 0) for n, case in enumerate(cases)]
    return sorted(arrived + assessed, key=lambda step: step.at)


@pytest.mark.long
async def test_a_database_put_back_from_an_old_copy_catches_up_and_tells_nothing_false(stack: Stack) -> None:
    process = stack.process(POLICE)
    async with under_load(stack, calls("before", CASES, 2.0)) as before:
        pass
    await process.stop()
    copy = await copied(stack, POLICE)
    await process.start()
    # What the copy does not know: flags raised and flags cleared, in its cases and in others.
    async with under_load(stack, calls("after", CASES, 2.0) + ends()) as after:
        pass
    cases = before.answered.keys() | after.answered.keys()
    posted = {case: before.answered[case] | after.answered[case] for case in cases}
    at = stack.now() + 2 * DAY
    assert await check(stack, posted, at) > 0
    first = await told(stack)
    await process.stop()
    await put_back(stack, POLICE, copy)
    await process.start()
    # A day on, so that it has something new to say as well.
    assert await check(stack, posted, at + DAY, remade=True) > 0
    known = {case: of[-1].item["seq"] for (service, case), of in as_read(first).items() if service == POLICE}
    rows = {name: one.row for name, one in newest(first).items()}
    earlier = {one.at for one in first}
    since = [one for one in await told(stack) if one.at not in earlier]
    again = [one for one in since if one.service == POLICE and one.item["case"] in posted]
    assert all(one.item["seq"] > known.get(one.item["case"], 0) for one in again)
    assert not [one for one in again if rows.get(one.item["id"]) == one.row]
