"""`Idempotency-Key` on commands: one effect and one answer for a key, for a day; after
draft-ietf-httpapi-idempotency-key-header.

A command is begun by an insert, which only one request can do, and its answer is kept under the same name. A crash in
between leaves it begun: after a while the next request with the key does it again, so commands must be safe to repeat.
Neither key nor body is kept, only keyed digests of them, and answers of commands carry codes and references only.
"""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Header

from qorgau.errors import Conflict, Invalid, Malformed, QorgauError
from qorgau.shell.mongo import collection, deadline, insert_all

# As long as a client may try again; then the key is as good as new.
KEPT = timedelta(hours=24)
# No command takes longer; one that is begun and not done by then was left by a crash.
WITHIN = timedelta(seconds=60)
FIELD = "Idempotency-Key"
_KEY = re.compile(r"[!-~]{1,128}")

KeyHeader = Annotated[
    str,
    Header(
        alias=FIELD,
        description="1 to 128 visible ASCII characters, new for each command; the same again gets the same answer",
        # Described here and checked by `check_key`: what is no key is refused like one that is missing.
        json_schema_extra={"pattern": r"^[!-~]{1,128}$"},
    ),
]


def check_key(key: str) -> str:
    """The key of a request; raises Malformed where it is no key."""
    if not _KEY.fullmatch(key):
        raise Malformed("Send 1 to 128 visible ASCII characters, new for each command.", field=FIELD)
    return key


def other_body() -> Invalid:
    """Why a key that was used with another body is refused."""
    return Invalid("This key was used for something else; take a new one.", field=FIELD)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a command: status, body as JSON, headers."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


Act = Callable[[], Awaitable[Answer]]


class Idempotency:
    """The commands of one service, in a collection of its own. `secret` keys the digests; `now` is the wall clock."""

    def __init__(self, database: Any, secret: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._commands = collection(database, "commands")
        self._secret = hashlib.sha256(f"qorgau idempotency {secret}".encode()).digest()
        self._now = now

    async def prepare(self) -> None:
        """Create the index by which what is old is forgotten; safe to repeat."""
        async with deadline():
            await self._commands.create_index([("at", 1)], expireAfterSeconds=int(KEPT.total_seconds()))

    async def once(self, who: str, what: str, key: str, body: bytes, act: Act) -> Answer:
        """Do it, or give the answer that was given before. `who` is the agency, `what` the route with its object.

        Raises Invalid where the key came with another body, Conflict while another request does it, and what `act`
        raises, after which the key is free again.
        """
        name, digest = self._digest("key", who, what, key), self._digest("body", body.hex())
        begun = self._now()
        document = {"_id": name, "body": digest, "at": begun, "state": "begun"}
        if await insert_all(self._commands, [document]):
            answer = await self._known(name, digest, begun)
            if answer is not None:
                return answer
        return await self._do(name, begun, act)

    def name(self, who: str, what: str, key: str) -> str:
        """A reference made of a key, 128 bits as hex: what a command makes has it, so done again it makes no more."""
        return self._digest("name", who, what, key)[:32]

    async def _known(self, name: str, digest: str, begun: datetime) -> Answer | None:
        """The answer given before; None where this request is to do it."""
        async with deadline():
            known = await self._commands.find_one({"_id": name})
        if known is None:
            raise _in_flight()
        if known["body"] != digest:
            raise other_body()
        if known["state"] == "done":
            return Answer(known["status"], known["answer"], known["headers"])
        if _utc(known["at"]) > begun - WITHIN:
            raise _in_flight()
        async with deadline():
            taken = await self._commands.update_one(
                {"_id": name, "state": "begun", "at": known["at"]}, {"$set": {"at": begun}}
            )
        if taken.matched_count != 1:
            raise _in_flight()
        return None

    async def _do(self, name: str, begun: datetime, act: Act) -> Answer:
        try:
            answer = await act()
        except QorgauError:
            async with deadline():
                await self._commands.delete_one({"_id": name, "state": "begun"})
            raise
        done = {"state": "done", "status": answer.status, "answer": answer.body, "headers": answer.headers}
        async with deadline():
            await self._commands.update_one({"_id": name}, {"$set": done})
        return answer

    def _digest(self, *parts: str) -> str:
        text = "\n".join(f"{len(part)} {part}" for part in parts)
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def _in_flight() -> Conflict:
    return Conflict("The same request is being worked on; ask again in a moment.", headers={"Retry-After": "1"})


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
