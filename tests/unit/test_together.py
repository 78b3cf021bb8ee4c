"""What is asked for at the same time is done together, answered each in its place, and refused together."""

import asyncio
from collections.abc import Sequence

import pytest

from intake.vault.together import Together


async def test_what_comes_while_a_batch_is_done_is_the_next_batch() -> None:
    batches: list[list[int]] = []
    begun, gate = asyncio.Event(), asyncio.Event()

    async def do_all(asked: Sequence[int]) -> Sequence[int]:
        batches.append(list(asked))
        begun.set()
        await gate.wait()
        return [number * 10 for number in asked]

    together = Together(do_all, 3)
    first = asyncio.create_task(together.do(0))
    await begun.wait()
    others = [asyncio.create_task(together.do(number)) for number in range(1, 6)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(first, *others) == [0, 10, 20, 30, 40, 50]
    assert batches == [[0], [1, 2, 3], [4, 5]]


async def test_a_batch_that_fails_fails_for_each_of_it_and_the_next_one_does_not() -> None:
    async def do_all(asked: Sequence[str]) -> Sequence[str]:
        if "bad" in asked:
            raise ValueError
        return asked

    together = Together(do_all, 2)
    answers = await asyncio.gather(*(together.do(name) for name in ("a", "bad", "c")), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError, str]


async def test_who_has_gone_is_not_worked_for() -> None:
    done: list[str] = []
    gate = asyncio.Event()

    async def do_all(asked: Sequence[str]) -> Sequence[str]:
        await gate.wait()
        done.extend(asked)
        return asked

    together = Together(do_all, 1)
    stays, goes = (asyncio.create_task(together.do(name)) for name in ("stays", "goes"))
    await asyncio.sleep(0)
    goes.cancel()
    with pytest.raises(asyncio.CancelledError):
        await goes
    gate.set()
    assert await stays == "stays"
    await asyncio.sleep(0)
    assert done == ["stays"]
