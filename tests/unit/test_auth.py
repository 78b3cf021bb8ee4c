"""Tokens: which are refused, what they allow, and who may read a case."""

import time
from datetime import timedelta
from typing import Any

import jwt
import pytest

from qorgau.auth import ADMIN, AUDIENCE, ISSUER, make_token, may_read, read_token, supervises
from qorgau.errors import Unauthenticated
from qorgau.facts import Fact
from qorgau.front.door import Sender

KEY = "a key of the tests that is long enough"
NOW = int(time.time())
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "test",
    "nbf": NOW - 60,
    "exp": NOW + 3600,
    "agency": "102/KZ-75",
    "scope": "facts:write cases:read",
    "regions": ["KZ-75"],
}


def encoded(headers: dict[str, Any] | None = None, key: str = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


def test_a_token_says_who_it_speaks_for() -> None:
    expected = Sender("102/KZ-75", frozenset({"facts:write", "cases:read"}), frozenset({"KZ-75"}))
    assert read_token(KEY, encoded()) == expected
    made = make_token(KEY, agency="102/KZ-75", scopes=["cases:read", "facts:write"], regions=["KZ-75"])
    assert read_token(KEY, made) == expected


WRONG = {
    "expired": encoded(exp=NOW - 1),
    "not yet valid": encoded(nbf=NOW + 86_400, exp=NOW + 90_000),
    "another issuer": encoded(iss="else"),
    "another audience": encoded(aud="else"),
    "without expiry": encoded(exp=None),
    "without begin": encoded(nbf=None),
    "without subject": encoded(sub=None),
    "without audience": encoded(aud=None),
    "without agency": encoded(agency=None),
    "agency of no kind": encoded(agency="police/KZ-75"),
    "scope as a list": encoded(scope=["facts:write"]),
    "regions as a text": encoded(regions="KZ-75"),
    "regions of another type": encoded(regions=[{"$gt": ""}]),
    "another key": encoded(key="another key of the tests, long enough"),
    "another algorithm": encoded(algorithm="HS512", key=KEY + KEY),
    "no algorithm": jwt.encode(CLAIMS, "", algorithm="none"),
    "another type": encoded(headers={"typ": "at+jwt"}),
    "nothing": "",
    "no token": "abc.def.ghi",
    "operator": '{"$gt": ""}',
    "too long": encoded(scope="x" * 5000),
    "changed": encoded()[:-6] + "AAAAAA",
}


@pytest.mark.parametrize("token", WRONG.values(), ids=WRONG)
def test_a_token_that_is_not_valid_now_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        read_token(KEY, token)
    assert caught.value.status == 401
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}


def test_a_token_expires() -> None:
    with pytest.raises(Unauthenticated):
        read_token(KEY, make_token(KEY, lifetime=timedelta(seconds=-1)))


@pytest.mark.parametrize(
    ("key", "wrong"), [(KEY, {"scopes": ["facts:all"]}), (KEY, {"agency": "Aigul"}), ("short", {})], ids=str
)
def test_no_token_is_made_of_what_does_not_exist(key: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"scope|agency|bytes"):
        make_token(key, **wrong)


def fact(source: str, region: str) -> Fact:
    return Fact("f1", source, "police.arrived", 0, 0, "c1", {"region": region})


@pytest.mark.parametrize(
    ("agency", "regions", "scopes", "allowed"),
    [
        ("102/KZ-75", {"KZ-75"}, (), True),
        ("102/KZ-75", {"KZ-71"}, (), True),
        ("102/KZ-71", {"KZ-75"}, (), False),
        ("102", {"*"}, (), False),
        ("court/KZ-75-02", {"KZ-75"}, (), False),
        ("coordinator/KZ-75", {"KZ-75"}, (), True),
        ("coordinator/KZ-75", {"KZ-71"}, (), False),
        ("prosecutor", {"*"}, (), True),
        ("court/KZ-75-02", {"KZ-75"}, (ADMIN,), True),
        ("*", {"*"}, (), True),
        ("*", {"KZ-71"}, (), False),
    ],
)
def test_a_case_is_read_by_who_posted_in_it_and_by_supervisors_of_its_region(
    agency: str, regions: set[str], scopes: tuple[str, ...], allowed: bool
) -> None:
    sender = Sender(agency, frozenset(scopes), frozenset(regions))
    assert may_read(sender, [fact("102/KZ-75", "KZ-75")]) is allowed
    assert not may_read(sender, [])


def test_a_flag_of_no_known_region_is_seen_only_by_national_supervision() -> None:
    assert supervises(Sender("prosecutor", frozenset(), frozenset({"*"})), None)
    assert not supervises(Sender("prosecutor", frozenset(), frozenset({"KZ-75"})), None)
