"""The intake form: which part of a report's body travels as codes, and which is personal and stays in the vault. Pure.

`split` is the only way in; `fields` takes the personal part apart into what is sealed, piece by piece.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

import orjson
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from intake.domain import ReportReceived, ReportTriaged
from intake.vault import people
from intake.vault.people import AllegedOffender, Caller, Private, Prose, Survivor
from qorgau.errors import Invalid, TooLarge
from qorgau.front.describe import without_null
from qorgau.front.posted import AgencyCode

Consent = Literal["given", "refused"]
LegalBasis = Literal["vital_interest", "statutory_duty", "court_order", "child_protection"]
Item: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,32}$")]
AnswerCode: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,16}$")]
# More than any form we know: DASH has 27 items, the Danger Assessment 20, ODARA 13, LAP 11.
MAX_ITEMS = 64
MAX_AGENCIES = 32
# The longest narrative and every other field filled, with room; a body beyond it is no form a person filled in.
MAX_PERSONAL = 128 * 1024


class Risk(Private):
    """A risk form as it was answered; only the level and the tool ever leave the vault, by a fact of the police."""

    tool: Literal["dash", "lap", "odara", "danger_assessment"]
    answers: Annotated[dict[Item, AnswerCode], Field(min_length=1, max_length=MAX_ITEMS)]


class Personal(Private):
    """The personal part of a report. Consents and legal bases are codes, but nobody outside the vault needs them."""

    survivor: Survivor | None = None
    alleged_offender: AllegedOffender | None = None
    caller: Caller | None = None
    narrative: Prose | None = None
    risk: Risk | None = None
    consents: dict[AgencyCode, Consent] = Field(default_factory=dict, max_length=MAX_AGENCIES)
    legal_bases: dict[AgencyCode, LegalBasis] = Field(default_factory=dict, max_length=MAX_AGENCIES)

    @property
    def doubts(self) -> tuple[str, ...]:
        """The fields that cannot be right as they stand. The report is taken all the same: somebody may be waiting for
        help, and a call cannot be held again for a digit. The answer names them, so that the call taker can ask."""
        people = {"survivor.iin": self.survivor, "alleged_offender.iin": self.alleged_offender}
        return tuple(name for name, person in people.items() if person is not None and person.iin_is_doubtful)


@dataclass(frozen=True, slots=True)
class Parts:
    """A body taken apart: the data of the report fact (with `time` where it was given), those of a triage fact of the
    same desk where it has decided that too, and the personal part."""

    report: Mapping[str, Any]
    triage: Mapping[str, Any] | None
    personal: Personal | None = field(repr=False)


_GIVEN_HERE = "report_id"
_CODES = (frozenset(ReportReceived.model_fields) | {"time"}) - {_GIVEN_HERE}
_TRIAGE = frozenset({"needs_police", "priority"})
# What the triage fact shares with the report, which says it once.
_SHARED = frozenset(ReportTriaged.model_fields) - _TRIAGE - {_GIVEN_HERE}
_PERSONAL = frozenset(Personal.model_fields)
# Those taken apart further: each of their fields is sealed by itself.
_PEOPLE = frozenset({"survivor", "alleged_offender", "caller"})
# Not sealed: they say what an agency may do, not who somebody is.
_OPEN = frozenset({"consents", "legal_bases"})


def split(body: object) -> Parts:
    """A report's body, read strictly. Raises Invalid or TooLarge, which repeat nothing of it; the codes are checked
    by the door, which knows the fact types."""
    if not isinstance(body, dict):
        raise Invalid("A report is a JSON object.")
    if _GIVEN_HERE in body:
        raise Invalid("It is given by this service; leave it out.", field=_GIVEN_HERE)
    if not body.keys() <= _CODES | _TRIAGE | _PERSONAL:
        raise Invalid("The report has a field that the intake form does not have; see services/intake/README.md.")
    report = {name: value for name, value in body.items() if name in _CODES}
    return Parts(report, _triage(body), _personal({name: body[name] for name in _PERSONAL & body.keys()}))


def sealable(personal: Personal) -> dict[str, bytes]:
    """What has to be sealed, by the name of its field, each as JSON; `survivor.phone`, `narrative`, ..."""
    told = personal.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=set(_OPEN))
    return {name: orjson.dumps(value) for name, value in _pieces(told)}


def unsealed(pieces: Mapping[str, bytes]) -> dict[str, Any]:
    """Such pieces as one object again, those that are left out left out."""
    form: dict[str, Any] = {}
    for name, value in pieces.items():
        person, _, part = name.partition(".")
        if part:
            form.setdefault(person, {})[part] = orjson.loads(value)
        else:
            form[name] = orjson.loads(value)
    return form


def _pieces(told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in told.items():
        if name in _PEOPLE:
            yield from ((f"{name}.{part}", inner) for part, inner in value.items())
        else:
            yield name, value


def _triage(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if "needs_police" not in body:
        if "priority" in body:
            raise Invalid("It goes with needs_police; send both or leave it out.", field="priority")
        return None
    return {name: body[name] for name in (_TRIAGE | _SHARED) & body.keys()}


def _personal(body: Mapping[str, Any]) -> Personal | None:
    if not body:
        return None
    try:
        personal = Personal.model_validate(body)
    except ValidationError as error:
        raise _first_of(error) from None
    if len(orjson.dumps(personal.model_dump(mode="json"))) > MAX_PERSONAL:
        raise TooLarge(f"Send at most {MAX_PERSONAL} bytes of personal fields.")
    return personal


def _first_of(error: ValidationError) -> Invalid:
    """The first thing wrong: where, as far as the names are ours, and what it must be."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = [str(step) for step in first["loc"] if isinstance(step, int) or step in _NAMES]
    if first["type"] == "extra_forbidden":
        return Invalid("It has a field that the intake form does not have.", field=".".join(place) or None)
    return Invalid(f"{first['msg']}.", field=".".join(place) or None)


def _names() -> frozenset[str]:
    """Every field name of the form; a name that was sent is repeated only where it is one of them."""
    models = [Personal, Risk, *(each for each in vars(people).values() if _is_model(each))]
    fields = [(name, info.alias) for model in models for name, info in model.model_fields.items()]
    return frozenset(name for pair in fields for name in pair if name)


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


_NAMES = _names()


def form_schema() -> dict[str, Any]:
    """The body of a report as JSON Schema: codes that travel, a triage made with it, and the personal part."""
    codes, triage, personal = (_schema(model) for model in (ReportReceived, ReportTriaged, Personal))
    properties = {name: schema for name, schema in codes["properties"].items() if name in _CODES}
    properties |= {name: triage["properties"][name] for name in sorted(_TRIAGE)} | personal["properties"]
    properties["time"] = {"type": "string", "format": "date-time", "description": "When it was told; default: now"}
    return {
        "title": "Report",
        "description": "Personal fields stay in the vault, encrypted; unknown fields are refused.",
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in codes["required"] if name in _CODES],
        "properties": properties,
    }


def form_schemas() -> dict[str, Any]:
    """What the schema of the form refers to, by name."""
    defined: dict[str, Any] = Personal.model_json_schema(ref_template=_SCHEMAS)["$defs"]
    return {name: without_null(schema) for name, schema in defined.items()}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return without_null(model.model_json_schema(ref_template=_SCHEMAS))


_SCHEMAS = "#/components/schemas/{model}"
