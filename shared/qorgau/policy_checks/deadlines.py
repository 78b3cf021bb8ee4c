"""Checks of the deadline rules: their clocks and terms, what starts, ends and stops them, and their versions. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby

from qorgau.policy_checks.document import Place, Problem
from qorgau.policy_checks.fields import check_condition, check_together
from qorgau.policy_checks.lines import check_extension, check_head, check_line, check_lines, check_risk
from qorgau.rules import CaseLine, Frame, Line, Rule
from qorgau.vocabulary import FACT_TYPES

# The field that holds a clock's term, and the one that means nothing to it (deadlines.md 4.3).
_TERMS: Mapping[str, tuple[str | None, tuple[str, ...]]] = {
    "elapsed": ("within", ("count",)),
    "day_end": (None, ("within", "count")),
    "working_days": ("count", ("within",)),
    "months": ("count", ("within",)),
}
# Longer terms would lead out of what the calendar can express.
_MOST = 1200


def check_rule(place: Place, rule: Rule, frame: Frame | None) -> None:
    """One version of a deadline rule by itself."""
    check_head(place, rule)
    for name, lines in (("starts", rule.starts), ("stops", rule.stops), ("cancels", rule.cancels)):
        check_lines(place.at(name), lines, frame, rule.scope, opens=name == "starts")
    _check_ends(place, rule)
    _check_term(place, rule)
    _check_cases(place.at("cases"), rule, frame)
    _check_tolls(place, rule, frame)
    if rule.warn is not None and rule.warn.last_day_at is not None and rule.clock != "working_days":
        place.at("warn", "last_day_at").refuse("only the clock working_days has a last day")


def check_versions(top: Place, rules: Mapping[int, Rule]) -> None:
    """Rows with one id are versions of one rule: each from a day of its own, and the same where they meet."""
    by_id = sorted(rules, key=lambda number: rules[number].id)
    for _, group in groupby(by_id, key=lambda number: rules[number].id):
        first, *later = group
        days = {rules[first].effective_from}
        for number in later:
            _check_version(top.at("rules", number), rules[number], rules[first], days)
            days.add(rules[number].effective_from)


def _check_version(place: Place, rule: Rule, first: Rule, days: set[date]) -> None:
    if rule.effective_from in days:
        place.at("effective_from").refuse("another version of the rule has this day; the id may also be taken")
    if rule.service != first.service:
        place.at("service").refuse("the versions of a rule belong to one service, which keeps its facts")
    if rule.scope != first.scope and (rule.recurring or first.recurring):
        # The next deadline of a chain has the key of the one before it, whichever version opens it (2.5).
        place.at("scope").refuse("the versions of a recurring rule have one scope")


def _check_ends(place: Place, rule: Rule) -> None:
    """A start that is its own end would make every deadline end as it begins."""
    for name, lines in (("stops", [] if rule.recurring else rule.stops), ("cancels", rule.cancels)):
        for number, line in enumerate(lines):
            if any(_always_ends(line, start) for start in rule.starts):
                place.at(name, number).refuse("also matches every start, so the deadline would end as it begins")


def _always_ends(line: Line, start: Line) -> bool:
    narrower = all(start.where.get(field) == condition for field, condition in line.where.items())
    choice = not line.where_any or line.where_any == start.where_any
    return line.fact == start.fact and start.at is None and narrower and choice


def _check_term(place: Place, rule: Rule) -> None:
    needed, foreign = _TERMS[rule.clock]
    for name in foreign:
        if getattr(rule, name) is not None:
            place.at(name).refuse(f"means nothing to the clock {rule.clock}")
        for number, line in enumerate(rule.cases):
            if getattr(line, name) is not None:
                place.at("cases", number, name).refuse(f"means nothing to the clock {rule.clock}")
    if needed is None or getattr(rule, needed) is not None:
        return
    if not rule.cases:
        place.at(needed).refuse(f"the clock {rule.clock} needs {needed}")
    for number, line in enumerate(rule.cases):
        if getattr(line, needed) is None:
            place.at("cases", number).refuse(f"the clock {rule.clock} needs {needed}, here or in the rule")


def _check_cases(place: Place, rule: Rule, frame: Frame | None) -> None:
    for number, line in enumerate(rule.cases):
        here, last = place.at(number), number == len(rule.cases) - 1
        if line.otherwise and not last:
            here.at("otherwise").refuse("is reached by everything, so the lines after it do nothing")
        if not line.otherwise and last:
            here.refuse("the last line must be otherwise: true, for the deadlines that no other line is for")
        if line.count is not None and line.count > _MOST:
            here.at("count").refuse(f"is at most {_MOST}")
        _check_when(here.at("when"), line, rule, frame)


def _check_when(place: Place, line: CaseLine, rule: Rule, frame: Frame | None) -> None:
    if line.when is None:
        return
    if "case_risk" in line.when.model_fields_set:
        check_risk(place.at("case_risk"), line.when.case_risk, frame)
    elif not line.when.start:
        place.refuse("has no condition; write otherwise: true")
    # The next deadline of a recurring rule is begun by the stop of the last.
    begins = [*rule.starts, *(rule.stops if rule.recurring else [])]
    for field, condition in line.when.start.items():
        _check_start_field(place.at("start", field), field, condition, begins, frame)


def _check_start_field(
    place: Place, field: str, condition: object, begins: Sequence[Line], frame: Frame | None
) -> None:
    """A problem unless one of the facts that begin the deadline can meet the condition."""
    regions = None if frame is None else frozenset(frame.zones.regions)
    trials: list[list[Problem]] = []
    for start in begins:
        kind = FACT_TYPES.get(start.fact)
        if kind is not None and field in kind.fields:
            trial = replace(place, found=[])
            check_condition(trial, condition, regions if field == "region" else kind.fields[field], field)
            check_together(trial, kind, [start.where, {field: condition}])
            trials.append(trial.found)
    if not trials:
        place.refuse(f"no start of this rule has a field {field}")
    elif all(trials):
        place.found.extend(trials[0])


def _check_tolls(place: Place, rule: Rule, frame: Frame | None) -> None:
    if rule.tolled_by and rule.clock not in ("elapsed", "day_end"):
        place.at("tolled_by").refuse(f"the clock {rule.clock} cannot be stopped, only elapsed and day_end can")
    if rule.extended_by is not None:
        if rule.clock != "elapsed":
            place.at("extended_by").refuse(f"the clock {rule.clock} cannot be extended, only elapsed can")
        check_extension(place.at("extended_by"), rule.extended_by, rule.scope)
    for number, toll in enumerate(rule.tolled_by):
        check_line(place.at("tolled_by", number, "from"), toll.begins, frame, rule.scope)
        check_lines(place.at("tolled_by", number, "until"), toll.until, frame, rule.scope)
