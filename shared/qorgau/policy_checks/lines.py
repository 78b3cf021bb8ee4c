"""Checks that a line of a rule can match a fact of the cases it is about, and what all rules have in common. Pure."""

from collections.abc import Sequence

from qorgau.policy_checks.document import Place
from qorgau.policy_checks.fields import (
    NUMBERS,
    TIMESTAMPS,
    check_carries,
    check_condition,
    check_holds,
    check_together,
    check_where,
    known_type,
)
from qorgau.rules import Extension, Flag, Frame, Items, Line, Rule
from qorgau.vocabulary import FACT_TYPES, KINDS, NOTIFIER, SERVICES, FactType

_BASES = ("", "statutory", "statutory_unverified", "good_practice")
_TIERS = ("core", "extended")
# Whose lateness it is may also be whoever posted the start fact, or an agency that it names in a field.
_START, _NAMED = "start", "start."
# The fields that hold the code of an agency.
_AGENCIES = frozenset({"agency", "to"})


def check_head(place: Place, rule: Rule | Flag) -> None:
    """What deadline rules and flags have in common: service, duty kinds, tier, basis and scope."""
    if rule.service not in SERVICES or rule.service == NOTIFIER:
        place.at("service").refuse(f"no service of this name judges cases; there are {', '.join(SERVICES[:-1])}")
    for number, kind in enumerate(rule.duty_kinds):
        if kind.startswith(_NAMED):
            check_named(place.at("duty_kinds", number), rule, kind.removeprefix(_NAMED))
        elif kind not in KINDS and kind != _START:
            place.at("duty_kinds", number).refuse(f"{kind} is no kind of agency, nor the word start")
    if rule.basis not in _BASES:
        place.at("basis").refuse(f"is one of {', '.join(_BASES[1:])}")
    if rule.tier not in _TIERS:
        place.at("tier").refuse(f"is one of {', '.join(_TIERS)}")
    if len(set(rule.scope)) < len(rule.scope):
        place.at("scope").refuse("names a field twice")


def check_named(place: Place, rule: Rule | Flag, field: str) -> None:
    """That the one duty is an agency which every start of a deadline rule names in this field."""
    if not isinstance(rule, Rule) or len(rule.duty_kinds) > 1:
        place.refuse("an agency that a fact names stands alone, in a deadline rule")
        return
    for line in rule.starts:
        check_holds(place, FACT_TYPES.get(line.fact), field, _AGENCIES, "code of an agency")


def check_lines(
    place: Place, lines: Sequence[Line], frame: Frame | None, scope: Sequence[str], *, opens: bool = False
) -> None:
    """Lines that open something, or that answer or end what was opened; the facts carry its scope."""
    for number, line in enumerate(lines):
        check_line(place.at(number), line, frame, scope, opens=opens)


def check_line(place: Place, line: Line, frame: Frame | None, scope: Sequence[str], *, opens: bool = False) -> None:
    """One line; only a line that opens a deadline can say `at`, only one that does not `any_in_case`."""
    kind = check_matcher(place, line, frame)
    if line.at is not None:
        if opens:
            check_holds(place.at("at"), kind, line.at, TIMESTAMPS, "timestamp")
        else:
            place.at("at").refuse("only a start can be dated by a field")
    if line.any_in_case and opens:
        place.at("any_in_case").refuse("what opens a deadline gives it its key, so it cannot leave it open")
    elif not line.any_in_case:
        check_scope(place, kind, scope, "" if opens else "; add any_in_case: true if every one in the case counts")


def check_scope(place: Place, kind: FactType | None, scope: Sequence[str], advice: str = "") -> None:
    """A problem for each field of the scope that facts of the type never have."""
    for field in scope:
        if kind is not None and field not in kind.fields:
            place.refuse(f"a {kind.name} has no {field}, which is in the scope, so it never matches{advice}")


def check_matcher(place: Place, line: Line | Items, frame: Frame | None, *, context: bool = False) -> FactType | None:
    """Type and conditions of a line; the type if there is such a one."""
    kind = known_type(place.at("fact"), line.fact, context=context)
    regions = None if frame is None else frozenset(frame.zones.regions)
    check_where(place.at("where"), kind, line.where, regions)
    if "where_any" in line.model_fields_set and not line.where_any:
        place.at("where_any").refuse("needs at least one map of conditions")
    for number, where in enumerate(line.where_any):
        here = place.at("where_any", number)
        if not where:
            here.refuse("has no condition, so the others do nothing")
        check_where(here, kind, where, regions)
        check_together(here, kind, [line.where, where])
    return kind


def check_extension(place: Place, extension: Extension, scope: Sequence[str]) -> None:
    """The fact that grants days, and the field that says how many."""
    kind = known_type(place.at("fact"), extension.fact)
    check_holds(place.at("days_field"), kind, extension.days_field, NUMBERS, "number")
    check_scope(place.at("fact"), kind, scope)


def check_risk(place: Place, condition: object, frame: Frame | None) -> None:
    """A condition on how high the risk is."""
    if frame is None:
        return
    if frame.risk_state is None:
        place.refuse("the policy has no risk_state that says where the risk is found")
        return
    kind = FACT_TYPES.get(frame.risk_state.fact)
    if kind is not None and frame.risk_state.field in kind.fields:
        check_condition(place, condition, kind.fields[frame.risk_state.field], frame.risk_state.field)


def check_field(place: Place, facts: Sequence[str], field: str) -> None:
    """A field that facts of each of these types must have; unknown types are noted elsewhere."""
    for fact in facts:
        check_carries(place, FACT_TYPES.get(fact), field)
