"""The artifacts of Apache Kafka: listed with their hashes, fetched once through jgo, checked at every start."""

import asyncio
import errno
import hashlib
import os
import queue
import re
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext

from qorgau.embedded.process import StartRefused
from qorgau.embedded.progress import Progress

SIDE_BY_SIDE = 8
# 44 MB: enough for a line of 100 kB/s, and an end for a registry that answers without ever sending.
DEADLINE = timedelta(minutes=10)
TRIES = 3
PAUSE_BETWEEN_TRIES = timedelta(seconds=1)
LINE = re.compile(r"\s*([^\s:]+:[^\s:]+:[^\s:]+)\s+([0-9a-f]{64})\s*")
OWN_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}
NETWORK = (
    "Check the network and the proxy (HTTPS_PROXY), or name a mirror in ~/.m2/settings.xml or a repository in jgo.conf."
)
KEPT = "What was fetched before is kept, so a new start goes on from there."


@dataclass(frozen=True)
class Jar:
    """One artifact: its Maven coordinate (group:artifact:version) and the SHA-256 its file must have."""

    coordinate: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where the file lies in a folder laid out like a Maven repository."""
        group, artifact, version = self.coordinate.split(":")
        return Path(*group.split("."), artifact, version, f"{artifact}-{version}.jar")


Download = Callable[[Jar, Path], Path]
"""Fetches the artifact into the given empty folder and returns the file; OSError when there is no connection."""
Fetch = Callable[[Jar], int]
"""Gets the artifact into the cache, whole and right, and returns its size."""


def read_list(file: Path) -> tuple[Jar, ...]:
    """The artifacts in the order of the class path; a line that is not `group:artifact:version sha256` is refused."""
    jars = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = LINE.fullmatch(line)
        if words is None:
            raise StartRefused(f"{file}, line {number}: expected `group:artifact:version sha256`")
        jars.append(Jar(*words.groups()))
    return tuple(jars)


def cache_folder() -> Path:
    """Where the artifacts are kept between runs: ours alone, because a file with a wrong hash is deleted there."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "qorgau" / "jars"


async def class_path(
    jars: Sequence[Jar],
    progress: Progress,
    *,
    cache: Path | None = None,
    download: Download | None = None,
    deadline: timedelta = DEADLINE,
    pause: timedelta = PAUSE_BETWEEN_TRIES,
) -> tuple[Path, ...]:
    """The files of `jars`, in order, each with the right hash; what is missing or wrong in the cache is fetched.

    Raises StartRefused when an artifact cannot be had, or is twice not what the list says.
    """
    cache = cache or cache_folder()
    missing = await asyncio.to_thread(lambda: [jar for jar in jars if not _is_right(cache / jar.path, jar)])
    if missing:
        progress.say(f"fetching {len(missing)} of the {len(jars)} artifacts of Apache Kafka into {cache} (once)")
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                one = partial(fetch, cache=cache, download=download or with_jgo(), pause=pause)
                await _fetch_all(missing, len(jars), one, progress)
        except TimeoutError:
            limit = f"{deadline.total_seconds():.0f} s"
            raise StartRefused(f"Apache Kafka's artifacts did not arrive within {limit}. {NETWORK} {KEPT}") from None
    return tuple(cache / jar.path for jar in jars)


async def _fetch_all(missing: Sequence[Jar], total: int, fetch: Fetch, progress: Progress) -> None:
    waiting: queue.SimpleQueue[tuple[Jar, Future[int]]] = queue.SimpleQueue()
    results: list[asyncio.Future[int]] = []
    for jar in missing:
        promise: Future[int] = Future()
        waiting.put((jar, promise))
        results.append(asyncio.wrap_future(promise))
    # Threads of our own, not the loop's: a request that hangs must not keep the program from ending.
    for _ in range(min(SIDE_BY_SIDE, len(missing))):
        threading.Thread(target=_work, args=(waiting, fetch), daemon=True).start()
    done, size = total - len(missing), 0
    progress.fetched(done, total, size)
    try:
        for finished in asyncio.as_completed(results):
            size += await finished
            done += 1
            progress.fetched(done, total, size)
    finally:
        for result in results:
            # One failure is the answer; what else failed beside it is taken note of, so that asyncio does not complain.
            if not result.cancel() and not result.cancelled():
                result.exception()


def _work(waiting: queue.SimpleQueue[tuple[Jar, Future[int]]], fetch: Fetch) -> None:
    while True:
        try:
            jar, promise = waiting.get_nowait()
        except queue.Empty:
            return
        if not promise.set_running_or_notify_cancel():
            continue
        try:
            promise.set_result(fetch(jar))
        except Exception as error:
            promise.set_exception(error)


def fetch(jar: Jar, cache: Path, download: Download, pause: timedelta) -> int:
    """Puts one artifact into the cache and returns its size; tries again when the line breaks or the hash is wrong.

    The file is moved into the cache only after its hash was found right, so nobody ever sees half of it.
    """
    wrong = broken = 0
    while wrong < 2:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as draft:
                file = download(jar, Path(draft))
                if _is_right(file, jar):
                    return _keep(file, cache / jar.path)
            wrong += 1
        except OSError as error:
            broken += 1
            if error.errno in OWN_DISK:
                raise StartRefused(_unwritable(cache, error)) from None
            if broken == TRIES:
                raise StartRefused(_unreachable(jar, error)) from None
            time.sleep(pause.total_seconds() * broken)
    raise StartRefused(_changed(jar))


def with_jgo() -> Download:
    """Downloads through jgo as the user has set it up: jgo.conf's repositories, Maven's mirror of central, proxies."""
    remotes = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    mirror = central_mirror(Path.home() / ".m2" / "settings.xml")
    if mirror is not None:
        remotes["central"] = mirror

    def download(jar: Jar, into: Path) -> Path:
        context = MavenContext(repo_cache=into, remote_repos=remotes)
        try:
            # One named artifact, never its dependencies: jgo resolves those differently from Maven.
            return context.create_dependency(jar.coordinate).artifact.resolve()
        except RuntimeError:
            raise ConnectionError(f"no answer with the artifact from the repositories {', '.join(remotes)}") from None

    return download


def central_mirror(settings: Path) -> str | None:
    """The address of the mirror that a Maven settings file names for the central repository, if it names one."""
    try:
        root = ET.parse(settings).getroot()
    except (OSError, ET.ParseError):
        return None
    for mirror in root.iterfind("{*}mirrors/{*}mirror"):
        of = {part.strip() for part in mirror.findtext("{*}mirrorOf", "").split(",")}
        url = mirror.findtext("{*}url", "").strip()
        if url and "!central" not in of and of & {"central", "*", "external:*"}:
            return url.rstrip("/")
    return None


def _unreachable(jar: Jar, error: OSError) -> str:
    reason = str(error) if type(error) is ConnectionError else type(error).__name__
    return (
        f"Apache Kafka's artifact {jar.coordinate} could not be fetched from the Maven repository ({reason}). "
        f"{NETWORK} {KEPT} With QORGAU_KAFKA set to a running Kafka none of this is needed."
    )


def _unwritable(cache: Path, error: OSError) -> str:
    return f"{cache} cannot be written ({error.strerror}). Make room there or set XDG_CACHE_HOME to another folder."


def _changed(jar: Jar) -> str:
    return (
        f"{jar.coordinate} was fetched twice and its SHA-256 is not {jar.sha256}; it was deleted, not used. "
        "Something between here and the Maven repository changes it: find that out before trying again."
    )


def _keep(file: Path, target: Path) -> int:
    size = file.stat().st_size
    target.parent.mkdir(parents=True, exist_ok=True)
    file.replace(target)
    return size


def _is_right(file: Path, jar: Jar) -> bool:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False
