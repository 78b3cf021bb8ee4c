"""Files with secrets: written whole or not at all, for their owner alone, and there after a crash."""

import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

_MODE = 0o600
_LEFT = timedelta(minutes=1)


def write_whole(path: Path, content: bytes, put: Callable[[Path, Path], object] = os.replace) -> None:
    """Write the content beside the file, flush it, and put it in its place in one step. With `os.link` a file that is
    there already is left alone: raises FileExistsError then."""
    for left in path.parent.glob(f".{path.name}.*.new"):
        # Of a process that died just then; whoever writes now is done within moments.
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _LEFT.total_seconds():
                left.unlink()
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    # The new name is in the folder, and survives only with it.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
