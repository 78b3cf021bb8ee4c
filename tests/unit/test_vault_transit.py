"""Keys held by a transit engine: what is asked of it, rotation, and every way in which it fails."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from intake.vault.keys import Wrapped
from intake.vault.sealing import Unsealable
from intake.vault.transit import TRIES, TokenFile, TransitKeys, transit_client
from qorgau.errors import QorgauError, Unavailable
from qorgau.starting import StartRefused
from tests.transit_stub import Transit, status

DATA_KEY = bytes(range(32))


@pytest.fixture
def transit() -> Transit:
    return Transit()


@pytest.fixture
async def client(transit: Transit) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(transit), base_url="https://kms.example:8200") as made:
        yield made


@pytest.fixture
def keys(client: httpx2.AsyncClient) -> TransitKeys:
    return keys_of(client)


def keys_of(client: httpx2.AsyncClient, **more: Any) -> TransitKeys:
    return TransitKeys(client, more.pop("token", lambda: "good-token"), "qorgau", pause=at_once, **more)


async def at_once(seconds: float) -> None:
    assert 0 < seconds < 1
    await asyncio.sleep(0)


async def test_a_data_key_goes_and_comes_back_for_its_case_alone(keys: TransitKeys, transit: Transit) -> None:
    wrapped = await keys.wrap(DATA_KEY, "c1")
    assert wrapped.kek == await keys.current() == "qorgau:v1"
    assert await keys.unwrap(wrapped, "c1") == DATA_KEY
    assert await keys.health()
    with pytest.raises(Unsealable):
        await keys.unwrap(wrapped, "c2")
    method, path, body, headers = transit.seen[0]
    assert (method, path) == ("POST", "/v1/transit/encrypt/qorgau")
    assert body == {"plaintext": base64.b64encode(DATA_KEY).decode(), "context": base64.b64encode(b"c1").decode()}
    assert (headers["x-vault-token"], headers["x-vault-request"]) == ("good-token", "true")


async def test_rotation_is_the_services_and_old_wraps_open_until_they_are_wrapped_anew(
    keys: TransitKeys, transit: Transit
) -> None:
    old = await keys.wrap(DATA_KEY, "c1")
    assert await keys.rewrap(old, "c1") is old
    transit.rotate()
    assert await keys.current() == "qorgau:v2"
    assert await keys.unwrap(old, "c1") == DATA_KEY
    new = await keys.rewrap(old, "c1")
    assert new.kek == "qorgau:v2"
    transit.minimum = 2
    assert await keys.unwrap(new, "c1") == DATA_KEY
    for lost in (keys.unwrap(old, "c1"), keys.rewrap(old, "c1")):
        with pytest.raises(Unsealable):
            await lost


async def test_a_rotation_between_two_tries_gives_the_version_that_wrapped(keys: TransitKeys, transit: Transit) -> None:
    def rotated() -> tuple[int, dict[str, Any]]:
        transit.rotate()
        return 500, {}

    transit.mishaps = [rotated]
    wrapped = await keys.wrap(DATA_KEY, "c1")
    assert wrapped.kek == "qorgau:v2"
    assert await keys.unwrap(wrapped, "c1") == DATA_KEY


@pytest.mark.parametrize("code", [408, 429, 472, 473, 500, 502, 503, 403])
async def test_what_passes_is_tried_again_and_what_lasts_is_unavailable(
    keys: TransitKeys, transit: Transit, code: int
) -> None:
    transit.mishaps = [status(code)] * (TRIES - 1)
    wrapped = await keys.wrap(DATA_KEY, "c1")
    assert len(transit.seen) == TRIES
    # Sealed, and it stays so.
    transit.mishaps = [status(code)] * 100
    for call in (keys.wrap(DATA_KEY, "c1"), keys.unwrap(wrapped, "c1"), keys.rewrap(wrapped, "c1"), keys.current()):
        before = len(transit.seen)
        with pytest.raises(Unavailable) as refused:
            await call
        assert len(transit.seen) - before == TRIES
        assert "canary" not in str(refused.value.problem())
    assert not await keys.health()


@pytest.mark.parametrize("code", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(transit: Transit, code: int) -> None:
    async with transit_client("https://kms.example:8200") as real:
        assert not real.follow_redirects
        assert not real.trust_env
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(transit), base_url="https://kms.example") as client:
        transit.mishaps = [status(code)]
        with pytest.raises(Unavailable):
            await keys_of(client).wrap(DATA_KEY, "c1")
    assert len(transit.seen) == 1


@pytest.mark.parametrize("code", [400, 404, 405, 204])
async def test_a_call_that_cannot_work_is_not_repeated(keys: TransitKeys, transit: Transit, code: int) -> None:
    transit.mishaps = [status(code)]
    with pytest.raises(Unavailable):
        await keys.wrap(DATA_KEY, "c1")
    assert len(transit.seen) == 1


async def test_a_token_that_is_renewed_meanwhile_is_read_anew(client: httpx2.AsyncClient, transit: Transit) -> None:
    tokens = iter(["old-token", "good-token"])
    assert (await keys_of(client, token=lambda: next(tokens)).wrap(DATA_KEY, "c1")).kek == "qorgau:v1"
    with pytest.raises(Unavailable):
        await keys_of(client, token=lambda: "wrong-token").wrap(DATA_KEY, "c1")


async def test_an_engine_that_hangs_is_left_after_our_limit(client: httpx2.AsyncClient, transit: Transit) -> None:
    transit.hangs = True
    keys = keys_of(client, limit=timedelta(milliseconds=20))
    with pytest.raises(Unavailable):
        await keys.wrap(DATA_KEY, "c1")
    assert not await keys.health()


async def test_an_engine_that_is_not_there_is_unavailable_and_its_words_are_not_repeated() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError(f"canary {request.content!r}")

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(refuse), base_url="https://kms.example") as client:
        with pytest.raises(Unavailable) as refused:
            await keys_of(client).wrap(DATA_KEY, "c1")
    assert "canary" not in repr(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


ANSWERS = {
    "no json": b"<html>",
    "no data": b"{}",
    "data null": b'{"data": null}',
    "a list": b"[]",
    "no ciphertext": b'{"data": {}}',
    "ciphertext a number": b'{"data": {"ciphertext": 1}}',
    "another form": b'{"data": {"ciphertext": "vault:v0:AAAA"}}',
    "an injection": b'{"data": {"ciphertext": "vault:v1:AAAA\\nx"}}',
    "too large": b" " * 300_000,
}


@pytest.mark.parametrize("raw", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_is_none_is_unavailable(keys: TransitKeys, transit: Transit, raw: bytes) -> None:
    wrapped = await keys.wrap(DATA_KEY, "c1")
    transit.raw = raw
    for call in (keys.wrap(DATA_KEY, "c1"), keys.unwrap(wrapped, "c1"), keys.rewrap(wrapped, "c1"), keys.current()):
        with pytest.raises(Unavailable):
            await call


async def test_a_data_key_of_another_length_is_none(keys: TransitKeys) -> None:
    wrapped = await keys.wrap(b"short", "c1")
    with pytest.raises(Unsealable):
        await keys.unwrap(wrapped, "c1")


@pytest.mark.parametrize(
    "wrapped",
    [
        Wrapped("k1", bytes(60)),
        Wrapped("other:v1", b"vault:v1:AAAA"),
        Wrapped("qorgau:v2", b"vault:v1:AAAA"),
        Wrapped("qorgau:v1", b"vault:v1:AA AA"),
        Wrapped("qorgau:v1", b"\xff"),
        Wrapped("qorgau:v1", b""),
    ],
)
async def test_what_this_key_did_not_wrap_is_sent_nowhere(
    keys: TransitKeys, transit: Transit, wrapped: Wrapped
) -> None:
    for call in (keys.unwrap(wrapped, "c1"), keys.rewrap(wrapped, "c1")):
        with pytest.raises(Unsealable):
            await call
    assert transit.seen == []


async def test_a_changed_wrap_does_not_open(keys: TransitKeys) -> None:
    wrapped = await keys.wrap(DATA_KEY, "c1")
    changed = wrapped.value[:-6] + bytes([wrapped.value[-6] ^ 1]) + wrapped.value[-5:]
    with pytest.raises(Unsealable):
        await keys.unwrap(Wrapped(wrapped.kek, changed), "c1")


@pytest.mark.parametrize("change", [{"derived": False}, {"kind": "chacha20-poly1305"}, {"key": "other"}])
async def test_a_key_of_another_kind_is_not_healthy(
    keys: TransitKeys, transit: Transit, change: dict[str, object]
) -> None:
    for name, value in change.items():
        setattr(transit, name, value)
    assert not await keys.health()
    with pytest.raises(QorgauError):
        await keys.current()


@pytest.mark.parametrize(("key", "mount"), [("a/b", "transit"), ("", "transit"), ("a?b", "transit"), ("a", "x/ /y")])
def test_a_name_that_would_lead_elsewhere_is_refused(client: httpx2.AsyncClient, key: str, mount: str) -> None:
    with pytest.raises(StartRefused):
        TransitKeys(client, lambda: "t", key, mount=mount)


async def test_a_mount_and_a_namespace_of_its_own_are_used(client: httpx2.AsyncClient, transit: Transit) -> None:
    with pytest.raises(Unavailable):
        await keys_of(client, mount="kms/transit", namespace="health").wrap(DATA_KEY, "c1")
    _, path, _, headers = transit.seen[0]
    assert (path, headers["x-vault-namespace"]) == ("/v1/kms/transit/encrypt/qorgau", "health")


def test_the_token_is_read_from_a_file_that_is_not_open_to_all(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = TokenFile(path)
    with pytest.raises(Unavailable):
        token()
    for content, good in ((b"abc\n", True), (b"", False), (b"a b", False), (b"a\nb", False), (b"\xff", False)):
        path.write_bytes(content)
        path.chmod(0o640)
        if good:
            assert token() == "abc"
        else:
            with pytest.raises(Unavailable):
                token()
    path.write_bytes(b"abc")
    path.chmod(0o604)
    with pytest.raises(Unavailable):
        token()
