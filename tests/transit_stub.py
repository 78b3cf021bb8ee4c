"""A transit engine that is none: the calls of its API that the vault makes, with keys, versions and failures."""

import asyncio
import base64
import binascii
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Answer = tuple[int, dict[str, Any]]
# What happens to a call before it is answered: an answer of its own, or None to go on.
Mishap = Callable[[], Answer | None]


def status(code: int) -> Mishap:
    """An answer with this status, as the service words it."""
    return lambda: (code, {"errors": ["canary words of the service"]})


@dataclass
class Transit:
    """An ASGI application. `mishaps` happen to one call after the other; `seen` are the calls."""

    token: str = "good-token"
    key: str = "qorgau"
    derived: bool = True
    kind: str = "aes256-gcm96"
    minimum: int = 1
    versions: list[bytes] = field(default_factory=lambda: [os.urandom(32)])
    mishaps: list[Mishap] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    hangs: bool = False
    raw: bytes | None = None

    def rotate(self) -> None:
        self.versions.append(os.urandom(32))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if self.hangs:
            await asyncio.Event().wait()
        headers = {name.decode().lower(): text.decode() for name, text in scope["headers"]}
        code, told = self.answer(scope["method"], scope["path"], headers, json.loads(body) if body else {})
        content = json.dumps(told).encode() if self.raw is None else self.raw
        more = [(b"location", b"http://elsewhere.example/v1/")] if 300 <= code < 400 else []
        await send({"type": "http.response.start", "status": code, "headers": more})
        await send({"type": "http.response.body", "body": content})

    def answer(self, method: str, path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer:
        self.seen.append((method, path, body, headers))
        happens = self.mishaps.pop(0)() if self.mishaps else None
        if happens is not None:
            return happens
        if headers.get("x-vault-token") != self.token:
            return 403, {"errors": ["permission denied"]}
        actions: dict[tuple[str, str], Callable[[dict[str, Any]], Answer]] = {
            ("POST", f"/v1/transit/encrypt/{self.key}"): self._encrypt,
            ("POST", f"/v1/transit/decrypt/{self.key}"): self._decrypt,
            ("POST", f"/v1/transit/rewrap/{self.key}"): self._rewrap,
            ("GET", f"/v1/transit/keys/{self.key}"): self._describe,
        }
        action = actions.get((method, path))
        return (404, {"errors": []}) if action is None else action(body)

    def _describe(self, _: dict[str, Any]) -> Answer:
        told = {"latest_version": len(self.versions), "derived": self.derived, "type": self.kind}
        return 200, {"data": told | {"min_decryption_version": self.minimum}}

    def _encrypt(self, body: dict[str, Any]) -> Answer:
        if "context" not in body:
            return 400, {"errors": ["missing 'context' for key derivation"]}
        plain = base64.b64decode(body["plaintext"], validate=True)
        nonce = os.urandom(12)
        sealed = nonce + self._cipher(len(self.versions), body["context"]).encrypt(nonce, plain, None)
        return 200, {"data": {"ciphertext": f"vault:v{len(self.versions)}:{base64.b64encode(sealed).decode()}"}}

    def _decrypt(self, body: dict[str, Any]) -> Answer:
        try:
            _, version, encoded = body["ciphertext"].split(":")
            number, sealed = int(version[1:]), base64.b64decode(encoded, validate=True)
            if not self.minimum <= number <= len(self.versions):
                return 400, {"errors": ["ciphertext or signature version is disallowed by policy"]}
            plain = self._cipher(number, body["context"]).decrypt(sealed[:12], sealed[12:], None)
        except (InvalidTag, ValueError, binascii.Error):
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}

    def _rewrap(self, body: dict[str, Any]) -> Answer:
        code, told = self._decrypt(body)
        return (code, told) if code != 200 else self._encrypt({**body, "plaintext": told["data"]["plaintext"]})

    def _cipher(self, version: int, context: str) -> AESGCM:
        salt, info = None, base64.b64decode(context)
        return AESGCM(HKDF(SHA256(), 32, salt=salt, info=info).derive(self.versions[version - 1]))
