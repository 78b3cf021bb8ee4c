"""What rows of a policy are made of, in English: facts with their conditions, scopes, steps of a ladder. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from qorgau.explaining.wording import length, listed
from qorgau.rules import Frame, Line, OnReopen, Severity, Where
from qorgau.titles import Titles

Clauses = dict[str, str]
"""Parts of a rule by name, in the order in which they are read; what a rule does not have is not there."""

_ON_REOPEN: Mapping[OnReopen, str] = {
    "continue": "ends when the case is closed, and goes on if it is reopened",
    "end": "ends when the case is closed, also if it is reopened",
}


def one_of(lines: Iterable[Line], titles: Titles) -> str:
    """Several lines of which any one will do."""
    return "; or ".join(line_in_words(line, titles) for line in lines)


def line_in_words(line: Line, titles: Titles) -> str:
    """One line: the fact, under which conditions, from when it counts."""
    text = fact_in_words(line.fact, titles, line.where, line.where_any)
    if line.at is not None:
        text += f', counted from the time it gives as "{plain(line.at)}"'
    if line.any_in_case:
        text += ", whatever it refers to in the case"
    return text


def fact_in_words(
    fact: str, titles: Titles, where: Mapping[str, Any] | None = None, where_any: Iterable[Where] = ()
) -> str:
    """A type of fact with its conditions in brackets; by its name on the wire where it has no title."""
    called = titles.facts[fact].en if fact in titles.facts else fact
    parts = [_all_of(where, fact, titles)] if where else []
    parts += [" or ".join(_all_of(one, fact, titles) for one in where_any)] if where_any else []
    return f"{called} ({'; '.join(parts)})" if parts else called


def wish_in_words(field: str, wish: object, titles: Titles, fact: str = "") -> str:
    """A condition on one field, as `area urban`, `tolls term: yes`."""
    if not isinstance(wish, dict):
        return f"{plain(field)}: {_value(field, wish, titles, fact)}"
    parts = [_choice([_value(field, one, titles, fact) for one in wish["in"]])] if "in" in wish else []
    parts += [f"not {_value(field, wish['not'], titles, fact)}"] if "not" in wish else []
    return f"{plain(field)}: {listed(parts) or ('given' if wish.get('present', True) else 'not given')}"


def each(scope: Iterable[str]) -> str:
    """For what a rule is kept apart, as `each order`; empty where all facts of a case count together."""
    return listed([f"each {plain(field.removesuffix('_id'))}" for field in scope])


def reopening(on_reopen: OnReopen) -> str:
    """What a closed case that is reopened does to the rule."""
    return _ON_REOPEN[on_reopen]


def ladder_in_words(frame: Frame, severity: Severity, *, first_only: bool = False) -> str:
    """Who is told, and how long after; a flag that does not climb is told to the first step only."""
    steps = list(frame.ladder[severity])[: 1 if first_only else None]
    told = [
        f"{frame.desks.get(step.to, step.to)} {f'after {length(step.after)}' if step.after else 'at once'}"
        for step in steps
    ]
    return "; ".join(told)


def plain(name: str) -> str:
    """A name on the wire as words."""
    return name.replace("_", " ")


def _all_of(where: Mapping[str, Any], fact: str, titles: Titles) -> str:
    return ", ".join(wish_in_words(field, wish, titles, fact) for field, wish in where.items())


def _value(field: str, value: object, titles: Titles, fact: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    known = titles.code(field, str(value), fact)
    return known.en if known is not None else plain(str(value))


def _choice(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
