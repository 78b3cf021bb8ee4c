"""What a desk may say of the people in a report: names, numbers, where and when to reach them safely. Pure.

No value of these models is ever shown: their text form is empty, and a refusal names a field, never what stood in it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from intake.vault.canonical import iin_holds, phone_number
from qorgau.instants import parse_instant

_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def _phone(text: str) -> str:
    try:
        return phone_number(text)
    except ValueError:
        raise PydanticCustomError("phone", "not a phone number; send +7 and ten digits") from None


def _date(text: str) -> str:
    try:
        parse_instant(f"{text}T00:00:00Z")
    except ValueError:
        raise PydanticCustomError("date", "not a date as YYYY-MM-DD, from 1900") from None
    return text


def _readable(text: str) -> str:
    if _CONTROL.search(text):
        raise PydanticCustomError("text", "a text without control characters")
    return text


def _text(longest: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest)


Line: TypeAlias = Annotated[str, _text(200), AfterValidator(_readable)]
Prose: TypeAlias = Annotated[str, _text(20_000), AfterValidator(_readable)]
Phone: TypeAlias = Annotated[str, _text(40), AfterValidator(_phone)]
BirthDate: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_date)]
# Twelve digits; a control digit that does not fit is no reason to refuse a report (`doubts` in form.py).
Iin: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]


class Private(BaseModel):
    """What every model of the vault has in common: strict, closed, without null, and mute."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Nothing: a text form ends up in logs, traces and failed assertions."""
        return []

    @model_validator(mode="before")
    @classmethod
    def _leave_out_instead_of_null(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and any(value is None for value in data.values()):
            raise PydanticCustomError("null", "null is no value; leave the field out")
        return data


class Address(Private):
    """Where somebody lives. Settlement, street and building are compared; flat and directions are not."""

    settlement: Line | None = None
    street: Line | None = None
    building: Annotated[str, _text(20), AfterValidator(_readable)] | None = None
    flat: Annotated[str, _text(20), AfterValidator(_readable)] | None = None
    directions: Line | None = None


class Channel(Private):
    """One way to reach the survivor without the offender noticing."""

    kind: Literal["phone", "sms", "messenger", "email", "person", "other"]
    details: Line


class Hours(Private):
    """When it is safe to call: local clock times, on these days of the week or on all."""

    start: Annotated[str, StringConstraints(pattern=f"^{_CLOCK}$")] = Field(alias="from")
    end: Annotated[str, StringConstraints(pattern=f"^{_CLOCK}$")] = Field(alias="until")
    days: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Field(max_length=7)] = []


class SafeContact(Private):
    """How, when and with which word the survivor can be reached; a mistake here can get her killed."""

    channels: Annotated[list[Channel], Field(max_length=10)] = []
    times: Annotated[list[Hours], Field(max_length=21)] = []
    code_word: Annotated[str, _text(60), AfterValidator(_readable)] | None = None
    never: Line | None = None


class Child(Private):
    """A child in the household."""

    name: Line | None = None
    birth_date: BirthDate | None = None
    age: Annotated[int, Field(ge=0, le=17)] | None = None
    school: Line | None = None


class Person(Private):
    """Who somebody is, as far as the desk was told."""

    name: Line | None = None
    iin: Iin | None = None
    birth_date: BirthDate | None = None
    phone: Phone | None = None
    address: Address | None = None

    @property
    def iin_is_doubtful(self) -> bool:
        """Whether the number cannot be right: a digit was mistyped or misheard."""
        return self.iin is not None and not iin_holds(self.iin)


class Survivor(Person):
    """The person the report is about."""

    safe_contact: SafeContact | None = None
    children: Annotated[list[Child], Field(max_length=20)] = []


class AllegedOffender(Person):
    """The person who is said to have done it."""

    employer: Line | None = None


class Caller(Private):
    """Who told of it, where that is not the survivor."""

    name: Line | None = None
    phone: Phone | None = None
    address: Address | None = None
    is_to_survivor: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}$")] | None = None
