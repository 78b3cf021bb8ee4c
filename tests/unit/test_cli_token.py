"""`qorgau token` with the issuer of `qorgau up`: whose folder, rotation, and what is refused."""

import os
from pathlib import Path

import pytest

from qorgau.embedded.kept import data_folder, issuer_of
from qorgau.identity.claims import Refused
from qorgau.identity.issuer import Issuer
from qorgau.identity.keyset import KeySet
from qorgau.identity.sender import Sender
from qorgau.identity.sources import FileSource
from qorgau.identity.tokens import SignedTokens
from tests.command_line import Shell

KEY = "a key that is long enough for tests"
DESK = ("--agency", "102/KZ-75", "--scope", "facts:write", "--region", "KZ-75")


@pytest.fixture(name="shell")
def a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.delenv("QORGAU_TOKEN_KEY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return Shell(tmp_path, capsys)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    issuer = issuer_of(tmp_path / "data")
    issuer.prepare()
    return issuer


async def read(issuer: Issuer, token: str) -> Sender:
    """As a service that starts now would."""
    return await SignedTokens(KeySet(FileSource(issuer.jwks))).read(token)


async def test_the_issuer_of_a_folder_signs_for_whom_it_is_told(
    shell: Shell, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever names a folder means it, whatever key is about.
    monkeypatch.setenv("QORGAU_TOKEN_KEY", KEY)
    ended = shell.run("token", *DESK, "--data", tmp_path / "data")
    assert ended.status == 0
    sender = await read(issuer, ended.out.strip())
    assert (sender.agency, *sender.scopes, *sender.regions) == ("102/KZ-75", "facts:write", "KZ-75")


async def test_without_a_folder_it_is_the_one_that_was_started_last(shell: Shell) -> None:
    own, season = (issuer_of(data_folder(season=season)) for season in (False, True))
    season.prepare()
    own.prepare()
    os.utime(own.jwks, (1, 1))
    ended = shell.run("token", *DESK)
    assert (await read(season, ended.out.strip())).agency == "102/KZ-75"
    with pytest.raises(Refused):
        await read(own, ended.out.strip())


async def test_a_rotation_leaves_old_tokens_good_and_a_withdrawal_does_not(
    shell: Shell, issuer: Issuer, tmp_path: Path
) -> None:
    folder = ("--data", tmp_path / "data")
    first = shell.run("token", *folder).out.strip()
    second = shell.run("token", "--rotate", *folder).out.strip()
    for token in (first, second):
        assert (await read(issuer, token)).agency == "*"
    third = shell.run("token", "--withdraw", *folder).out.strip()
    assert (await read(issuer, third)).agency == "*"
    for token in (first, second):
        with pytest.raises(Refused):
            await read(issuer, token)


def test_where_there_is_no_issuer_and_no_key_both_are_told(shell: Shell, tmp_path: Path) -> None:
    for options in ((), ("--data", tmp_path / "nothing")):
        ended = shell.run("token", *options)
        assert (ended.status, ended.out) == (2, "")
        assert "qorgau up" in ended.err
        assert "QORGAU_TOKEN_KEY" in ended.err
    assert not (tmp_path / "nothing").exists()


def test_a_token_that_nobody_could_use_turns_no_key(shell: Shell, issuer: Issuer, tmp_path: Path) -> None:
    before = issuer.jwks.read_bytes()
    ended = shell.run("token", "--agency", "system/x", "--withdraw", "--data", tmp_path / "data")
    assert (ended.status, ended.out) == (2, "")
    assert issuer.jwks.read_bytes() == before


def test_one_secret_key_cannot_be_rotated(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QORGAU_TOKEN_KEY", KEY)
    ended = shell.run("token", "--rotate")
    assert (ended.status, ended.out) == (2, "")
    assert "--data" in ended.err
