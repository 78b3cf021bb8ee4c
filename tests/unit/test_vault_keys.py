"""Keys that wrap data keys: held in a file or an environment secret, rotated while in use, refused when not safe."""

import json
import os
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from intake.vault.keyfile import KeyFile, ensure_keyfile, read_keyfile, retire_key, rotate_keyfile
from intake.vault.keys import DataKeys, HeldKeys, Keyring, Wrapped, keyring_from_text, new_data_key
from intake.vault.sealing import Unsealable
from qorgau.starting import StartRefused

ONE, TWO = bytes(range(32)), bytes(range(1, 33))
DATA_KEY = bytes(range(2, 34))
TEXT = b64encode(ONE).decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    ensure_keyfile(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def content_of(path: Path) -> bytes:
    return path.read_bytes()


async def test_held_keys_wrap_for_a_case_and_open_for_no_other() -> None:
    keys = HeldKeys(lambda: Keyring("k1", {"k1": ONE}))
    wrapped = await keys.wrap(DATA_KEY, "c1")
    assert wrapped.kek == await keys.current() == "k1"
    assert await keys.unwrap(wrapped, "c1") == DATA_KEY
    assert await keys.health()
    with pytest.raises(Unsealable):
        await keys.unwrap(wrapped, "c2")
    with pytest.raises(Unsealable):
        await keys.unwrap(Wrapped("k9", wrapped.value), "c1")


async def test_rotation_goes_on_case_by_case_while_the_old_key_opens_the_rest() -> None:
    ring = [Keyring("k1", {"k1": ONE})]
    keys = HeldKeys(lambda: ring[0])
    old = await keys.wrap(DATA_KEY, "c1")
    assert await keys.rewrap(old, "c1") is old
    ring[0] = Keyring("k2", {"k1": ONE, "k2": TWO})
    assert await keys.unwrap(old, "c1") == DATA_KEY
    new = await keys.rewrap(old, "c1")
    assert new.kek == "k2"
    ring[0] = Keyring("k2", {"k2": TWO})
    assert await keys.unwrap(new, "c1") == DATA_KEY
    with pytest.raises(Unsealable):
        await keys.unwrap(old, "c1")


def test_an_environment_secret_is_one_or_several_keys_the_first_current() -> None:
    ring = keyring_from_text(f" k2:{b64encode(TWO).decode()} , k1:{TEXT}\n")
    assert (ring.current, ring.keys) == ("k2", {"k2": TWO, "k1": ONE})


BAD_SECRETS = ["", "k1", "k1:", "k1:canary!", f"k1:{TEXT[:-8]}", f":{TEXT}", f"k1:{TEXT},k1:{TEXT}", f"\x07:{TEXT}"]


@pytest.mark.parametrize("text", BAD_SECRETS)
def test_an_environment_secret_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(StartRefused) as refused:
        keyring_from_text(text)
    assert refused.value.__cause__ is None
    assert not [part for part in ("canary", TEXT[:-8]) if part in str(refused.value)]


def test_no_key_shows_in_a_text() -> None:
    for value in (Keyring("k1", {"k1": ONE}), Wrapped("k1", ONE), HeldKeys(lambda: Keyring("k1", {"k1": ONE}))):
        assert str(ONE) not in repr(value)
        assert "\\x01" not in repr(value)


def test_a_new_key_file_is_the_owners_alone_and_is_not_made_twice(path: Path) -> None:
    assert mode_of(path) == 0o600
    before = path.read_bytes()
    ensure_keyfile(path)
    assert path.read_bytes() == before
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_two_that_make_the_file_at_once_use_the_same_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    # The other one came between the look and the write.
    monkeypatch.setattr(Path, "exists", lambda self, **_: False)
    ensure_keyfile(path)
    assert path.read_bytes() == before


async def test_a_rotated_file_is_read_again_without_a_restart(path: Path) -> None:
    file = KeyFile(path)
    keys = file.provider()
    old = await keys.wrap(DATA_KEY, "c1")
    assert rotate_keyfile(path) == "k2" == await keys.current()
    assert await keys.unwrap(old, "c1") == DATA_KEY
    new = await keys.rewrap(old, "c1")
    retire_key(path, "k1")
    assert (await keys.unwrap(new, "c1"), await keys.health()) == (DATA_KEY, True)
    with pytest.raises(Unsealable):
        await keys.unwrap(old, "c1")
    assert rotate_keyfile(path) == "k3"
    retire_key(path, "k2")
    # What somebody still has that was wrapped by k2 is never taken for wrapped by another key of that name.
    assert rotate_keyfile(path) == "k4"
    with pytest.raises(StartRefused, match="rotate first"):
        retire_key(path, await keys.current())
    assert mode_of(path) == 0o600


def test_of_rotations_at_one_instant_no_key_is_lost(path: Path) -> None:
    with ThreadPoolExecutor(8) as at_once:
        made = list(at_once.map(lambda _: rotate_keyfile(path), range(8)))
    assert sorted(made) == sorted(read_keyfile(path).keys.keys() - {"k1"})


def test_the_file_of_another_user_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    for turn in (lambda: rotate_keyfile(path), lambda: retire_key(path, "k1")):
        with pytest.raises(StartRefused, match="another user"):
            turn()
    assert path.read_bytes() == before


def spoil(path: Path, how: str) -> None:
    if how == "half":
        path.write_bytes(path.read_bytes()[:20])
    elif how == "gone":
        path.unlink()
    else:
        path.chmod(0o640)


def restore(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


@pytest.mark.parametrize("how", ["half", "gone", "open to others"])
async def test_a_file_that_becomes_unusable_leaves_the_ring_as_it_was_and_says_so(path: Path, how: str) -> None:
    keys, whole = KeyFile(path).provider(), content_of(path)
    old = await keys.wrap(DATA_KEY, "c1")
    spoil(path, how)
    assert not await keys.health()
    assert await keys.unwrap(old, "c1") == DATA_KEY
    restore(path, whole)
    assert await keys.health()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o610])
def test_a_file_that_others_can_use_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(StartRefused, match="chmod 600"):
        KeyFile(path)


BAD_FILES = {
    "empty": b"",
    "no json": b"canary",
    "a list": b"[]",
    "no keys": b'{"current": "k1"}',
    "no current": json.dumps({"keys": {"k1": TEXT}}).encode(),
    "another current": json.dumps({"current": "k2", "keys": {"k1": TEXT}}).encode(),
    "current a list": json.dumps({"current": ["k1"], "keys": {"k1": TEXT}}).encode(),
    "short key": json.dumps({"current": "k1", "keys": {"k1": TEXT[:20]}}).encode(),
    "key a number": json.dumps({"current": "k1", "keys": {"k1": 1}}).encode(),
    "key twice": f'{{"current": "k1", "keys": {{"k1": "{TEXT}", "k1": "{TEXT}"}}}}'.encode(),
    "no utf-8": b"\xff\xfe",
    "deep": b"[" * 60_000,
    "too large": b" " * 70_000,
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_none_is_refused_without_repeating_it(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StartRefused) as refused:
        KeyFile(path)
    assert not [part for part in ("canary", TEXT[:20]) if part in str(refused.value)]
    assert refused.value.__cause__ is None


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="cannot be read"):
        KeyFile(tmp_path / "none.json")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        rotate_keyfile(path)
    assert path.read_bytes() == before
    assert [child.name for child in path.parent.iterdir()] == [path.name]


@dataclass
class Counting(HeldKeys):
    """Counts how often it is asked to unwrap."""

    asked: int = field(default=0)

    def __post_init__(self) -> None:
        super().__init__(lambda: Keyring("k1", {"k1": ONE}))

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        self.asked += 1
        return await super().unwrap(wrapped, context)


async def test_a_data_key_is_asked_for_once_in_a_while_and_no_more_are_kept_than_allowed() -> None:
    provider, now = Counting(), [0.0]
    kept = DataKeys(provider, lambda: now[0], kept_for=timedelta(seconds=10), kept_keys=2)
    wrapped = {case: await provider.wrap(DATA_KEY, case) for case in ("c1", "c2", "c3")}
    for _ in range(3):
        assert await kept.unwrapped("c1", wrapped["c1"]) == DATA_KEY
    assert provider.asked == 1
    now[0] = 10.0
    await kept.unwrapped("c1", wrapped["c1"])
    assert provider.asked == 2
    await kept.unwrapped("c2", wrapped["c2"])
    await kept.unwrapped("c1", wrapped["c1"])
    await kept.unwrapped("c3", wrapped["c3"])
    # c2 was the one used longest ago.
    await kept.unwrapped("c1", wrapped["c1"])
    assert (len(kept), provider.asked) == (2, 4)
    now[0] = 50.0
    await kept.unwrapped("c2", wrapped["c2"])
    assert len(kept) == 1


async def test_a_destroyed_key_is_let_go_at_once_and_one_of_another_case_is_never_given() -> None:
    provider = Counting()
    kept = DataKeys(provider, lambda: 0.0)
    wrapped = await provider.wrap(DATA_KEY, "c1")
    await kept.unwrapped("c1", wrapped)
    with pytest.raises(Unsealable):
        await kept.unwrapped("c2", wrapped)
    kept.forget("c1")
    assert len(kept) == 0
    await kept.unwrapped("c1", wrapped)
    assert provider.asked == 3


def test_data_keys_are_32_bytes_and_new_each_time() -> None:
    assert len({new_data_key() for _ in range(50)}) == 50
    assert len(new_data_key()) == 32
