"""A text as bytes in every guise in which it could lie in a file: encoded, escaped, or as part of something encoded."""

import base64
import json
import struct
from collections.abc import Iterator
from urllib.parse import quote, quote_plus


def guises(text: str) -> set[bytes]:
    """All of them; none is shorter than what is unmistakable."""
    return set(_guises(text))


def _guises(text: str) -> Iterator[bytes]:
    plain = text.encode()
    for raw in (plain, text.encode("utf-16-le"), text.encode("utf-16-be")):
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        yield from _base64(raw)
    for quoted in (quote(text, safe=""), quote_plus(text), quote(text)):
        yield quoted.encode()
        yield _lower_escapes(quoted).encode()
    escaped = json.dumps(text)[1:-1]
    yield escaped.encode()
    yield escaped.upper().replace("\\U", "\\u").encode()
    yield repr(plain)[2:-1].encode()
    if text.isascii() and text.isdigit() and len(text) > 9:
        for layout in ("<q", ">q"):
            yield struct.pack(layout, int(text))


def _base64(raw: bytes) -> Iterator[bytes]:
    """Base64 of it wherever it begins within three bytes, without the characters that depend on its neighbours."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        first = (0, 2, 3)[before]
        last = len(encoded) - (0, 3, 2)[(before + len(raw)) % 3]
        yield encoded[first:last]
        yield encoded[first:last].replace(b"+", b"-").replace(b"/", b"_")


def _lower_escapes(quoted: str) -> str:
    head, *escapes = quoted.split("%")
    return head + "".join(f"%{escape[:2].lower()}{escape[2:]}" for escape in escapes)
