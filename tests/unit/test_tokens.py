"""Tokens signed by an issuer: every attack we know is refused, by the reason that is meant, and tells nobody more."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from qorgau.errors import Unauthenticated
from qorgau.identity.claims import Reason, Refused
from qorgau.identity.keyset import PublicKey, read_keys
from qorgau.identity.revoked import LOOKED_AT_EVERY, Revoked, read_revoked
from qorgau.identity.sender import Role, Sender
from qorgau.identity.tokens import LEEWAY, LONGEST, SharedKeyTokens, SignedTokens
from tests.signed import ANOTHER, CLAIMS, ED25519, NOW, P256, PUBLIC, RSA, key_set, pasted, public, token

SECONDS = int(LEEWAY.total_seconds())
PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


class Known:
    """Keys that are all there."""

    def __init__(self, document: bytes = PUBLIC) -> None:
        self.keys: Mapping[str, PublicKey] = read_keys(document)

    async def key(self, name: str) -> PublicKey | None:
        return self.keys.get(name)


TOKENS = SignedTokens(Known())


async def refused(text: str, tokens: SignedTokens = TOKENS) -> Reason:
    with pytest.raises(Refused) as caught:
        await tokens.read(text)
    # Whatever it is, the sender hears the same, and nothing of what was sent.
    assert caught.value.problem() == Unauthenticated().problem()
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}
    assert not text or text not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.reason


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"), [(ED25519, "EdDSA", "ed"), (P256, "ES256", "ec"), (RSA, "RS256", "rsa")]
)
async def test_a_token_says_who_it_speaks_for_whatever_kind_of_key_signed_it(
    key: Any, algorithm: str, kid: str
) -> None:
    sender = await TOKENS.read(token(key, algorithm, kid=kid))
    scopes = frozenset({"facts:write", "cases:read"})
    assert sender == Sender("102/KZ-75", scopes, frozenset({"KZ-75"}), subject="cad-of-astana")


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
async def test_a_token_says_that_it_is_one(typ: str) -> None:
    assert (await TOKENS.read(token(headers={"typ": typ}))).agency == "102/KZ-75"


async def test_an_audience_of_several_and_an_issuer_that_tells_only_when_it_made_it_are_good() -> None:
    assert await TOKENS.read(token(aud=["account", "qorgau"]))
    assert await TOKENS.read(token(nbf=None, iat=NOW))


async def test_the_clocks_of_issuer_and_service_may_differ_a_little() -> None:
    now = int(time.time())
    assert await TOKENS.read(token(nbf=now + SECONDS - 2))
    assert await TOKENS.read(token(iat=now + SECONDS - 2))
    assert await TOKENS.read(token(exp=now - SECONDS + 8))


def forged(header: Mapping[str, Any], key: bytes) -> str:
    """Signed by HMAC with something that is public."""
    text = pasted(header).rpartition(".")[0]
    return pasted(header, signature=hmac.new(key, text.encode(), hashlib.sha256).digest())


ATTACKS: dict[str, tuple[str, Reason]] = {
    "alg none": (pasted({"typ": "JWT", "alg": "none", "kid": "ed"}), Reason.ALGORITHM),
    "alg None": (pasted({"typ": "JWT", "alg": "None", "kid": "ed"}), Reason.ALGORITHM),
    "alg missing": (pasted({"typ": "JWT", "kid": "ed"}), Reason.ALGORITHM),
    "alg as a list": (pasted({"typ": "JWT", "alg": ["EdDSA"], "kid": "ed"}), Reason.ALGORITHM),
    "unsigned": (token().rpartition(".")[0] + ".", Reason.SIGNATURE),
    "key confusion, the PEM": (forged({"typ": "JWT", "alg": "HS256", "kid": "rsa"}, PEM), Reason.ALGORITHM),
    "key confusion, the key set": (forged({"typ": "JWT", "alg": "HS256", "kid": "rsa"}, PUBLIC), Reason.ALGORITHM),
    "key confusion, HS512": (forged({"typ": "JWT", "alg": "HS512", "kid": "ed"}, PEM), Reason.ALGORITHM),
    "key of another algorithm": (token(P256, "ES256", kid="ed"), Reason.ALGORITHM),
    "RS512 with an RS256 key": (token(RSA, "RS512", kid="rsa"), Reason.ALGORITHM),
    "PS256 with an RS256 key": (token(RSA, "PS256", kid="rsa"), Reason.ALGORITHM),
    "own key under a known name": (token(ANOTHER), Reason.SIGNATURE),
    "own key under its own name": (token(ANOTHER, kid="mine"), Reason.KEY),
    "jwk header": (token(ANOTHER, headers={"jwk": public(ANOTHER, "ed", "EdDSA")}), Reason.HEADER),
    "jku header": (token(ANOTHER, headers={"jku": "https://evil.example/jwks"}), Reason.HEADER),
    "x5u header": (token(headers={"x5u": "https://evil.example/cert"}), Reason.HEADER),
    "x5c header": (token(headers={"x5c": ["MIIB"]}), Reason.HEADER),
    "crit header": (token(headers={"crit": ["exp"], "exp": 1}), Reason.MALFORMED),
    "unencoded payload": (pasted({"typ": "JWT", "alg": "EdDSA", "kid": "ed", "b64": False}), Reason.MALFORMED),
    "encrypted": (pasted({"typ": "JWT", "alg": "dir", "enc": "A256GCM", "kid": "ed"}), Reason.HEADER),
    "no key name": (token(kid=None), Reason.HEADER),
    "key name as a path": (token(kid="../../../../dev/null"), Reason.KEY),
    "key name as a query": (token(kid="x' UNION SELECT 'secret"), Reason.KEY),
    "key name empty": (token(kid=""), Reason.HEADER),
    "key name endless": (token(kid="k" * 257), Reason.HEADER),
    "key name as a number": (pasted({"typ": "JWT", "alg": "EdDSA", "kid": 7}), Reason.MALFORMED),
    "key name as an operator": (pasted({"typ": "JWT", "alg": "EdDSA", "kid": {"$gt": ""}}), Reason.MALFORMED),
    "another type": (token(headers={"typ": "ID"}), Reason.TYPE),
    "a logout token": (token(headers={"typ": "logout+jwt"}), Reason.TYPE),
    "no type": (token(headers={"typ": None}), Reason.TYPE),
    "expired": (token(exp=NOW - SECONDS - 2), Reason.EXPIRED),
    "not yet valid": (token(nbf=NOW + 80_000), Reason.EARLY),
    "made in the future": (token(iat=NOW + 80_000), Reason.EARLY),
    "another issuer": (token(iss="https://evil.example"), Reason.ISSUER),
    "without issuer": (token(iss=None), Reason.CLAIMS),
    "another audience": (token(aud="billing"), Reason.AUDIENCE),
    "other audiences": (token(aud=["billing", "account"]), Reason.AUDIENCE),
    "without expiry": (token(exp=None), Reason.CLAIMS),
    "without begin": (token(nbf=None), Reason.CLAIMS),
    "without subject": (token(sub=None), Reason.CLAIMS),
    "without audience": (token(aud=None), Reason.CLAIMS),
    "without agency": (token(agency=None), Reason.CLAIMS),
    "without scopes": (token(scope=None), Reason.CLAIMS),
    "without regions": (token(regions=None), Reason.CLAIMS),
    "agency of no kind": (token(agency="police/KZ-75"), Reason.CLAIMS),
    "agency of the system": (token(agency="system/court-tracker"), Reason.CLAIMS),
    "agency with a line break": (token(agency="102/KZ-75\n"), Reason.CLAIMS),
    "agency as an operator": (token(agency={"$gt": ""}), Reason.CLAIMS),
    "watchdog with a path": (token(agency="watchdog/../102"), Reason.CLAIMS),
    "scope as a list": (token(scope=["facts:write"]), Reason.CLAIMS),
    "regions as a text": (token(regions="KZ-75"), Reason.CLAIMS),
    "regions of another type": (token(regions=[{"$gt": ""}]), Reason.CLAIMS),
    "subject with a line break": (token(sub="a\nb"), Reason.CLAIMS),
    "expiry without end": (
        pasted({"typ": "JWT", "alg": "EdDSA", "kid": "ed"}, b'{"exp": 1e999}', b"x"),
        Reason.SIGNATURE,
    ),
    "nothing": ("", Reason.MALFORMED),
    "no token": ("abc.def.ghi", Reason.MALFORMED),
    "operator": ('{"$gt": ""}', Reason.MALFORMED),
    "five parts": (".".join([token()] + ["e30"] * 2), Reason.MALFORMED),
    "deep header": (pasted(b"[" * 5000), Reason.MALFORMED),
    "not ASCII": ("\ud800.\u0442.x", Reason.MALFORMED),
    "too long": (token(sub="x" * LONGEST), Reason.MALFORMED),
    "changed": (token()[:-6] + "AAAAAA", Reason.SIGNATURE),
}


@pytest.mark.parametrize(("text", "reason"), ATTACKS.values(), ids=ATTACKS)
async def test_an_attack_is_refused_for_its_own_reason(text: str, reason: Reason) -> None:
    assert await refused(text) is reason


async def test_claims_of_another_token_under_a_good_signature_are_refused() -> None:
    header, _, signature = token().split(".")
    _, claims, _ = token(agency="coordinator", scope="admin").split(".")
    assert await refused(f"{header}.{claims}.{signature}") is Reason.SIGNATURE


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "sub", "jti", "aud", "iss", "agency", "scope", "regions"])
@pytest.mark.parametrize("value", [float("inf"), [], {}, {"$gt": ""}, True, "x", -1, 10**30, None], ids=str)
async def test_no_value_of_a_claim_breaks_anything(claim: str, value: Any) -> None:
    try:
        sender = await TOKENS.read(token(**{claim: value}))
    except Refused:
        return
    # What is still good says nothing new: an old begin, a name of its own, no scopes or regions.
    assert sender.agency == "102/KZ-75"
    assert sender.scopes <= {"facts:write", "cases:read", "x"}
    assert sender.regions <= {"KZ-75"}


@given(st.text(max_size=200) | st.builds(lambda parts: ".".join(parts), st.lists(st.text("eyJ-_=0", max_size=40))))
async def test_no_text_is_a_token_by_chance(text: str) -> None:
    with pytest.raises(Unauthenticated):
        await TOKENS.read(text)


@given(st.integers(0, 400), st.characters(codec="ascii"))
async def test_a_token_with_one_other_character_is_refused(place: int, other: str) -> None:
    good = token()
    place %= len(good)
    # The last character of each part has bits that mean nothing.
    spare = {good.index("."), good.rindex("."), len(good)}
    if good[place] == other or place + 1 in spare:
        return
    with pytest.raises(Unauthenticated):
        await TOKENS.read(good[:place] + other + good[place + 1 :])


UNUSABLE: dict[str, dict[str, Any]] = {
    "a secret key": {"kty": "oct", "k": "c2VjcmV0", "kid": "x"},
    "with its private part": public(ED25519, "x", "EdDSA") | {"d": "c2VjcmV0"},
    "for encryption": public(RSA, "x", "RS256", use="enc"),
    "that may only sign": public(ED25519, "x", "EdDSA", key_ops=["sign"]),
    "of an algorithm that is not its own": public(RSA, "x", "RS256", alg="PS256"),
    "without a name": public(ED25519, "x", "EdDSA", kid=None),
    "of another curve": {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "kid": "x"},
    "that is broken": {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "x"},
    "with a part of another type": {"kty": "RSA", "n": 7, "e": "AQAB", "kid": "x"},
    "too small": {"kty": "RSA", "e": "AQAB", "n": "sA" + "A" * 168, "kid": "x"},
}


@pytest.mark.parametrize("unusable", UNUSABLE.values(), ids=UNUSABLE)
def test_a_key_set_lends_no_key_that_is(unusable: dict[str, Any]) -> None:
    assert set(read_keys(key_set(unusable, public(P256, "ec", "ES256")))) == {"ec"}


def test_of_two_keys_with_one_name_the_first_counts() -> None:
    (key,) = read_keys(key_set(public(ED25519, "k", "EdDSA"), public(P256, "k", "ES256"))).values()
    assert key.algorithm == "EdDSA"


async def test_with_a_key_set_no_secret_key_is_ever_tried_and_without_one_no_public_key() -> None:
    secret = "a key of the tests that is long enough"
    shared = SharedKeyTokens(secret)
    by_secret = jwt.encode(dict(CLAIMS), secret, algorithm="HS256", headers={"typ": "JWT", "kid": "ed"})
    assert (await shared.read(by_secret)).agency == "102/KZ-75"
    assert await refused(by_secret) is Reason.ALGORITHM
    with pytest.raises(Refused) as caught:
        await shared.read(token())
    assert caught.value.reason is Reason.ALGORITHM
    assert secret not in repr(shared)


async def test_a_revoked_agency_is_refused_as_soon_as_its_line_is_there(tmp_path: Path) -> None:
    now, file = 0.0, tmp_path / "revoked"
    file.touch()
    revoked = Revoked(file, lambda: now)
    tokens = SignedTokens(Known(), revoked=revoked.has)
    assert await tokens.read(token())
    file.write_text("# stolen laptop\n102/KZ-75\nshelter\n", encoding="utf-8")
    now += LOOKED_AT_EVERY.total_seconds()
    assert await refused(token(), tokens) is Reason.REVOKED
    assert await tokens.read(token(agency="102/KZ-71"))
    assert await refused(token(agency="shelter/KZ-71"), tokens) is Reason.REVOKED
    file.write_text("# found again\n", encoding="utf-8")
    now += LOOKED_AT_EVERY.total_seconds()
    assert await tokens.read(token())


def test_a_list_that_cannot_be_read_lets_nobody_in_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    now, file = 0.0, tmp_path / "revoked"
    file.write_text("102/KZ-75\n", encoding="utf-8")
    revoked = Revoked(file, lambda: now)
    assert revoked.has("102/KZ-75")
    for damage in ("102/KZ-71\nthe other one too\n", None):
        file.unlink() if damage is None else file.write_text(damage, encoding="utf-8")
        now += 1
        assert revoked.has("102/KZ-75")
        assert not revoked.has("102/KZ-71")
    assert "the last one stays in force" in caplog.text
    assert "other one" not in caplog.text
    with pytest.raises(ValueError, match="line 2 is no agency"):
        read_revoked("102/KZ-75\nAigul\n")


@pytest.mark.parametrize(
    ("agency", "scopes", "role"),
    [
        ("102/KZ-75", (), Role.DESK),
        ("shelter", ("pii:read",), Role.DESK),
        ("coordinator/KZ-75", (), Role.SUPERVISOR),
        ("prosecutor", (), Role.SUPERVISOR),
        ("102/KZ-75", ("admin",), Role.ADMIN),
        ("watchdog", ("admin", "pii:read", "facts:write"), Role.WATCHDOG),
        ("watchdog/coalition", (), Role.WATCHDOG),
        ("*", ("admin",), Role.DEVELOPMENT),
    ],
)
async def test_the_role_follows_from_agency_and_scopes(agency: str, scopes: tuple[str, ...], role: Role) -> None:
    sender = await TOKENS.read(token(agency=agency, scope=" ".join(scopes)))
    assert sender.role is role


def test_the_claims_of_the_tests_are_those_of_the_design() -> None:
    assert set(CLAIMS) == {"iss", "aud", "exp", "nbf", "sub", "agency", "scope", "regions"}
    assert json.loads(PUBLIC)["keys"]
