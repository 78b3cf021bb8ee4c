"""The rows of rule flags (F1-F10), one model for each kind."""

from typing import Annotated, Any, Literal

from pydantic import Field

from qorgau.rules.parts import Duration, Line, OnReopen, Part, Severity, Text, Where


class Items(Part):
    """The facts of other cases that an overtaken rule counts."""

    fact: Text
    where: Where = {}
    where_any: list[Where] = []


class NotCounted(Part):
    """A fact that takes another out of a count: `by` is the field that both carry."""

    fact: Text
    by: Text


class Date(Part):
    """A fact that gives something a date, and the field in which the date is."""

    fact: Text
    field: Text


class Undated(Part):
    """A fact that takes a date back: the one whose fact has the same `by`."""

    fact: Text
    by: Text


class Window(Part):
    """So many within so long."""

    at_least: Annotated[int, Field(ge=1)]
    in_last: Duration


class Condition(Part):
    """What must hold together for a condition rule (F6)."""

    order_ended_by: Text
    no_order_in_force: Literal[True]
    none_since_service: list[Text] = []
    case_risk: Any = None
    case_open: Literal[True]


class _Flag(Part):
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


class ProtectionGap(_Flag):
    """Up while the last order ends before what was suspended takes place (F9)."""

    kind: Literal["gap"]
    raised_by: Annotated[list[Line], Field(min_length=1)]
    dated_by: Date
    undated_by: Undated | None = None
    cleared_by: list[Line] = []
    order_ended_by: Text
    none_since_service: list[Text] = []


class Surge(_Flag):
    """Statistics over many cases (F8); no part of a case's history."""

    kind: Literal["surge"]
    counts: list[Line]
    not_counted: NotCounted | None = None
    group_by: list[Text]
    daily: dict[str, Any] = {}
    weekly: dict[str, Any] = {}
    suppress_below: int = 5


class Silence(_Flag):
    """A feed is silent (F10), for how long: policies/feeds.yaml; about an agency, no part of a case's history."""

    kind: Literal["silence"]


# What is about nobody's case, and is judged elsewhere than in the heart.
APART = (Surge, Silence)
Flag = Annotated[
    Instant | Count | Overtaken | Repeat | OrderGap | Stale | ProtectionGap | Surge | Silence,
    Field(discriminator="kind"),
]
