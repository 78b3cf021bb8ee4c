"""Lists and versions over HTTP: keyset cursors, entity tags, and the conditions that go with them."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any

from qorgau.errors import Invalid, StaleVersion

LIMIT, MOST = 100, 1000
CURSOR_SCHEMA = {"type": ["string", "null"], "description": "The cursor of the next page; null at the end"}
_KEY = re.compile(r"[A-Za-z0-9|:._-]{1,160}")
CURSOR = r"^[A-Za-z0-9_-]{2,214}$"


def cursor(key: str) -> str:
    """The cursor after the row with this key; opaque to the reader."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def key_of(text: str | None) -> str:
    """The key a cursor was made of, `` for the beginning; raises Invalid."""
    if text is None:
        return ""
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not _KEY.fullmatch(key):
        raise Invalid("It is no cursor of this list; take the `next` of an earlier answer.", field="cursor")
    return key


def page(rows: Sequence[tuple[str, dict[str, Any]]], limit: int) -> dict[str, Any]:
    """A list answer of at most `limit` of (key, item); give one row more than the limit to tell that there is more."""
    more = len(rows) > limit
    shown = rows[:limit]
    return {"items": [item for _, item in shown], "next": cursor(shown[-1][0]) if more else None}


def etag(version: str) -> str:
    """A strong entity tag; versions are made of our own characters."""
    return f'"{version}"'


def not_modified(if_none_match: str | None, version: str) -> bool:
    """Whether the reader has this version already."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag(version) in tags or "*" in tags


def check_if_match(if_match: str | None, version: str) -> None:
    """Raises StaleVersion where the writer read another version than the one there is."""
    if if_match is None or if_match.strip() == "*":
        return
    if etag(version) not in [tag.strip() for tag in if_match.split(",")]:
        raise StaleVersion("Read it again, then decide again.")
