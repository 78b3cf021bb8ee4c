"""The fact types stand in three places (docs/domain/facts.md, vocabulary.py, the services' models): none may drift."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
import yaml
from pydantic import ValidationError

import court_tracker.domain
import intake.domain
import police_dispatch.domain
from qorgau.front.posted import ANY_AGENCY, FactData, FactWithdrawn, Models
from qorgau.vocabulary import (
    COURT,
    FACT_TYPES,
    INTAKE,
    KINDS,
    POLICE,
    facts_topic,
    inbound_agency,
    inbound_topic,
)

ROOT = Path(__file__).parents[2]
FACTS_MD = (ROOT / "docs/domain/facts.md").read_text(encoding="utf-8")
DOMAINS: Mapping[str, Models] = {
    INTAKE: intake.domain.FACTS,
    POLICE: police_dispatch.domain.FACTS,
    COURT: court_tracker.domain.FACTS,
}
MODELS = {name: model for models in DOMAINS.values() for name, model in models.items()}
SHORT = {"150": "helpline-150", "111": "helpline-111", "forensic centre": "forensic"}
STATISTICS = {"district", "age_band", "sex", "relation"}


@dataclass(frozen=True)
class Documented:
    name: str
    service: str
    topic: str
    posted_by: frozenset[str]
    context: bool
    fields: Mapping[str, str]
    required: frozenset[str]


def documented() -> Iterator[Documented]:
    service = topic = ""
    for line in FACTS_MD.splitlines():
        if heading := re.match(r"## .*owner `(.+?)`, topic `(.+?)`", line):
            service, topic = heading.groups()
        if not re.match(r"\| `[a-z]+\.", line):
            continue
        types, posted, data, _ = (cell.strip() for cell in line.strip("|").split(" | "))
        for name in re.findall(r"`([a-z_.]+)`", types):
            fields = {match: text for match, text in split_fields(data) if for_this(name, text)}
            yield Documented(
                name=name,
                service=service,
                topic=f"qorgau.{topic}",
                posted_by=posters(posted),
                context="no case" in data,
                fields=fields,
                required=frozenset(field for field in fields if f"**{field}**" in data),
            )


def split_fields(data: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r",\s*(?![^()]*\))", re.sub(r"[;(] ?no case\b.*", "", data).strip(" \u2013")):
        if match := re.match(r"\*{0,2}([a-z_]+)", part.strip()):
            yield match[1], part


def for_this(name: str, text: str) -> bool:
    """`reason (…; when declined)` stands in a row of two types and belongs to one."""
    return "when declined" not in text or name.endswith("declined")


def posters(text: str) -> frozenset[str]:
    if "agency" in text:
        return KINDS - {"system"}
    words = re.split(r",\s*", text.split(";")[0].strip())
    return frozenset(SHORT.get(word, word.replace(" ", "-")) for word in words)


def words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"`(\w+)`", text))


DOCUMENTED = {row.name: row for row in documented()}
# The document spells these lists out where they first stand.
FIRST_WORDS = {
    field: next(words for row in DOCUMENTED.values() if (words := words_of(row.fields.get(field, ""))))
    for field in ("channel", "priority", "area", "legal_basis")
}


def base(annotation: Any) -> Any:
    """The type of a field without Optional and Annotated."""
    if get_origin(annotation) is Annotated:
        return base(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return base(next(arg for arg in get_args(annotation) if arg is not type(None)))
    return annotation


def fields(model: type[FactData]) -> dict[str, Any]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def sample(name: str, field: str) -> object:
    words = FACT_TYPES[name].fields[field]
    annotation = base(fields(MODELS[name])[field].annotation)
    if words:
        return sorted(words)[0]
    if annotation is bool:
        return False
    if annotation is int:
        return 3
    special = {"region": "KZ-75", "agency": "court/KZ-71-01", "to": "shelter/KZ-75"}
    is_time = field in {"occurred_at", "registered_at", "arrived_at", "scheduled_for", "from", "until"}
    return "2026-04-14T18:50:00+05:00" if is_time else special.get(field, "r1")


def smallest(name: str) -> dict[str, object]:
    needed = [field for field, info in fields(MODELS[name]).items() if info.is_required()]
    return {field: sample(name, field) for field in needed}


def refuses(model: type[FactData], data: object) -> bool:
    try:
        model.model_validate(data)
    except ValidationError:
        return True
    return False


def test_the_document_is_read_whole() -> None:
    assert len(DOCUMENTED) == sum(len(re.findall(r"`[a-z_.]+`", line.split(" | ")[0])) for line in rows())
    assert len(DOCUMENTED) > 70


def rows() -> list[str]:
    return [line for line in FACTS_MD.splitlines() if re.match(r"\| `[a-z]+\.", line)]


def test_document_vocabulary_and_models_know_the_same_types() -> None:
    assert set(FACT_TYPES) == set(DOCUMENTED) | {"fact.withdrawn"} == set(MODELS)


@pytest.mark.parametrize("row", DOCUMENTED.values(), ids=DOCUMENTED)
def test_vocabulary_says_what_the_document_says(row: Documented) -> None:
    known = FACT_TYPES[row.name]
    assert (known.service, known.context) == (row.service, row.context)
    assert facts_topic(row.service) == row.topic
    extra = {"region"} | (STATISTICS if row.name == "report.received" else set())
    assert set(known.fields) == set(row.fields) | extra
    for field, text in row.fields.items():
        words = words_of(text) or FIRST_WORDS.get(field, frozenset())
        assert words == (known.fields[field] or frozenset()), field


@pytest.mark.parametrize("row", DOCUMENTED.values(), ids=DOCUMENTED)
def test_models_say_what_the_document_says(row: Documented) -> None:
    model = DOMAINS[row.service][row.name]
    assert model.posted_by == row.posted_by
    assert model.context is row.context
    assert {name for name, info in fields(model).items() if info.is_required()} == row.required | {"region"}
    for field, text in row.fields.items():
        assert (base(fields(model)[field].annotation) is bool) == ("(bool" in text), field
        is_number = re.search(r"integer|\(3\u201312\)|^(days|hours) ", text) is not None
        assert (base(fields(model)[field].annotation) is int) == is_number, field


@pytest.mark.parametrize("name", MODELS)
def test_models_have_the_fields_and_words_of_the_vocabulary(name: str) -> None:
    known = FACT_TYPES[name].fields
    assert set(fields(MODELS[name])) == set(known)
    for field, info in fields(MODELS[name]).items():
        annotation = base(info.annotation)
        words = frozenset(get_args(annotation)) if get_origin(annotation) is Literal else None
        # `sex` is a short list of the model's own.
        assert words == known[field] or field == "sex", field


@pytest.mark.parametrize("name", MODELS)
def test_every_model_says_who_posts_it_and_takes_its_smallest_form(name: str) -> None:
    assert MODELS[name].__doc__
    assert MODELS[name].model_config.get("hide_input_in_errors")
    MODELS[name].model_validate(smallest(name))


@pytest.mark.parametrize("name", MODELS)
def test_each_field_refuses_an_operator_null_and_another_type(name: str) -> None:
    model, good = MODELS[name], smallest(name)
    for field in fields(model):
        for bad in ({"$gt": ""}, None, ["r1"], "a b", '{"$gt": ""}', "", "r1\n", 1.5):
            assert refuses(model, {**good, field: bad}), (field, bad)
        assert refuses(model, {**good, field: 7}) or base(fields(model)[field].annotation) is int, field


@pytest.mark.parametrize("name", MODELS)
def test_names_that_must_never_appear_are_refused(name: str) -> None:
    sentence = FACTS_MD[FACTS_MD.index("Field names such as") :].split("are refused")[0]
    never = re.findall(r"`(\w+)`", sentence)
    assert len(never) > 30
    for field in [*never, "$where", "Region", "qorgau"]:
        assert refuses(MODELS[name], {**smallest(name), field: "x"}), field


CONDITIONS = [
    (row.name, field, condition)
    for row in DOCUMENTED.values()
    for field, text in row.fields.items()
    if (condition := re.search(r"required when ([a-z_ ]+)", text))
]


@pytest.mark.parametrize(("name", "field", "condition"), CONDITIONS, ids=lambda value: str(value)[:30])
def test_a_field_required_under_a_condition_is_required_under_it(
    name: str, field: str, condition: re.Match[str]
) -> None:
    for sign in re.findall(r"injury|sexual|needs_police|tolls_term", condition[1]):
        data = {**smallest(name), sign: True}
        assert refuses(MODELS[name], data)
        assert not refuses(MODELS[name], {**data, field: sample(name, field)})
        assert not refuses(MODELS[name], {**data, sign: False})


def test_conditions_were_found_in_the_document() -> None:
    assert {(name, field) for name, field, _ in CONDITIONS} == {
        ("report.received", "occurred_at"),
        ("report.triaged", "priority"),
        ("police.arrived", "occurred_at"),
        ("court.hearing_suspended", "legal_basis"),
    }


def test_a_withdrawal_goes_to_every_owner_and_is_posted_by_anyone() -> None:
    assert all(models["fact.withdrawn"] is FactWithdrawn for models in DOMAINS.values())
    assert FactWithdrawn.posted_by == ANY_AGENCY
    assert FACT_TYPES["fact.withdrawn"].services == (INTAKE, POLICE, COURT)


@pytest.mark.parametrize("path", sorted((ROOT / "tests/scenarios").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_fact_of_the_scenarios_is_accepted(path: Path) -> None:
    for fact in yaml.safe_load(path.read_text(encoding="utf-8"))["facts"]:
        model = MODELS[fact["type"]]
        model.model_validate(fact["data"])
        assert fact["source"].split("/")[0] in model.posted_by
        assert (fact.get("case") is None) == bool(model.context)


def test_the_agency_of_an_inbound_topic_is_found_again() -> None:
    for agency in ("102/KZ-75", "court/KZ-71-01", "police-unit", "helpline-150/KZ-10"):
        assert inbound_agency(inbound_topic(agency)) == agency
