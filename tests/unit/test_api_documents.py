"""The documents for integrators are what the code says; they are made by `make docs`."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs import generate

from qorgau.facts import event_type
from qorgau.vocabulary import FACT_TYPES, FACTS_TOPICS, FLAGS_TOPIC, REFERENCES_TOPIC

API = Path(__file__).parents[2] / "docs" / "api"
MADE = generate.documents()


@pytest.mark.parametrize("name", MADE)
def test_a_document_is_what_the_code_would_make_now(name: str) -> None:
    assert (API / name).read_text(encoding="utf-8") == MADE[name], "run `make docs`"


def test_there_is_no_document_that_nothing_makes() -> None:
    assert {path.name for path in API.iterdir()} == set(MADE)


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for part in value.values() for found in references(part)]
    return [found for part in value for found in references(part)] if isinstance(value, list) else []


@pytest.mark.parametrize("name", MADE)
def test_every_reference_in_a_document_leads_somewhere(name: str) -> None:
    document = yaml.safe_load(MADE[name]) if name.endswith(".yaml") else json.loads(MADE[name])
    found = references(document)
    assert found
    for reference in found:
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_every_topic_and_every_type_of_event_is_described() -> None:
    document = yaml.safe_load(MADE["asyncapi.yaml"])
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert {*FACTS_TOPICS, FLAGS_TOPIC, REFERENCES_TOPIC} <= addresses
    kinds = {message["name"] for message in document["components"]["messages"].values()}
    assert {event_type(name) for name in FACT_TYPES} <= kinds
    assert {f"qorgau.flag.{change}.v1" for change in ("raised", "updated", "escalated", "cleared")} <= kinds
