"""The description of the topics is an AsyncAPI 3.0 document by the schema of that specification."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs/api/asyncapi.yaml").read_text(encoding="utf-8"))
SCHEMA = json.loads((ROOT / "tests/schemas/asyncapi-3.0.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft7Validator(SCHEMA)


def test_the_document_is_what_the_specification_asks_for() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert [error.message for error in VALIDATOR.iter_errors(DOCUMENT)] == []


BROKEN: dict[str, tuple[tuple[str, ...], Any]] = {
    "no title": (("info",), {"version": "1"}),
    "an action there is not": (("operations", "follow-flags", "action"), "subscribe"),
    "a channel by its name": (("operations", "follow-flags", "channel"), "flags"),
    "an address that is none": (("channels", "flags", "address"), 7),
    "a payload that is no schema": (("channels", "references", "messages", "reference", "payload"), {"type": "texts"}),
    "a word of version 2": (("channels", "flags", "subscribe"), {}),
}


@pytest.mark.parametrize(("path", "value"), BROKEN.values(), ids=BROKEN)
def test_a_document_that_is_not_would_be_noticed(path: tuple[str, ...], value: Any) -> None:
    broken = copy.deepcopy(DOCUMENT)
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(broken)
