"""Key-encryption keys in a file, for the embedded run and a single machine: readable by its owner alone, and read again
when it changes, so that a rotation needs no restart.

`{"current": ID, "keys": {ID: KEY in base64}}`. Whoever has this file and the database has everything; keep them apart.
"""

import fcntl
import json
import os
import re
import stat
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from intake.vault.keys import HeldKeys, Keyring, key_from_base64, new_data_key
from intake.vault.sealing import Draw
from qorgau.files import write_whole
from qorgau.starting import StartRefused

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# A ring of many years; what is larger is another file.
_LARGEST = 64 * 1024
_NUMBERED = re.compile(r"k([1-9][0-9]{0,8})")

_Seen = tuple[int, int, int, int]


class KeyFile:
    """The ring in a file. Raises StartRefused at once where there is none that can be used.

    A file that is changed and cannot be used then leaves the ring as it was: what is being written is not yet whole,
    and a mistake at a rotation must not close the vault. `healthy` tells of it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ring, self._seen = _read(path)
        self._healthy = True

    def ring(self) -> Keyring:
        """The ring as the file says now, or as it last did."""
        try:
            if _seen(os.stat(self._path)) != self._seen or not self._healthy:
                self._ring, self._seen = _read(self._path)
            self._healthy = True
        except (StartRefused, OSError):
            self._healthy = False
        return self._ring

    def healthy(self) -> bool:
        """Whether the file can be used as it stands."""
        self.ring()
        return self._healthy

    def provider(self) -> HeldKeys:
        """The provider over this file."""
        return HeldKeys(self.ring, self.healthy)


def ensure_keyfile(path: Path, draw: Draw = os.urandom) -> None:
    """Create a file with one new key where there is none; what another process creates meanwhile is left as it is."""
    if not path.exists():
        with suppress(FileExistsError):
            # A link fails where the name is taken, and the name never stands for half a file.
            write_whole(path, _content(Keyring("k1", {"k1": new_data_key(draw)})), os.link)


def read_keyfile(path: Path) -> Keyring:
    """The ring in a file. Raises StartRefused."""
    return _read(path)[0]


def rotate_keyfile(path: Path, draw: Draw = os.urandom) -> str:
    """Add a new key to the file and make it current; the old ones stay, for what they wrap. Returns the new id, which
    no earlier key of the file had. Raises StartRefused."""
    with _alone(path):
        ring = read_keyfile(path)
        numbers = [int(known[1]) for name in ring.keys if (known := _NUMBERED.fullmatch(name))]
        name = f"k{max(numbers, default=len(ring.keys)) + 1}"
        write_whole(path, _content(Keyring(name, {**ring.keys, name: new_data_key(draw)})))
    return name


def retire_key(path: Path, name: str) -> None:
    """Take a key that wraps nothing any more out of the file; raises StartRefused for the current one."""
    with _alone(path):
        ring = read_keyfile(path)
        if name == ring.current:
            raise StartRefused("The current key cannot be retired; rotate first.")
        left = {other: key for other, key in ring.keys.items() if other != name}
        write_whole(path, _content(Keyring(ring.current, left)))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else turns the keys meanwhile. Raises StartRefused where the file is not this user's: a new one would
    be, and the service could read its keys no more."""
    try:
        if path.stat().st_uid != os.geteuid():
            raise StartRefused(f"The key file {path} is another user's; turn its keys as that user.")
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError:
        raise StartRefused(f"The key file {path} cannot be read.") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _read(path: Path) -> tuple[Keyring, _Seen]:
    try:
        with path.open("rb") as file:
            seen = os.fstat(file.fileno())
            content = file.read(_LARGEST + 1)
    except OSError:
        raise StartRefused(f"The key file {path} cannot be read.") from None
    if seen.st_mode & _OTHERS:
        raise StartRefused(f"Others can read or write the key file {path}; `chmod 600` it.")
    try:
        told = json.loads(content, object_pairs_hook=_once)
        keys = {name: key_from_base64(key) for name, key in told["keys"].items()}
        return Keyring(told["current"], keys), _seen(seen)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise StartRefused(f"The key file {path} is not as documented; see services/intake/README.md.") from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _seen(stats: os.stat_result) -> _Seen:
    return stats.st_ino, stats.st_size, stats.st_mtime_ns, stats.st_ctime_ns


def _content(ring: Keyring) -> bytes:
    keys = {name: b64encode(key).decode() for name, key in ring.keys.items()}
    return json.dumps({"current": ring.current, "keys": keys}, indent=1).encode()
