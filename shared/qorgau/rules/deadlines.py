"""The rows of deadline rules (P01-P27, T01-T02), one version of a rule each."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from qorgau.rules.parts import ClockTime, Duration, Extension, Line, OnReopen, Part, Severity, Text, Where


class When(Part):
    """Which deadlines a `cases` line is for: a condition on the start fact's data, on the known risk, or on both."""

    start: Where = {}
    case_risk: Any = None


class CaseLine(Part):
    """A term for some deadlines of a rule; the first line that fits counts."""

    when: When | None = None
    otherwise: Literal[True] | None = None
    within: Duration | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    severity: Severity | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.when is None) == (self.otherwise is None):
            raise ValueError("needs either when or otherwise")
        return self


class Warn(Part):
    """When to warn: a share of the needed time, an offset, or a local time on the last working day."""

    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    after: Duration | None = None
    last_day_at: ClockTime | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.percent, self.after, self.last_day_at)) != 1:
            raise ValueError("needs exactly one of percent, after and last_day_at")
        return self


class Toll(Part):
    """A switch that stops a clock: on at `from`, off at the first of `until`."""

    begins: Line = Field(alias="from")
    until: Annotated[list[Line], Field(min_length=1)]


class Rule(Part):
    """One version of a deadline rule (deadlines.md 2 to 7)."""

    id: Text
    name: Text
    title: Text
    service: Text
    duty: str = ""
    duty_kinds: Annotated[list[Text], Field(min_length=1)]
    tier: str = "core"
    severity: Severity
    basis: str = ""
    source: str = ""
    effective_from: date
    scope: list[Text] = []
    starts: Annotated[list[Line], Field(min_length=1)]
    stops: Annotated[list[Line], Field(min_length=1)]
    cancels: list[Line] = []
    recurring: bool = False
    clock: Literal["elapsed", "day_end", "working_days", "months"]
    within: Duration | None = None
    count: Annotated[int, Field(ge=1, le=1200)] | None = None
    cases: list[CaseLine] = []
    tolled_by: list[Toll] = []
    extended_by: Extension | None = None
    warn: Warn | None = None
    window_passed_at_report: bool = False
    on_reopen: OnReopen
