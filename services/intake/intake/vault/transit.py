"""Key-encryption keys that never leave a key management service: the transit API of HashiCorp Vault and of OpenBao.

The key must be of type `aes256-gcm96` and `derived`: the case is then the context the service derives a key from, so
what was wrapped for one case opens for no other. A version of the key is a key-encryption key of its own: rotation and
rewrapping are the service's. What is called, and how it answers: its API documentation of `/transit/encrypt/:name`,
`decrypt`, `rewrap` and `keys`.
"""

import asyncio
import binascii
import re
import ssl
import stat
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson

from intake.vault.keys import Wrapped
from intake.vault.sealing import KEY_BYTES, Unsealable
from qorgau.errors import QorgauError, Unavailable
from qorgau.starting import StartRefused

# All tries of one call together: a desk waits on the phone for the answer.
LIMIT = timedelta(seconds=4)
# One try, so that a connection that hangs leaves time for another one.
TRY_LIMIT = timedelta(seconds=1.5)
TRIES = 3
PAUSES = (timedelta(milliseconds=50), timedelta(milliseconds=250))
# A wrapped key is some hundred bytes, a key's description grows with its versions.
_LARGEST = 256 * 1024
# Too many requests, standby nodes, and everything that is wrong on its side: sealed is 503.
_AGAIN = frozenset({408, 412, 425, 429, 472, 473})
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_CIPHERTEXT = re.compile(r"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/=]{1,2000}")


class TokenFile:
    """The token in a file, which an agent beside us renews: read for each call, open to nobody but us and our group."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> str:
        """The token; raises Unavailable where there is none that can be used."""
        try:
            if self._path.stat().st_mode & stat.S_IRWXO:
                raise Unavailable
            token = self._path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise Unavailable from None
        if not token.isprintable() or not token or " " in token:
            raise Unavailable
        return token


def transit_client(url: str, authorities: Path | None = None) -> httpx2.AsyncClient:
    """A client for the service at an address (`https://host:8200`), verified by these authorities or the usual ones."""
    return httpx2.AsyncClient(
        base_url=url,
        verify=ssl.create_default_context(cafile=None if authorities is None else str(authorities)),
        timeout=TRY_LIMIT.total_seconds(),
        # A redirect would carry our token, and a data key, to wherever it points.
        follow_redirects=False,
        # Proxies of the environment would see both.
        trust_env=False,
    )


class TransitKeys:
    """The provider over a transit key. `key` is its name, `mount` where the engine is mounted."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        token: Callable[[], str],
        key: str,
        *,
        mount: str = "transit",
        namespace: str | None = None,
        limit: timedelta = LIMIT,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not all(_NAME.fullmatch(part) for part in (key, *mount.split("/"))):
            raise StartRefused("The vault's transit key or mount has a name that no such key has.")
        self._client = client
        self._token = token
        self._key = key
        self._mount = mount
        self._namespace = {} if namespace is None else {"X-Vault-Namespace": namespace}
        self._limit = limit.total_seconds()
        self._pause = pause

    async def wrap(self, data_key: bytes, context: str) -> Wrapped:
        told = await self._call("encrypt", {"plaintext": b64encode(data_key).decode(), **_context(context)})
        return self._wrapped(told)

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        told = await self._call("decrypt", self._ciphertext(wrapped) | _context(context))
        try:
            data_key = b64decode(told["plaintext"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise Unavailable from None
        if len(data_key) != KEY_BYTES:
            raise Unsealable
        return data_key

    async def rewrap(self, wrapped: Wrapped, context: str) -> Wrapped:
        anew = self._wrapped(await self._call("rewrap", self._ciphertext(wrapped) | _context(context)))
        return wrapped if anew.kek == wrapped.kek else anew

    async def current(self) -> str:
        return f"{self._key}:v{await self._latest()}"

    async def health(self) -> bool:
        try:
            await self._latest()
        except QorgauError:
            return False
        return True

    async def _latest(self) -> int:
        """The newest version of a key that is of the kind we need."""
        told = await self._call("keys", None)
        version = told.get("latest_version")
        if type(version) is not int or told.get("derived") is not True or told.get("type") != "aes256-gcm96":
            raise Unavailable("The transit key must be of type aes256-gcm96 and derived.")
        return version

    def _wrapped(self, told: Mapping[str, Any]) -> Wrapped:
        ciphertext = told.get("ciphertext")
        version = _CIPHERTEXT.fullmatch(ciphertext) if isinstance(ciphertext, str) else None
        if version is None:
            raise Unavailable
        return Wrapped(f"{self._key}:v{version[1]}", version[0].encode())

    def _ciphertext(self, wrapped: Wrapped) -> dict[str, str]:
        """What was wrapped, if by this key: another provider's bytes are not sent anywhere."""
        text = wrapped.value.decode("ascii", "replace")
        version = _CIPHERTEXT.fullmatch(text)
        if version is None or wrapped.kek != f"{self._key}:v{version[1]}":
            raise Unsealable
        return {"ciphertext": text}

    async def _call(self, action: str, body: Mapping[str, str] | None) -> Mapping[str, Any]:
        """The `data` of an answer. Every call may be repeated: wrapping twice gives two wraps of the same key."""
        try:
            async with asyncio.timeout(self._limit):
                return await self._tried(action, body)
        except TimeoutError:
            raise Unavailable from None

    async def _tried(self, action: str, body: Mapping[str, str] | None) -> Mapping[str, Any]:
        for attempt in range(TRIES):
            if attempt:
                await self._pause(PAUSES[attempt - 1].total_seconds())
            try:
                status, content = await self._once(action, body)
            except httpx2.HTTPError:
                # Its words may hold the request.
                continue
            if status == 200:
                return _data(content)
            if status == 400 and action in ("decrypt", "rewrap"):
                raise Unsealable
            if status < 500 and status not in _AGAIN and status != 403:
                break
            # 403: the agent may be renewing the token at this moment; it is read anew.
        raise Unavailable

    async def _once(self, action: str, body: Mapping[str, str] | None) -> tuple[int, bytes]:
        headers = {"X-Vault-Token": self._token(), "X-Vault-Request": "true", **self._namespace}
        method, content = ("GET", None) if body is None else ("POST", orjson.dumps(body))
        path = f"/v1/{self._mount}/{action}/{self._key}"
        taken = bytearray()
        async with self._client.stream(method, path, content=content, headers=headers) as answer:
            async for part in answer.aiter_bytes():
                taken += part
                if len(taken) > _LARGEST:
                    raise Unavailable
            return answer.status_code, bytes(taken)


def _context(case: str) -> dict[str, str]:
    return {"context": b64encode(case.encode()).decode()}


def _data(content: bytes) -> Mapping[str, Any]:
    try:
        data = orjson.loads(content)["data"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Unavailable from None
    if not isinstance(data, dict):
        raise Unavailable
    return data
