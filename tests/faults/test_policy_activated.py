"""A policy that is activated while everything runs: it counts from its instant on, in every service and for every
replica, also for one that knows only the file, and what was true before stays told as it was."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from qorgau.audit.book import AuditBook
from qorgau.instants import HOUR, MINUTE, format_instant
from qorgau.plan import compile_policy
from qorgau.policy import load_policy
from qorgau.vocabulary import COURT, DEPLOYMENT, INTAKE, POLICE
from tests.e2e.stack import Row, Stack, eventually
from tests.faults.harness import another, database, stored
from tests.faults.test_newer_policy import p14, policy, protocol, registered


async def activate(stack: Stack, file: Path, begins: int, *more: str) -> tuple[int | None, list[Row]]:
    """How the command ended, and its rows."""
    backing = stack.system.backing
    qorgau = str(Path(sys.executable).with_name("qorgau"))
    where = ("--kafka", backing.kafka, "--mongo", backing.mongo, "--from", format_instant(begins))
    process = await asyncio.create_subprocess_exec(
        *(qorgau, "policy", "activate", str(file), *where, *more),
        stdout=PIPE,
        stderr=PIPE,
        env=stack.process(COURT).env,
    )
    out, err = await process.communicate()
    assert process.returncode != 2, err.decode()
    return process.returncode, [json.loads(line) for line in out.splitlines()]


async def audited(stack: Stack, service: str) -> list[dict[str, Any]]:
    async with database(stack, service) as content:
        bodies: list[Any] = [body async for _, body in AuditBook(content, service, DEPLOYMENT).stored()]
    return [body["details"] for body in bodies if body["kind"] == "policy.activating"]


async def settled(check: Callable[[], Awaitable[None]]) -> None:
    """As `eventually`; a service that begins again under another policy answers nothing for a moment."""

    async def answered() -> None:
        try:
            await check()
        except httpx2.TransportError:
            raise AssertionError("it does not answer") from None

    await eventually(answered)


def raised(rows: list[Row], level: str) -> list[str]:
    return [row["raised_at"] for row in rows if row["level"] == level]


@pytest.mark.long
async def test_a_policy_comes_into_force_at_its_instant_everywhere_and_without_a_restart(
    stack: Stack, tmp_path: Path
) -> None:
    at = stack.now()
    pids = {service: stack.process(service).pid for service in (INTAKE, POLICE, COURT)}
    stack.set_clock(at)
    # Of three hours one is over; by the policy of one hour this is late from the first instant on.
    await stack.post([*protocol("act-open", at - 90 * MINUTE), *protocol("act-shut", at - 4 * HOUR)])
    await stack.post(registered("act-shut", at - 30 * MINUTE))
    stack.set_clock(at + MINUTE)

    async def judged() -> None:
        assert [row["outcome"] for row in await p14(stack, "act-shut")] == ["breached", "closed_late"]
        assert await p14(stack, "act-open") == []
        assert {of.record.as_of for of in (await stored(stack, COURT, "act-open")).values()} != {None}

    await eventually(judged)
    shut = await p14(stack, "act-shut")
    shorter = policy(tmp_path, "9.2.0", "PT1H")
    begins = at + 10 * MINUTE

    refused = tmp_path / "refused.yaml"
    refused.write_text(shorter.read_text(encoding="utf-8").replace("within: PT1H", "within: P1M"), encoding="utf-8")
    status, problems = await activate(stack, refused, begins)
    assert status == 1
    assert "not a duration" in problems[0]["message"]

    status, rows = await activate(stack, shorter, begins, "--dry-run")
    assert status == 0
    by_rule = {row["rule"]: row for row in rows}
    assert {row["kind"] for row in rows} == {"effect"}
    assert by_rule["P14"]["raised"] >= 1
    assert sum(row["raised"] + row["cleared"] for row in rows if row["rule"] not in ("P14",)) == 0
    assert await audited(stack, COURT) == []

    status, rows = await activate(stack, shorter, begins)
    assert status == 0
    assert rows[-1]["kind"] == "activated"
    for service in (INTAKE, POLICE, COURT):
        assert [line["from"] for line in await audited(stack, service)] == [format_instant(begins)]
    newer = load_policy(shorter)
    try:
        # Far over its instant in one step: the old policy judges up to it, and no further.
        stack.set_clock(at + 20 * MINUTE)

        async def in_force() -> None:
            rows = await p14(stack, "act-open")
            assert raised(rows, "breach") == [format_instant(begins)]
            assert await p14(stack, "act-shut") == shut
            for service in (INTAKE, POLICE, COURT):
                answer = await stack.http.get(f"{stack.url(service)}/v1/rules")
                assert answer.json()["policy"]["fingerprint"] == newer.fingerprint

        await settled(in_force)
        assert {service: stack.process(service).pid for service in pids} == pids
        # Whoever starts with the file alone finds the one in force in the log, beside the others.
        late = await another(stack, COURT, "court-late")
        await late.start()
        try:
            stack.set_clock(at + 2 * HOUR)
            await stack.post(protocol("act-new", at + 25 * MINUTE))

            async def as_newer() -> None:
                facts, _ = await stack.export(COURT, "act-new")
                expected = Stack(stack.system, stack.http, {COURT: compile_policy(newer, COURT)}).expected(
                    COURT, facts, at + 2 * HOUR
                )
                rows = await p14(stack, "act-new")
                assert rows
                assert rows == [row for row in expected if row["rule"] == "P14"]

            await eventually(as_newer)
        finally:
            await late.stop()
        fingerprints = {of.record.fingerprint for of in (await stored(stack, COURT, "act-")).values()}
        assert fingerprints == {newer.fingerprint}
    finally:
        # The rules of the other tests again: the first policy once more, as the newest of all.
        status, _ = await activate(stack, policy(tmp_path, "9.2.0", "PT3H"), stack.now())
        assert status == 0

    async def back() -> None:
        answer = await stack.http.get(f"{stack.url(COURT)}/v1/rules")
        assert answer.json()["policy"]["fingerprint"] == load_policy(policy(tmp_path, "9.2.0", "PT3H")).fingerprint
        records = (await stored(stack, COURT, "act-")).values()
        assert {of.record.fingerprint for of in records} != {newer.fingerprint}

    await settled(back)
