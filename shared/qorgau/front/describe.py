"""How `POST /v1/facts` is described in OpenAPI: every event a service takes, made of its models."""

from collections.abc import Mapping
from typing import Any

from qorgau.facts import event_type
from qorgau.front import envelope
from qorgau.front.answers import INSTANT, TEXT, ref
from qorgau.front.posted import FACT_ID, REFERENCE, FactData, Models, agency_pattern
from qorgau.front.references import NUMBER, PREFIX, SYSTEM

POST_FACTS = (
    "A CloudEvent 1.0: structured, binary, or a batch. The source and id of a fact are its key, so sending it again "
    "changes nothing. The source is the agency of the token, of a kind that posts this type, in a region of the token. "
    "A fact whose `ref:<system>/<number>` is not known yet is kept and joined when it is registered."
)
ID: dict[str, Any] = {"type": "string", "pattern": FACT_ID}
_CASE: dict[str, Any] = {"type": ["string", "null"]}
_SUBJECT = f"^(?:{REFERENCE[1:-1]}|{PREFIX}{SYSTEM}/{NUMBER})$"


def json_content(schema: Mapping[str, Any], media: str = envelope.JSON) -> dict[str, Any]:
    """The `content` of an answer in one media type."""
    return {media: {"schema": schema}}


FACT_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "In the log, or kept until its reference is known",
        "content": json_content(
            {
                "type": "object",
                "required": ["id", "case", "status"],
                "properties": {"id": ID, "case": _CASE, "status": {"enum": ["accepted", "parked"]}},
            }
        ),
    },
    207: {
        "description": "A batch: each fact with its own status, in the order they were sent",
        "content": json_content(
            {
                "type": "object",
                "required": ["results"],
                "properties": {"results": {"type": "array", "items": {"$ref": "#/components/schemas/FactResult"}}},
            }
        ),
    },
}
_FACT_RESULT = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "id": {"type": ["string", "null"]},
        "case": _CASE,
        "status": {"enum": ["accepted", "parked", "rejected"]},
        "problem": ref("Problem"),
    },
}


def fact_request(models: Mapping[str, Any]) -> dict[str, Any]:
    """The request body of `POST /v1/facts`, by content type, pointing at `fact_schemas`."""
    event = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in sorted(models)]}
    data = {"oneOf": [{"$ref": f"#/components/schemas/{name}.data"} for name in sorted(models)]}
    content = {
        **json_content(event, envelope.STRUCTURED),
        **json_content({"type": "array", "items": event}, envelope.BATCH),
        **json_content(data | {"description": "Binary mode: the attributes are ce- headers"}),
    }
    return {"requestBody": {"required": True, "content": content}}


def fact_schemas(models: Models) -> dict[str, Any]:
    """The schemas of all events of a service and of their data, by the name of the fact type."""
    schemas: dict[str, Any] = {"FactResult": _FACT_RESULT}
    for name, model in sorted(models.items()):
        schemas[name] = _event(name, model)
        schema = without_null(model.model_json_schema())
        # A generated client makes its names of titles, and the event has the same as the model.
        schemas[f"{name}.data"] = schema | {"title": f"{schema['title']}Data"}
    return schemas


def _event(name: str, model: type[FactData]) -> dict[str, Any]:
    context = model.context
    subject = TEXT | {"description": "The case, or ref:<system>/<number>", "pattern": _SUBJECT}
    properties = {
        "specversion": {"const": "1.0"},
        "id": ID,
        "source": TEXT | {"description": "KIND or KIND/UNIT", "pattern": agency_pattern(model.posted_by)},
        "type": {"const": event_type(name)},
        **({} if context else {"subject": subject}),
        "time": INSTANT | {"description": "When it happened, with an offset"},
        "recordedtime": INSTANT | {"description": "Scope facts:backfill only"},
        "data": ref(f"{name}.data"),
    }
    required = ["specversion", "id", "source", "type", "time", "data", *(["subject"] if context is False else [])]
    others = {attribute: TEXT for attribute in sorted(envelope.ATTRIBUTES - properties.keys() - {"subject"})}
    return {
        "type": "object",
        "required": required,
        "properties": properties | others,
        "additionalProperties": False,
    }


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A field that may be left out may not be null, whatever the model's type hints say to Python."""
    for field in schema.get("properties", {}).values():
        choices = [choice for choice in field.pop("anyOf", []) if choice != {"type": "null"}]
        field.update(*choices)
        if field.get("default", 0) is None:
            del field["default"]
        field.pop("title", None)
    return schema
