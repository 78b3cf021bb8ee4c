"""How answers are described in OpenAPI: the problems a route may answer, and what is read of a case."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from qorgau.errors import NotFound, QorgauError
from qorgau.front.envelope import JSON
from qorgau.front.paging import CURSOR_SCHEMA

PROBLEM = "application/problem+json"
NDJSON = "application/x-ndjson"
Responses = dict[int | str, dict[str, Any]]
TEXT = {"type": "string"}
INSTANT = {"type": "string", "format": "date-time"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MAYBE_INSTANT = {"type": ["string", "null"], "format": "date-time"}
# As ISO 8601 has it; the format `duration` of JSON Schema knows neither fractions nor hours without minutes.
LENGTH = {
    "type": "string",
    "pattern": r"^P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$",
    "description": "ISO 8601 duration",
}
MAYBE_LENGTH = LENGTH | {"type": ["string", "null"]}
_SEVERITY = {"enum": ["critical", "high", "medium"]}
# Headers that come with a problem of this status; without the first a client does not know how long to wait.
_WITH = {
    401: {"WWW-Authenticate": {"schema": TEXT, "required": True}},
    429: {"Retry-After": {"schema": {"type": "integer"}, "required": True, "description": "In seconds"}},
    503: {"Retry-After": {"schema": {"type": "integer"}, "description": "In seconds"}},
}
TAGGED = {
    "ETag": {"schema": TEXT, "required": True, "description": "Of this version; for If-None-Match"},
    "As-Of": {"schema": INSTANT, "description": "The instant the case was judged last"},
}
LOCATION = {"Location": {"schema": TEXT, "required": True, "description": "Where it is"}}


def problems(*errors: type[QorgauError]) -> Responses:
    """The answers of a route that may refuse like this; a status that two of them share has both titles."""
    found: Responses = {}
    for error in errors:
        title = found[error.status]["description"] + "; " if error.status in found else ""
        found[error.status] = {
            "description": title + error.title,
            "content": {PROBLEM: {"schema": ref("Problem")}},
            **({"headers": _WITH[error.status]} if error.status in _WITH else {}),
        }
    return found


def ref(name: str) -> dict[str, Any]:
    """A schema of the document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def answer(
    description: str, schema: Mapping[str, Any], media: str = JSON, headers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """One answer with its body, and the headers that come with it."""
    described = {"description": description, "content": {media: {"schema": schema}}}
    return described | ({"headers": headers} if headers else {})


def structure(*optional: str, **properties: Mapping[str, Any]) -> dict[str, Any]:
    """An object with these fields, all of them there but those named as optional."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def array(items: Mapping[str, Any]) -> dict[str, Any]:
    """An array of these."""
    return {"type": "array", "items": items}


def page_of(items: Mapping[str, Any]) -> dict[str, Any]:
    """A page of a list."""
    return structure(items=array(items), next=CURSOR_SCHEMA)


def flag_schema(**more: Mapping[str, Any]) -> dict[str, Any]:
    """A flag as it is now; `more`: what its events have besides."""
    times = dict.fromkeys(("start_at", "due_at", "cleared_at"), _MAYBE_INSTANT)
    return structure(
        *("region", "agency", "start_at", "due_at", "cleared_at", "late_by", "escalations"),
        id={"type": "string", "format": "uuid"},
        **dict.fromkeys(("case", "rule", "key"), TEXT),
        level={"enum": ["warn", "breach", "info", "flag"]},
        severity=_SEVERITY,
        **times,
        raised_at=INSTANT,
        late_by=MAYBE_LENGTH,
        outcome=TEXT,
        escalations={"type": "object", "additionalProperties": INSTANT},
        region=_MAYBE_TEXT,
        agency=_MAYBE_TEXT | {"description": "Whose lateness it is"},
        **more,
    )


# Not in events: they say what was so when they were told.
CERTAINTY: Mapping[str, Any] = MappingProxyType(
    {
        "certainty": {
            "enum": ["certain", "unknown"],
            "description": "unknown: every feed that could have stopped it is silent (docs/feeds.md)",
        },
        "unknown_since": _MAYBE_INSTANT
        | {"description": "From when on none of them was heard; null also while not all of them have been read"},
    }
)


def with_certainty(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of what is shown with its certainty."""
    return {**schema, "properties": {**schema["properties"], **CERTAINTY}}


_STATES = ["running", "tolled", "breached", "met", "closed_late", "cancelled", "missed", "window_passed"]
_DEADLINE = structure(
    **dict.fromkeys(("case", "rule", "key"), TEXT),
    severity=_SEVERITY,
    start_at=INSTANT,
    due_at=_MAYBE_INSTANT,
    state={"enum": _STATES},
    late_by=MAYBE_LENGTH,
    remaining=MAYBE_LENGTH,
)
_CASE = structure(
    "others",
    case=TEXT,
    service=TEXT,
    status={"enum": ["open", "closed", "unknown"]},
    as_of=_MAYBE_INSTANT | {"description": "The instant it was judged last"},
    facts={"type": "integer"},
    agencies=array(TEXT),
    regions=array(TEXT),
    deadlines=array(ref("Deadline")),
    flags=array(ref("Flag")),
    others={
        "type": "object",
        "description": "At intake: the open flags of the other services, by service",
        "additionalProperties": array(ref("Flag")),
    },
)
_FACT = {"type": ["object", "null"]}
_EXPLANATION = structure(
    flag=ref("Flag"),
    as_of=INSTANT,
    rule=structure(id=TEXT),
    facts=structure(start=_FACT, end=_FACT),
    steps=array(structure(step=TEXT, sentence=TEXT)),
    sentence=TEXT,
)
CASE_SCHEMAS: Mapping[str, Any] = MappingProxyType(
    {
        "Case": _CASE,
        "Deadline": with_certainty(_DEADLINE),
        "Explanation": _EXPLANATION,
        "Flag": with_certainty(flag_schema()),
    }
)
_READ: Responses = {
    304: {"description": "It is the version that If-None-Match names", "headers": TAGGED},
    **problems(NotFound),
}
GET_CASE: Responses = {200: answer("The case as this service sees it", ref("Case"), headers=TAGGED), **_READ}
GET_FACTS: Responses = {200: answer("A fact a line, as it was learned", TEXT, NDJSON, TAGGED), **_READ}
GET_FLAGS: Responses = {
    200: answer("In the order they were raised", page_of(ref("Flag")), headers=TAGGED),
    **_READ,
}
GET_EXPLANATION: Responses = {200: answer("Rule, facts and arithmetic", ref("Explanation")), **problems(NotFound)}

_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457; `detail` says what to do next, `field` where; nothing that was sent is repeated.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string"},
    },
}
# As draft-ietf-httpapi-ratelimit-headers has them.
_RATE_LIMIT = {
    "RateLimit-Policy": {"schema": TEXT, "description": "How many requests an agency has in which window"},
    "RateLimit": {"schema": TEXT, "description": "How many are left (r), and in how many seconds there are more (t)"},
}


def finished(document: dict[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """An OpenAPI document with the schemas it refers to, and with what the answers of all guarded routes share."""
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas, Problem=_PROBLEM_SCHEMA)
    operations = [one for path in document["paths"].values() for one in path.values() if "security" in one]
    for described in (described for one in operations for described in one["responses"].values()):
        described["headers"] = {**described.get("headers", {}), **_RATE_LIMIT}
    return document
