"""Development tokens: one secret key, and nothing else counts with it."""

import time
from datetime import timedelta
from typing import Any

import jwt
import pytest

from qorgau.auth import make_token
from qorgau.errors import Unauthenticated
from qorgau.identity.claims import AUDIENCE, ISSUER
from qorgau.identity.sender import Sender
from qorgau.identity.tokens import SharedKeyTokens

KEY = "a key of the tests that is long enough"
NOW = int(time.time())
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "test",
    "nbf": NOW - 60,
    "exp": NOW + 86_400,
    "agency": "102/KZ-75",
    "scope": "facts:write cases:read",
    "regions": ["KZ-75"],
}


def encoded(headers: dict[str, Any] | None = None, key: str = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


async def read(token: str) -> Sender:
    return await SharedKeyTokens(KEY).read(token)


async def test_a_token_says_who_it_speaks_for() -> None:
    scopes, regions = frozenset({"facts:write", "cases:read"}), frozenset({"KZ-75"})
    assert await read(encoded()) == Sender("102/KZ-75", scopes, regions, subject="test")
    made = make_token(KEY, agency="102/KZ-75", scopes=["cases:read", "facts:write"], regions=["KZ-75"], subject="cad")
    assert await read(made) == Sender("102/KZ-75", scopes, regions, subject="cad")


WRONG = {
    "expired": encoded(exp=NOW - 1),
    "not yet valid": encoded(nbf=NOW + 86_400, exp=NOW + 100_000),
    "another issuer": encoded(iss="else"),
    "another audience": encoded(aud="else"),
    "without expiry": encoded(exp=None),
    "without begin": encoded(nbf=None),
    "without agency": encoded(agency=None),
    "agency of no kind": encoded(agency="police/KZ-75"),
    "another key": encoded(key="another key of the tests, long enough"),
    "another algorithm": encoded(algorithm="HS512", key=KEY + KEY),
    "no algorithm": jwt.encode(CLAIMS, "", algorithm="none"),
    "another type": encoded(headers={"typ": "ID"}),
    "a key of its own": encoded(headers={"jwk": {"kty": "oct", "k": "AA"}}),
    "nothing": "",
    "no token": "abc.def.ghi",
    "too long": encoded(scope="x" * 9000),
    "changed": encoded()[:-6] + "AAAAAA",
}


@pytest.mark.parametrize("token", WRONG.values(), ids=WRONG)
async def test_a_token_that_is_not_valid_now_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await read(token)
    assert caught.value.status == 401
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}


async def test_a_token_expires() -> None:
    with pytest.raises(Unauthenticated):
        await read(make_token(KEY, lifetime=timedelta(seconds=-1)))


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        (KEY, {"scopes": ["facts:all"]}),
        (KEY, {"agency": "Aigul"}),
        (KEY, {"agency": "system/x"}),
        (KEY, {"subject": "two words"}),
        ("short", {}),
    ],
    ids=str,
)
def test_no_token_is_made_of_what_does_not_exist(key: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"scope|agency|subject|bytes"):
        make_token(key, **wrong)
