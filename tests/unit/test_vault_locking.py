"""What the vault is locked with, as the settings say: one provider, index secrets beside it, and nothing half."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from intake.settings import Settings
from intake.vault.keys import HeldKeys
from intake.vault.locking import locks_of, plain_keys
from intake.vault.transit import TransitKeys
from qorgau.starting import StartRefused

KEY = b64encode(b"k" * 32).decode()
INDEX = b64encode(b"i" * 32).decode()


def settings(**more: Any) -> Settings:
    return Settings(kafka="k", mongo="m", token_key="a key of the tests that is long enough", **more)


def test_without_keys_there_are_no_locks() -> None:
    assert locks_of(settings()) is None
    assert plain_keys(settings()).current == "plain"


async def test_keys_in_secrets_open_what_they_wrapped() -> None:
    locks = locks_of(settings(vault_keys=f"k1:{KEY}", vault_index_keys=f"i1:{INDEX}"))
    assert locks is not None
    wrapped = await locks.provider.wrap(b"d" * 32, "c1")
    assert await locks.data_keys.unwrapped("c1", wrapped) == b"d" * 32
    assert locks.indexes().current == "i1"


async def test_files_are_made_only_where_that_is_asked_for(tmp_path: Path) -> None:
    files = {"vault_key_file": tmp_path / "keys.json", "vault_index_file": tmp_path / "index.json"}
    with pytest.raises(StartRefused):
        locks_of(settings(**files))
    locks = locks_of(settings(**files, vault_make_keys=True))
    again = locks_of(settings(**files))
    assert locks is not None
    assert again is not None
    assert isinstance(locks.provider, HeldKeys)
    wrapped = await locks.provider.wrap(b"d" * 32, "c1")
    assert await again.provider.unwrap(wrapped, "c1") == b"d" * 32
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o600}


def test_a_key_server_is_a_provider_and_needs_a_token(tmp_path: Path) -> None:
    named = {"vault_transit": "http://127.0.0.1:8200", "vault_index_keys": f"i1:{INDEX}"}
    with pytest.raises(StartRefused):
        locks_of(settings(**named))
    locks = locks_of(settings(**named, vault_transit_token_file=tmp_path / "token"))
    assert locks is not None
    assert isinstance(locks.provider, TransitKeys)


@pytest.mark.parametrize(
    "more",
    [
        {"vault_keys": f"k1:{KEY}"},
        {"vault_index_keys": f"i1:{INDEX}"},
        {"vault_keys": f"k1:{KEY}", "vault_transit": "http://127.0.0.1:8200", "vault_index_keys": f"i1:{INDEX}"},
        {"vault_keys": "k1:short", "vault_index_keys": f"i1:{INDEX}"},
    ],
)
def test_what_is_half_or_twice_is_refused_and_nothing_of_it_repeated(more: dict[str, str]) -> None:
    with pytest.raises(StartRefused) as refused:
        locks_of(settings(**more))
    assert not [secret for secret in (KEY, INDEX, "short") if secret in str(refused.value)]
