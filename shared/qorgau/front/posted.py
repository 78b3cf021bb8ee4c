"""What the typed models of facts are made of: the base model, the words and references several services share.

A model checks `data` at the door and is then thrown away; what is kept is the data as it was sent.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from qorgau.instants import parse_instant
from qorgau.vocabulary import KINDS

REFERENCE = r"^[A-Za-z0-9_-]{1,64}$"
# A source numbers its facts as it likes; these are the characters that no store, topic or address gives a meaning.
FACT_ID = r"^[A-Za-z0-9._:-]{1,64}$"


def agency_pattern(kinds: Iterable[str]) -> str:
    """What codes of agencies of these kinds look like: `KIND` or `KIND/UNIT`."""
    return rf"^(?:{'|'.join(sorted(kinds))})(?:/[A-Za-z0-9_-]{{1,32}})?$"


AGENCY = agency_pattern(KINDS)
_AGENCY = re.compile(AGENCY[1:-1])

# Who may post: every kind of agency. The system itself is none.
ANY_AGENCY = KINDS - {"system"}


def kinds(*names: str) -> frozenset[str]:
    """Some kinds of agency; refuses a kind that facts.md does not know."""
    if not KINDS.issuperset(names):
        raise ValueError("not a kind of agency")
    return frozenset(names)


def is_agency(text: str) -> bool:
    """Whether a text is an agency code: `KIND` or `KIND/UNIT`."""
    return _AGENCY.fullmatch(text) is not None


def _timestamp(text: str) -> str:
    try:
        parse_instant(text)
    except ValueError as error:
        raise PydanticCustomError("timestamp", str(error)) from None
    return text


def _agency(text: str) -> str:
    if not is_agency(text):
        raise PydanticCustomError("agency", "not an agency code, KIND or KIND/UNIT")
    return text


Reference: TypeAlias = Annotated[str, StringConstraints(pattern=REFERENCE)]
FactId: TypeAlias = Annotated[str, StringConstraints(pattern=FACT_ID)]
Region: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,3}$")]
Code: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Timestamp: TypeAlias = Annotated[str, AfterValidator(_timestamp), Field(json_schema_extra={"format": "date-time"})]
AgencyCode: TypeAlias = Annotated[str, AfterValidator(_agency), Field(json_schema_extra={"pattern": AGENCY})]
# Bounds that keep a typing error from becoming a century, and every number inside 64 bits.
Days: TypeAlias = Annotated[int, Field(ge=1, le=3650)]
Count: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000)]

Priority = Literal["immediate", "prompt", "scheduled"]
Area = Literal["urban", "rural"]
Category = Literal["emergency_regime", "domestic_violence", "other"]


class FactData(BaseModel):
    """The data of one type of fact: these fields and nothing else, no value of another type, no null."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    type: ClassVar[str]
    posted_by: ClassVar[frozenset[str]]
    # True: about no case. None: about a case, or none where the fact it speaks of has none.
    context: ClassVar[bool | None] = False

    region: Region

    @model_validator(mode="before")
    @classmethod
    def _leave_out_instead_of_null(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and any(value is None for value in data.values()):
            raise PydanticCustomError("null", "null is no value; leave the field out")
        return data


class FactWithdrawn(FactData):
    """The source of a fact, when that fact should never have been posted; a correction is this and a new fact."""

    type = "fact.withdrawn"
    posted_by = ANY_AGENCY
    context = None

    fact_id: FactId
    reason: Literal["entered_in_error", "wrong_case", "wrong_data"]


def occurred_when_hurt(injury: bool, sexual: bool, occurred_at: str | None) -> None:
    """Injury or sexual violence starts clocks that run from the incident, so its instant has to be known."""
    if (injury or sexual) and occurred_at is None:
        raise PydanticCustomError("occurred_at", "occurred_at is required when injury or sexual is true")


Models: TypeAlias = Mapping[str, type[FactData]]


def table(*models: type[FactData]) -> Models:
    """The fact types a service accepts, by name; a name given twice is refused."""
    by_name = {model.type: model for model in models}
    if len(by_name) != len(models):
        raise ValueError("a fact type stands twice in the table")
    return MappingProxyType(by_name)
