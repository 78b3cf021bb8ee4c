"""Checks of what all rules share: ladder, case end, order term, risk, calendar and zones. Pure."""

from collections.abc import Iterable
from typing import get_args

import holidays

from qorgau.calendar import load_zone
from qorgau.policy_checks.document import Place
from qorgau.policy_checks.fields import check_carries, known_type
from qorgau.policy_checks.lines import check_extension
from qorgau.rules import CalendarRules, Flag, Frame, OrderTerm, Rule, Severity, Zones

_WARNED = "L1"


def check_frame(place: Place, frame: Frame) -> None:
    """Everything but the ladder, which is checked against the severities that rules have."""
    for name, fact in frame.case_end:
        known_type(place.at("case_end", name), fact)
    if frame.order_term is not None:
        _check_order_term(place.at("order_term"), frame.order_term)
    if frame.risk_state is not None:
        kind = known_type(place.at("risk_state", "fact"), frame.risk_state.fact)
        check_carries(place.at("risk_state", "field"), kind, frame.risk_state.field)
    _check_calendar(place.at("calendar"), frame.calendar)
    _check_zones(place.at("zones"), frame.zones)


def check_ladder(place: Place, frame: Frame, rules: Iterable[Rule], flags: Iterable[Flag]) -> None:
    """Every severity leads to a desk, and every desk is one of the policy."""
    if _WARNED not in frame.desks:
        place.refuse(f"warnings go to {_WARNED}, which is not among the desks")
    cases = [line.severity for rule in rules for line in rule.cases if line.severity]
    used = {*(rule.severity for rule in rules), *(flag.severity for flag in flags), *cases}
    for severity in get_args(Severity):
        steps = frame.ladder.get(severity, [])
        if severity in used and not steps:
            place.at(severity).refuse(f"nobody is told of a breach of severity {severity}")
        for number, step in enumerate(steps):
            if step.to not in frame.desks:
                place.at(severity, number, "to").refuse(f"{step.to} is not among the desks")
            if step.to in [earlier.to for earlier in steps[:number]]:
                place.at(severity, number, "to").refuse(f"{step.to} is told twice")


def _check_order_term(place: Place, term: OrderTerm) -> None:
    for name, fact in (("begins", term.begins), ("derived_fact", term.derived_fact)):
        check_carries(place.at("key"), known_type(place.at(name), fact), term.key)
    for number, fact in enumerate(term.ended_by):
        check_carries(place.at("key"), known_type(place.at("ended_by", number), fact), term.key)
    if term.derived_fact not in term.ended_by:
        place.at("derived_fact").refuse("is not among the facts in ended_by, so the order would not be ended by it")
    if term.extended_by is not None:
        check_extension(place.at("extended_by"), term.extended_by, [term.key])


def _check_calendar(place: Place, calendar: CalendarRules) -> None:
    if calendar.country not in holidays.list_supported_countries():
        place.at("country").refuse("there is no table of holidays of this country")
    if len(set(calendar.weekend)) == 7:
        place.at("weekend").refuse("leaves no working day")
    both = set(calendar.extra_days_off) & set(calendar.extra_working_days)
    if both:
        days = ", ".join(sorted(map(str, both)))
        place.at("extra_working_days").refuse(f"has days that are also in extra_days_off: {days}")


def _check_zones(place: Place, zones: Zones) -> None:
    _check_zone(place.at("default"), zones.default)
    for region, name in zones.regions.items():
        _check_zone(place.at("regions", region), name)


def _check_zone(place: Place, name: str) -> None:
    try:
        load_zone(name)
    except ValueError as error:
        place.refuse(f"{name} is {error}")
