"""The key under which an import names its cases: made once for a user, and kept."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from qorgau.commands import BadInput
from qorgau.commands.import_data import import_key


def test_a_key_is_made_once_for_a_user_and_kept_for_its_owner_only(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    made = import_key(environment)
    assert len(made) == 64
    assert import_key(environment) == made
    kept = tmp_path / "qorgau/import.key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert os.listdir(kept.parent) == ["import.key"]
    assert import_key({"XDG_CONFIG_HOME": str(tmp_path / "other")}) != made


def test_imports_that_begin_together_for_the_first_time_use_one_key(tmp_path: Path) -> None:
    for attempt in range(20):
        environment = {"XDG_CONFIG_HOME": str(tmp_path / str(attempt))}
        together = Barrier(4)

        def first(environment: dict[str, str] = environment, together: Barrier = together) -> str:
            together.wait(5)
            return import_key(environment)

        with ThreadPoolExecutor(4) as pool:
            keys = {made.result() for made in [pool.submit(first) for _ in range(4)]}
        assert len(keys) == 1


def test_a_key_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "qorgau").write_text("a file where the folder should be")
    with pytest.raises(BadInput, match="QORGAU_IMPORT_KEY"):
        import_key({"XDG_CONFIG_HOME": str(tmp_path)})
