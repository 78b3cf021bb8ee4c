"""A crowd that does not wait: reports are offered at the times they fall due, however slowly they are answered. A
process of its own, so that what it needs of the machine does not stop those who look on.

`python -m tests.faults.offering PORT TOKEN RATE SECONDS NAME` prints one JSON object: when each was answered and how.
"""

import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.people import personal_part

# More than a service works on at once (1,000 requests): some are refused, and that too must be an answer. Whoever finds
# no connection waits for one; that counts as waiting for the answer.
MOST_OPEN = 2_000
# Who has no answer by then will not get one.
PATIENCE = 40.0
LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class Outcome:
    """What became of all that was offered; `taken`: the key of each report that was answered 201, with its case."""

    offered: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    latencies: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0

    def note(self, key: str, status: str, after: float, case: str | None) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.latencies.setdefault(status, []).append(round(after, 4))
        if case is not None:
            self.taken[key] = case


@dataclass(slots=True)
class Crowd:
    """Connections that are free, and how many there are."""

    port: int
    token: str
    outcome: Outcome = field(default_factory=Outcome)
    free: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=deque)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_OPEN))

    async def offer(self, key: str, body: bytes) -> None:
        """One report, on a connection that is free, or a new one. Never repeated: that is another client's story."""
        begun = time.perf_counter()
        self.outcome.offered += 1
        try:
            async with asyncio.timeout(PATIENCE):
                status, case = await self._ask(key, body)
        except TimeoutError:
            status, case = "no answer", None
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            status, case = type(error).__name__, None
        self.outcome.note(key, status, time.perf_counter() - begun, case)

    async def _ask(self, key: str, body: bytes) -> tuple[str, str | None]:
        async with self.room:
            while self.free:
                reader, writer = self.free.pop()
                try:
                    return await self._ask_on(reader, writer, key, body)
                except (ConnectionError, asyncio.IncompleteReadError) as error:
                    # It was closed for having been idle, just before: any client takes another one then.
                    if getattr(error, "partial", b""):
                        raise
            return await self._ask_on(*await self._opened(), key, body)

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(LOOPBACK, self.port)

    async def _ask_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str, body: bytes
    ) -> tuple[str, str | None]:
        kept = False
        try:
            head = (
                f"POST /v1/reports HTTP/1.1\r\nhost: intake\r\nauthorization: Bearer {self.token}\r\n"
                f"content-type: application/json\r\nidempotency-key: {key}\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            status, headers, answer = await _read(reader)
            kept = headers.get(b"connection") != b"close"
        finally:
            if kept:
                self.free.append((reader, writer))
            else:
                writer.close()
        if status == "201":
            return status, json.loads(answer)["case"]
        waits = b"retry-after" in headers and headers.get(b"content-type") == b"application/problem+json"
        return (status if waits else f"{status} without Retry-After"), None


async def _read(reader: asyncio.StreamReader) -> tuple[str, dict[bytes, bytes], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    pairs = (line.split(b": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in pairs}
    return head[0].split()[1].decode(), headers, await reader.readexactly(int(headers.get(b"content-length", b"0")))


async def offer(port: int, token: str, rate: float, seconds: float, name: str) -> Outcome:
    """Offer so many a second for so long; returns when all are answered or given up."""
    crowd, begun = Crowd(port, token), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            body = json.dumps(report(number)).encode()
            group.create_task(crowd.offer(f"{name}-{number}", body))
    crowd.outcome.seconds = time.perf_counter() - begun
    return crowd.outcome


def report(number: int) -> dict[str, Any]:
    """A report on people whom no other number knows."""
    return {"region": "KZ-75", "channel": "150", "area": "urban", **personal_part(number)}


def main(port: str, token: str, rate: str, seconds: str, name: str) -> None:
    outcome = asyncio.run(offer(int(port), token, float(rate), float(seconds), name))
    sys.stdout.write(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main(*sys.argv[1:])
