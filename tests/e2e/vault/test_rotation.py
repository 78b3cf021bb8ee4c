"""A key is rotated and the old one retired while reports come and people are read about: nobody notices."""

import asyncio
import itertools

from benchmarks.people import personal_part

from tests.e2e.live.test_persons import CENTRE, as_, read
from tests.e2e.stack import Stack
from tests.e2e.vault.clients import CODES
from tests.e2e.vault.rotating import rotated_and_retired

WRITERS, READERS = 4, 4


async def test_keys_are_rotated_and_retired_under_load_and_no_request_fails(stack: Stack) -> None:
    cases, statuses, numbers = list[str](), list[int](), itertools.count(50_000)
    done, first = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            number = next(numbers)
            headers = as_(stack, CENTRE, "reports:write") | {"idempotency-key": f"rotation-{number}"}
            url = f"{stack.url('intake')}/v1/reports"
            answer = await stack.http.post(url, json=CODES | personal_part(number), headers=headers)
            statuses.append(answer.status_code)
            cases.append(answer.json()["case"])
            first.set()

    async def look() -> None:
        await first.wait()
        for place in itertools.count():
            if done.is_set():
                return
            answer = await read(stack, cases[place % len(cases)], CENTRE, "support")
            statuses.append(answer.status_code)
            assert "saffron" in answer.text

    async with asyncio.TaskGroup() as group:
        for worker in (*(write for _ in range(WRITERS)), *(look for _ in range(READERS))):
            group.create_task(worker())
        await first.wait()
        new = await rotated_and_retired(stack)
        done.set()
    assert set(statuses) == {200, 201}
    assert len(cases) > 2 * WRITERS
    # Those that were written before it, during it and after it, with the old key gone.
    for case in cases[:5] + cases[len(cases) // 2 :][:5] + cases[-5:]:
        assert (await read(stack, case, CENTRE, "support")).status_code == 200, new
