"""The tiny issuer of a run on one machine: its keys are kept, rotated and withdrawn; what is on the disk of them."""

import json
import stat
import time
from datetime import timedelta
from pathlib import Path

import jwt
import pytest

from qorgau.identity.claims import Refused
from qorgau.identity.issuer import Issuer
from qorgau.identity.keyset import KeySet
from qorgau.identity.sources import FileSource
from qorgau.identity.tokens import LEEWAY, SignedTokens
from qorgau.starting import StartRefused


def tokens_of(issuer: Issuer) -> SignedTokens:
    """Tokens as a service that starts now would read them."""
    return SignedTokens(KeySet(FileSource(issuer.jwks)))


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def test_a_token_of_the_issuer_is_read_by_its_key_set(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path / "identity")
    issuer.prepare()
    made = issuer.token(agency="102/KZ-75", scopes=["facts:write"], regions=["KZ-75"], subject="cad")
    sender = await tokens_of(issuer).read(made)
    assert (sender.agency, *sender.scopes, *sender.regions) == ("102/KZ-75", "facts:write", "KZ-75")
    header, claims = jwt.get_unverified_header(made), jwt.decode(made, options={"verify_signature": False})
    assert (header["alg"], header["typ"]) == ("EdDSA", "JWT")
    assert claims.keys() >= {"iss", "aud", "exp", "nbf", "sub", "agency", "scope", "regions"}


async def test_the_key_is_kept_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    made = Issuer(tmp_path).token()
    again = Issuer(tmp_path)
    again.prepare()
    assert (await tokens_of(again).read(made)).agency == "*"
    assert modes(tmp_path) == {0o600}
    (public,) = json.loads(again.jwks.read_text(encoding="ascii"))["keys"]
    assert set(public) == {"kty", "crv", "x", "kid", "alg", "use"}


async def test_after_a_rotation_tokens_of_the_former_key_go_on_until_they_expire(tmp_path: Path) -> None:
    now = time.time()
    issuer = Issuer(tmp_path, lambda: now)
    old = issuer.token(lifetime=timedelta(hours=1))
    issuer.rotate()
    new = issuer.token(lifetime=timedelta(hours=1))
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    for made in (old, new):
        assert await tokens_of(issuer).read(made)
    now += 3600 + LEEWAY.total_seconds() + 1
    issuer.prepare()
    (kept,) = json.loads(issuer.jwks.read_text(encoding="ascii"))["keys"]
    assert kept["kid"] == jwt.get_unverified_header(new)["kid"]


async def test_a_key_that_signed_nothing_is_forgotten_when_it_is_rotated_out(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    for _ in range(3):
        issuer.rotate()
    assert len(json.loads(issuer.jwks.read_text(encoding="ascii"))["keys"]) == 1


async def test_withdrawn_keys_count_no_more(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    old = issuer.token()
    issuer.withdraw()
    with pytest.raises(Refused):
        await tokens_of(issuer).read(old)
    assert await tokens_of(issuer).read(issuer.token())


async def test_a_service_that_runs_sees_a_rotation_and_a_withdrawal(tmp_path: Path) -> None:
    now = 0.0
    issuer = Issuer(tmp_path)
    old = issuer.token()
    source = FileSource(issuer.jwks)
    tokens = SignedTokens(KeySet(source, lambda: now))
    assert await tokens.read(old)
    issuer.withdraw()
    now += source.pause.total_seconds()
    assert await tokens.read(issuer.token())
    with pytest.raises(Refused):
        await tokens.read(old)


@pytest.mark.parametrize("wrong", [{"scopes": ["facts:all"]}, {"agency": "Aigul"}, {"agency": "system/x"}], ids=str)
def test_no_token_is_made_of_what_does_not_exist(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"scope|agency"):
        Issuer(tmp_path).token(**wrong)


@pytest.mark.parametrize("damage", ["", "[", "[7]", '[{"private": "AA", "expires": 0}]', '[{"secret": "x"}]'])
def test_damaged_keys_are_told_and_not_replaced(tmp_path: Path, damage: str) -> None:
    issuer = Issuer(tmp_path)
    issuer.prepare()
    keys = tmp_path / "signing-keys.json"
    keys.write_text(damage, encoding="ascii")
    with pytest.raises(StartRefused, match=r"signing-keys\.json is damaged"):
        issuer.token()
    assert keys.read_text(encoding="ascii") == damage
