"""An error as the answer that tells of it (RFC 9457)."""

from starlette.responses import JSONResponse

from qorgau.errors import QorgauError
from qorgau.front.answers import PROBLEM


def problem(error: QorgauError, headers: dict[str, str] | None = None) -> JSONResponse:
    """The answer, with further headers."""
    return JSONResponse(error.problem(), error.status, error.headers | (headers or {}), PROBLEM)
