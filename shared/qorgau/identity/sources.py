"""Where a key set is: a file on this machine, or an address of the issuer."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import httpx2

# A set of fifty keys has less than half of it.
MOST_BYTES = 64 * 1024
# An issuer that needs longer is away; the requests that wait for it must be answered.
ANSWER_WITHIN = timedelta(seconds=5)
_FILE, _WEB = "file:", ("http://", "https://")


class SourceTrouble(Exception):
    """Why there is no key set; repeats nothing of what came."""


class Source(Protocol):
    """A place to fetch a key set from."""

    @property
    def fresh(self) -> timedelta:
        """After so long it is looked at again, so that a key that was taken back stops to count."""

    @property
    def pause(self) -> timedelta:
        """It is not asked oftener than that, whoever sends what."""

    async def fetch(self) -> bytes:
        """The document as it is now; raises SourceTrouble."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file, which costs nothing to look at."""

    path: Path
    fresh: timedelta = timedelta(seconds=1)
    pause: timedelta = timedelta(milliseconds=100)

    async def fetch(self) -> bytes:
        try:
            return await asyncio.to_thread(self._read)
        except OSError as error:
            raise SourceTrouble(f"the file cannot be read ({error.strerror})") from None

    def _read(self) -> bytes:
        with self.path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise SourceTrouble("it is too large")
        return content


@dataclass(frozen=True, slots=True)
class WebSource:
    """An address. Redirects are not followed: whoever can send us elsewhere could send us to keys of its own.
    `transport` is for tests."""

    url: str
    fresh: timedelta = timedelta(minutes=5)
    pause: timedelta = timedelta(seconds=5)
    within: timedelta = ANSWER_WITHIN
    transport: httpx2.AsyncBaseTransport | None = None

    async def fetch(self) -> bytes:
        seconds = self.within.total_seconds()
        try:
            async with (
                asyncio.timeout(seconds),
                httpx2.AsyncClient(timeout=seconds, follow_redirects=False, transport=self.transport) as client,
                client.stream("GET", self.url, headers={"accept": "application/json"}) as answer,
            ):
                if answer.status_code != httpx2.codes.OK:
                    raise SourceTrouble(f"the issuer answers {answer.status_code}")
                return await _within(MOST_BYTES, answer)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
            raise SourceTrouble(f"the issuer does not answer ({type(error).__name__})") from None


async def _within(most: int, answer: httpx2.Response) -> bytes:
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > most:
            raise SourceTrouble("it is too large")
    return bytes(content)


def source_of(text: str) -> FileSource | WebSource:
    """The source a setting names: `file:PATH` or an http(s) URL. ValueError for anything else."""
    if text.startswith(_FILE) and len(text) > len(_FILE):
        path = text.removeprefix(_FILE)
        return FileSource(Path(path.removeprefix("//") if path.startswith("///") else path))
    try:
        if text.startswith(_WEB) and httpx2.URL(text).host:
            return WebSource(text)
    except httpx2.InvalidURL:
        pass
    raise ValueError("it is neither file:PATH nor an http(s) URL")
