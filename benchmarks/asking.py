"""Clients that ask a route again and again, each as soon as it was answered, on a connection of its own."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from qorgau.embedded.ports import LOOPBACK

Request = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """How many were answered 201 in how many seconds, and after how many milliseconds each."""

    answered: int
    seconds: float
    waited: list[float]

    @property
    def a_second(self) -> float:
        return self.answered / self.seconds


async def ask(
    port: int, path: str, requests: Callable[[int], Request], numbers: Iterator[int], clients: int, seconds: float
) -> Asked:
    """Let so many clients ask for so long; `requests` gives the head's own lines and the body of each number. Raises
    RuntimeError for any answer but 201."""
    waited: list[float] = []
    begun = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            while time.perf_counter() - begun < seconds:
                lines, body = requests(next(numbers))
                asked = time.perf_counter()
                head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(body)}\r\n{lines}\r\n"
                writer.write(head.encode() + body)
                await _taken(reader)
                waited.append((time.perf_counter() - asked) * 1_000)
        finally:
            writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return Asked(len(waited), time.perf_counter() - begun, waited)


async def _taken(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
    answer = await reader.readexactly(int(length or b"0"))
    if head.split()[1] != b"201":
        raise RuntimeError(f"answered {head.split()[1].decode()}: {answer[:200]!r}")


def counted(start: int) -> Iterator[int]:
    """Numbers that nobody else uses."""
    return itertools.count(start)
