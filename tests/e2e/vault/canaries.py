"""A report with every personal field filled with what stands nowhere else, found by walking the form's own models.

A field that is added to the form is filled by itself; one of a kind that nobody has taught this module fails the tests.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, StringConstraints

from intake.vault import people
from intake.vault.canonical import iin_holds, name_key, phone_number
from intake.vault.form import AnswerCode, Item, Personal
from qorgau.front.posted import AgencyCode

_LETTERS = "bcdfghjkmnpqrstvwxz"
# What an agency may do is not sealed, but nobody outside the vault's own database needs it.
_NOT_SEALED = ("consents", "legal_bases")
_SHORT = 60
# More than a form has, so that no two forms share a date.
_FIELDS = 100


@dataclass(slots=True)
class Canaries:
    """A report's personal part, and what of it may be seen nowhere: texts by the path of their field. `short` are those
    that say something only together with the name of their field, such as an age."""

    number: int
    personal: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    short: dict[str, tuple[str, Any]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    _drawn: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def survivor(self) -> dict[str, Any]:
        """The part about the survivor, as it is sent."""
        part: dict[str, Any] = self.personal["survivor"]
        return part

    def word(self) -> str:
        """Eight letters that nobody else has and no language puts together."""
        left, letters = (self.number * 1_000 + next(self._drawn)) * 7_368_787, ""
        for _ in range(6):
            left, digit = divmod(left, len(_LETTERS))
            letters = _LETTERS[digit] + letters
        return f"qz{letters}"

    def digits(self, length: int) -> str:
        """Digits that nobody else has, and that count nothing."""
        drawn = (self.number * 1_000 + next(self._drawn)) * 7_368_787 + 2_750_159
        return str(drawn % 10**length).zfill(length)


def canaries(number: int) -> Canaries:
    """The canaries of this number: others for every number, the same for the same."""
    made = Canaries(number)
    made.personal = _model(made, Personal, "")
    return made


def _model(made: Canaries, model: type[BaseModel], path: str) -> dict[str, Any]:
    hints = get_type_hints(model, include_extras=True)
    filled = {}
    for name, info in model.model_fields.items():
        sent = info.alias or name
        filled[sent] = _value(made, hints[name], f"{path}.{sent}" if path else sent)
    return filled


def _value(made: Canaries, kind: Any, path: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _value(made, next(one for one in arguments if one is not type(None)), path)
    if kind in _MAKERS:
        return _noted(made, path, _MAKERS[kind](made))
    if origin is Annotated:
        constraint = next((one for one in arguments[1:] if isinstance(one, StringConstraints)), None)
        if constraint is not None:
            return _text(made, constraint, path)
        if arguments[0] is int:
            return _count(made, arguments[1:], path)
        return _value(made, arguments[0], path)
    if origin is Literal:
        # One of a few codes tells nobody apart.
        return arguments[0]
    if origin is list:
        return [_value(made, arguments[0], f"{path}.{place}") for place in range(2)]
    if origin is dict:
        return _mapping(made, arguments[0], arguments[1], path)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _model(made, kind, path)
    raise AssertionError(f"teach tests/e2e/vault/canaries.py what to plant in {path}")


def _mapping(made: Canaries, key: Any, value: Any, path: str) -> dict[str, Any]:
    if path in _NOT_SEALED:
        assert key == AgencyCode
        made.codes[path] = f"clinic/KZ-75-{made.word().upper()}"
        return {made.codes[path]: _value(made, value, path)}
    return {_value(made, key, f"{path}.name"): _value(made, value, f"{path}.value")}


def _text(made: Canaries, constraint: StringConstraints, path: str) -> str:
    if constraint.pattern is not None:
        assert constraint.pattern in _PATTERNS, f"teach tests/e2e/vault/canaries.py a text for {path}"
        text: str = _PATTERNS[constraint.pattern](made)
        if constraint.pattern == _CLOCK:
            made.short[path] = path.rpartition(".")[2], text
            return text
        return _noted(made, path, text)
    longest = constraint.max_length or 0
    words = [made.word(), made.word().title() if longest < _SHORT else f"Қ{made.word()}әң"]
    assert len(" ".join(words)) <= longest, f"teach tests/e2e/vault/canaries.py a text for {path}"
    return _noted(made, path, " ".join(words))


def _count(made: Canaries, limits: tuple[Any, ...], path: str) -> int:
    """A number within its limits: as good as nothing by itself, so it is looked for with the name of its field."""
    bounds: list[Any] = [limit for one in limits for limit in getattr(one, "metadata", (one,))]
    least: int = next((bound.ge for bound in bounds if hasattr(bound, "ge")), 0)
    most: int = next(bound.le for bound in bounds if hasattr(bound, "le"))
    number = least + (made.number + next(made._drawn)) % (most - least + 1)
    made.short[path] = path.rpartition(".")[2], number
    return number


def _noted(made: Canaries, path: str, text: str) -> str:
    made.texts[path] = text
    return text


def _iin(made: Canaries) -> str:
    """A number whose control digit fits; every other one of eleven digits has one."""
    while True:
        first = made.digits(11)
        for control in "0123456789":
            if iin_holds(first + control):
                return first + control


def _phone(made: Canaries) -> str:
    digits = made.digits(7)
    # As a person says it; it is kept in the one form that all phones have.
    return f"8 (701) {digits[:3]}-{digits[3:5]}-{digits[5:]}"


def _birth_date(made: Canaries) -> str:
    # Long before anything that this system writes down the date of.
    return str(date(1900, 1, 1) + timedelta(days=made.number * _FIELDS + next(made._drawn)))


def _clock(made: Canaries) -> str:
    minute = made.number + next(made._drawn)
    return f"{minute % 24:02}:{minute * 7 % 60:02}"


_CLOCK = f"^{people._CLOCK}$"
_MAKERS: dict[Any, Any] = {
    people.Phone: _phone,
    people.BirthDate: _birth_date,
    people.Iin: _iin,
    Item: lambda made: made.word(),
    AnswerCode: lambda made: made.word().upper(),
}
_PATTERNS: Mapping[Any, Any] = {_CLOCK: _clock, r"^[a-z_]{1,20}$": lambda made: made.word()}


def forms_of(text: str) -> set[str]:
    """A text as it may be written elsewhere: its words, without spaces, folded, a number as it is kept."""
    forms = {text, text.replace(" ", ""), text.lower(), text.upper(), name_key(text)} | set(text.split())
    try:
        phone = phone_number(text)
    except ValueError:
        phone = ""
    if phone:
        # Without what many numbers have in common; the digits as they are dialled.
        return {text, phone[1:], f"8{phone[2:]}", phone[2:]}
    if text[:4].isdigit() and text[4:5] == "-":
        year, month, day = text.split("-")
        return {text, f"{day}.{month}.{year}", f"{year}{month}{day}"}
    return {form for form in forms if len(form) > 4}


def named_forms(name: str, value: Any) -> set[str]:
    """A short value with the name of its field, as programs write that down."""
    return {
        json.dumps({name: value})[1:-1],
        json.dumps({name: value}, separators=(",", ":"))[1:-1],
        repr({name: value})[1:-1],
        f"{name}={value!r}",
    }
