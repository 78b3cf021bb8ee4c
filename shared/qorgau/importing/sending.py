"""Posts facts to a service over HTTP: in batches, each with a time-out, repeated a bounded number of times.

Repeating is safe: a fact has its effect once, however often it is posted.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson

from qorgau.facts import Fact, event_type
from qorgau.front.envelope import BATCH
from qorgau.instants import format_instant

# Well below what a service takes at once, so that a slow line moves a batch within the time-out.
BATCH_FACTS = 500
TIMEOUT = timedelta(seconds=30)
ATTEMPTS = 6
# A limit of requests is over after a minute at the latest; a service that asks for longer is asked again then.
LONGEST_PAUSE = timedelta(seconds=60)

_FIRST_PAUSE = timedelta(milliseconds=500)
_PATH = "/v1/facts"
# Nothing was accepted, or it is not known whether: 429 and 503 from the service, the others from what is before it.
_AGAIN = frozenset({429, 502, 503, 504})
_ANSWERED = 207


class NotSent(Exception):
    """A batch could not be posted. `bad_use`: repeating it will not help, such as with a token that is not valid."""

    def __init__(self, message: str, *, bad_use: bool) -> None:
        super().__init__(message)
        self.bad_use = bad_use


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the service refused one fact: what to do about it, and which field."""

    detail: str
    field: str


class Sending:
    """The way to one service, made by `sending`."""

    def __init__(self, client: httpx2.Client, url: str, attempts: int, pause: Callable[[float], None]) -> None:
        self._client = client
        self._url = url
        self._attempts = attempts
        self._pause = pause

    def post(self, facts: Sequence[Fact]) -> list[Refusal | None]:
        """Posts one batch; for each fact None if it was accepted, or why it was refused. Raises NotSent."""
        body = orjson.dumps([_event(fact) for fact in facts])
        for attempt in range(1, self._attempts + 1):
            answer, wait = self._once(body, attempt)
            if answer is not None:
                return _results(answer, len(facts))
            if attempt < self._attempts:
                self._pause(wait)
        raise NotSent("the service did not take it; send the same again later", bad_use=False)

    def _once(self, body: bytes, attempt: int) -> tuple[httpx2.Response | None, float]:
        """The answer, or how many seconds to wait before the next attempt. Raises NotSent."""
        pause = min(_FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE).total_seconds()
        try:
            answer = self._client.post(self._url, content=body)
        except httpx2.TransportError:
            return None, pause
        if answer.status_code in _AGAIN:
            told = answer.headers.get("retry-after", "")
            asked = float(told) if told.isascii() and told.isdigit() and len(told) < 6 else pause
            return None, min(asked, LONGEST_PAUSE.total_seconds())
        if answer.status_code != _ANSWERED:
            raise NotSent(_why(answer), bad_use=400 <= answer.status_code < 500)
        return answer, 0.0


@contextmanager
def sending(
    url: str,
    token: str,
    *,
    timeout: timedelta = TIMEOUT,
    attempts: int = ATTEMPTS,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Sending]:
    """The way to the service at an address. Raises ValueError for what is no address or no token."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address begins with http:// or https://")
    if not token.isascii() or not token.isprintable():
        raise ValueError("the token is none")
    headers = {"authorization": f"Bearer {token}", "content-type": BATCH}
    with httpx2.Client(headers=headers, timeout=timeout.total_seconds()) as client:
        yield Sending(client, url.rstrip("/").removesuffix(_PATH) + _PATH, attempts, pause)


def _event(fact: Fact) -> dict[str, Any]:
    """A fact as a structured CloudEvent without a recording instant: the service stamps it."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": fact.id,
        "source": fact.source,
        "type": event_type(fact.type),
        "time": format_instant(fact.time),
        "data": dict(fact.data),
    }
    return event if fact.case is None else event | {"subject": fact.case}


def _results(answer: httpx2.Response, count: int) -> list[Refusal | None]:
    body = _json(answer)
    results = body.get("results")
    if not isinstance(results, list) or len(results) != count:
        raise NotSent("the answer is not that of a service for facts; check the address", bad_use=True)
    return [_refusal(result) for result in results]


def _refusal(result: Any) -> Refusal | None:
    if isinstance(result, dict) and result.get("status") in ("accepted", "parked"):
        return None
    problem = result.get("problem") if isinstance(result, dict) else None
    told = problem if isinstance(problem, dict) else {}
    return Refusal(str(told.get("detail") or told.get("title") or "refused"), str(told.get("field") or ""))


def _why(answer: httpx2.Response) -> str:
    """The status and, from one of our services, its advice; such an answer repeats nothing that was sent."""
    ours = answer.headers.get("content-type", "").startswith("application/problem+json")
    detail = _json(answer).get("detail") if ours else None
    return f"the service answered {answer.status_code}" + (f": {detail}" if isinstance(detail, str) else "")


def _json(answer: httpx2.Response) -> dict[str, Any]:
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
