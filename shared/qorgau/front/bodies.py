"""The body of a request that is one JSON value: its content type, its size and time, then strict reading."""

from typing import Any

from starlette.requests import Request

from qorgau.errors import Malformed, NotFound, Rejected, TooLarge, UnsupportedMedia
from qorgau.front.envelope import JSON, read_json
from qorgau.front.limits import read_body

# What a route with such a body may answer besides what every route does.
REFUSALS: tuple[type[Rejected], ...] = (Malformed, NotFound, TooLarge, UnsupportedMedia)


async def read_json_body(request: Request) -> tuple[bytes, Any]:
    """The body as it came, and what it says. Raises UnsupportedMedia, TooLarge, Malformed."""
    media = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media != JSON:
        raise UnsupportedMedia(f"Send {JSON}.")
    body = await read_body(request)
    return body, read_json(body)
