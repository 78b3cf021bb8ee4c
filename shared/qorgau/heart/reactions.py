"""A policy as the heart works with it: for each rule and flag what every type of fact does to it; frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Literal

from qorgau.heart.matching import KeyOf, Predicate
from qorgau.rules import Condition, Overtaken, ProtectionGap, Repeat

RoleName = Literal["start", "stop", "cancel", "toll", "untoll", "extension"]
FlagRoleName = Literal["begin", "end", "date", "undate", "service", "order_end", "follow", "look"]


@dataclass(frozen=True, slots=True)
class Term:
    """How long a deadline lasts and how grave it is to miss it; lengths in microseconds."""

    severity: str
    within: int
    count: int


@dataclass(frozen=True, slots=True)
class CaseTerm:
    """A line of `cases`: the term of deadlines whose start and whose case's risk fit (4.2)."""

    start: Predicate
    risk: Predicate
    term: Term


@dataclass(frozen=True, slots=True)
class WarnAt:
    """When to warn (4.9); one of the three is set."""

    percent: int | None
    after: int | None
    last_day_at: time | None


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """One version of a rule, `place` among those of its id; `surely_before` and `surely_from` bound, for every zone of
    the world, the instant at which it comes into force."""

    rule: str
    place: int
    clock: str
    term: Term
    cases: tuple[CaseTerm, ...]
    by_risk: bool
    warning: WarnAt | None
    toll_lines: int
    days_field: str
    most_granted: int
    window_passed_at_report: bool
    recurring: bool
    continues: bool
    key: KeyOf
    effective: date
    surely_before: int
    surely_from: int
    duty_kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """What a fact of a type does to the deadlines of one version: `at` names the field that dates a start, `line` which
    switch a toll moves; `anywhere`: whatever its key."""

    name: RoleName
    version: Version
    matches: Predicate
    anywhere: bool = False
    at: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """All versions of a rule, the latest first, with the roles that each type of fact plays."""

    rule: str
    versions: tuple[Version, ...]
    roles: Mapping[str, tuple[Role, ...]]
    start_types: frozenset[str]
    watched_by: tuple[str, ...]
    by_risk: bool


@dataclass(frozen=True, slots=True, eq=False)
class FlagRole:
    """What a fact of a type does to a rule flag."""

    name: FlagRoleName
    matches: Predicate
    anywhere: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class OvertakenBy:
    """An overtaken flag (F3): which facts of no case it counts."""

    row: Overtaken
    matches: Predicate


@dataclass(frozen=True, slots=True, eq=False)
class RepeatOf:
    """A repeat flag (F5): which facts of all cases it counts, by type; `types` are those and what takes them out."""

    row: Repeat
    counts: Mapping[str, Predicate]
    types: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class OrderGap:
    """A condition flag (F6)."""

    when: Condition
    order_key: KeyOf
    risk: Predicate | None


@dataclass(frozen=True, slots=True, eq=False)
class FlagPlan:
    """A rule flag with the roles that each type of fact plays; `amount` is the number or the time it is about."""

    id: str
    kind: Literal["instant", "count", "overtaken", "repeat", "condition", "stale", "gap"]
    severity: str
    key: KeyOf
    continues: bool
    duty_kinds: tuple[str, ...]
    roles: Mapping[str, tuple[FlagRole, ...]]
    amount: int = 0
    overtaken: OvertakenBy | None = None
    repeat: RepeatOf | None = None
    gap: OrderGap | None = None
    protection: ProtectionGap | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OrderTerms:
    """The term of an order that ends by itself (1.6); lengths in microseconds."""

    begins: str
    lasts: int
    key_field: str
    key: KeyOf
    extended_by: str | None
    days_field: str
    most_granted: int
    ended_by: frozenset[str]
    derived: str
    types: frozenset[str]
