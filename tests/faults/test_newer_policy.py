"""A newer policy judges open cases anew and leaves closed flags alone; who has the older one keeps its hands off."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from qorgau.embedded.data import default_policy
from qorgau.embedded.process import Process
from qorgau.facts import Fact
from qorgau.instants import HOUR, MINUTE
from qorgau.plan import compile_policy
from qorgau.policy import load_policy
from qorgau.vocabulary import COURT
from tests.e2e.stack import Row, Stack, eventually, order
from tests.faults.harness import another, stored
from tests.faults.load import JUDGE, REGION, UNIT

BEGINNING = "id: P14"


def policy(folder: Path, version: str, within: str) -> Path:
    """The bundled policy under another version; within how long an urgent protocol must reach the court."""
    bundled = default_policy().read_text(encoding="utf-8")
    text = re.sub(r'version: "[^"]+"', f'version: "{version}"', bundled, count=1)
    before, rule = text.split(BEGINNING)
    file = folder / f"{version}.yaml"
    file.write_text(f"{before}{BEGINNING}{rule.replace('within: PT3H', f'within: {within}', 1)}", encoding="utf-8")
    assert load_policy(file).policy.version == version
    return file


def protocol(case: str, at: int) -> Iterator[Fact]:
    data = {"region": REGION, "protocol_id": "p1", "article": "73", "arrest_eligible": True}
    occurred = {"occurred_at": "2026-03-01T00:00:00Z"}
    yield Fact("drawn", UNIT, "protocol.drawn_up", at, at, case, data | occurred)


def registered(case: str, at: int) -> Iterator[Fact]:
    data = {"region": REGION, "protocol_id": "p1", "court": "c1", "arrest_eligible": True}
    yield Fact("registered", JUDGE, "court.case_registered", at, at, case, data)


async def p14(stack: Stack, case: str) -> list[Row]:
    """The flags of the changed rule, in the order they were raised."""
    rows = [row for row in await stack.flags(COURT, case) if row["rule"] == "P14"]
    return sorted(rows, key=lambda row: (row["raised_at"], row["level"]))


@pytest.mark.long
async def test_a_newer_policy_judges_open_cases_anew_and_an_older_replica_keeps_off(
    stack: Stack, tmp_path: Path
) -> None:
    at, process = stack.now(), stack.process(COURT)
    stack.set_clock(at)
    await stack.post([*protocol("newer-open", at - 4 * HOUR), *protocol("newer-shut", at - 4 * HOUR)])
    await stack.post(registered("newer-shut", at - 30 * MINUTE))
    # Filed a moment after what is judged already.
    stack.set_clock(at + MINUTE)

    async def flagged() -> None:
        assert [row["outcome"] for row in await p14(stack, "newer-open")] == ["breached", "open"]
        assert [row["outcome"] for row in await p14(stack, "newer-shut")] == ["breached", "closed_late"]

    await eventually(flagged)
    shut = await p14(stack, "newer-shut")
    newer = policy(tmp_path, "9.0.0", "PT6H")
    await restarted(process, newer)
    try:
        async with beside(await another(stack, COURT, "court-older", policy=str(default_policy()))) as older:
            stack.set_clock(at + HOUR)
            await stack.post([*protocol("newer-new", at + 20 * MINUTE)])

            async def judged_anew() -> None:
                assert [row["outcome"] for row in await p14(stack, "newer-open")] == ["breached", "due_moved", "open"]
                assert await p14(stack, "newer-shut") == shut
                assert "newer policy" in await trouble(stack, older)

            await eventually(judged_anew)
            stack.set_clock(at + 6 * HOUR)
            await eventually(lambda: _as_newer(stack, newer, "newer-new", at + 6 * HOUR))
            fingerprints = {of.record.fingerprint for of in (await stored(stack, COURT, "newer-")).values()}
            assert fingerprints == {load_policy(newer).fingerprint}
    finally:
        # The rules of the other tests again, as the newest policy of all.
        await restarted(process, policy(tmp_path, "9.1.0", "PT3H"))


async def _as_newer(stack: Stack, newer: Path, case: str, until: int) -> None:
    facts, _ = await stack.export(COURT, case)
    plans = {**stack.plans, COURT: compile_policy(load_policy(newer), COURT)}
    expected = Stack(stack.system, stack.http, plans).expected(COURT, facts, until)
    assert expected
    assert order(await stack.flags(COURT, case)) == order(expected)


async def restarted(process: Process, policy: Path) -> None:
    await process.stop()
    process.env["QORGAU_POLICY"] = str(policy)
    await process.start()


@asynccontextmanager
async def beside(process: Process) -> AsyncIterator[Process]:
    """It runs and is not waited for: it must not become ready."""
    starting = asyncio.create_task(process.start())
    try:
        yield process
    finally:
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting


async def trouble(stack: Stack, process: Process) -> str:
    """Why it is not ready, in its own words."""
    try:
        answer = await stack.http.get(f"http://127.0.0.1:{process.env['QORGAU_PORT']}/readyz")
    except httpx2.TransportError:
        return "it has not begun to answer"
    assert answer.status_code == 503
    return answer.text
