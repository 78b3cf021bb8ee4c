"""The rows of a policy file as frozen values, one model for each kind of row; what they mean together is `policy.py`."""

from collections.abc import Mapping
from datetime import date, time
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

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


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Line(_Part):
    """One fact that starts, stops, cancels, tolls, raises, clears or counts; `where` narrows it."""

    fact: Text
    where: Where = {}
    where_any: list[Where] = []
    at: str | None = None
    any_in_case: bool = False


class When(_Part):
    """Which deadlines a `cases` line is for: a condition on the start fact's data, on the known risk, or on both."""

    start: Where = {}
    case_risk: Any = None


class CaseLine(_Part):
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


class Warn(_Part):
    """When to warn: a share of the needed time, an offset, or a local time on the last working day."""

    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    after: Duration | None = None
    last_day_at: ClockTime | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.percent, self.after, self.last_day_at)) != 1:
            raise ValueError("needs exactly one of percent, after and last_day_at")
        return self


class Toll(_Part):
    """A switch that stops a clock: on at `from`, off at the first of `until`."""

    begins: Line = Field(alias="from")
    until: Annotated[list[Line], Field(min_length=1)]


class Extension(_Part):
    """A fact that grants whole days, `max_days` of them in all."""

    fact: Text
    days_field: Text
    max_days: Annotated[int, Field(ge=1, le=36_600)]


class Rule(_Part):
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


class Items(_Part):
    """The facts of other cases that an overtaken rule counts."""

    fact: Text
    where: Where = {}
    where_any: list[Where] = []


class NotCounted(_Part):
    """A fact that takes another out of a count: `by` is the field that both carry."""

    fact: Text
    by: Text


class Window(_Part):
    """So many within so long."""

    at_least: Annotated[int, Field(ge=1)]
    in_last: Duration


class Condition(_Part):
    """What must hold together for a condition rule (F6)."""

    order_ended_by: Text
    no_order_in_force: Literal[True]
    none_since_service: list[Text] = []
    case_risk: Any = None
    case_open: Literal[True]


class _Flag(_Part):
    id: Text
    name: Text
    title: Text
    service: Text
    duty_kinds: Annotated[list[Text], Field(min_length=1)]
    tier: str = "core"
    severity: Severity
    basis: str = ""
    source: str = ""
    scope: list[Text] = []
    on_reopen: OnReopen = "end"


class Instant(_Flag):
    """Up from a raising fact until a clearing one (F1, F2)."""

    kind: Literal["instant"]
    raised_by: Annotated[list[Line], Field(min_length=1)]
    cleared_by: list[Line] = []


class Count(_Flag):
    """Up while enough facts were counted since the last reset (F4)."""

    kind: Literal["count"]
    counts: Annotated[list[Line], Field(min_length=1)]
    at_least: Annotated[int, Field(ge=1)]
    reset_by: list[Line] = []


class Overtaken(_Flag):
    """Up while a watched deadline waits and enough later items of others were decided (F3)."""

    kind: Literal["overtaken"]
    watches: Annotated[list[Text], Field(min_length=1)]
    in_states: Annotated[list[Text], Field(min_length=1)]
    items: Items
    same_field: Text
    registered_field: Text
    at_least: Annotated[int, Field(ge=1)]
    in_last: Duration


class Repeat(_Flag):
    """Up while a report of the case is one of several that share a field, over all cases (F5)."""

    kind: Literal["repeat"]
    counts: Annotated[list[Line], Field(min_length=1)]
    not_counted: NotCounted | None = None
    same_field: Text
    windows: Annotated[list[Window], Field(min_length=1)]
    cleared_by: list[Line] = []


class OrderGap(_Flag):
    """Up while the last order ended and nothing followed (F6)."""

    kind: Literal["condition"]
    when: Condition
    key: Text


class Stale(_Flag):
    """Up while nothing was recorded for too long (F7)."""

    kind: Literal["stale"]
    after: Duration


class Surge(_Flag):
    """Statistics over many cases (F8); no part of a case's history."""

    kind: Literal["surge"]
    counts: list[Line]
    not_counted: NotCounted | None = None
    group_by: list[Text]
    daily: dict[str, Any] = {}
    weekly: dict[str, Any] = {}
    suppress_below: int = 5


Flag = Annotated[Instant | Count | Overtaken | Repeat | OrderGap | Stale | Surge, Field(discriminator="kind")]


class Step(_Part):
    """One step of a ladder: who is told, how long after the breach became ripe."""

    to: Text
    after: Duration


class Settle(_Part):
    """How long a start that was recorded late waits for the rest of its batch."""

    wait: Duration
    tolerance: Duration


class CaseEnd(_Part):
    """The facts that close a case and open it again."""

    closed_by: Text
    reopened_by: Text


class OrderTerm(_Part):
    """The term of a protective order that ends by itself (deadlines.md 1.6)."""

    begins: Text
    lasts: Duration
    extended_by: Extension | None = None
    ended_by: list[Text]
    derived_fact: Text
    key: Text


class RiskState(_Part):
    """The fact and field that say how high the risk is."""

    fact: Text
    field: Text


class CalendarRules(_Part):
    """Which days are working days; dates by decree correct the holiday table."""

    country: Text
    weekend: list[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]]
    extra_days_off: list[date] = []
    extra_working_days: list[date] = []


class Zones(_Part):
    """The IANA zone of each region."""

    default: Text
    regions: dict[str, Text]


class Frame(_Part):
    """What all rules share: ladder, settling, case end, order term, risk, calendar and zones."""

    id: Text
    version: Text
    country: Text
    desks: dict[str, str] = {}
    ladder: Mapping[Severity, list[Step]]
    settle: Settle
    case_end: CaseEnd
    order_term: OrderTerm | None = None
    risk_state: RiskState | None = None
    calendar: CalendarRules
    zones: Zones


class Policy(_Part):
    """A whole policy. `fingerprint` names its text and the calendar and zone data it is judged with."""

    policy: Frame
    rules: list[Rule]
    flags: list[Flag] = []
    fingerprint: str = ""

    def for_service(self, name: str) -> "Policy":
        """The same policy with the rules and flags of one service only."""
        rules = [rule for rule in self.rules if rule.service == name]
        flags = [flag for flag in self.flags if flag.service == name]
        return self.model_copy(update={"rules": rules, "flags": flags})
