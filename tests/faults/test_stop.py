"""SIGTERM under load: what is in hand is finished, the status is 0, and the next start reads on."""

import asyncio
import logging
import os
import re
import signal
import time

import pytest

from qorgau.embedded.services import GRACE
from qorgau.instants import DAY
from qorgau.vocabulary import SERVICES
from tests.e2e.stack import Stack
from tests.faults.checks import check, until_so
from tests.faults.load import calls, under_load


@pytest.mark.long
async def test_a_stop_under_load_ends_in_time_with_status_0_and_the_next_start_reads_on(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "qorgau.embedded.process")
    processes = [stack.process(service) for service in SERVICES]
    before = [process.restarts for process in processes]
    async with under_load(stack, calls("stop", 30, 6.0), reports=10, name="stop") as load:
        await asyncio.sleep(2)
        asked = time.monotonic()
        for process in processes:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGTERM)
        for process, restarts in zip(processes, before, strict=True):
            await until_so(lambda process=process, restarts=restarts: process.restarts > restarts, "it did not end")  # type: ignore[misc]
        assert time.monotonic() - asked < GRACE.total_seconds()
    ended = dict(re.findall(r"(\S+) ended with status (-?\d+)", caplog.text))
    assert ended == {process.name: "0" for process in processes}
    assert await check(stack, load.answered, stack.now() + 2 * DAY) > 0
