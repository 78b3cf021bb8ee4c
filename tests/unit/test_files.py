"""A file with a secret: whole or not there, its owner's alone, and flushed with the folder that has its name."""

import os
import stat
from pathlib import Path

import pytest

from qorgau.files import write_whole


def test_a_file_is_flushed_before_it_has_its_name_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, flushed = tmp_path / "secret", list[tuple[bool, bool]]()

    def fsync(descriptor: int) -> None:
        flushed.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(path, b"one")
    assert flushed == [(False, False), (True, True)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_is_replaced_or_where_it_is_linked_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    for content in (b"one", b"two"):
        write_whole(path, content)
    with pytest.raises(FileExistsError):
        write_whole(path, b"three", os.link)
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]
