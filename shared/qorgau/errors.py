"""What can happen to bad input, as one tree: a class per fate with its HTTP status (RFC 9457 problem details).

A message says what to do next and repeats nothing that was sent: neither answers nor logs may carry a person's data.
"""

from typing import Any, ClassVar

_TYPE = "urn:qorgau:problem:"


class QorgauError(Exception):
    """The root: `slug` names the problem for machines, `title` for people, `detail` says what to do next."""

    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something is wrong on our side"
    status: ClassVar[int] = 500

    def __init__(self, detail: str = "", *, field: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.field = field
        self.headers = headers or {}

    def problem(self) -> dict[str, Any]:
        """The problem details object; `field` says where, never what."""
        body: dict[str, Any] = {"type": _TYPE + self.slug, "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        if self.field:
            body["field"] = self.field
        return body


class Rejected(QorgauError):
    """Refused at the door; nothing was stored."""

    slug, title, status = "rejected", "The request was refused", 400


class Malformed(Rejected):
    """Not readable as what its content type says."""

    slug, title, status = "malformed", "The body cannot be read", 400


class UnknownParameter(Rejected):
    """A query parameter that the address does not take; the detail names those that it takes."""

    slug, title, status = "unknown-parameter", "A query parameter is none of this address", 400


class Unauthenticated(Rejected):
    """No token, or one that is not valid now."""

    slug, title, status = "unauthenticated", "A valid token is needed", 401

    def __init__(self, detail: str = "Send a valid token as `Authorization: Bearer`.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Rejected):
    """The token is valid and does not allow this."""

    slug, title, status = "forbidden", "The token does not allow this", 403


class NotFound(Rejected):
    """Nothing here that this token may see; the same answer whether it exists or not."""

    slug, title, status = "not-found", "Nothing here that this token may see", 404


class MethodNotAllowed(Rejected):
    slug, title, status = "method-not-allowed", "This address does not take that method", 405


class Conflict(Rejected):
    """The same command is being carried out right now."""

    slug, title, status = "conflict", "The same request is being carried out", 409


class Gone(Rejected):
    """What was asked for was there once, or nowhere; asking for it again is of no use."""

    slug, title, status = "gone", "This is not there any more", 410


class StaleVersion(Rejected):
    """`If-Match` names a version that is no longer the current one."""

    slug, title, status = "stale-version", "It has changed since you read it", 412


class TooLarge(Rejected):
    slug, title, status = "too-large", "The request is too large", 413


class UnsupportedMedia(Rejected):
    slug, title, status = "unsupported-media-type", "The content type is not one of those accepted here", 415


class Invalid(Rejected):
    """Readable, and not what the documentation says it must be."""

    slug, title, status = "invalid", "A field is not as documented", 422


class TooManyRequests(Rejected):
    slug, title, status = "too-many-requests", "Too many requests", 429


class Unavailable(Rejected):
    """Refused because it cannot be made safe now: nothing was accepted, and sending it again is safe."""

    slug, title, status = "unavailable", "It cannot be accepted now", 503

    def __init__(self, detail: str = "Nothing was accepted; send the same again.", *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class Parked(QorgauError):
    """Good, and kept durably until it can be joined: its reference is not known yet, or its case is full."""

    slug, title, status = "parked", "Kept until it can be joined to its case", 202


class DeadLettered(QorgauError):
    """Came by Kafka and cannot be read; told in `<topic>.dlq` by place, hash and reason, never by content."""

    slug, title, status = "dead-lettered", "Could not be read from the log", 422
