"""What all rows of a policy file are made of: texts, terms, times of day, and the lines that name facts."""

from datetime import time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from qorgau.instants import DAY, parse_duration

Severity = Literal["critical", "high", "medium"]
OnReopen = Literal["continue", "end"]
Text = Annotated[str, Field(min_length=1)]


def _term(value: object) -> int:
    length = parse_duration(value)
    if length > 36_600 * DAY:
        raise ValueError("longer than a hundred years")
    return length


def _clock_time(value: object) -> time:
    if not isinstance(value, str):
        raise ValueError('not a local time; write it in quotes, such as "09:00"')
    return time.fromisoformat(value)


Duration = Annotated[int, BeforeValidator(_term)]
ClockTime = Annotated[time, BeforeValidator(_clock_time)]
Where = dict[str, Any]


class Part(BaseModel):
    """Any row or part of one: these fields and no others, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Line(Part):
    """One fact that starts, stops, cancels, tolls, raises, clears or counts; `where` narrows it."""

    fact: Text
    where: Where = {}
    where_any: list[Where] = []
    at: str | None = None
    any_in_case: bool = False


class Extension(Part):
    """A fact that grants whole days, `max_days` of them in all."""

    fact: Text
    days_field: Text
    max_days: Annotated[int, Field(ge=1, le=36_600)]
