"""Checks of the flags that are no deadlines (F1 to F10), one for each kind. Pure."""

from collections.abc import Sequence
from typing import assert_never, get_args

from qorgau.policy_checks.document import Place
from qorgau.policy_checks.fields import TIMESTAMPS, check_carries, check_holds, known_type
from qorgau.policy_checks.lines import check_field, check_head, check_lines, check_matcher, check_risk, check_scope
from qorgau.rows import State
from qorgau.rules import (
    Count,
    Flag,
    Frame,
    Instant,
    Line,
    NotCounted,
    OrderGap,
    Overtaken,
    ProtectionGap,
    Repeat,
    Rule,
    Silence,
    Stale,
    Surge,
)
from qorgau.vocabulary import FACT_TYPES


def check_flag(place: Place, flag: Flag, frame: Frame | None, rules: Sequence[Rule]) -> None:
    """One flag; `rules` are those that it may watch."""
    check_head(place, flag)
    match flag:
        case Instant():
            check_lines(place.at("raised_by"), flag.raised_by, frame, flag.scope, opens=True)
            check_lines(place.at("cleared_by"), flag.cleared_by, frame, flag.scope)
            _check_undated(place.at("raised_by"), flag.raised_by)
        case Count():
            check_lines(place.at("counts"), flag.counts, frame, flag.scope, opens=True)
            check_lines(place.at("reset_by"), flag.reset_by, frame, flag.scope)
            _check_undated(place.at("counts"), flag.counts)
        case Overtaken():
            _check_overtaken(place, flag, frame, rules)
        case Repeat():
            _check_repeat(place, flag, frame)
        case OrderGap():
            _check_order_gap(place, flag, frame)
        case ProtectionGap():
            _check_protection_gap(place, flag, frame)
        case Stale():
            _check_some_time(place.at("after"), flag.after)
        case Surge():
            _check_surge(place, flag, frame)
        case Silence():
            _check_silence(place, flag)
        case _:
            assert_never(flag)


def _check_undated(place: Place, lines: Sequence[Line]) -> None:
    for number, line in enumerate(lines):
        if line.at is not None:
            place.at(number, "at").refuse("a flag is raised by what happens, not by a date in it")


def _check_some_time(place: Place, length: int) -> None:
    if not length:
        place.refuse("no time at all")


def _check_overtaken(place: Place, flag: Overtaken, frame: Frame | None, rules: Sequence[Rule]) -> None:
    kind = check_matcher(place.at("items"), flag.items, frame, context=True)
    check_carries(place.at("same_field"), kind, flag.same_field)
    check_holds(place.at("registered_field"), kind, flag.registered_field, TIMESTAMPS, "timestamp")
    _check_some_time(place.at("in_last"), flag.in_last)
    for number, state in enumerate(flag.in_states):
        if state not in get_args(State):
            place.at("in_states", number).refuse(f"no deadline has the state {state}")
    for number, name in enumerate(flag.watches):
        watched = [rule for rule in rules if rule.id == name]
        here = place.at("watches", number)
        if not watched:
            here.refuse(f"there is no rule {name}, or it is refused itself")
        elif any(rule.service != flag.service for rule in watched):
            here.refuse(f"{name} belongs to another service, which alone knows its deadlines")
        for start in {line.fact for rule in watched for line in rule.starts}:
            check_field(place.at("same_field"), [start], flag.same_field)


def _check_repeat(place: Place, flag: Repeat, frame: Frame | None) -> None:
    check_lines(place.at("counts"), flag.counts, frame, ())
    check_lines(place.at("cleared_by"), flag.cleared_by, frame, ())
    check_field(place.at("same_field"), [line.fact for line in flag.counts], flag.same_field)
    _check_not_counted(place.at("not_counted"), flag.not_counted, flag.counts)
    for number, window in enumerate(flag.windows):
        _check_some_time(place.at("windows", number, "in_last"), window.in_last)


def _check_not_counted(place: Place, line: NotCounted | None, counts: Sequence[Line]) -> None:
    if line is not None:
        check_carries(place.at("by"), known_type(place.at("fact"), line.fact), line.by)
        check_field(place.at("by"), [counted.fact for counted in counts], line.by)


def _check_order_gap(place: Place, flag: OrderGap, frame: Frame | None) -> None:
    for number, fact in enumerate(flag.when.none_since_service):
        known_type(place.at("when", "none_since_service", number), fact)
    if "case_risk" in flag.when.model_fields_set:
        check_risk(place.at("when", "case_risk"), flag.when.case_risk, frame)
    _check_order_ended_by(place.at("when"), flag.when.order_ended_by, frame)
    if frame is not None and frame.order_term is not None and flag.key != frame.order_term.key:
        place.at("key").refuse(f"an order is known by {frame.order_term.key} (order_term, key)")


def _check_protection_gap(place: Place, flag: ProtectionGap, frame: Frame | None) -> None:
    check_lines(place.at("raised_by"), flag.raised_by, frame, flag.scope, opens=True)
    check_lines(place.at("cleared_by"), flag.cleared_by, frame, flag.scope)
    _check_undated(place.at("raised_by"), flag.raised_by)
    dated = known_type(place.at("dated_by", "fact"), flag.dated_by.fact)
    check_holds(place.at("dated_by", "field"), dated, flag.dated_by.field, TIMESTAMPS, "timestamp")
    check_scope(place.at("dated_by", "fact"), dated, flag.scope)
    if flag.undated_by is not None:
        undated = known_type(place.at("undated_by", "fact"), flag.undated_by.fact)
        check_scope(place.at("undated_by", "fact"), undated, flag.scope)
        for kind in (dated, undated):
            check_carries(place.at("undated_by", "by"), kind, flag.undated_by.by)
    for number, fact in enumerate(flag.none_since_service):
        known_type(place.at("none_since_service", number), fact)
    _check_order_ended_by(place, flag.order_ended_by, frame)


def _check_order_ended_by(place: Place, ended_by: str, frame: Frame | None) -> None:
    if frame is None:
        return
    if frame.order_term is None:
        place.refuse("the policy has no order_term that says when an order ends")
    elif ended_by not in frame.order_term.ended_by:
        place.at("order_ended_by").refuse("is not among the facts that end an order (order_term, ended_by)")


def _check_surge(place: Place, flag: Surge, frame: Frame | None) -> None:
    for number, line in enumerate(flag.counts):
        kind = check_matcher(place.at("counts", number), line, frame, context=_is_context(line.fact))
        for field in flag.group_by:
            check_carries(place.at("group_by"), kind, field)
    _check_not_counted(place.at("not_counted"), flag.not_counted, flag.counts)


def _check_silence(place: Place, flag: Silence) -> None:
    if flag.duty_kinds != ["start"]:
        place.at("duty_kinds").refuse("a silence is its own agency's, which is called start")


def _is_context(fact: str) -> bool:
    """Statistics may count what is about no case."""
    return fact in FACT_TYPES and FACT_TYPES[fact].context
