"""The keys of an issuer: asked for once, however many wait; rotated mid-flight; used for a while when it is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from qorgau.errors import Unavailable
from qorgau.identity.claims import Refused
from qorgau.identity.keyset import KEPT, KeySet, read_keys
from qorgau.identity.sources import MOST_BYTES, FileSource, SourceTrouble, WebSource, source_of
from qorgau.identity.tokens import SignedTokens
from tests.signed import ANOTHER, ED25519, PUBLIC, key_set, public, token

OLD, BOTH, NEW = (
    key_set(*(public(key, name, "EdDSA") for key, name in keys))
    for keys in ([(ED25519, "ed")], [(ED25519, "ed"), (ANOTHER, "new")], [(ANOTHER, "new")])
)
FRESH, PAUSE = timedelta(minutes=5), timedelta(seconds=5)


@dataclass
class Issuer:
    """An issuer that says what it is told, when it is let."""

    document: bytes | None = OLD
    asked: int = 0
    fresh: timedelta = FRESH
    pause: timedelta = PAUSE
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self) -> bytes:
        self.asked += 1
        await self.open.wait()
        if self.document is None:
            raise SourceTrouble("it is away")
        return self.document


@dataclass
class Clock:
    at: float = 1_000.0

    def __call__(self) -> float:
        return self.at

    def pass_by(self, span: timedelta) -> None:
        self.at += span.total_seconds()


@pytest.fixture
def issuer() -> Issuer:
    issuer = Issuer()
    issuer.open.set()
    return issuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def settled() -> None:
    """Whatever was begun in the background has ended."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_many_that_wait_ask_once(issuer: Issuer, clock: Clock) -> None:
    issuer.open.clear()
    keys = KeySet(issuer, clock)
    waiting = [asyncio.ensure_future(keys.key("ed")) for _ in range(100)]
    await settled()
    assert issuer.asked == 1
    # One that gives up takes the answer from nobody.
    waiting.pop(0).cancel()
    await settled()
    issuer.open.set()
    assert {key.name for key in await asyncio.gather(*waiting) if key} == {"ed"}
    assert issuer.asked == 1


async def test_a_name_that_is_not_known_asks_at_most_once_in_a_pause(issuer: Issuer, clock: Clock) -> None:
    keys = KeySet(issuer, clock)
    assert await keys.key("ed")
    for number in range(50):
        assert await keys.key(f"guess-{number}") is None
    assert issuer.asked == 1
    clock.pass_by(PAUSE)
    found = await asyncio.gather(*(keys.key(f"guess-{number}") for number in range(50)))
    assert (set(found), issuer.asked) == ({None}, 2)


async def test_a_key_that_was_rotated_in_is_found_at_its_first_token(issuer: Issuer, clock: Clock) -> None:
    tokens = SignedTokens(KeySet(issuer, clock))
    assert await tokens.read(token())
    clock.pass_by(PAUSE)
    issuer.document = BOTH
    assert await tokens.read(token(ANOTHER, kid="new"))
    # Tokens of the former key are still on their way.
    assert await tokens.read(token())


async def test_a_key_that_was_taken_back_stops_to_count_when_the_keys_are_looked_at_again(
    issuer: Issuer, clock: Clock
) -> None:
    tokens = SignedTokens(KeySet(issuer, clock))
    assert await tokens.read(token())
    issuer.document = NEW
    clock.pass_by(FRESH + timedelta(seconds=1))
    # This one does not wait for the issuer; the next one has what it said.
    assert await tokens.read(token())
    await settled()
    with pytest.raises(Refused):
        await tokens.read(token())
    assert await tokens.read(token(ANOTHER, kid="new"))


async def test_while_the_issuer_is_away_known_keys_are_used_for_a_while_and_then_nobody_is_called_an_impostor(
    issuer: Issuer, clock: Clock
) -> None:
    tokens = SignedTokens(KeySet(issuer, clock))
    assert await tokens.read(token())
    issuer.document = None
    clock.pass_by(KEPT - timedelta(seconds=1))
    assert await tokens.read(token())
    await settled()
    # It could be a new key: come again, not go away.
    with pytest.raises(Unavailable) as caught:
        await tokens.read(token(ANOTHER, kid="new"))
    assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "1"})
    clock.pass_by(timedelta(seconds=2))
    with pytest.raises(Unavailable):
        await tokens.read(token())
    issuer.document = OLD
    clock.pass_by(PAUSE)
    assert await tokens.read(token())


async def test_an_issuer_that_was_never_there_is_asked_once_in_a_pause(issuer: Issuer, clock: Clock) -> None:
    issuer.document = None
    keys = KeySet(issuer, clock)
    for _ in range(20):
        with pytest.raises(Unavailable):
            await keys.key("ed")
    assert issuer.asked == 1
    clock.pass_by(PAUSE)
    issuer.document = OLD
    assert await keys.key("ed")


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [7, null, "x"]}', b"\xff", b"[" * 10_000],
)
async def test_what_is_no_key_set_leaves_the_known_keys(issuer: Issuer, clock: Clock, document: bytes) -> None:
    keys = KeySet(issuer, clock)
    assert await keys.key("ed")
    issuer.document = document
    clock.pass_by(FRESH + timedelta(seconds=1))
    assert await keys.key("ed")
    await settled()
    assert issuer.asked == 2
    assert await keys.key("ed")


def test_a_set_of_too_many_keys_is_refused() -> None:
    with pytest.raises(SourceTrouble, match="sensible size"):
        read_keys(key_set(*[public(ED25519, f"k{number}", "EdDSA") for number in range(51)]))


Answer = Callable[[httpx2.Request], httpx2.Response]


def web(answer: Answer, **changes: timedelta) -> WebSource:
    return WebSource("https://issuer.example/jwks", transport=httpx2.MockTransport(answer), **changes)


async def test_an_address_is_asked_for_its_document() -> None:
    assert await web(lambda _: httpx2.Response(200, content=PUBLIC)).fetch() == PUBLIC


@pytest.mark.parametrize("status", [204, 301, 302, 307, 401, 404, 500])
async def test_no_other_answer_counts_and_no_redirect_is_followed(status: int) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(status, headers={"location": "https://evil.example/jwks"}, content=PUBLIC)

    with pytest.raises(SourceTrouble, match=str(status)):
        await web(answer).fetch()
    assert asked == ["https://issuer.example/jwks"]


async def test_a_document_without_an_end_is_cut_off() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 4096
            yield b" " * 4096

    with pytest.raises(SourceTrouble, match="too large"):
        await web(lambda _: httpx2.Response(200, content=endless())).fetch()
    assert sent <= MOST_BYTES + 2 * 4096


async def test_an_issuer_that_does_not_answer_is_away() -> None:
    class Silent(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await asyncio.Event().wait()
            raise AssertionError

    source = WebSource("https://issuer.example", within=timedelta(milliseconds=20), transport=Silent())
    with pytest.raises(SourceTrouble, match="TimeoutError"):
        await source.fetch()


async def test_a_file_is_read_and_one_that_is_not_there_or_too_large_is_told(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    with pytest.raises(SourceTrouble, match="cannot be read"):
        await FileSource(file).fetch()
    file.write_bytes(PUBLIC)
    assert await FileSource(file).fetch() == PUBLIC
    file.write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(SourceTrouble, match="too large"):
        await FileSource(file).fetch()


def test_a_source_is_a_file_or_an_address() -> None:
    assert source_of("file:/etc/qorgau/jwks.json") == FileSource(Path("/etc/qorgau/jwks.json"))
    assert source_of("file:///etc/qorgau/jwks.json") == FileSource(Path("/etc/qorgau/jwks.json"))
    assert source_of("https://id.example/certs") == WebSource("https://id.example/certs")
    for wrong in ("", "file:", "/etc/jwks.json", "ftp://x/y", "https://", "http://[::1", "data:,{}"):
        with pytest.raises(ValueError, match="neither"):
            source_of(wrong)
