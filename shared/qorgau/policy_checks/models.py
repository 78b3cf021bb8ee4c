"""What a model refuses of a part of a file, as a problem of its place: in words that repeat nothing of it. Pure."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from qorgau.policy_checks.document import Place, Step

_WORDS = {"extra_forbidden": "there is no such field", "missing": "is missing"}


def problems_in(error: ValidationError) -> Iterator[tuple[list[Step], str]]:
    """Each problem: the steps to it from what was checked, and what it is."""
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        message = _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        # A key that is refused stands where its value does.
        yield [step for step in problem["loc"] if step != "[key]"], message[:1].lower() + message[1:]


def valid(model: type[BaseModel], value: object, place: Place) -> Any:
    """The value as this model has it; None where it is refused, with its problems noted at their places."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for steps, message in problems_in(error):
            place.at(*steps).refuse(message)
        return None
