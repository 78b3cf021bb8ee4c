"""The grades of each call-out, from first to last, and what is wrong with how they were lowered. Pure.

A ledger is made of the facts, so the first grade and its due are in it for ever, whatever came later; only who
withdraws a grade takes it out. Dues, warnings and states are those of the heart; that of the first grade is what the
heart says of the same case without any later one. Flags are no part of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from qorgau.assess import judged
from qorgau.facts import Fact
from qorgau.heart.circumstances import first_since
from qorgau.heart.known import KnownFacts
from qorgau.instants import DAY
from qorgau.plan import Plan
from qorgau.record import CaseRecord
from qorgau.rows import Judged
from qorgau.state.values import source, word

REGISTERED, REGRADED = "police.incident_registered", "police.reprioritised"
_ENDS = ("police.arrived", "police.call_cancelled")
# The gravest first.
_RANK = {"immediate": 0, "prompt": 1, "scheduled": 2}
# A scheduled call-out may be answered within a day, and the risk form be filled in within another.
RISK_WITHIN = 2 * DAY

Kind = Literal["lowered_when_passed", "lowered_when_tight", "first_grade_below_risk"]
FINDINGS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at an instant, by a desk; `against` says which due it was: of the grade in force, or of the first
    one (None: no due is concerned)."""

    kind: Kind
    at: int
    desk: str | None
    against: Literal["current", "original"] | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """One grade as a desk gave it, with the deadline that it opened (None: the policy gives it none)."""

    fact: Fact
    deadline: Judged | None

    @property
    def priority(self) -> str | None:
        """The grade itself, if it is a word of the vocabulary."""
        return word(self.fact, "priority")

    @property
    def desk(self) -> str | None:
        """Who gave it, if that is an agency."""
        return source(self.fact)

    @property
    def due_at(self) -> int | None:
        """Its due in microseconds."""
        return self.deadline.row.due_at if self.deadline else None


@dataclass(frozen=True, slots=True)
class CallOut:
    """A call-out: its grades in order, what ended it, and the deadline of the first grade as if no later one had come.

    `registered`: whether it began with a registration; what only a re-grading tells of is a call-out too."""

    grades: tuple[Grade, ...]
    end: Fact | None
    original: Judged | None
    registered: bool
    findings: tuple[Finding, ...] = ()

    @property
    def lowered(self) -> tuple[Grade, ...]:
        """The grades that were lower than the one before."""
        pairs = zip(self.grades, self.grades[1:], strict=False)
        return tuple(after for before, after in pairs if _rank(after.fact) > _rank(before.fact))


def call_outs(record: CaseRecord, plan: Plan, deadlines: Iterable[Judged]) -> tuple[CallOut, ...]:
    """The ledger of a case whose `deadlines` these are: every call-out in the order of its beginning."""
    known = KnownFacts(record.facts, record.as_of)
    spans = _spans(known, plan.closed_by)
    later = {grade.identity for grades, _ in spans for grade in grades[1:]}
    now = _by_start(deadlines)
    first = _by_start(judged(_without(record, later), plan)) if later else now
    found = []
    for grades, end in spans:
        made = tuple(Grade(fact, _deadline(fact, now, plan)) for fact in grades)
        out = CallOut(made, end, _deadline(grades[0], first, plan), grades[0].type == REGISTERED)
        found.append(replace(out, findings=(*_lowerings(out), *_below_risk(out, known))))
    return tuple(found)


def _spans(known: KnownFacts, closed_by: str) -> list[tuple[list[Fact], Fact | None]]:
    """The grades of each call-out and its end, as the heart ends its deadlines: by the first end at or after it. A
    re-grading belongs to every call-out that is open; without one it begins one."""
    ends = _in_order(known.of_any((*_ENDS, closed_by)))
    regraded, left = _in_order(known.of(REGRADED)), list[Fact]()
    spans = [([fact], first_since(ends, fact.time)) for fact in _in_order(known.of(REGISTERED))]
    for fact in regraded:
        open_now = [grades for grades, end in spans if _is_open(grades[0], end, fact)]
        for grades in open_now:
            grades.append(fact)
        if not open_now:
            left.append(fact)
    for fact in left:
        if spans and spans[-1][0][0].type == REGRADED and _is_open(spans[-1][0][0], spans[-1][1], fact):
            spans[-1][0].append(fact)
        else:
            spans.append(([fact], first_since(ends, fact.time)))
    return sorted(spans, key=lambda span: span[0][0].order)


def _is_open(first: Fact, end: Fact | None, fact: Fact) -> bool:
    return first.time <= fact.time and (end is None or fact.time <= end.time)


def _without(record: CaseRecord, graded: set[tuple[str, str]]) -> CaseRecord:
    return replace(record, facts=tuple(fact for fact in record.facts if fact.identity not in graded))


def _by_start(deadlines: Iterable[Judged]) -> dict[tuple[str, int], Judged]:
    return {(one.row.rule, one.row.start_at): one for one in deadlines}


def _deadline(fact: Fact, deadlines: dict[tuple[str, int], Judged], plan: Plan) -> Judged | None:
    """The deadline that a grade opened: of a rule that a re-grading starts as well, as P03, P04 and P05 are."""
    for family in graded_rules(plan):
        roles = plan.families[family].roles.get(fact.type, ())
        if any(role.name == "start" and role.at is None and role.matches(fact.data) for role in roles):
            return deadlines.get((family, fact.time))
    return None


def graded_rules(plan: Plan) -> list[str]:
    """The rules whose deadlines go by the grade of a call-out."""
    return [rule for rule, family in plan.families.items() if REGRADED in family.start_types]


def _lowerings(out: CallOut) -> Iterable[Finding]:
    """Every lowering at or after the warning instant or after the due, of the grade in force or of the first one;
    where both are concerned it is told once, of the graver."""
    for before, after in zip(out.grades, out.grades[1:], strict=False):
        if _rank(after.fact) > _rank(before.fact):
            at, desk = after.fact.time, after.desk
            kinds = [(_pressure(before.deadline, at), "current"), (_pressure(out.original, at), "original")]
            for kind in ("lowered_when_passed", "lowered_when_tight"):
                against = [name for found, name in kinds if found == kind]
                if against:
                    yield Finding(kind, at, desk, against[0])  # type: ignore[arg-type]
                    break


def _pressure(deadline: Judged | None, at: int) -> Kind | None:
    """How a deadline stood at an instant; a due is passed after it, equality is in time (deadlines.md 5)."""
    if deadline is None or deadline.row.due_at is None:
        return None
    if at > deadline.row.due_at:
        return "lowered_when_passed"
    return "lowered_when_tight" if deadline.warns_at is not None and at >= deadline.warns_at else None


def _below_risk(out: CallOut, known: KnownFacts) -> Iterable[Finding]:
    """A first grade that is not the gravest, and a first risk form soon after that says high."""
    grade = out.grades[0]
    if not out.registered or _rank(grade.fact) == 0:
        return
    assessed = first_since(_in_order(known.of("risk.assessed")), grade.fact.time)
    if assessed and assessed.time <= grade.fact.time + RISK_WITHIN and assessed.data.get("level") == "high":
        yield Finding("first_grade_below_risk", grade.fact.time, grade.desk)


def _rank(fact: Fact) -> int:
    return _RANK.get(str(fact.data.get("priority")), 0)


def _in_order(facts: Sequence[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: fact.order)
