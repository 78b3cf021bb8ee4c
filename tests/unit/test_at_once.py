"""Beyond what a process can answer it refuses, in our words and before it reads; where there is room it takes again."""

import asyncio
import json

from starlette.types import Message, Receive, Scope, Send

from qorgau.front.limits import AtOnce


class Slow:
    """An application whose requests last until the gate opens."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.gate.wait()
        await send({"type": "http.response.start", "status": 201, "headers": []})


async def ask(app: AtOnce, path: str = "/v1/reports") -> list[Message]:
    told: list[Message] = []

    async def send(message: Message) -> None:
        told.append(message)

    async def receive() -> Message:
        raise AssertionError("what is refused is not read")

    await app({"type": "http", "path": path}, receive, send)
    return told


async def test_the_one_too_many_is_told_to_come_again_and_the_others_are_answered() -> None:
    slow, refused = Slow(), list[int]()
    app = AtOnce(slow, 2, "/v1/reports", lambda: refused.append(1))
    taken = [asyncio.create_task(ask(app)) for _ in range(2)]
    await asyncio.sleep(0)
    start, body = await ask(app)
    assert start["status"] == 503
    assert (b"retry-after", b"1") in start["headers"]
    assert json.loads(body["body"])["status"] == 503
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    elsewhere = asyncio.create_task(ask(app, "/healthz"))
    slow.gate.set()
    assert [(await each)[0]["status"] for each in (*taken, elsewhere)] == [201, 201, 201]
    assert (await ask(app))[0]["status"] == 201
    assert refused == [1]
