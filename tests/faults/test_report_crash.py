"""kill -9 at every step of a report: asked again under the same key, there is one case, one fact and one pair."""

import asyncio
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from benchmarks.people import personal_part

from qorgau.bus import read_all
from qorgau.embedded.process import Process
from qorgau.embedded.services import READY_WITHIN
from qorgau.shell.crash import VAULT_POINTS
from qorgau.vocabulary import INTAKE, facts_topic
from tests.e2e.stack import PATIENCE, Row, Stack, eventually
from tests.faults.checks import until_so
from tests.faults.harness import armed, database
from tests.faults.load import DESK, REGION

TOLD = ["report.received", "report.triaged"]
CODES: Row = {"region": REGION, "channel": "150", "area": "urban", "needs_police": False}


async def reported(stack: Stack, key: str, body: Row) -> tuple[str, str]:
    """Ask until it is answered, as a client does whose connection breaks; the case and the report."""
    token = stack.system.backing.make_token(agency=DESK, scopes=["reports:write"], regions=[REGION])
    headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            answer = await stack.http.post(f"{stack.url(INTAKE)}/v1/reports", json=body, headers=headers)
        except httpx2.TransportError:
            answer = None
        if answer is not None and answer.status_code == 201:
            return answer.json()["case"], answer.json()["report_id"]
        assert answer is None or answer.status_code == 503, answer.text
        await asyncio.sleep(0.1)
    raise AssertionError("the report is never taken")


# Before anything of it is there, and between the answer and the log; all of them take a minute.
SOME = ("before-vault-write", "after-vault-flush")


@pytest.mark.parametrize("points", [SOME, pytest.param(VAULT_POINTS, marks=pytest.mark.long)])
async def test_killed_at_every_step_of_a_report_there_is_one_case_one_fact_and_one_pair(
    stack: Stack, tmp_path: Path, points: tuple[str, ...]
) -> None:
    process = stack.process(INTAKE)
    cases: dict[str, str] = {}
    # The same two people at every step: what recognises them is written again and again while the process dies.
    body = CODES | personal_part(len(points))
    for point in points:
        await process.stop()
        with armed(process, f"{point}@{tmp_path / point}"):
            await process.start()
        deaths = process.restarts + 1
        # Three at once: a client that is cut off, and others that were impatient.
        answers = await asyncio.gather(*(reported(stack, f"{len(points)}-{point}", body) for _ in range(3)))
        await until_so((tmp_path / point).exists, f"it never came to {point}")
        await until_so(partial(lives_again, process, deaths), "it was not started again")
        await process.wait_ready(READY_WITHIN)
        assert len(set(answers)) == 1
        cases |= dict(answers)
        # What waits is told now: otherwise the next start would come to the next point with it.
        await eventually(partial(_each_once, stack, cases))
    assert len(cases) == len(points)


def lives_again(process: Process, deaths: int) -> bool:
    return process.restarts >= deaths


async def _each_once(stack: Stack, cases: dict[str, str]) -> None:
    """One document in the vault, one of each fact in the case and the same in the log, however often; one pair."""
    async with database(stack, INTAKE) as content:
        mine = {"_id": {"$in": sorted(cases)}}
        vault = {one["_id"]: one async for one in content["vault"].find(mine)}
        assert {case: [report["id"] for report in one["reports"]] for case, one in vault.items()} == {
            case: [report] for case, report in cases.items()
        }
        assert {one["pending"] for one in vault.values()} == {0}
        pair_refs = {one["pair_ref"] for one in vault.values()}
        assert len(pair_refs) == 1
        pairs = await content["pairs"].find({"pair_ref": {"$in": sorted(pair_refs)}}).to_list(None)
        known = {case for pair in pairs for case in pair["cases"]}
        assert known == set(cases)
        assert await content["vault"].count_documents({"_id": {"$in": sorted(known)}}) == len(known)
    for case in cases:
        facts, _ = await stack.export(INTAKE, case)
        assert sorted(fact.type for fact in facts) == TOLD
        assert {fact.data.get("pair_ref") for fact in facts if fact.type == TOLD[0]} == pair_refs
    logged: dict[tuple[str, str], set[Any]] = defaultdict(set)
    async for record in read_all(stack.system.backing.kafka, facts_topic(INTAKE)):
        if (record.key or b"").decode() in cases:
            named = dict(record.headers)
            logged[(record.key or b"").decode(), named["ce_type"].decode()].add((named["ce_id"], record.value))
    assert {place: len(told) for place, told in logged.items()} == {
        (case, f"qorgau.{name}.v1"): 1 for case in cases for name in TOLD
    }
