"""Clients of intake, good and bad, of whom everything they were told is remembered."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from qorgau.vocabulary import INTAKE
from tests.e2e.live.world import REGION, token
from tests.e2e.stack import Row, Stack
from tests.e2e.vault.canaries import Canaries, canaries
from tests.e2e.vault.searching import Planted, Said, search

DESK = f"crisis-centre/{REGION}"
CODES: Row = {"region": REGION, "channel": "crisis_centre", "area": "urban"}


@dataclass(slots=True)
class Client:
    """Tells intake of people and notes the answers; `planted` is what nobody may meet again."""

    stack: Stack
    first: int
    url: str = ""
    planted: list[Planted] = field(default_factory=list)
    said: Said = field(default_factory=Said)

    def plant(self, *at: str) -> Canaries:
        """New canaries, which may be seen only in places that begin so."""
        made = canaries(self.first + len(self.planted))
        self.planted.append(Planted(made, at))
        return made

    @property
    def base(self) -> str:
        return self.url or self.stack.url(INTAKE)

    def as_(self, agency: str = DESK, *scopes: str) -> dict[str, str]:
        """The header of an agency with all it may need."""
        scopes = scopes or ("reports:write", "cases:read", "pii:read", "facts:write")
        return token(self.stack, agency, scopes=list(scopes))

    async def send(self, name: str, method: str, path: str, **request: Any) -> httpx2.Response:
        """One request; its answer is noted."""
        request.setdefault("headers", self.as_())
        return self.said.note(name, await self.stack.http.request(method, f"{self.base}/v1{path}", **request))

    async def report(self, name: str, body: Any, key: str | None = None, **headers: str) -> httpx2.Response:
        """A report, with a key of its own unless another is given."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {"content-type": "application/json", "idempotency-key": key or f"{self.first}-{name}".replace(" ", "-")}
        return await self.send(name, "POST", "/reports", content=content, headers=self.as_() | own | headers)

    async def cut_off(self, body: bytes) -> None:
        """Begin a report, and go away in the middle of it."""
        at = urlsplit(self.base)
        _, writer = await asyncio.open_connection(at.hostname, at.port)
        headers = self.as_() | {"content-type": "application/json", "idempotency-key": f"{self.first}-cut"}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(["POST /v1/reports HTTP/1.1", "host: intake", f"content-length: {len(body)}", *lines])
        writer.write(f"{head}\r\n\r\n".encode() + body[: len(body) // 2])
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def nowhere(self) -> None:
        """Nothing of what was planted is anywhere it may not be."""
        assert self.planted
        found = await search(self.stack, self.planted, self.said)
        assert not found, found


def full(made: Canaries, **changes: Any) -> Row:
    """A report with everything in it."""
    return CODES | made.personal | changes
