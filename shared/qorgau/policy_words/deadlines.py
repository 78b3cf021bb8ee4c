"""A deadline rule in English: what starts, stops and cancels it, its term, and what moves the term. Pure."""

from collections.abc import Callable
from typing import assert_never

from qorgau.explaining.wording import length, plural
from qorgau.policy_words.lines import Clauses, each, fact_in_words, line_in_words, one_of, reopening, wish_in_words
from qorgau.rules import CaseLine, Rule, Toll, Warn
from qorgau.titles import Titles

_CLOCKS = {
    "elapsed": "runs day and night; a day is 24 hours",
    "day_end": "ends at 24:00 local time, where the start happened",
    "working_days": "counts working days from the day after the start and ends at 24:00 local time of the last one",
    "months": "counts calendar months, to the same local time of day",
}


def deadline_in_words(rule: Rule, titles: Titles) -> Clauses:
    """The clauses of one version of a rule (deadlines.md 2 to 5)."""
    clauses: dict[str, str] = {
        "starts": one_of(rule.starts, titles),
        "stops": one_of(rule.stops, titles),
        "cancels": one_of(rule.cancels, titles),
        "counted": each(rule.scope),
        "term": _term(rule, titles),
        "clock": _CLOCKS[rule.clock],
        "repeats": "what stops it starts the next term" if rule.recurring else "",
        "tolling": "; ".join(_toll(toll, titles) for toll in rule.tolled_by),
        "extension": _extension(rule, titles),
        "warning": _warning(rule.warn) if rule.warn is not None else "",
        "over before the report": "noted, not counted as late" if rule.window_passed_at_report else "",
        "reopening": reopening(rule.on_reopen),
    }
    return {name: words for name, words in clauses.items() if words}


def _term(rule: Rule, titles: Titles) -> str:
    ends = _ends(rule)
    if not rule.cases:
        return ends(rule.within, rule.count)
    return "; ".join(_case(line, ends, titles) for line in rule.cases)


def _ends(rule: Rule) -> Callable[[int | None, int | None], str]:
    """How a term of this clock is said, given its length in microseconds or its count."""

    def said(within: int | None, count: int | None) -> str:
        match rule.clock:
            case "elapsed":
                return f"within {length(within or 0)}"
            case "day_end":
                return "by the end of the same day"
            case "working_days":
                return f"within {plural(count or 0, 'working day')}"
            case "months":
                return f"within {plural(count or 0, 'month')}"
            case clock:
                assert_never(clock)

    return said


def _case(line: CaseLine, ends: Callable[[int | None, int | None], str], titles: Titles) -> str:
    """One line of several: the first that fits counts, so the last one says otherwise."""
    text = ends(line.within, line.count)
    if line.severity is not None:
        text += f", severity {line.severity}"
    if line.when is None:
        return f"otherwise {text}"
    wishes = [wish_in_words(field, wish, titles) for field, wish in line.when.start.items()]
    if line.when.case_risk is not None:
        wishes.append(wish_in_words("risk last known", line.when.case_risk, titles))
    return f"{text} ({', '.join(wishes)})"


def _toll(toll: Toll, titles: Titles) -> str:
    until = one_of(toll.until, titles)
    return f"the clock stands from when {line_in_words(toll.begins, titles)} until {until}"


def _extension(rule: Rule, titles: Titles) -> str:
    given = rule.extended_by
    if given is None:
        return ""
    return f"when {fact_in_words(given.fact, titles)}: by the days granted, {given.max_days} in all at most"


def _warning(warn: Warn) -> str:
    if warn.percent is not None:
        return f"after {warn.percent} % of the term"
    if warn.after is not None:
        return f"{length(warn.after)} after the start"
    return f"at {warn.last_day_at:%H:%M} local time on the last working day"
